"""A workbook to fill in: the table of one learning rate, in the layout of every other, with the columns empty that
somebody is asked for. A sheet that is hidden keeps the network, so that what was filled in can be held against it.

A blank cell counts as 0 in a spreadsheet: the numbers that the file stores are those that follow from that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, get_args

from tinyproof.backprop.blank_table import values_with_blanks
from tinyproof.backprop.descriptions import told, words
from tinyproof.backprop.equations import STYLES, Style, columns, forward, gradients, updates
from tinyproof.backprop.expr import names
from tinyproof.backprop.net import Net
from tinyproof.backprop.notation import number
from tinyproof.backprop.sheet import ABOVE, THIS, Book, Cell, Formula, Picture, Sheet, quoted
from tinyproof.backprop.table_sheet import (
    HEADER,
    Formulas,
    all_givens,
    rate_sheet,
    rate_sheet_name,
    setting_cells,
    sheet_rows,
)
from tinyproof.backprop.toml import from_toml, to_toml
from tinyproof.backprop.trace import Trace, trace
from tinyproof.core.arrays import np
from tinyproof.core.errors import InputError
from tinyproof.core.files import sha256

Asked = Literal["forward", "gradients", "update", "all"]
PARTS: tuple[Asked, ...] = get_args(Asked)
FORMAT = "tinyproof exercise 1"  # the first cell of the sheet that keeps the network
COVER, KEPT = "exercise", "network"
FILL_IN = "Fill in the green columns of the sheet"  # how the cover's third line begins, on no other workbook
NAME = (4, 1)  # where somebody writes a name
GIVENS = 8  # the row (from 0) of the first given
MOST_PARAMETERS, MOST_ITERATIONS, MOST_CELLS = 300, 2_000, 20_000
TOP, LEFT = HEADER + 1, 1
_WHAT = {
    "forward": "the forward pass: net inputs, activations and losses",
    "gradients": "the gradients",
    "update": "the weights from the second row on",
    "all": "everything: the forward pass, the gradients and, from the second row on, the weights",
}


@dataclass(frozen=True)
class Exercise:
    """What somebody is asked for: a part of the table of a network at its learning rate. Raises InputError for what a
    person cannot fill in."""

    net: Net
    asked: Asked = "all"
    iterations: int = 100
    style: Style = "course"

    def __post_init__(self) -> None:
        if self.asked not in PARTS:
            raise InputError("exercise", self.asked, ", ".join(PARTS))
        if self.style not in STYLES:
            raise InputError("style", self.style, ", ".join(STYLES))
        count = len(self.net.parameters)
        if count > MOST_PARAMETERS:
            raise InputError("network", f"{count:,} weights and biases", f"at most {MOST_PARAMETERS}", self.net.source)
        cells = len(columns(self.net, self.style)) * (self.iterations if isinstance(self.iterations, int) else 1)
        if cells > MOST_CELLS:
            raise InputError(
                "exercise", f"{cells:,} cells", f"at most {MOST_CELLS:,}: fewer iterations", self.net.source
            )
        lowest = 1 if self.asked in ("forward", "gradients") else 2
        if not isinstance(self.iterations, int) or not lowest <= self.iterations <= MOST_ITERATIONS:
            allowed = f"a whole number from {lowest} to {MOST_ITERATIONS:,}"
            raise InputError("iterations", self.iterations, allowed)

    @cached_property
    def trace(self) -> Trace:
        """The numbers of the table when it is filled in rightly; at least one row. Raises InputError."""
        found = trace(self.net, self.iterations, self.style)
        if not sheet_rows(found):
            problem = "overflows in the first iteration"
            raise InputError("network", self.net.name, "make the givens smaller", self.net.source, problem=problem)
        return found

    @property
    def rows(self) -> int:
        """How many rows the table has: fewer than the iterations where the numbers overflow."""
        return sheet_rows(self.trace)

    @property
    def sheet(self) -> str:
        """The name of the sheet with the table."""
        return rate_sheet_name(self.net.learning_rate)

    @cached_property
    def empty_from(self) -> dict[str, int]:
        """Every column asked for -> its first empty row, from 0: weights start with the givens."""
        found: dict[str, int] = {}
        if self.asked in ("forward", "all"):
            found |= {equation.name: 0 for equation in forward(self.net)}
        if self.asked in ("gradients", "all"):
            found |= {equation.name: 0 for equation in gradients(self.net, self.style)}
        if self.asked in ("update", "all"):
            found |= dict.fromkeys((*self.net.trained, *self.net.states), 1)
        return {name: found[name] for name in self.trace.columns if name in found}

    @cached_property
    def _formulas(self) -> dict[str, tuple[str, tuple[str, ...]]]:
        refer = {given: given for given in all_givens(self.net)} | setting_cells(self.net)
        return Formulas(self.net, self.trace.columns, self.style, LEFT, refer, TOP + self.rows).rows()

    def column(self, name: str) -> int:
        """The place of a column in the sheet, from 0."""
        return LEFT + self.trace.columns.index(name)

    def formula(self, name: str, row: int) -> str:
        """What stands in a column and row (from 0) of the table when it is filled in, without the `=`."""
        first, rest = self._formulas[name]
        text = rest[row % len(rest)] if row else first
        return text.replace(THIS, str(TOP + row + 1)).replace(ABOVE, str(TOP + row))

    def book(self, student: str = "", picture: bytes | None = None) -> Book:
        """The workbook: a cover with the givens, the table, and the network, hidden. `picture`: PNG bytes. The same
        arguments give the same file."""
        given = tuple((name, COVER, GIVENS + k, 1) for k, name in enumerate(all_givens(self.net)))
        title = self.net.title or self.net.name
        return Book(
            f"{title}: exercise", (self._cover(student, picture), self._table(), self._kept(student)), given, False
        )

    def _cover(self, student: str, picture: bytes | None) -> Sheet:
        net, phrases = self.net, words(self.net)
        cells = [
            Cell(0, 0, f"Exercise: {net.title or net.name}", "title"),
            Cell(1, 0, f"Asked for: {self._what()}. {told(net)}"),
            Cell(2, 0, f"{FILL_IN} {self.sheet}; everything else is given."),
            Cell(*NAME, student, "asked", "Write your name here."), Cell(NAME[0], 0, "your name", "label"),
            Cell(GIVENS - 2, 0, "The givens", "label"),
            Cell(GIVENS - 1, 0, "name", "heading left"),
            Cell(GIVENS - 1, 1, "value", "heading"),
            Cell(GIVENS - 1, 2, "what it is", "heading indented"),
        ]  # fmt: skip
        for k, (name, value) in enumerate(all_givens(net).items()):
            plain = name.replace("_", "", 1).partition("_x")[0]
            row = GIVENS + k
            cells += [Cell(row, 0, name, "label"), Cell(row, 1, value, "given")]
            cells.append(Cell(row, 2, phrases.get(plain, phrases.get(plain + net.tags[0], "")), "indented"))
        row = max(GIVENS + len(all_givens(net)), 24) + 1
        cells.append(Cell(row, 0, "How to work", "label"))
        cells += [Cell(row + 1 + k, 0, line) for k, line in enumerate(_HOW)]
        row += len(_HOW) + 2
        cells.append(Cell(row, 0, self.sheet, "link", link=f"{quoted(self.sheet)}!A1"))
        pictures = (Picture(3, 4, picture, f"the network {net.name} with its weights"),) if picture else ()
        return Sheet(COVER, tuple(cells), pictures=pictures, widths=((0, 0, 16), (1, 1, 22), (2, 2, 46)))

    def _what(self) -> str:
        words = _WHAT[self.asked]
        return words.replace("the weights", "the optimizer's states and the weights") if self.net.states else words

    def _table(self) -> Sheet:
        whole = rate_sheet(self.trace)
        assert whole.block is not None
        blank = values_with_blanks(self.net, self.style, self.empty_from, whole.block.rows)
        columns = [whole.block.columns[0]]  # the iterations
        for name, column in zip(self.trace.columns, whole.block.columns[1:], strict=True):
            columns.append(replace(column, values=blank[name], empty_from=self.empty_from.get(name)))
        cells = [self._headed(cell) for cell in whole.cells]
        cells = [replace(cell, value=COVER, link=f"{COVER}!A1") if cell.value == "overview" else cell for cell in cells]
        return replace(whole, cells=tuple(cells), block=replace(whole.block, columns=tuple(columns)))

    def _headed(self, cell: Cell) -> Cell:
        """A heading of a column that is asked for: green, with a hint in place of the formula. A note that speaks of
        another workbook says what is so here."""
        if cell.row != HEADER or cell.column < LEFT:
            rate = cell.style == "given" and not isinstance(cell.value, Formula)
            return replace(cell, note="The learning rate of this sheet.") if rate else cell
        name = self.trace.columns[cell.column - LEFT]
        if name in self.empty_from:
            return replace(cell, note=hint(self.net, self.style, name), style="asked heading")
        return replace(cell, note=cell.note.replace("on the overview sheet", f"on the sheet {COVER}"))

    def _kept(self, student: str) -> Sheet:
        lines = [self.asked, number(self.iterations), self.style, student, *to_toml(self.net).splitlines()]
        lines = [FORMAT, digest_of(lines), *lines]
        return Sheet(KEPT, tuple(Cell(k, 0, line) for k, line in enumerate(lines) if line), hidden=True)


def digest_of(lines: Sequence[str]) -> str:
    """What tells that a hidden sheet is as it was written: no secret, a guard against accidents and haste."""
    return sha256("\n".join(line.rstrip() for line in lines).encode())[:32]


_HOW = (
    "Write the formula into the first green cell of a column, then fill it down to the end of the table.",
    "Point at cells (K5), or use the names of the givens (w_1). Rest the pointer on a green heading for a hint.",
    "Leave the givens, the headings and the rows where they are.",
    "tinyproof audit says of each green column whether it is empty, right or wrong.",
)


def kept_exercise(lines: Sequence[str]) -> tuple[Exercise, str] | None:
    """The exercise that the lines of the hidden sheet tell, and for whom it was made; None where they are none. Raises
    InputError, DataError."""
    if len(lines) < 7 or lines[0] != FORMAT:
        return None
    _, digest, asked, iterations, style, student, *toml = lines
    if digest != digest_of(lines[2:]):
        raise InputError(KEPT, "another text than was written", "leave the hidden sheet as it is")
    if not iterations.isdecimal() or len(iterations) > len(str(MOST_ITERATIONS)):
        raise InputError("iterations", iterations, f"a whole number up to {MOST_ITERATIONS:,}")
    net = from_toml("\n".join(toml), KEPT)
    return Exercise(net, asked, int(iterations), style), student  # type: ignore[arg-type]  # Exercise checks the words


def hint(net: Net, style: Style, name: str) -> str:
    """What a column is, and what to think of, without its formula."""
    phrase = words(net)[name]
    if name in net.trained:
        taken = ", with its states in this row" if net.states else ""
        return f"{phrase}\nFrom the second row on: one step against its gradient, from the row above{taken}."
    if name in net.states:
        made = next(equation.expr for equation in updates(net) if equation.name == name)
        return f"{phrase}\nFrom the second row on: of the row above. It is made of {', '.join(names(made))}."
    if not name.startswith("dE/d"):
        made = next(equation.expr for equation in forward(net) if equation.name == name)
        return f"{phrase}\nIt is made of {', '.join(names(made))}."
    ways = on_the_way(net, name.removeprefix("dE/d"))
    text = f"{phrase}\nBetween it and the loss: {', '.join(ways[:12])}{', ..' if len(ways) > 12 else ''}."
    return text + "\nMultiply the slopes along every way to the loss; where ways meet, add them up."


def on_the_way(net: Net, name: str) -> list[str]:
    """Every quantity that moves when one is moved, in the order in which it is computed."""
    moved = {name}
    found = []
    for equation in forward(net):
        if moved.intersection(names(equation.expr)):
            moved.add(equation.name)
            found.append(equation.name)
    return found


def redrawn(net: Net, seed: int) -> Net:
    """The same network with other weights and biases, between -1 and 1, two decimals; the examples stay.

    They are drawn until no gradient of the first iteration is 0: a unit that is off teaches nothing. Raises
    InputError for a seed that cannot be, or where a hundred draws leave a gradient at 0.
    """
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**63:
        raise InputError("seed", seed, "a whole number from 0 to 2^63 - 1")
    generator = np.random.Generator(np.random.PCG64(seed))

    def numbers(count: int) -> tuple[float, ...]:
        return tuple(round(float(value), 2) for value in generator.uniform(-1.0, 1.0, count))

    for _ in range(100):
        layers = []
        for layer in net.layers:
            weights = tuple(numbers(layer.inputs) for _ in range(layer.units))
            bias = (
                numbers(layer.units) if isinstance(layer.bias, tuple) else None if layer.bias is None else numbers(1)[0]
            )
            layers.append(replace(layer, weights=weights, bias=bias))
        found = replace(net, name=f"{net.name}, seed {seed}", title=f"{net.name}, seed {seed}",
                        layers=tuple(layers))  # fmt: skip
        first = trace(found, 1, "chain")
        if len(first) and all(first.column(f"dE/d{name}")[0] != 0 for name in net.trained):
            return found
    raise InputError(
        "seed", seed, "another network", net.source, problem="leaves a gradient at 0, a hundred times over"
    )
