"""The worksheet of one learning rate: the table with live formulas, its charts; and the what-if sheet, the same table
with givens of its own.

A formula names the givens of the overview (`w_1`), and points at cells for everything else: `=F5*D5+G5*E5` is
`w1*i1 + w2*i2` of row 5, `=F5-$B$2*Y5` the update with the learning rate of this sheet. An optimiser's states stand to
the right of the gradients: `m_w1` of a row goes on from the row above, and `w1` of that row has taken it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from tinyproof.backprop.bands import band_of, band_row, legend
from tinyproof.backprop.descriptions import heading, words
from tinyproof.backprop.equations import RATE, forward, gradients, updates
from tinyproof.backprop.equations import Style as Columns
from tinyproof.backprop.expr import Equation
from tinyproof.backprop.net import Net
from tinyproof.backprop.notation import equation_text, excel, number, text
from tinyproof.backprop.optimizer import SETTINGS, STEP
from tinyproof.backprop.sheet import (
    ABOVE,
    THIS,
    Block,
    BlockColumn,
    Cell,
    Formula,
    Sheet,
    Style,
    address,
    check_formula,
    letters,
)
from tinyproof.backprop.table_charts import SEEN_HIGH, charts, first_seen
from tinyproof.backprop.trace import Trace
from tinyproof.core.arrays import np
from tinyproof.core.errors import InputError

HEADER = 3  # the row of the headings of a rate's sheet (from 0)
LARGEST_EXPONENT = 709.0  # EXP of more is an error in a spreadsheet


def given_name(name: str, example: int | None = None) -> str:
    """The defined name of a given, of one of several examples (from 1): `w1` alone would be the cell W1.

    >>> given_name("w1"), given_name("t1", 2), given_name("learning_rate")
    ('w_1', 't_1_x2', 'learning_rate')
    """
    if name == RATE or name in SETTINGS:
        return name
    return f"{name[0]}_{name[1:]}" + ("" if example is None else f"_x{example}")


def shown_name(given: str) -> str:
    """A given as the tables name it, of its defined name.

    >>> shown_name("w_1"), shown_name("t_1_x2"), shown_name("learning_rate")
    ('w1', 't1_x2', 'learning_rate')
    """
    return given[0] + given[2:] if given[1:2] == "_" else given


def data_name(net: Net, name: str, example: int) -> str:
    """The defined name of an input or target of an example (from 0)."""
    return given_name(name, example + 1 if len(net.examples) > 1 else None)


def all_givens(net: Net) -> dict[str, float]:
    """Every given under its defined name, examples first."""
    found: dict[str, float] = {}
    for k in range(len(net.examples)):
        found |= {data_name(net, name, k): value for name, value in net.data(k).items()}
    return found | {given_name(name): value for name, value in net.parameters.items()} | net.optimizer.values()


def setting_cells(net: Net, sheet: str = "") -> dict[str, str]:
    """Where the learning rate and the optimiser's settings stand in the head of a rate's sheet."""
    found = {name: address(2, 1 + 2 * k, sheet) for k, name in enumerate(net.optimizer.values())}
    return {RATE: address(1, 1, sheet)} | found


@dataclass(frozen=True)
class Formulas:
    """A network's table as formulas: for every column what the first row holds and what the later ones hold."""

    net: Net
    columns: tuple[str, ...]
    style: Columns
    left: int  # the column of the sheet in which the first of them stands
    givens: Mapping[str, str]  # defined name -> how a formula of this sheet refers to it

    last: int  # the last row's number

    @cached_property
    def cells(self) -> dict[str, dict[str, str]]:
        """The cell of every quantity, in this row and in the row above."""
        places = {name: letters(self.left + k) for k, name in enumerate(self.columns)}
        return {row: {name: place + row for name, place in places.items()} | dict(self.givens) for row in (THIS, ABOVE)}

    def write(self, equation: Equation, row: str) -> str:
        text = excel(equation.expr, self.cells[row])
        return check_formula(text, self.last, equation.name, self.net.source)

    def update(self, equation: Equation) -> str:
        """From the row above; a parameter has taken the states of its own row."""
        cells, states = self.cells, set(self.net.states)
        if not states or equation.name in states:
            return self.write(equation, ABOVE)
        places = cells[ABOVE] | {name: cell for name, cell in cells[THIS].items() if name in states}
        return check_formula(excel(equation.expr, places), self.last, equation.name, self.net.source)

    def rows(self) -> dict[str, tuple[str, tuple[str, ...]]]:
        """Column -> (first row's formula, the later rows' formulas, taken in turn)."""
        net, found = self.net, dict[str, tuple[str, tuple[str, ...]]]()
        for place, tag in enumerate(net.tags):
            for name in net.data(0):
                examples = range(place, len(net.examples), net.at_once)
                turn = tuple(self.givens[data_name(net, name, k)] for k in examples)
                found[name + tag] = turn[0], turn
        for name in net.parameters:
            found[name] = self.givens[given_name(name)], (self.givens[given_name(name)],)
        for equation in updates(net):
            start = "0" if equation.name in net.states else self.givens[given_name(equation.name)]
            found[equation.name] = start, (self.update(equation),)
        for equation in (*forward(net), *gradients(net, self.style)):
            text = self.write(equation, THIS)
            found[equation.name] = text, (text,)
        return {name: found[name] for name in self.columns}


