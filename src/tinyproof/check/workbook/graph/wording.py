"""What the graph found, for people: a cell, what it says, what it should say in Excel and in the sheet's own names."""

from __future__ import annotations

import re
from collections.abc import Sequence

from openpyxl.utils import get_column_letter

from tinyproof.backprop.expr import Call, Expr, Num, Var, names, substitute
from tinyproof.backprop.notation import excel, text
from tinyproof.check.workbook.graph.edits import fixed
from tinyproof.check.workbook.graph.sheetgraph import Meaning, SheetGraph
from tinyproof.check.workbook.read.references import REFERENCE
from tinyproof.check.workbook.understand.grid import Place, address, formula_at

MOST_CHARACTERS = 400
FURTHEST = 80  # rows that a heading is looked for above a cell
_REF = re.compile(rf"(?<![!']){REFERENCE.pattern}(?!:)")


def heading(graph: SheetGraph, cell: int) -> str:
    """What the sheet calls a cell: the text beside it on the left, else the one above its column; else ""."""
    place = graph.places[cell]
    left = graph.grid.text(Place(place.sheet, place.row, place.col - 1)) if place.col > 1 else ""
    if _is_name(left):
        return left.strip().rstrip(":=").strip()
    for row in range(place.row - 1, max(0, place.row - FURTHEST), -1):
        above = graph.grid.text(Place(place.sheet, row, place.col))
        if above:
            return above.strip() if _is_name(above) else ""
    return ""


def _is_name(text_there: str) -> bool:
    words = text_there.strip()
    return 0 < len(words) <= 24 and "\n" not in words and any(letter.isalpha() for letter in words)


def named(graph: SheetGraph, cell: int) -> str:
    """`w3 (G35)`, or the address alone."""
    own = heading(graph, cell)
    return f"{own} ({graph.name(cell)})" if own else graph.name(cell)


def says(graph: SheetGraph, cell: int) -> str:
    """The formula as the sheet shows it in this cell, or the number that is typed there."""
    place = graph.places[cell]
    held = graph.grid.cell(place)
    if held is None:
        return "nothing"
    if held.formula is None:
        return f"{held.value:g}" if isinstance(held.value, float) else str(held.value)
    return formula_at(held, place.row, place.col)


def formula(graph: SheetGraph, cell: int, meaning: Meaning, swapped: tuple[Expr, Expr] | None = None) -> str:
    """A meaning as a formula for a cell, in the words of the old formula where one reference is all that changes."""
    if swapped is not None and isinstance(swapped[0], Var) and isinstance(swapped[1], Var):
        short = _replaced(graph, cell, meaning)
        if short:
            return short
    written = "=" + excel(_shorter(graph, meaning), lambda name: _reference(graph, cell, meaning, name))
    return written if len(written) <= MOST_CHARACTERS else ""


def _replaced(graph: SheetGraph, cell: int, meaning: Meaning) -> str:
    """The old text with one address exchanged, if that is the whole change."""
    old = graph.meaning.get(cell)
    if old is None:
        return ""
    gone = [old.refs[name] for name in old.refs if name not in meaning.refs]
    new = [name for name in meaning.refs if name not in old.refs]
    if len(gone) != 1 or len(new) != 1:
        return ""
    before, after = graph.name(gone[0]), _reference(graph, cell, meaning, new[0])
    place = graph.places[gone[0]]
    if place.sheet != graph.places[cell].sheet:
        return ""
    wanted = re.fullmatch(r"([A-Z]+)(\d+)", before)
    assert wanted is not None

    def swap(match: re.Match[str]) -> str:
        return after if (match[2].upper(), match[4]) == wanted.groups() else match[0]

    changed = _REF.sub(swap, says(graph, cell))
    return changed if changed != says(graph, cell) else ""


def _reference(graph: SheetGraph, cell: int, meaning: Meaning, name: str) -> str:
    if name.startswith("range:"):
        return name.removeprefix("range:")
    target = meaning.refs[name]
    place, here = graph.places[target], graph.places[cell]
    row_fixed, col_fixed = fixed(name)
    written = f"{'$' if col_fixed else ''}{get_column_letter(place.col)}{'$' if row_fixed else ''}{place.row}"
    if place.sheet == here.sheet:
        return written
    sheet = graph.grid.sheet(place.sheet).name.replace("'", "''")
    return f"'{sheet}'!{written}"


