"""Operators that only move values, or join them value by value: what each result sees is what its terms see."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from tinyproof.network.layout import Layout
from tinyproof.network.operator_call import Step, tensors
from tinyproof.network.receptive_field import NotKnown, Reach


def together(step: Step) -> Layout:
    """Value by value: the sum sees what any of its terms sees."""
    return _join(found.expanded(step.out.shape) for t in tensors(step.given) if (found := step.look(t)))


def _join(layouts: Iterable[Layout]) -> Layout:
    rest = iter(layouts)
    found = next(rest, None)
    if found is None:
        raise NotKnown
    for other in rest:
        found = found.joined(other)
    return found


def copied(step: Step) -> Layout:
    """Written over another tensor."""
    source = step.look(step.given["src"])
    if source is None:
        raise NotKnown
    return source.expanded(step.out.shape)


def same(step: Step) -> Layout:
    """Where it was."""
    return step.image


def view(step: Step) -> Layout:
    """The same values under another shape."""
    return step.image.viewed(step.out.shape)


def expand(step: Step) -> Layout:
    """Stretched by repeating."""
    return step.image.expanded(step.out.shape)


def repeat(step: Step) -> Layout:
    """Copies side by side: along dimensions without a place in the image, each value sees what it saw."""
    found, times = step.image, list(step.given["repeats"])
    for _ in range(len(times) - len(found.dims)):
        found = found.inserted(0, 1)
    for axis, count in enumerate(times):
        if count != 1:
            if any(part.reach for part in found.dims[axis]):
                raise NotKnown
            found = found.resized(axis, int(step.out.shape[axis]))
    return found


def permute(step: Step) -> Layout:
    """Dimensions in another order."""
    found = step.image
    count = len(found.dims)
    if step.name == "permute":
        return found.permuted(int(i) % count for i in step.given["dims"])
    order = list(range(count))
    a, b = (step.axis("dim0"), step.axis("dim1")) if step.name == "transpose" else (0, count - 1)
    order[a], order[b] = order[b], order[a]
    return found.permuted(order)


def sliced(step: Step) -> Layout:
    """Every so many-th value of a dimension."""
    axis, size = step.axis(), int(step.out.shape[step.axis()])
    old, start = step.image.shape[axis], step.given.get("start") or 0
    first, stride = max(0, start + old if start < 0 else start), int(step.given.get("step") or 1)
    if size == old and stride == 1:
        return step.image
    return step.image.moved(axis, size, partial(Reach.window, size=1, stride=stride, padding=-first))


def split(step: Step) -> Layout:
    """One of several parts."""
    axis = step.axis()
    return step.image.resized(axis, int(step.out.shape[axis]))


def select(step: Step) -> Layout:
    """One position of a dimension."""
    found, axis = step.image, step.axis()
    fields = [part.reach.field for part in found.dims[axis] if part.reach]
    if len(fields) > 1:
        raise NotKnown
    # One position of a side is taken: what it sees stays seen.
    seen = max([found.seen, *fields])
    return Layout((*found.dims[:axis], *found.dims[axis + 1 :]), seen, found.everything)


def cat(step: Step) -> Layout:
    """One after the other, or stacked."""
    given = [found for t in step.given["tensors"] if (found := step.look(t))]
    if not given:
        raise NotKnown
    new = step.name == "stack"
    axis = int(step.given["dim"]) % (len(given[0].dims) + new)
    size = int(step.out.shape[axis])
    return _join(found.inserted(axis, size) if new else found.resized(axis, size) for found in given)


def pad(step: Step) -> Layout:
    """More values at the rims."""
    found, pads = step.image, step.given.get("pad") or step.given.get("padding") or ()
    for back, before in enumerate(pads[::2], 1):
        axis = len(found.dims) - back
        found = found.moved(axis, int(step.out.shape[axis]), partial(Reach.window, size=1, padding=int(before)))
    return found
