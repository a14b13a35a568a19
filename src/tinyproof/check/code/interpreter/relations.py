"""How the rows of one path lie to those of another: by their sources and by the cuts that led to them."""

from __future__ import annotations

import re
from typing import Literal

from tinyproof.check.code.interpreter.rows import Cut, Path
from tinyproof.check.finding import CodePlace

COLUMN = "(column)"  # starts the key of a cut by a column's value; then the column, and what it is compared with
OPPOSITE = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}

REST = "rest of "  # before the part of a split that has all rows but those of that part

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
        nested = _nested(one, other)
        if nested is not None:
            return nested
        if _of_two_archives(one, other):
            return "apart"
        alike = one.root.what == other.root.what and one.root.key[:2] != other.root.key[:2]
        return "unknown" if alike or "rows" in (one.root.form, other.root.form) else "apart"
    if any(_named_apart(mine, yours) for mine in one.cuts for yours in other.cuts):
        return "apart"
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


def _of_two_archives(one: Path, other: Path) -> bool:
    """Whether two arrays lie in archives whose files have different names."""
    keys = [path.root.key for path in (one, other)]
    return all(key[0] == "archive" and isinstance(key[1], str) for key in keys) and keys[0][1] != keys[1][1]


def _nested(one: Path, other: Path) -> Relation | None:
    """How the files of a folder lie to those of a folder in it, or around it; None where neither lies in the other."""
    mine, yours = one.root.key, other.root.key
    if mine[0] != "folder" or yours[0] != "folder" or len(mine) != 2 or len(yours) != 2:
        return None
    if str(mine[1]).startswith(f"{yours[1]}/"):
        return "overlaps" if other.cuts else "inside"
    if str(yours[1]).startswith(f"{mine[1]}/"):
        return "overlaps" if one.cuts else "contains"
    return None


def _cuts(one: Cut, other: Cut) -> Relation:
    if one.key[:1] == other.key[:1] == (COLUMN,):
        return _by_values(one, other)
    if one.kind == "split" and other.kind == "split":
        if one.key == other.key:
            return _parts(one.part, other.part)
        return "overlaps"
    if {one.kind, other.kind} == {"split", "filter"} and all(_is_drawn(cut) for cut in (one, other)):
        return "overlaps"  # two draws from the same rows
    if one.kind == other.kind == "filter" and one.key == other.key:
        return _parts(one.part, other.part)
    if one.kind == other.kind == "slice" and one.key == other.key:
        return _slices(one, other)
    return "unknown"


def _named_apart(one: Cut, other: Cut) -> bool:
    """Whether two masks that a source names itself let different rows through, whatever was cut before."""
    return one.key[:1] == ("parts",) and one.key == other.key and _parts(one.part, other.part) == "apart"


def _parts(one: str, other: str) -> Relation:
    """How two parts of one split lie, where either may be the rest of a part."""
    if one == other:
        return "inside"
    if REST + one == other or REST + other == one or not (one + other).count(REST):
        return "apart"
    if one.startswith(REST) and other.startswith(REST):
        return "unknown"
    return "contains" if one.startswith(REST) else "inside"


def _by_values(one: Cut, other: Cut) -> Relation:
    """How the rows lie that two cuts by the values of columns let through: `fold != 0` and `fold == 0`."""
    if one.key[1] != other.key[1] or one.key[3:] != other.key[3:]:
        return "unknown"
    mine, yours = (key if isinstance(key, tuple) else () for key in (one.key[2], other.key[2]))
    if mine[:2] == yours[:2]:
        if OPPOSITE.get(one.part) == other.part:
            return "apart"
        return "inside" if one.part == other.part and mine == yours else "unknown"
    return "apart" if one.part == other.part == "==" and mine[0] == yours[0] == "is" else "unknown"


def _is_drawn(cut: Cut) -> bool:
    """Whether a cut draws its rows at random."""
    key = cut.key[1] if cut.key[:1] == ("parts",) else cut.key[0]
    return cut.key[0] in ("seed", "sample") or isinstance(key, CodePlace)


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


def _share(bound: object) -> float:
    """A bound in percent as a share of all rows; a negative one is counted from their end."""
    share = float(str(bound).rstrip("%")) / 100
    return share + 1 if share < 0 else share


def _interval(cut: Cut) -> tuple[float, float, bool | None] | None:
    """Lower and upper bound counted from one end; whether from the end of the rows, None where both are shares."""
    bounds = [bound for bound in (cut.low, cut.high) if bound is not None]
    if bounds and all(isinstance(bound, str) and re.fullmatch(r"-?\d+%", bound) for bound in bounds):
        low, high = (_share(bound) if bound is not None else None for bound in (cut.low, cut.high))
        return low or 0.0, 1.0 if high is None else high, None
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
