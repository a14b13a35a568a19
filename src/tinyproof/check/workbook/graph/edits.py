"""Formulas put right on the audit's own copy: what a cell would say if it said what its neighbours say, and copies."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from tinyproof.backprop.expr import Call, Expr, Num, Var
from tinyproof.check.workbook.graph.sheetgraph import Meaning, SheetGraph
from tinyproof.check.workbook.graph.tape import Tape
from tinyproof.check.workbook.understand.grid import Place

_FIXED = re.compile(r"(.*?)(?:\$([01])([01]))?$")


def fixed(name: str) -> tuple[bool, bool]:
    """Which of row and column a `$` fixes in the reference that a variable stands for."""
    match = _FIXED.fullmatch(name)
    assert match is not None
    return match[2] == "1", match[3] == "1"


def filled_into(graph: SheetGraph, source: int, target: int) -> Meaning | None:
    """What `target` would say if `source` were copied and pasted into it."""
    meaning = graph.meaning.get(source)
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
