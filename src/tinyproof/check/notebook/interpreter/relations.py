"""How the rows of one path lie to those of another: by their sources and by the cuts that led to them."""

from __future__ import annotations

from typing import Literal

from tinyproof.check.notebook.interpreter.rows import Cut, Path

Relation = Literal["inside", "apart", "contains", "overlaps", "unknown"]


def relation(one: tuple[Path, ...], other: tuple[Path, ...]) -> Relation:
    """How the rows `one` lie to the rows `other`: inside them, apart from them, around them, or across."""
    if not one or not other:
        return "unknown"
    table = [[_relation(a, b) for b in other] for a in one]
    if all("inside" in row for row in table):
        return "inside"
    flat = [entry for row in table for entry in row]
    if all(entry == "apart" for entry in flat):
        return "apart"
    if any(entry == "contains" for entry in flat):
        return "contains"
    if any(entry in ("inside", "overlaps") for entry in flat):
        return "overlaps"
    return "unknown"


def _relation(one: Path, other: Path) -> Relation:
    if one.root != other.root:
        alike = one.root.what == other.root.what and one.root.key[:2] != other.root.key[:2]
        return "unknown" if alike or "rows" in (one.root.form, other.root.form) else "apart"
    for index, (mine, yours) in enumerate(zip(one.cuts, other.cuts, strict=False)):
        if mine == yours:
            continue
        last = index == len(other.cuts) - 1
        found = _cuts(mine, yours)
        if found == "apart":
            return "apart"
        if found == "inside":
            return "inside" if last else "unknown"
        if found == "contains":
            return "contains" if index == len(one.cuts) - 1 else "unknown"
        return found if found == "overlaps" and last and index == len(one.cuts) - 1 else "unknown"
    return "inside" if len(one.cuts) >= len(other.cuts) else "contains"


def _cuts(one: Cut, other: Cut) -> Relation:
    if one.kind == "split" and other.kind == "split":
        if one.key == other.key:
            return "apart" if one.part != other.part else "inside"
        return "overlaps"
    if one.kind == other.kind == "filter" and one.key == other.key:
        return "apart" if one.part != other.part else "inside"
    if one.kind == other.kind == "slice" and one.key == other.key:
        return _slices(one, other)
    return "unknown"


def _slices(one: Cut, other: Cut) -> Relation:
    if (one.high is not None and one.high == other.low) or (one.low is not None and one.low == other.high):
        return "apart"
    mine, yours = _interval(one), _interval(other)
    if mine is None or yours is None or mine[2] != yours[2]:
        return "unknown"
    if mine[1] <= yours[0] or yours[1] <= mine[0]:
        return "apart"
    if yours[0] <= mine[0] and mine[1] <= yours[1]:
        return "inside"
    if mine[0] <= yours[0] and yours[1] <= mine[1]:
        return "contains"
    return "overlaps"


def _interval(cut: Cut) -> tuple[float, float, bool] | None:
    """Lower and upper bound counted from one end; whether from the end of the rows."""
    bounds = [bound for bound in (cut.low, cut.high) if bound is not None]
    if not all(isinstance(bound, int) for bound in bounds) or not bounds:
        return None
    numbers = [int(str(bound)) for bound in bounds]
    if all(n < 0 for n in numbers):
        low = float("-inf") if cut.low is None else float(str(cut.low))
        return low, 0.0 if cut.high is None else float(str(cut.high)), True
    if all(n >= 0 for n in numbers):
        high = float("inf") if cut.high is None else float(str(cut.high))
        return 0.0 if cut.low is None else float(str(cut.low)), high, False
    return None