def sheet_rows(trace: Trace) -> int:
    """How many rows a spreadsheet can compute: its EXP fails beyond 709, where float64 still has an answer."""
    net, safe = trace.net, np.ones(len(trace), dtype=bool)
    for number_, layer in enumerate(net.layers):
        for unit in range(layer.units):
            for tag in net.tags:
                logit = trace.column(net.unit(number_, unit) + tag)
                if layer.activation == "sigmoid":
                    safe &= logit > -LARGEST_EXPONENT
                elif layer.activation in ("softmax", "softplus"):
                    safe &= np.abs(logit) < LARGEST_EXPONENT
    return len(trace) if safe.all() else int(np.argmin(safe))


def block(trace: Trace, top: int, left: int, givens: Mapping[str, str]) -> Block:
    """The table's rows of formulas, with the trace's numbers as their values; `givens` as in Formulas."""
    kept = sheet_rows(trace)
    if kept == 0:
        problem = "has an exponent over 709 in the first iteration, which a spreadsheet's EXP cannot take"
        raise InputError("network", trace.net.name, "make the givens smaller", trace.net.source, problem=problem)
    rows = Formulas(trace.net, trace.columns, trace.style, left, givens, top + kept).rows()
    columns = [BlockColumn(*rows[name], trace.column(name)[:kept], style_of(name)) for name in trace.columns]
    return Block(top, left, tuple(columns))


def style_of(name: str) -> Style:
    """Givens as they were typed; losses, gradients and what is made of them, which can be tiny, with an exponent."""
    if name.startswith(("E", "dE", "m_", "v_")):
        return "small"
    if name == STEP:
        return "whole"
    return "" if name.startswith(("t", "i")) else "value"


def headings(trace: Trace, row: int, left: int) -> list[Cell]:
    """The header cells, each with a note that says what the column is and how it is computed."""
    phrases, notes = words(trace.net), dict[str, str]()
    for equation in (*forward(trace.net), *gradients(trace.net, trace.style)):
        whole = equation_text(equation)
        notes[equation.name] = f"{phrases[equation.name]}\n{whole if len(whole) < 700 else whole[:700] + ' ...'}"
    states = set(trace.net.states)
    for equation in updates(trace.net):
        name, later = equation.name, text(equation.expr)
        start = "0" if name in states else f"the given {given_name(name)}"
        where = "the row above" + (", with the states of this row" if states and name not in states else "")
        notes[name] = f"{phrases[name]}\nrow 1: {start}; then {later} of {where}"
    for name in trace.columns:
        notes.setdefault(name, f"{phrases[name]}\nthe given on the overview sheet")
    return [Cell(row, left + k, heading(name), "heading", notes[name]) for k, name in enumerate(trace.columns)]


def rate_sheet_name(rate: float) -> str:
    """`eta 0.5`."""
    return f"eta {number(rate)}"[:31]


