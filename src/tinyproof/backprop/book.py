"""The whole workbook of a network as data: overview, derivation, a sheet a rate, comparison, what-if, check.

`jobs.workbook` draws the picture, calls this and writes the file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tinyproof.backprop.conclusion import conclusion, end_rows, mean_cells
from tinyproof.backprop.derivation import derive, lines_of
from tinyproof.backprop.derivation_sheet import derivation_sheet
from tinyproof.backprop.descriptions import heading, told, words
from tinyproof.backprop.equations import Style, columns
from tinyproof.backprop.net import Net
from tinyproof.backprop.notation import number
from tinyproof.backprop.sheet import (
    THIS,
    Block,
    BlockColumn,
    Book,
    Cell,
    Chart,
    Formula,
    Picture,
    Series,
    Sheet,
    address,
    check_fits,
    letters,
    quoted,
)
from tinyproof.backprop.table_sheet import (
    HEADER,
    all_givens,
    data_name,
    given_name,
    rate_sheet,
    rate_sheet_name,
    shown_name,
    what_if_sheet,
    with_iterations,
)
from tinyproof.backprop.trace import OVERFLOWS, Trace, traces
from tinyproof.core.errors import InputError

MOST_RATES = 100
WHAT_IF_ROWS = 200
MOST_STEPS = 1_500  # lines of a derivation that are still worth a sheet
GIVENS = 5  # the overview's row (from 0) of the first given
TOLERANCE = "1E-12"


def workbook(
    net: Net, rates: Sequence[float], iterations: int = 100, style: Style = "course", picture: bytes | None = None
) -> Book:
    """The book of one network at these learning rates.

    `picture`: the network drawn, as PNG bytes. Raises InputError for what no worksheet can hold.
    """
    if not 1 <= len(rates) <= MOST_RATES:
        raise InputError("rates", f"{len(rates)} rates", f"1 to {MOST_RATES} sheets")
    if len({number(float(rate)) for rate in rates}) != len(rates):
        raise InputError("rates", ", ".join(map(number, rates)), "each rate once")
    found = _all(net, rates, iterations, style)
    first = found[0]
    chosen = next((trace for trace in found if trace.rate == net.learning_rate), first)
    short = replace(chosen, values=chosen.values[:WHAT_IF_ROWS], diverged=None)
    phrases = given_phrases(net)
    sheets = [rate_sheet(trace) for trace in found]
    rows = {sheet.name: sheet.block.rows for sheet in sheets if sheet.block}
    table = rate_sheet_name(chosen.rate)
    steps = []
    if lines_of(net) <= MOST_STEPS:
        steps = [derivation_sheet(derive(net, 1, chosen.rate), chosen, table, HEADER + 1, rows[table])]
    compared = comparison(found, rows)
    book = [
        overview(net, found, phrases, picture, bool(steps), compared.charts[0]),
        *steps,
        *sheets,
        compared,
        what_if_sheet(short, phrases),
        check_sheet(found, rows),
    ]
    names = tuple((name, "overview", GIVENS + k, 1) for k, name in enumerate(all_givens(net)))
    return Book(net.title or net.name, tuple(book), names)


def _all(net: Net, rates: Sequence[float], iterations: int, style: Style) -> list[Trace]:
    check_fits(iterations + HEADER + 3, len(columns(net, style)) + 20, net.source)
    found = traces(net, rates, iterations, style)
    for trace in found:
        if not len(trace):
            raise InputError("network", net.name, "make the givens smaller", net.source, problem=OVERFLOWS)
    return found


def given_phrases(net: Net) -> dict[str, str]:
    """What each given is, by its defined name."""
    phrases, found = words(net), {"learning_rate": "learning rate"}
    for k in range(len(net.examples)):
        which = f" of example {k + 1}" if len(net.examples) > 1 else ""
        for name in net.data(k):
            what = "target of output" if name.startswith("t") else "input"
            found[data_name(net, name, k)] = f"{what} {name[1:]}{which}"
    return found | {given_name(name): phrases[name] for name in (*net.parameters, *net.optimizer.values())}


def overview(
    net: Net, found: Sequence[Trace], phrases: dict[str, str], picture: bytes | None, with_steps: bool, loss: Chart
) -> Sheet:
    """The givens in one place, the loss and the network drawn, how to use the workbook, and a way to every sheet."""
    cells = [
        Cell(0, 0, net.title or net.name, "title"),
        Cell(1, 0, told(net)),
        Cell(3, 0, "The givens: change one and every sheet follows", "label"),
        Cell(4, 0, "name", "heading left"),
        Cell(4, 1, "value", "heading"),
        Cell(4, 2, "what it is", "heading indented"),
    ]
    givens = all_givens(net)
    for k, (name, value) in enumerate(givens.items()):
        note = "" if shown_name(name) == name else f"In formulas: {name}."
        cells += [Cell(GIVENS + k, 0, shown_name(name), "label", note), Cell(GIVENS + k, 1, value, "given")]
        cells.append(Cell(GIVENS + k, 2, phrases[name], "indented"))
    row = max(GIVENS + len(givens), 24) + 1
    cells.append(Cell(row, 0, "How to use this workbook", "label"))
    for k, line in enumerate(_HOW):
        cells.append(Cell(row + 1 + k, 0, line))
    row += len(_HOW) + 2
    cells.append(Cell(row, 0, "The sheets", "label"))
    places = [
        *_PLACES[: int(with_steps)],
        *((rate_sheet_name(trace.rate), trace.summary()) for trace in found),
        *_PLACES[1:],
    ]
    for k, (name, text) in enumerate(places, 1):
        cells += [Cell(row + k, 0, name, "link", link=f"{quoted(name)}!A1"), Cell(row + k, 1, text)]
    pictures = (Picture(3, 14, picture, f"the network {net.name} with its weights"),) if picture else ()
    widths = ((0, 0, 16), (1, 1, 14), (2, 2, 46))
    seen = (replace(loss, row=3, column=4, width=620, height=380),)  # in the first screen
    return Sheet("overview", tuple(cells), charts=seen, pictures=pictures, widths=widths, colour="#57606a")


_HOW = (
    "Every cell of the tables is a live formula; click one to see what it is computed from.",
    "Yellow cells are given: change a weight, an input or a target here, a learning rate on its own sheet.",
    "Each row is one iteration: forward from the inputs to E_total, back to the gradients; the next row is the update.",
    "Rest the pointer on a heading to read what the column is and how it is computed.",
    "The sheet what-if has givens of its own beside the curve; the sheet check compares every formula with numbers "
    "computed independently of the spreadsheet, and turns red where a formula was changed.",
)
_PLACES = (
    ("derivation", "the chain rule step by step, computed at the iteration you choose"),
    ("compare", "the loss of every learning rate, in one chart"),
    ("what-if", "change anything and see the curve move"),
    ("check", "live formulas against independently computed numbers"),
)


def comparison(found: Sequence[Trace], rows: dict[str, int]) -> Sheet:
    """Every rate's loss side by side, linear and logarithmic, and which is smallest at the end."""
    top, most = HEADER + 1, max(rows.values())
    cells = [
        Cell(0, 0, "The learning rates compared", "title"),
        Cell(1, 0, "best at the end", "label"),
        Cell(2, 0, "E_total", "label"),
        Cell(HEADER, 0, "iteration", "heading"),
    ]
    tables, lines = [], []
    for k, trace in enumerate(found, 1):
        name = rate_sheet_name(trace.rate)
        source = letters(1 + trace.columns.index("E_total"))
        cells.append(Cell(HEADER, k, Formula(address(1, 1, name), trace.rate), "heading", f"E_total of sheet {name}"))
        text = f"{quoted(name)}!{source}{THIS}"
        tables.append(BlockColumn(text, (text,), trace.column("E_total")[: rows[name]], "small"))
        lines.append(Series(name, "compare", top, top + rows[name] - 1, 0, k))
    losses = [trace.column("E_total")[: rows[rate_sheet_name(trace.rate)]] for trace in found]
    turn = min(found[0].net.turns, most)
    whole = [float(loss[-turn:].mean()) if len(loss) == most else np.inf for loss in losses]
    end = end_rows(top, most, turn)[1] + 1
    last = f"B{end}:{letters(len(found))}{end}"
    heads = f"B{HEADER + 1}:{letters(len(found))}{HEADER + 1}"
    best = Formula(f"INDEX({heads},MATCH(MIN({last}),{last},0))", found[int(np.argmin(whole))].rate)
    cells += [Cell(1, 1, best, "verdict"), Cell(2, 1, Formula(f"MIN({last})", float(min(whole))), "small")]
    cells += mean_cells(losses, top, turn)
    if len(found) > 1:
        cells += conclusion([trace.rate for trace in found], losses, 0, 3, HEADER, turn)
    body = with_iterations(Block(top, 1, tuple(tables)))
    at = max(len(found) + 2, 11)  # the sentences may be longer than the table is wide
    charts = tuple(
        Chart(
            row=1 + 24 * k,
            column=at,
            title=title,
            x_title="iteration",
            y_title="E_total",
            series=tuple(lines),
            log=log,
            width=860,
            height=460,
        )
        for k, (title, log) in enumerate(
            (("Loss at each learning rate", False), ("Loss at each learning rate, logarithmic", True))
        )
    )
    widths = ((0, 0, 15), (1, len(found), 14))
    return Sheet("compare", tuple(cells), body, charts, widths=widths, freeze=(top, 1), colour="#8a5a00")


