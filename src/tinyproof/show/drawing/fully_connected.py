"""A fully connected network as a picture: the width of a line is the size of its weight, colour and dash its sign.

Of a layer of more than MOST_UNITS units the first and the last are drawn, with the number of those left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tinyproof.backprop.equations import forward
from tinyproof.backprop.net import Net
from tinyproof.show.drawing.layered import Box, Drawing, Look, draw
from tinyproof.show.drawing.shapes import Circle, Line, Picture, Text

RADIUS, LABEL = 30.0, 11.5  # pixels: of a unit; the size of a weight's label
MOST_UNITS, MOST_LABELS = 8, 40  # units of a layer that are drawn; weights of a layer that are written
MOST_LABELLED = 6  # columns; weights of deeper networks are not written
MOST_TOLD = 40  # parameters that the description names
WIDEST = 1800.0  # pixels; deeper networks stand closer
BESIDE, BELOW = 84.0, 62.0  # room for the targets, and for the activations and the legend
LEGEND = "solid: positive, dashed: negative; the thicker, the larger"


def net_picture(net: Net, values: Mapping[str, float] | None = None) -> Picture:
    """The network. `values`: weights, inputs and units of some iteration; without them the givens."""
    known = {**net.givens(), **(values or {})}
    columns = _columns(net)
    place = draw(columns, forward(net), tuple(net.parameters), _look(net, known))
    labelled = [Text(*link.label, _said(link.weight, known), LABEL, _sign(known[link.weight]), boxed=True)
                for link in place.links if link.weight and any(link.label) and not link.crowded]  # fmt: skip
    shapes = [*_lines(net, known, place), *labelled, *_units(net, known, place), *_captions(net, place)]
    title = f"The network {net.name}: {'-'.join(map(str, net.shape))}"
    return Picture(place.width + BESIDE, place.height + BELOW, title, _description(net, known), tuple(shapes))


def _look(net: Net, known: Mapping[str, float]) -> Look:
    """Deep networks go without labels on their lines, and stand as close as the width asks."""
    names = (name for rows in net.weight_names for row in rows for name in row)
    longest = max(Text(0, 0, _said(name, known), LABEL).width for name in names)
    count = len(net.shape)
    room = (WIDEST - BESIDE - 2 * RADIUS * count) / (count - 1)
    bare = min(170.0, max(30.0, room))
    return Look("across", (longest, LABEL + 16), MOST_LABELS if count <= MOST_LABELLED else 0, RADIUS, bare)


def _columns(net: Net) -> list[list[Box]]:
    """A circle for each input and each unit, which holds what goes into its activation and what comes out."""
    tag = net.tags[0]
    columns = [[Box((name,), "input") for name in net.feeds(0, tag)]]
    for number, layer in enumerate(net.layers):
        kind = "output" if number == len(net.layers) - 1 else "hidden"
        units = [net.unit(number, k) for k in range(layer.units)]
        columns.append([Box((unit + tag, f"a_{unit}{tag}"), kind) for unit in units])
    return [_shown(column) for column in columns]


def _shown(column: list[Box]) -> list[Box]:
    if len(column) <= MOST_UNITS:
        return column
    more = f"{len(column) - MOST_UNITS + 1:,} more"
    return [*column[: MOST_UNITS - 2], Box((more,), "gap"), column[-1]]


def _lines(net: Net, known: Mapping[str, float], place: Drawing) -> Iterator[Line]:
    largest = max(abs(known[name]) for rows in net.weight_names for row in rows for name in row) or 1.0
    for link in place.links:
        weight = known[link.weight]
        width = 0.8 + 3.2 * (abs(weight) / largest)  # no number overflows on the way
        yield Line((link.start, link.end), _sign(weight), width, opacity=0.6, dashed=weight < 0)


def _units(net: Net, known: Mapping[str, float], place: Drawing) -> Iterator[Circle | Text]:
    tag = net.tags[0]
    biases = {net.unit(n, k): net.bias_of(n, k) for n, layer in enumerate(net.layers) for k in range(layer.units)}
    for box in place.boxes:
        x, y = box.middle
        if box.kind == "gap":
            yield from (Text(x, y - 8, "⋮", 22.0, "quiet"), Text(x, y + 12, box.slots[0], 11.5, "quiet"))
            continue
        yield Circle(x, y, RADIUS, box.kind)
        value, name = known.get(box.slots[-1]), box.slots[0].removesuffix(tag)
        yield Text(x, y if value is None else y - 7, name, 14.0, bold=True)
        if value is not None:
            yield Text(x, y + 10, f"{value:.3g}", 11.5, "quiet")
        if bias := biases.get(name):
            yield Text(x, y + RADIUS + 12, f"+ {_said(bias, known)}", 11.5, "quiet")
        if box.kind == "output":
            yield Text(x + RADIUS + 42, y, _said(f"t{name[1:]}{tag}", known, tag), 12.5, "quiet")


def _captions(net: Net, place: Drawing) -> Iterator[Text]:
    """Each layer's activation below its units, and what the lines mean."""
    middles = sorted({box.middle[0] for box in place.boxes})
    for x, layer in zip(middles[1:], net.layers, strict=True):
        yield Text(x, place.height + 22, layer.activation, 12.0, "quiet")
    yield Text((middles[0] + middles[-1]) / 2, place.height + 44, LEGEND, 11.0, "quiet")


def _description(net: Net, known: Mapping[str, float]) -> str:
    units = [f"{layer.units:,} {layer.activation} units" for layer in net.layers]
    told = [_said(name, known) for name in net.parameters]
    rest = f", and {len(told) - MOST_TOLD:,} more" if len(told) > MOST_TOLD else ""
    return f"{net.shape[0]:,} inputs, then {', then '.join(units)}. " + ", ".join(told[:MOST_TOLD]) + rest + "."


def _sign(weight: float) -> str:
    return "negative" if weight < 0 else "positive"


def _said(name: str, known: Mapping[str, float], tag: str = "") -> str:
    return f"{name.removesuffix(tag)} {known[name]:.3g}"