def rate_sheet(trace: Trace) -> Sheet:
    """The sheet of one learning rate."""
    name, top, left = rate_sheet_name(trace.rate), HEADER + 1, 1
    body = block(trace, top, left, {given: given for given in all_givens(trace.net)} | setting_cells(trace.net))
    end = left + len(trace.columns)
    cells = [
        Cell(0, 0, f"Learning rate {number(trace.rate)}{_kind(trace.net)}", "title"),
        Cell(1, 0, RATE, "label"),
        Cell(1, 1, trace.rate, "given", "The learning rate of this sheet: change it and every row follows."),
        Cell(1, 3, "overview", "link", link="overview!A1"),
        Cell(1, 5, "charts: to the right of the table", "link", link=f"'{name}'!{letters(end + 1)}1"),
        *_settings(trace.net),
        Cell(HEADER, 0, "iteration", "heading"),
        *headings(trace, HEADER, left),
    ]
    bands = band_of(trace.net, trace.columns)
    cells += band_row(bands, HEADER - 1, left, {cell.column for cell in cells if cell.row == HEADER - 1})
    cells += legend(set(bands), 1, left + 8)
    ended = stop_note(trace, body.rows)
    if ended:
        cells.append(Cell(top + body.rows, 0, ended, "verdict"))
    beside = charts(trace, name, top, left, (1, end + 1), body.rows)
    return Sheet(
        name,
        tuple(cells),
        with_iterations(body),
        (*beside, first_seen(beside[0], _widths(body))),
        names=((RATE, 1, 1),),
        widths=((0, 0, 11), *_widths(body)),
        heights=((0, 0, 0.75 * (SEEN_HIGH + 6)),),
        freeze=(top, 1),
        colour="#0b62c4",
        banded=True,
    )


def _kind(net: Net) -> str:
    return "" if net.optimizer.kind == "sgd" else f", {net.optimizer.kind}"


def _settings(net: Net) -> list[Cell]:
    """The optimiser's settings in the head of a sheet, beside one another: those of the givens, until one is typed."""
    note = "As among the givens; type a number to change it on this sheet alone."
    cells = []
    for k, (name, value) in enumerate(net.optimizer.values().items()):
        cells += [
            Cell(2, 2 * k, name, "label indented" if k else "label"),
            Cell(2, 2 * k + 1, Formula(name, value), "given", note),
        ]
    return cells


def _widths(body: Block) -> list[tuple[int, int, float]]:
    """As wide as its numbers are, so that more of them stand on a page."""
    wide = {"": 9.0, "value": 11.5, "whole": 9.0}
    return [(body.left + k, body.left + k, wide.get(one.style, 12.5)) for k, one in enumerate(body.columns)]


def stop_note(trace: Trace, rows: int) -> str:
    """Why the table ends early, where it does."""
    if rows < len(trace):
        return f"Stops here: at iteration {rows + 1} an exponent passes 709, which no spreadsheet can compute."
    if trace.diverged is not None:
        return f"Diverges: at iteration {trace.diverged} a number overflows."
    return ""


def with_iterations(body: Block) -> Block:
    """The block with the column of iterations (1, 2, 3, ..) to its left."""
    counted = BlockColumn("1", (f"{letters(body.left - 1)}{ABOVE}+1",), np.arange(1.0, body.rows + 1), "whole")
    return Block(body.top, body.left - 1, (counted, *body.columns))


def what_if_sheet(trace: Trace, phrases: Mapping[str, str]) -> Sheet:
    """The same table with givens of its own, beside the curve: change anything and see it move."""
    net, name = trace.net, "what-if"
    givens = {RATE: trace.rate, **all_givens(net)}
    start, top = 4, max(26, 4 + len(givens) + 3)
    cells = [
        Cell(0, 0, "What if?", "title"),
        Cell(1, 0, "Change any of the cells below: the table and both curves follow. Nothing else depends on them."),
        Cell(2, 0, "overview", "link", link="overview!A1"),
    ]
    names = []
    for k, (given, value) in enumerate(givens.items()):
        shown = Cell(start + k, 0, shown_name(given), "label")
        cells += [shown, Cell(start + k, 1, value, "given", phrases.get(given, ""))]
        names.append((given, start + k, 1))
    body = block(trace, top, 1, {given: address(row, column) for given, row, column in names})
    cells += [Cell(top - 1, 0, "iteration", "heading"), *headings(trace, top - 1, 1)]
    cells += band_row(band_of(net, trace.columns), top - 2, 1)
    loss, weights = charts(trace, name, top, 1, (3, 3), body.rows)
    beside = replace(weights, row=3, column=10)
    widths = ((0, 0, 15), (1, len(trace.columns), 12.5))
    return Sheet(name, tuple(cells), with_iterations(body), (loss, beside), (), tuple(names), widths, colour="#1a7f37")
