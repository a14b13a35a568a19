"""Formulas put right on the audit's own copy: what a cell would say if it said what its neighbours say, and copies."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from tinyproof.backprop.expr import Call, Expr, Num, Var, names
from tinyproof.backprop.tape import Tape
from tinyproof.check.workbook.graph.cell_net import Net
from tinyproof.check.workbook.graph.formulas import parse_matrix
from tinyproof.check.workbook.graph.sheetgraph import Meaning, SheetGraph
from tinyproof.check.workbook.read.worksheet_functions import NotUnderstood
from tinyproof.check.workbook.understand.grid import Place, formula_at
from tinyproof.core.arrays import np

# How a cell that a group of formulas reads goes along with it: as far, not, with rows for columns.
MOVING, FIXED, TURNED = 0, 1, 2
MOST_READERS = 60  # of one cell that are looked at
_FIXED = re.compile(r"(.*?)(?:\$([01])([01]))?$")


def fixed(name: str) -> tuple[bool, bool]:
    """Which of row and column a `$` fixes in the reference that a variable stands for."""
    match = _FIXED.fullmatch(name)
    assert match is not None
    return match[2] == "1", match[3] == "1"


def along(target: Place, first: Place, here: Place, way: int) -> Place:
    """What the formula in `here` reads where the one in `first` reads `target`."""
    down, across = here.row - first.row, here.col - first.col
    if way == TURNED:
        down, across = across, down
    return target if way == FIXED else Place(target.sheet, target.row + down, target.col + across)


def filled_into(graph: SheetGraph, source: int, target: int) -> Meaning | None:
    """What `target` would say if `source` were copied and pasted into it."""
    meaning = graph.meaning.get(source)
    if meaning is not None and meaning.own:
        return _read_there(graph, source, target)
    if meaning is None or (isinstance(meaning.key, tuple) and meaning.key[:1] == ("array",)):
        return None
    here, there = graph.places[source], graph.places[target]
    refs = {}
    for name, cell in meaning.refs.items():
        place = graph.places[cell]
        row_fixed, col_fixed = fixed(name)
        row = place.row if row_fixed else place.row + there.row - here.row
        col = place.col if col_fixed else place.col + there.col - here.col
        if row < 1 or col < 1:
            return None
        sheet = (
            place.sheet + (there.sheet - here.sheet if place.sheet != here.sheet else 0) if "!" in name else there.sheet
        )
        if not 0 <= sheet < len(graph.grid.book.sheets):
            return None
        refs[name] = graph.cell(Place(sheet, row, col))
    return replace(meaning, refs=refs)


def _read_there(graph: SheetGraph, source: int, target: int) -> Meaning | None:
    """The same for a formula that hangs on its place: its text, read where it would stand."""
    here, there = graph.places[source], graph.places[target]
    cell = graph.grid.cell(here)
    if cell is None or cell.formula is None or here.sheet != there.sheet:
        return None
    try:
        text = formula_at(cell, there.row, there.col)
        parsed = parse_matrix(text, graph.grid.names_on(there.sheet), at=(there.row, there.col))
    except NotUnderstood:
        return None
    expr, refs = parsed.rows[0][0], {}
    for name in names(expr):
        ref = parsed.refs[name]
        sheet = graph.grid.find(ref.sheet) if ref.sheet else there.sheet
        if sheet is None or ref.row < 1 or ref.col < 1:
            return None
        refs[name] = graph.cell(Place(sheet, ref.row, ref.col))
    return replace(graph.meaning[source], expr=expr, refs=refs, text_at=(there.row, there.col))


def filled_into_step(net: Net, source: int, target: int, moves: np.ndarray) -> Meaning | None:
    """The same in another step: what belongs to a step (`moves`, or a number that others read step by step) is that of
    the target's, whatever a `$` fixes."""
    graph, canon = net.graph, net.canon
    filled = filled_into(graph, source, target)
    if filled is None or filled.own:
        return filled
    here, there = graph.places[source], graph.places[target]
    by = Place(there.sheet - here.sheet, there.row - here.row, there.col - here.col)
    refs = dict(filled.refs)
    for name, cell in graph.meaning[source].refs.items():
        place = graph.places[cell]
        if any(fixed(name)) and cell < len(canon):
            moved = graph.number.get(Place(place.sheet, place.row + by.row, place.col + by.col), -1)
            if moved >= 0 and (moves[canon[cell]] or _goes_along(net, cell, moved, by)):
                refs[name] = moved
    return replace(filled, refs=refs)


def _goes_along(net: Net, cell: int, moved: int, by: Place) -> bool:
    """Whether a formula that reads a cell reads the moved one in the other step, and the cell itself no longer."""
    graph = net.graph
    for reader in net.dst[net.src == net.canon[cell]][:MOST_READERS].tolist():
        place = graph.places[reader]
        other = graph.number.get(Place(place.sheet + by.sheet, place.row + by.row, place.col + by.col), -1)
        reads = graph.meaning[other].refs.values() if other in graph.meaning else ()
        if moved in reads and cell not in reads:
            return True
    return False


def with_meanings(graph: SheetGraph, changed: Mapping[int, Meaning]) -> SheetGraph:
    """A copy of the graph in which these cells say something else."""
    copy = replace(
        graph, meaning={**graph.meaning, **changed}, copies=dict(graph.copies), opaque=dict(graph.opaque),
        opaque_reads=dict(graph.opaque_reads),
    )  # fmt: skip
    for cell, meaning in changed.items():
        copy.opaque.pop(cell, None)
        copy.opaque_reads.pop(cell, None)
        copy.copies.pop(cell, None)
        if isinstance(meaning.expr, Var):
            copy.copies[cell] = meaning.refs[meaning.expr.name]
    return copy


def expression(tape: Tape) -> Expr:
    """The tape as an expression again, its slots named s0, s1, .."""
    parts: list[Expr] = []
    for step in tape.steps:
        if step[0] == "var":
            parts.append(Var(f"s{step[1]}"))
        elif step[0] == "num":
            parts.append(Num(float(step[1])))
        elif step[0] == "same":
            parts.append(parts[int(step[1])])
        else:
            parts.append(Call(str(step[0]), tuple(parts[int(a)] for a in step[1:])))
    return parts[-1]