def check_sheet(found: Sequence[Trace], rows: dict[str, int]) -> Sheet:
    """Live cells against our own float64 numbers: the first, second, middle and last iteration of every rate."""
    head = 5
    cells = [
        Cell(0, 0, "Check: the spreadsheet against numbers computed independently of it", "title"),
        Cell(1, 0, f"A cell agrees where |live - ours| <= {TOLERANCE} x max(1, |ours|). Change a given or a formula on "
             "purpose, and the rows that it moves turn red."),
        Cell(2, 0, "overview", "link", link="overview!A1"),
    ]  # fmt: skip
    cells += [Cell(head - 1, k, text, "heading left") for k, text in enumerate(("sheet", "quantity"))]
    cells += [
        Cell(head - 1, k, text, "heading") for k, text in enumerate(("iteration", "live", "ours", "difference"), 2)
    ]
    cells.append(Cell(head - 1, 6, "verdict", "heading indented"))
    row = head
    for trace in found:
        name = rate_sheet_name(trace.rate)
        for iteration in sorted({1, min(2, rows[name]), (rows[name] + 1) // 2, rows[name]}):
            for k, quantity in enumerate(trace.columns):
                live = address(HEADER + iteration, 1 + k, name)
                cells += _checked(row, name, quantity, iteration, live, float(trace.values[iteration - 1, k]))
                row += 1
    verdict = f'IF(COUNTIF(G{head + 1}:G{row},"ok")={row - head},"ok","differs")'
    cells += [Cell(3, 0, "all of them", "label"), Cell(3, 6, Formula(verdict, "ok"), "verdict")]
    widths = ((0, 0, 16), (1, 1, 14), (2, 2, 10), (3, 4, 22), (5, 6, 12))
    return Sheet(
        "check",
        tuple(cells),
        widths=widths,
        freeze=(head, 0),
        red=((3, 6, 3, 6), (head, 6, row - 1, 6)),
        colour="#c4261d",
    )


def _checked(row: int, sheet: str, quantity: str, iteration: int, live: str, ours: float) -> list[Cell]:
    this = row + 1
    test = f'IF(ABS(D{this}-E{this})<={TOLERANCE}*MAX(1,ABS(E{this})),"ok","differs")'
    return [
        Cell(row, 0, sheet),
        Cell(row, 1, heading(quantity)),
        Cell(row, 2, float(iteration), "whole"),
        Cell(row, 3, Formula(live, ours)),
        Cell(row, 4, ours),
        Cell(row, 5, Formula(f"D{this}-E{this}", 0.0), "difference"),
        Cell(row, 6, Formula(test, "ok"), "verdict"),
    ]
