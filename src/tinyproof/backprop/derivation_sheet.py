"""The derivation as a worksheet that computes: every step is a live formula at the iteration that the reader chooses.

The givens and weights of that iteration come from one rate's table (`INDEX`); everything else is computed here, step by
step, as it is written beside it.
"""

from __future__ import annotations

from textwrap import wrap

from tinyproof.backprop.derivation import Derivation, Line
from tinyproof.backprop.derivation_text import heading
from tinyproof.backprop.descriptions import heading as named
from tinyproof.backprop.descriptions import words
from tinyproof.backprop.equations import RATE
from tinyproof.backprop.notation import excel, unicode
from tinyproof.backprop.sheet import Cell, Formula, Sheet, check_formula, letters, quoted
from tinyproof.backprop.table_sheet import setting_cells
from tinyproof.backprop.trace import Trace

VALUE = 3  # the column (from 0) of the live numbers
ITERATION = (1, 1)
MOST_ROWS = 2_000
FORMULA = 80  # characters of a formula in the two columns for it
WIDTH = 125  # characters beside one another: a longer line would make the printed page smaller


def derivation_sheet(derivation: Derivation, source: Trace, table: str, top: int, rows: int) -> Sheet:
    """The sheet `derivation`.

    `source`: the trace in the sheet named `table`, whose first row of numbers is `top` (from 0) and which has `rows`.
    """
    places = _Places(derivation, source, table, top, rows)
    cells = [
        Cell(0, 0, "The chain rule, step by step", "title"),
        Cell(1, 0, "iteration", "label"),
        Cell(*ITERATION, float(derivation.iteration), "given", f"1 to {rows}: type another and every number follows."),
        Cell(1, 2, f"of the sheet {table}; type another number from 1 to {rows} and everything below follows"),
        Cell(2, 0, "overview", "link", link="overview!A1"),
        Cell(4, 0, "Given at this iteration", "label"),
    ]
    phrases, row = words(derivation.net), 5
    for name in (*derivation.net.givens(), *derivation.net.states):
        cells += [Cell(row, 0, name, "mono"), Cell(row, 1, phrases[name]), places.given(row, name)]
        row += 1
    for name in (RATE, *derivation.net.optimizer.values()):
        cells += [Cell(row, 0, name, "mono"), Cell(row, 1, phrases[name]), places.setting(row, name)]
        row += 1
    row += 1
    for step in derivation.steps:
        cells.append(Cell(row, 0, heading(step), "label"))
        told = wrap(step.words, WIDTH)
        cells += [Cell(row + k, 0, text) for k, text in enumerate(told, 1)]
        row += 1 + len(told)
        for line in step.lines:
            if row >= MOST_ROWS:
                break
            written = _texts(row, line)
            cells += [Cell(row, 0, named(line.name), "mono"), *written, places.line(row, line)]
            row = 1 + max(cell.row for cell in written)
        row += 1
    widths = ((0, 0, 16), (1, 2, 46), (VALUE, VALUE, 18))
    names = (("iteration", *ITERATION),)
    return Sheet("derivation", tuple(cells), names=names, widths=widths, freeze=(4, 0), colour="#7b3fb5")


def _texts(row: int, line: Line) -> list[Cell]:
    """How it is computed, over as many rows as its columns need: a sheet neither breaks nor shows what is longer."""
    sign = "← " if line.becomes else "= "
    parts = [line.chain, line.symbols] if line.chain is not None else [line.symbols]
    room = FORMULA // len(parts)
    return [
        Cell(row + j, 1 + k, ("    " if j else "") + text, "mono")
        for k, part in enumerate(parts)
        for j, text in enumerate(wrap(sign + unicode(part), room, break_long_words=False, break_on_hyphens=False))
    ]


class _Places:
    """Where each quantity's number stands on this sheet."""

    def __init__(self, derivation: Derivation, source: Trace, table: str, top: int, rows: int) -> None:
        self.derivation, self.source, self.table = derivation, source, table
        self.top, self.rows = top, rows
        self.cells: dict[str, str] = {}

    def given(self, row: int, name: str) -> Cell:
        column = letters(1 + self.source.columns.index(name))
        area = f"{quoted(self.table)}!${column}${self.top + 1}:${column}${self.top + self.rows}"
        return self._cell(row, name, f"INDEX({area},iteration)", self.derivation.values[name])

    def setting(self, row: int, name: str) -> Cell:
        """The learning rate, or a setting of the optimiser: from the head of the table's sheet."""
        known = {RATE: self.derivation.rate, **self.derivation.net.optimizer.values()}
        return self._cell(row, name, setting_cells(self.derivation.net, self.table)[name], known[name])

    def line(self, row: int, line: Line) -> Cell:
        text = check_formula(excel(line.symbols, self.cells), 1, line.name, self.derivation.net.source)
        name = f"next {line.name}" if line.becomes else line.name
        cell = self._cell(row, name, text, line.value)
        if line.becomes and line.name in self.derivation.net.states:  # what follows reads the new one
            self.cells[line.name] = self.cells[name]
        return cell

    def _cell(self, row: int, name: str, text: str, value: float) -> Cell:
        self.cells.setdefault(name, f"{letters(VALUE)}{row + 1}")
        return Cell(row, VALUE, Formula(text, value), "small" if abs(value) < 1e-3 and value else "value")