def _shorter(graph: SheetGraph, meaning: Meaning) -> Expr:
    """Sums over neighbouring cells written as SUM, AVERAGE, MEDIAN or SUMPRODUCT."""

    def shorten(node: Expr) -> Expr:
        if not isinstance(node, Call):
            return node
        if node.function in ("add", "median", "max", "min") and len(node.args) > 2:
            function = {"add": "SUM", "median": "MEDIAN", "max": "MAX", "min": "MIN"}[node.function]
            run = _run(graph, meaning, node.args)
            if run:
                return Var(f"range:{function}({run})")
            if node.function == "add" and all(_is_product(arg) for arg in node.args):
                sides = [
                    _run(graph, meaning, [arg.args[i] for arg in node.args if isinstance(arg, Call)]) for i in (0, 1)
                ]
                if all(sides):
                    return Var(f"range:SUMPRODUCT({sides[0]},{sides[1]})")
        if node.function == "div" and isinstance(node.args[0], Call) and node.args[0].function == "add":
            if isinstance(node.args[1], Num) and node.args[1].value == len(node.args[0].args):
                run = _run(graph, meaning, node.args[0].args)
                if run:
                    return Var(f"range:AVERAGE({run})")
        return Call(node.function, tuple(shorten(arg) for arg in node.args))

    return shorten(meaning.expr)


def _is_product(node: Expr) -> bool:
    return isinstance(node, Call) and node.function == "mul" and len(node.args) == 2


def _run(graph: SheetGraph, meaning: Meaning, parts: Sequence[Expr]) -> str:
    """`AI5:AI10` where the parts are neighbours in a row or a column; "" otherwise."""
    cells = [meaning.refs[part.name] for part in parts if isinstance(part, Var)]
    if len(cells) != len(parts) or len(cells) < 3:
        return ""
    places = sorted(graph.places[cell] for cell in cells)
    first, last = places[0], places[-1]
    rows, cols = last.row - first.row + 1, last.col - first.col + 1
    if (
        len(set(places)) != len(places)
        or min(rows, cols) != 1
        or rows * cols != len(places)
        or first.sheet != last.sheet
    ):
        return ""
    return f"{address(first.row, first.col)}:{address(last.row, last.col)}"


def in_names(graph: SheetGraph, meaning: Meaning) -> str:
    """The formula in the sheet's own names; "" where it has none, or the same one for two cells."""
    known = {name: heading(graph, cell) for name, cell in meaning.refs.items()}
    if not all(known.values()) or len(set(known.values())) < len(set(meaning.refs.values())) or len(known) > 14:
        return ""
    try:
        written = text(substitute(meaning.expr, {name: Var(known[name]) for name in names(meaning.expr)}))
    except KeyError:
        return ""
    return written if len(written) <= 200 else ""


def part(graph: SheetGraph, expr: Expr | None) -> str:
    """A part of an edit, written with addresses."""
    if expr is None:
        return ""
    written = text(expr) if all(ok(node) for node in [expr]) else ""
    return written if len(written) <= 80 else ""


def ok(expr: Expr) -> bool:
    """Whether plain text has a way to write it."""
    return not isinstance(expr, Call) or (expr.function != "median" and all(ok(arg) for arg in expr.args))


def stretches_of(graph: SheetGraph, cells: list[int]) -> str:
    """Cells of one sheet as ranges, joined with commas: down columns first, then along rows."""
    by_col: dict[int, list[int]] = {}
    for cell in cells:
        by_col.setdefault(graph.places[cell].col, []).append(graph.places[cell].row)
    boxes: list[list[int]] = []  # left, right, top, bottom
    for col in sorted(by_col):
        rows = sorted(set(by_col[col]))
        start = rows[0]
        for i, row in enumerate(rows):
            if i + 1 == len(rows) or rows[i + 1] != row + 1:
                same = next((box for box in boxes if box[1] == col - 1 and box[2:] == [start, row]), None)
                if same is not None:
                    same[1] = col
                else:
                    boxes.append([col, col, start, row])
                start = rows[i + 1] if i + 1 < len(rows) else row
    boxes.sort(key=lambda box: (box[2], box[0]))
    shown = [
        address(b[2], b[0]) + (f":{address(b[3], b[1])}" if b[:1] + b[2:3] != b[1:2] + b[3:] else "") for b in boxes
    ]
    return ", ".join(shown[:40]) + (f" and {len(shown) - 40} more" if len(shown) > 40 else "")
