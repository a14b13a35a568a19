"""Where the gradient of a parameter stands on the way to its change: cells that hold it, formulas with it as a part."""

from __future__ import annotations

from itertools import pairwise

from tinyproof.backprop.tape import Array, Tape, forward
from tinyproof.check.workbook.graph.agree import follows
from tinyproof.check.workbook.graph.found_training import Source, Study
from tinyproof.core.arrays import np

MOST_CELLS = 250  # looked at on the way from one change back to its gradient
MOST_PARTS = 24  # formulas that are taken apart for it
MOST_STEPS = 400  # of a formula that is taken apart
WHOLE = -1  # in place of a step: the cell is the gradient


def gradient_sources(found: Study, update: int, gradient: Array) -> list[Source]:
    """The cells on the way of an update that hold the gradient of its parameter, or have it as a part.

    Of those that hold it the one nearest to the parameters, first; then each formula that has it as a part.
    """
    layers = _way_back(found, update)
    cells = [cell for layer in layers for cell in layer]
    held = dict(zip(cells, follows(found.values[cells], gradient).tolist(), strict=True))
    seen: list[int] = list(layers[0])
    deepest: int | None = None
    for layer, following in pairwise(layers):
        exact = [cell for cell in layer if held[cell]]
        deepest = exact[0] if exact else deepest
        seen += following
        if deepest is not None and not exact:
            break
    sources: list[Source] = [] if deepest is None else [(deepest, WHOLE, ())]
    inner = [int(found.successor[update]), *seen][:MOST_PARTS]
    return sources + [(cell, *part) for cell, part in _inside(found, inner, gradient) if cell != deepest]


def _way_back(found: Study, update: int) -> list[list[int]]:
    """The cells on the way of an update back to the parameters, layer by layer; the last layer only ends the way."""
    known = found.ways.get(update)
    if known is not None:
        return known
    bare = int(found.parameter[update])
    front = list(dict.fromkeys(c for c in found.net.reads(int(found.successor[update])) if c != bare))
    layers, seen = [front], set(front)
    while front and len(seen) < MOST_CELLS:
        inner = [cell for cell in front if not found.order.cut[cell]]
        front = [cell for cell in dict.fromkeys(c for one in inner for c in found.net.reads(one)) if cell not in seen]
        seen.update(front)
        layers.append(front)
    found.ways[update] = layers
    return layers


def _inside(found: Study, cells: list[int], gradient: Array) -> list[tuple[int, tuple[int, tuple[int, ...]]]]:
    """Of these cells those with a part that is the gradient: the cell, the part, and what the formula reads besides."""
    parts = [_parts_of(found, cell) for cell in cells]
    held = follows(np.concatenate([values for _, values in parts]), gradient).tolist()
    inside, first = [], 0
    for cell, (places, _) in zip(cells, parts, strict=True):
        ok = held[first : first + len(places)]
        first += len(places)
        if any(ok):
            place, reads = places[ok.index(True)], found.net.reads(cell)
            tape = found.net.forms[found.net.form_of[cell]].tape
            inside.append((cell, (place, tuple(reads[slot] for slot in _besides(tape, place)))))
    return inside


def _parts_of(found: Study, cell: int) -> tuple[list[int], Array]:
    """The parts of a formula that could be a gradient: where on its tape, and what they are worth."""
    known = found.parts.get(cell)
    if known is not None:
        return known
    net, places, values = found.net, list[int](), np.zeros((0, found.values.shape[1]))
    if net.form_of[cell] >= 0 and found.depends[cell]:
        form = net.forms[net.form_of[cell]]
        tape = form.tape
        if len(tape.steps) <= MOST_STEPS:
            places = [p for p, step in enumerate(tape.steps[:-1]) if tape.below[p] and step[0] != "var"]
        if places:
            steps = forward(tape, found.values[form.reads[net.row_of[cell]]][:, None, :])
            values = np.concatenate([np.broadcast_to(steps[p], (1, values.shape[1])) for p in places])
    found.parts[cell] = places, values
    return places, values


def parts_back(found: Study, update: int) -> Array:
    """What the cells on the way of an update back to the parameters are worth, and the parts of their formulas."""
    cells = [cell for layer in _way_back(found, update) for cell in layer]
    inner = [int(found.successor[update]), *cells][:MOST_PARTS]
    return np.concatenate([found.values[cells], *(_parts_of(found, cell)[1] for cell in inner)])


def _besides(tape: Tape, part: int) -> set[int]:
    """The slots that a tape reads on other ways than through one of its steps."""
    slots, todo, seen = set[int](), [tape.top], set[int]()
    while todo:
        place = todo.pop()
        if place == part or place in seen:
            continue
        seen.add(place)
        step = tape.steps[place]
        if step[0] == "var":
            slots.add(int(step[1]))
        elif step[0] != "num":
            todo += [int(a) for a in step[1:]]
    return slots
