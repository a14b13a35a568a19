"""Images and labels that are given together: whether they are surely not those of the same rows, row by row."""

from __future__ import annotations

from itertools import takewhile

from tinyproof.check.code.interpreter.columns import is_one, picks_itself, target_among
from tinyproof.check.code.interpreter.machine import Machine
from tinyproof.check.code.interpreter.relations import relation
from tinyproof.check.code.interpreter.rows import Cut, Drawn, Rows, unordered
from tinyproof.check.code.interpreter.uses import TargetAmong, Unpaired
from tinyproof.check.code.interpreter.values import Value
from tinyproof.check.finding import CodePlace

# Labels of so many rows further on are no forecast of the next ones.
_BEYOND_A_FORECAST = 100


def note_pair(machine: Machine, images: Rows | None, labels: Rows | None, place: CodePlace) -> bool:
    """Images and labels are used together at a place; True, and noted, where they belong to different rows."""
    if images is None or labels is None or images.side not in ("x", "both", "scores"):
        return False
    if labels.side != "y" and not (labels.side == "both" and is_one(labels)):
        return False
    shuffled, drawn = order_apart(images, labels)
    if not shuffled and not parted(images, labels):
        return False
    at = machine.frames[0].place if machine.frames else place
    if not any(isinstance(use, Unpaired) and use.place == at for use in machine.events.uses):
        machine.events.uses.append(Unpaired(images, labels, at, shuffled, drawn.place if drawn else None))
    return True


def note_features(
    machine: Machine, features: Rows | None, target: Rows | None, model: Value | None, place: CodePlace
) -> None:
    """A model, None for one that picks no columns, is taught a target by features: is it among them?"""
    column = target_among(features, target) if features is not None and target is not None else None
    if column is None or features is None or (model is not None and picks_itself(model)):
        return
    at = machine.frames[0].place if machine.frames else place
    if not any(isinstance(use, TargetAmong) and use.place == at for use in machine.events.uses):
        cuts = unordered(features.paths)[0].cuts
        parted = next((machine.parted_at[cut] for cut in cuts if cut in machine.parted_at), None)
        machine.events.uses.append(TargetAmong(column, features, at, parted))


def order_apart(images: Rows, labels: Rows) -> tuple[bool, Drawn | None]:
    """Whether one of the two was put in a random order that the other was not; that of the labels, if it is theirs.

    Two draws from streams of numbers that were seeded apart may be the same order.
    """
    if unordered(images.paths) != unordered(labels.paths):
        return False, None
    same = len(list(takewhile(lambda pair: pair[0] == pair[1], zip(images.orders, labels.orders, strict=False))))
    mine, yours = images.orders[same:], labels.orders[same:]
    if mine and yours:
        return mine[0].stream == yours[0].stream, yours[0]
    return bool(mine or yours), yours[0] if yours else None


def parted(images: Rows, labels: Rows) -> bool:
    """Whether two cuts through one source left other rows in the one than in the other."""
    if len(images.paths) != 1 or len(labels.paths) != 1:
        return False
    (one,), (other,) = unordered(images.paths), unordered(labels.paths)
    if one.root.form == "set" and one.root.key[:2] == other.root.key[:2] and one.root.kind != other.root.kind:
        return "all" not in (one.root.kind, other.root.kind)
    if one.root != other.root:
        return False
    pair = next((p for p in zip(one.cuts, other.cuts, strict=False) if p[0] != p[1]), None)
    if pair is None:
        return False
    if relation((one,), (other,)) == "apart":
        return True
    if images.turn != ("", "") or labels.turn != ("", ""):
        return False
    tabled = one.root.form == "file"  # of a series in a table later rows may be asked for
    return _drawn_apart(*pair) or (not tabled and _shifted(*pair))


def _drawn_apart(one: Cut, other: Cut) -> bool:
    """Whether the two parts were drawn by two calls that draw differently."""
    return one.kind == other.kind == "split" and _by_call(one) and _by_call(other) and one.key != other.key


def _by_call(cut: Cut) -> bool:
    return cut.key[:1] == ("seed",) or isinstance(cut.key[0], CodePlace)


def _shifted(one: Cut, other: Cut) -> bool:
    if not one.kind == other.kind == "slice" or one.key != other.key:
        return False
    starts = [0 if cut.low is None else cut.low for cut in (one, other)]
    known = [start for start in starts if isinstance(start, int) and start >= 0]
    return len(known) == 2 and abs(known[0] - known[1]) >= _BEYOND_A_FORECAST
