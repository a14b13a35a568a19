"""The page that steps through back-propagation: one HTML file that computes with the network's own equations."""

from __future__ import annotations

from typing import Any

from tinyproof.backprop.diff import gradient_name
from tinyproof.backprop.equations import RATE, forward, gradients
from tinyproof.backprop.expr import Equation
from tinyproof.backprop.mathematics import name_parts
from tinyproof.backprop.net import Net
from tinyproof.backprop.notation import GREEK, JAVASCRIPT_FUNCTIONS
from tinyproof.backprop.slips import WORDS
from tinyproof.core.errors import InputError
from tinyproof.show.drawing.layered import Box, Drawing, Look, draw
from tinyproof.show.drawing.wiring import biases
from tinyproof.show.html import render, safe
from tinyproof.show.stepper.given_spec import given_spec
from tinyproof.show.stepper.packed_steps import packed
from tinyproof.show.stepper.page_data import equations, page_data
from tinyproof.show.stepper.page_json import lean, script_json
from tinyproof.show.stepper.slip_lines import other_numbers, slip_lines

MOST_PARAMETERS, MOST_UNITS, MOST_EXAMPLES, MOST_ITERATIONS = 120, 10, 16, 10_000
MOST_WORK = 2_000_000  # equations times iterations: a second or two in a browser whenever something is changed
WIDEST = 1690.0  # pixels at its natural size; a screen of 1280 shows that much with numbers that can be read
_CURVES = {
    "sigmoid": "M-6 4C1 4-1-4 6-4",
    "tanh": "M-6 4C1 4-1-4 6-4",
    "relu": "M-6 3H0L5-4",
    "leaky relu": "M-6 4L0 2 5-5",
    "softplus": "M-6 4C-1 4 0 2 5-4",
    "identity": "M-5 5L5-5",
}
_ICONS = {
    "first": "M3 3h2v10H3zM13 3v10L6 8z",
    "back": "M11 3v10L4 8z",
    "play": "M4 2.5v11l9-5.5z",
    "pause": "M4 3h3v10H4zM9 3h3v10H9z",
    "step": "M5 3v10l7-5z",
    "last": "M11 3h2v10h-2zM3 3v10l7-5z",
}


def stepper(net: Net, iterations: int = 100) -> str:
    """One self-contained HTML page for `net`. Raises InputError where the network is too large to be drawn.

    Limits: 120 weights and biases, 10 units a layer, 16 examples, 1 to 10,000 iterations (fewer for the largest).
    """
    _check(net, iterations)
    data = page_data(net, iterations)
    graded = {step["name"] for step in data["steps"] if step["phase"] == "backward"}
    ahead, columns, parameters = forward(net), boxes(net), tuple(net.parameters)

    def gradient(slot: str) -> str:
        name = gradient_name("E_total", slot)
        return name if name in graded else ""

    page = render(
        "stepper.html.j2",
        title=net.title or net.name,
        across=_across(columns, ahead, parameters),
        down=draw(columns, ahead, parameters, Look("down")),
        parts=name_parts,
        gradient=gradient,
        html_name=_html_name,
        px=_px,
        icon={
            name: safe(f'<svg viewBox="0 0 16 16" aria-hidden="true"><path d="{d}"/></svg>')
            for name, d in _ICONS.items()
        },
        iterations=iterations,
        examples=data["examples"],
        trained=net.trained,
        groups=_groups(net, data["givens"]),
        data=packed(data | {"spec": given_spec(net, iterations)}),
        slip_words=script_json(WORDS),
        other_numbers=[safe(line) for line in other_numbers()],
        functions=safe(JAVASCRIPT_FUNCTIONS),
        equations={
            part: [safe(line) for line in lines] for part, lines in {**equations(net), "slips": slip_lines(net)}.items()
        },
    )
    return lean(page)


def _across(columns: list[list[Box]], ahead: list[Equation], parameters: tuple[str, ...]) -> Drawing:
    """Boxes beside each other where that fits a screen; of a deeper network one quantity below the other."""
    usual = draw(columns, ahead, parameters, Look("across"))
    return usual if usual.width <= WIDEST else draw(columns, ahead, parameters, Look("across", stacked=True))


