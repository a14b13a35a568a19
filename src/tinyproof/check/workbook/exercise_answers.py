"""Whether each cell of an exercise computes what it was asked for, whatever way its formula is written.

The cell's formula is computed on random networks of the same shape and on the exercise's own, every other cell of the
table holding what it should: it is right where it always gives what the column should. Nothing is read into how it is
written, and a mistake in one column is none of another's.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from tinyproof.backprop.equations import RATE, forward, gradients, next_values
from tinyproof.backprop.exercise_book import LEFT, TOP, Exercise
from tinyproof.backprop.expr import Expr, evaluate, names
from tinyproof.backprop.net import Net
from tinyproof.backprop.program import Floats, Program
from tinyproof.backprop.table_sheet import data_name, given_name
from tinyproof.check.workbook.graph.sheetgraph import SheetGraph, read_graph
from tinyproof.check.workbook.read.cells import Book, Cell
from tinyproof.check.workbook.read.worksheet_functions import NotUnderstood
from tinyproof.check.workbook.rules.circles import circles
from tinyproof.check.workbook.understand.grid import Grid, Place
from tinyproof.core.arrays import np

_SAMPLES, _SEED = 6, 20  # random networks; the exercise's own is one more
_CLOSE = 1e-7  # of a column's own size: a formula written in another order differs by rounding only
_DEEPEST = 40  # cells one behind another that somebody computes with beside the table

# "typed given": right for these givens only, because one of them is typed into the formula.
Answer = Literal["right", "wrong", "empty", "typed", "typed given", "text", "rounded", "in a circle", "not read"]


@dataclass(frozen=True)
class Sampled:
    """Numbers that belong together: of the table, float64 [rows, samples], and of the givens, [samples]."""

    table: Mapping[str, Floats]
    givens: Mapping[str, Floats]

    def after(self, rule: Expr, row: int) -> Floats:
        """What an update gives in a row (from 0; not the first), from the row before: float64 [samples]."""
        used = names(rule)
        values = {name: self.table[name][row - 1] if name in self.table else self.givens[name] for name in used}
        return np.asarray(evaluate(rule, values), dtype=float)


def sampled(exercise: Exercise, varied: frozenset[str] | None = None) -> Sampled:
    """Random networks, and the exercise's own: other parameters in every row, other data in every sample (of the data
    only `varied`, by the names of their givens, where that is named)."""
    net, rows, rng = exercise.net, exercise.rows, np.random.default_rng(_SEED)
    shape = rows, _SAMPLES + 1
    givens = {
        given_name(name): np.append(rng.uniform(-1.0, 1.0, _SAMPLES), value) for name, value in net.parameters.items()
    }
    for k in range(len(net.examples)):
        drawn = _data(net, rng)
        for name, own in net.data(k).items():
            given = data_name(net, name, k)
            free = varied is None or given in varied
            givens[given] = np.append(drawn[name] if free else np.full(_SAMPLES, own), own)
    for name, own in net.optimizer.values().items():
        low, high = (0.01, 0.1) if name == "eps" else (0.3, 0.9)
        givens[name] = np.append(rng.uniform(low, high, _SAMPLES), own)
    inputs: dict[str, Floats] = {RATE: np.full(shape, net.learning_rate)}
    for name in net.parameters:
        inputs[name] = np.stack([givens[given_name(name)]] * rows)
        if name in net.trained:
            inputs[name][1:, :-1] = rng.uniform(-1.0, 1.0, (rows - 1, _SAMPLES))
            inputs[name][:, -1] = exercise.trace.column(name)[:rows]
    turns = [[_example(net, place, row) for row in range(rows)] for place in range(net.at_once)]
    for tag, places in zip(net.tags, turns, strict=True):
        for name in net.data(0):
            inputs[name + tag] = np.stack([givens[data_name(net, name, k)] for k in places])
    program = Program(inputs, [*forward(net), *gradients(net, exercise.style)])
    for name, value in inputs.items():
        program[name] = value
    with np.errstate(all="ignore"):
        program.run()
    columns = [name for name in exercise.trace.columns if name not in net.states]
    table = {name: np.broadcast_to(program[name], shape) for name in columns}
    table |= {name: np.zeros(shape) for name in net.states}
    found = Sampled(table, givens | {RATE: np.full(_SAMPLES + 1, net.learning_rate)})
    rules = next_values(net)
    for row in range(1, rows) if net.states else ():
        for name in net.states:
            table[name][row] = found.after(rules[name], row)
    return found


def _example(net: Net, place: int, row: int) -> int:
    """Which example (from 0) a row (from 0) takes in a place of its batch."""
    return row % net.turns * net.at_once + place


def _data(net: Net, rng: np.random.Generator) -> dict[str, Floats]:
    """Inputs between -1 and 1; targets between 0 and 1, which add up to 1 where the loss wants them to."""
    found: dict[str, Floats] = {}
    targets = rng.uniform(0.1, 0.9, (net.shape[-1], _SAMPLES))
    if net.loss == "categorical cross-entropy":
        targets /= targets.sum(0)
    for name in net.data(0):
        place = int(name[1:]) - 1
        found[name] = targets[place] if name.startswith("t") else rng.uniform(-1.0, 1.0, _SAMPLES)
    return found


@dataclass
class Answers:
    """Every cell of the table, judged. `table`: the position of its sheet; `givens`: where each given stands.

    Raises NotUnderstood where the workbook is too large to be followed.
    """

    exercise: Exercise
    book: Book
    table: int
    givens: Mapping[Place, str]
    why: dict[str, str] = field(default_factory=dict)  # column -> why it could not be read
    _sets: dict[frozenset[str] | None, Sampled] = field(default_factory=dict)

    @cached_property
    def graph(self) -> SheetGraph:
        return read_graph(Grid(self.book))

    @cached_property
    def rules(self) -> dict[str, Expr]:
        """What every parameter and every state should be, from the row before."""
        return next_values(self.exercise.net)

    @cached_property
    def places(self) -> dict[Place, tuple[str, int | None]]:
        """Cell -> the quantity in it and its row of the table (None for a given)."""
        found: dict[Place, tuple[str, int | None]] = {place: (name, None) for place, name in self.givens.items()}
        for k, name in enumerate(self.exercise.trace.columns):
            found |= {Place(self.table, TOP + row + 1, LEFT + k + 1): (name, row) for row in range(self.exercise.rows)}
        return found

    def columns(self) -> dict[str, dict[int, Answer]]:
        """Column -> row of the sheet (from 1) -> what is said of the cell there."""
        rows = range(self.exercise.rows)
        told = {name: {TOP + row + 1: self.cell(name, row) for row in rows} for name in self.exercise.trace.columns}
        for part in self.circles():
            inside = [(name, row) for name, row in part if told[name][row] != "empty"]
            if all(told[name][row] == "right" for name, row in inside):  # else the wrong one closes it
                for name, row in inside:
                    told[name][row] = "in a circle"
        return told

    def circles(self) -> list[set[tuple[str, int]]]:
        """The cells of the table that read themselves, over however many others, as column and row of the sheet."""
        graph, places = self.graph, self.graph.places
        unit: dict[int, Hashable] = {  # an array formula is one: it reads what any of its cells reads
            cell: held.key if isinstance(held.key, tuple) and held.key[0] == "array" else cell
            for cell, held in graph.meaning.items()
        }
        reads: dict[Hashable, set[Hashable]] = {}
        for cell, held in graph.meaning.items():
            reads.setdefault(unit[cell], set()).update(unit[one] for one in held.refs.values() if one in unit)
        found = []
        for part in circles(reads):
            cells = [places[cell] for cell, own in unit.items() if own in part]
            known = [(place, self.places.get(place, ("", None))) for place in cells]
            found.append({(name, place.row) for place, (name, row) in known if row is not None})
        return found

    def cell(self, name: str, row: int) -> Answer:
        """What is said of one cell; `row` of the table, from 0."""
        place = Place(self.table, TOP + row + 1, self.exercise.column(name) + 1)
        held = self.book.sheets[self.table].cells.get((place.row, place.col))
        if held is None or is_empty(held):
            return "empty"
        cell = self.graph.cell(place)
        if cell not in self.graph.meaning and cell not in self.graph.opaque:
            if not isinstance(held.value, float):
                return "text"
            return "typed" if math.isclose(held.value, self.exercise.trace.column(name)[row], rel_tol=1e-3) else "wrong"
        try:
            return self._computed(cell, name, row)
        except NotUnderstood as problem:
            self.why.setdefault(name, str(problem))
            return "not read"

    def _computed(self, cell: int, name: str, row: int) -> Answer:
        right, read = self._agrees(cell, name, row, None)
        if not right:  # where it holds for the data that it does not read, it has them typed in
            return "typed given" if self._agrees(cell, name, row, frozenset(read))[0] else "wrong"
        return "rounded" if cell in self.graph.rounds else "right"

    def _agrees(self, cell: int, name: str, row: int, varied: frozenset[str] | None) -> tuple[bool, set[str]]:
        """Whether the cell gives what it should on all samples; and which data it reads."""
        if varied not in self._sets:
            self._sets[varied] = sampled(self.exercise, varied)
        samples = self._sets[varied]
        if row and name in self.rules:
            should = samples.after(self.rules[name], row)
        else:
            should = samples.table[name][row]
        given = _Given(self, samples)
        found = np.broadcast_to(given.compute(cell, 0), should.shape)
        # Each sample by its own size: a small gradient is no reason to look away.
        size = np.maximum(np.abs(should), _CLOSE * np.abs(should).max())
        return bool((np.abs(found - should) <= _CLOSE * size).all()), given.data


def is_empty(cell: Cell) -> bool:
    """Whether nothing stands in a cell."""
    return cell.formula is None and (cell.value is None or cell.value == "")


@dataclass
class _Given:
    """The numbers of one set of samples, as a formula reads them; what stands beside the table is computed."""

    answers: Answers
    samples: Sampled
    known: dict[int, Floats] = field(default_factory=dict)
    data: set[str] = field(default_factory=set)  # the givens of inputs and targets that were read

    def value(self, cell: int, depth: int) -> Floats:
        place = self.answers.graph.places[cell]
        held = self.answers.places.get(place)
        if (place.sheet, place.col) == (self.answers.table, LEFT) and 0 < place.row - TOP <= self.answers.exercise.rows:
            return np.full(_SAMPLES + 1, float(place.row - TOP))  # the column of iterations
        if held is None:
            if cell not in self.known:
                self.known[cell] = self.compute(cell, depth)
            return self.known[cell]
        name, row = held
        if name[0] in "ti":
            self.data.add(name if row is None else self._given(name, row))
        return self.samples.givens[name] if row is None else self.samples.table[name][row]

    def _given(self, name: str, row: int) -> str:
        """The given behind a column of data: `t1[2]` is `t_1_x2`."""
        net = self.answers.exercise.net
        plain, _, tag = name.partition("[")
        return data_name(net, plain, _example(net, int(tag.rstrip("]")) - 1 if tag else 0, row))

    def compute(self, cell: int, depth: int) -> Floats:
        graph = self.answers.graph
        if cell in graph.opaque:
            raise NotUnderstood(f"{graph.name(cell)} cannot be read: {graph.opaque[cell]}")
        meaning = graph.meaning.get(cell)
        if meaning is None:
            typed = graph.typed[cell]
            return np.full(_SAMPLES + 1, 0.0 if np.isnan(typed) else typed)
        if depth > _DEEPEST:
            raise NotUnderstood(f"more than {_DEEPEST} cells stand one behind another")
        values = {name: self.value(read, depth + 1) for name, read in meaning.refs.items()}
        return np.asarray(evaluate(meaning.expr, values), dtype=float)
