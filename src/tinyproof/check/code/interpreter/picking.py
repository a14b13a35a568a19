"""Places and masks: which rows they pick of an array, and what masks are together."""

from __future__ import annotations

import ast
from dataclasses import replace

from tinyproof.check.code.interpreter.columns import is_one
from tinyproof.check.code.interpreter.machine import Machine
from tinyproof.check.code.interpreter.relations import OPPOSITE, REST
from tinyproof.check.code.interpreter.rows import MAX_CUTS, MAX_PATHS, Cut, Path, Root, Rows, Side
from tinyproof.check.code.interpreter.values import Unknown, Value
from tinyproof.check.finding import CodePlace

OTHER = {"yes": "no", "no": "yes", **OPPOSITE}  # of two parts by a condition
NAMED = {"train_mask": "train", "val_mask": "validation", "test_mask": "test"}


def named_part(root: Root, kind: str) -> Rows:
    """The mask that picks a part of the rows of a source: `graph.train_mask`."""
    cut = Cut("split", ("parts", root.key), kind)
    return Rows((Path(Root((*root.key, "mask"), "all", root.what, "rows", root.place), (cut,)),), "mask", names=[kind])


def picked(rows: Rows, index: Value) -> Rows:
    """The rows at some places, or those that a mask lets through."""
    if not isinstance(index, Rows) or index.side not in ("index", "mask"):
        return rows.cut(Cut("filter", ("index", id(index))))
    if index.side == "mask" and len(index.paths) > 1:
        each = [picked(rows, replace(index, paths=(path,))) for path in index.paths]
        return replace(rows, paths=tuple(path for part in each for path in part.paths)[:MAX_PATHS], names=[])
    for cut in cuts_of(index):
        rows = rows.cut(cut)
    if index.names and index.origin is None and rows.paths:
        rows = replace(rows, names=list(index.names))
    return replace(rows, orders=(*rows.orders, *index.orders)[-MAX_CUTS:], names=[]) if index.orders else rows


def cuts_of(places: Rows) -> list[Cut]:
    """The cuts that places make through rows; of places in an order whose draw was told, with where it was drawn."""
    cuts: list[Cut] = []
    for path in places.paths:
        told = (path.root.key,) if path.root.key[0] == "order" and not places.orders else ()
        cuts.extend(replace(cut, key=(*cut.key, *told)) for cut in path.cuts)
    return cuts


def both_masks(op: ast.operator, one: Rows, other: Rows) -> Value:
    """`train_mask | val_mask`: what either lets through; what both let through is not followed."""
    if not isinstance(op, ast.BitOr | ast.Add):
        return Unknown()
    return replace(one, paths=(*one.paths, *other.paths)[:MAX_PATHS], names=[], origin=None)


def left_by(machine: Machine, places: Value) -> Cut:
    """What is not at some places: `np.delete(rows, places, axis=0)`."""
    machine.keep.append(places)
    if not isinstance(places, Rows):
        return Cut("filter", ("index", id(places)), "no")
    cuts = [cut for path in places.paths for cut in path.cuts]
    if len(places.paths) == 1 and cuts and cuts[-1].part in OTHER and (len(cuts) == 1 or places.side != "index"):
        return replace(cuts[-1], part=OTHER[cuts[-1].part])
    return Cut("filter", ("left", id(places)))


def letting_through(cut: Cut, side: Side) -> Rows:
    """A mask, or places, that pick rows by one cut."""
    root = Root((side, cut.key, cut.part), "all", "places" if side == "index" else "a mask", "rows", CodePlace(""))
    return Rows((Path(root, (cut,)),), side)


def among(machine: Machine, asked: Rows, known: Rows) -> Rows:
    """`table.index.isin(known.index)`, `table.group.isin(known)`: the rows that are among others."""
    machine.keep.append(known)
    by_values = is_one(known) and {path.root for path in asked.paths} == {path.root for path in known.paths}
    cuts = known.paths[-1].cuts if len(known.paths) == 1 and not by_values else ()
    cut = cuts[-1] if cuts else Cut("filter", ("isin", id(known)), "yes")
    if is_one(asked):  # the values of one column say nothing of those of another
        cut = Cut("filter", ("among", cut.key, asked.columns), cut.part)
    return letting_through(cut, "mask")


def inverted(value: Value) -> Value | None:
    """`~mask`; of a column that says yes or no of each row, the mask of those for which it says no."""
    if isinstance(value, Rows) and value.side != "mask":
        return letting_through(Cut("filter", ("index", id(value)), "no"), "mask")
    if not isinstance(value, Rows):
        return None
    if len(value.paths) > 1 and any(len(path.cuts) != 1 for path in value.paths):
        return Unknown()
    cuts = [cut for path in value.paths for cut in path.cuts]  # what none of them lets through
    return Rows((Path(value.paths[0].root, tuple(map(_other, cuts))),), "mask")


def _other(cut: Cut) -> Cut:
    """What a cut leaves out."""
    rest = cut.part.removeprefix(REST) if cut.part.startswith(REST) else REST + cut.part
    return replace(cut, part=OTHER.get(cut.part, rest))