def _check(net: Net, iterations: int) -> None:
    if isinstance(iterations, bool) or not isinstance(iterations, int) or not 1 <= iterations <= MOST_ITERATIONS:
        raise InputError("iterations", iterations, f"a whole number from 1 to {MOST_ITERATIONS:,}")
    for what, count, most in (
        ("weights and biases", len(net.parameters), MOST_PARAMETERS),
        ("units in a layer", max(net.shape), MOST_UNITS),
        ("examples", len(net.examples), MOST_EXAMPLES),
    ):
        if count > most:
            raise InputError("network", f"{count:,} {what}", f"at most {most} on a page", net.source or net.name)
    most = max(1, MOST_WORK // (len(forward(net)) + len(gradients(net)) + len(net.states)))
    if iterations > most:
        raise InputError(
            "iterations", iterations, f"at most {most:,} for a network of this size", net.source or net.name
        )


def boxes(net: Net) -> list[list[Box]]:
    """The columns of the drawing: inputs, each layer's units, the losses, the whole loss.

    With several examples the names are those of the first; the page shows the others in the same places.
    """
    tag = net.tags[0]
    shared = {
        name: uses for name, uses in biases(forward(net), tuple(net.parameters)).items() if len(_bare(uses, tag)) > 1
    }
    columns = [[Box((name,), "input") for name in net.feeds(0, tag)]]
    for number, layer in enumerate(net.layers):
        common = [name for name in net.bias_names[number] if name in shared]
        columns[-1] += [Box((name,), "bias" if layer.train_bias else "constant") for name in common]
        units = [net.unit(number, k) for k in range(layer.units)]
        own = ["" if common else net.bias_of(number, k) or "" for k in range(layer.units)]
        if layer.activation == "softmax":
            columns.append([Box((unit + tag,), "unit", bias=bias) for unit, bias in zip(units, own, strict=True)])
            columns.append([Box((f"a_{unit}{tag}",), "unit") for unit in units])
        else:
            curve = _CURVES[layer.activation]
            pairs = zip(units, own, strict=True)
            columns.append(
                [Box((unit + tag, f"a_{unit}{tag}"), "unit", bias=bias, curve=curve) for unit, bias in pairs]
            )
    columns.append([Box((f"t{k + 1}{tag}", f"E{k + 1}{tag}"), "loss") for k in range(net.shape[-1])])
    columns.append([Box((f"E_total{tag}",), "total")])
    return columns + ([[Box(("E_total",), "total")]] if tag else [])


def _bare(uses: tuple[str, ...], tag: str) -> list[str]:
    return [name for name in uses if name.endswith(tag)]


def _groups(net: Net, values: dict[str, float]) -> list[dict[str, Any]]:
    """The fields of the form: the rate, each example, each layer's parameters."""
    groups: list[dict[str, Any]] = [{"title": "Learning rate", "names": [RATE], "example": 0}]
    if net.optimizer.values():
        title = f"Optimiser: {net.optimizer.kind}"
        groups.append({"title": title, "names": list(net.optimizer.values()), "example": 0})
    several = len(net.examples) > 1
    for number in range(1, len(net.examples) + 1):
        data = net.data(number - 1, f"[{number}]" if several else "")
        inputs, targets = ([n for n in data if n.startswith(letter)] for letter in "it")
        title = f"Example {number} of {len(net.examples)}" if several else "Inputs and targets"
        groups.append({"title": title, "names": [*inputs, *targets], "example": number if several else 0})
    for number in range(len(net.layers)):
        own = [*(name for row in net.weight_names[number] for name in row), *net.bias_names[number]]
        groups.append({"title": f"Layer {number + 1}", "names": own, "example": 0})
    return [{**group, "names": [name for name in group["names"] if name in values]} for group in groups]


def _px(length: float) -> str:
    """A length in the drawing, to a tenth of a pixel: 12, 12.5."""
    return f"{length:.1f}".removesuffix(".0")


def _html_name(name: str) -> Any:
    if name in GREEK:
        return safe(GREEK[name][0] + (f"<sub>{GREEK[name][1:]}</sub>" if GREEK[name][1:] else ""))
    base, index, _ = name_parts(name)
    return safe(f"{base}<sub>{index}</sub>")
