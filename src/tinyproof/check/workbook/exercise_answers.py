"""Whether each cell of an exercise computes what it was asked for, whatever way its formula is written.

The cell's formula is computed on many random networks of the same shape, every other cell of the table holding what it
should: it is right where it always gives what the column should. Nothing is read into how it is written, and a mistake
in one column is none of another's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np

from tinyproof.backprop.equations import RATE, forward, gradients
from tinyproof.backprop.exercise_book import COVER, GIVENS, LEFT, TOP, Exercise
from tinyproof.backprop.expr import evaluate
from tinyproof.backprop.net import Net
from tinyproof.backprop.program import Floats, Program
from tinyproof.backprop.table_sheet import all_givens, data_name, given_name
from tinyproof.check.workbook.graph.sheetgraph import SheetGraph, read_graph
from tinyproof.check.workbook.read.cells import Book, Cell
from tinyproof.check.workbook.read.worksheet_functions import NotUnderstood
from tinyproof.check.workbook.rules.circles import on_a_circle
from tinyproof.check.workbook.understand.grid import Grid, Place

_SAMPLES, _SEED = 6, 20
_CLOSE = 1e-9  # a formula written in another order differs by rounding only
_DEEPEST = 40  # cells one behind another that somebody computes with beside the table

Answer = Literal["right", "wrong", "empty", "typed", "in a circle", "not read"]


@dataclass(frozen=True)
class Sampled:
    """Numbers that belong together: of the table, float64 [rows, samples], and of the givens, [samples]."""

    table: Mapping[str, Floats]
    givens: Mapping[str, Floats]


def sampled(exercise: Exercise, own_data: bool = False) -> Sampled:
    """Random networks: other parameters in every row, other data in every sample (`own_data`: the exercise's own)."""
    net, rows, rng = exercise.net, exercise.rows, np.random.default_rng(_SEED)
    shape = rows, _SAMPLES
    givens = {given_name(name): rng.uniform(-1.0, 1.0, _SAMPLES) for name in net.parameters}
    for k in range(len(net.examples)):
        given = net.data(k)
        drawn = {name: np.full(_SAMPLES, value) for name, value in given.items()} if own_data else _data(net, rng)
        givens |= {data_name(net, name, k): value for name, value in drawn.items()}
    inputs = {RATE: np.full(shape, net.learning_rate)}
    for name in net.parameters:
        inputs[name] = np.broadcast_to(givens[given_name(name)], shape).copy()
        if name in net.trained:
            inputs[name][1:] = rng.uniform(-1.0, 1.0, (rows - 1, _SAMPLES))
    turns = [[k] * rows for k in range(len(net.examples))] if net.together else [
        [row % len(net.examples) for row in range(rows)]
    ]  # fmt: skip
    for tag, turn in zip(net.tags, turns, strict=True):
        for name in net.data(0):
            inputs[name + tag] = np.stack([givens[data_name(net, name, k)] for k in turn])
    program = Program(inputs, [*forward(net), *gradients(net, exercise.style)])
    for name, value in inputs.items():
        program[name] = value
    with np.errstate(all="ignore"):
        program.run()
    table = {name: np.broadcast_to(program[name], shape) for name in exercise.trace.columns}
    return Sampled(table, givens | {RATE: np.full(_SAMPLES, net.learning_rate)})


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
    """Every cell of the table, judged. Raises NotUnderstood where the workbook is too large to be followed."""

    exercise: Exercise
    book: Book
    why: dict[str, str] = field(default_factory=dict)  # column -> why it could not be read

    @cached_property
    def graph(self) -> SheetGraph:
        grid = Grid(self.book)
        index = next(k for k, sheet in enumerate(self.book.sheets) if sheet.name == self.exercise.sheet)
        return read_graph(grid, [index])

    @cached_property
    def places(self) -> dict[Place, tuple[str, int | None]]:
        """Cell -> the quantity in it and its row of the table (None for a given)."""
        sheet = {one.name: index for index, one in reversed(list(enumerate(self.book.sheets)))}
        table, found = sheet[self.exercise.sheet], dict[Place, tuple[str, int | None]]()
        for k, name in enumerate(self.exercise.trace.columns):
            found |= {Place(table, TOP + row + 1, LEFT + k + 1): (name, row) for row in range(self.exercise.rows)}
        if COVER in sheet:
            for k, name in enumerate(all_givens(self.exercise.net)):
                found[Place(sheet[COVER], GIVENS + k + 1, 2)] = name, None
        return found | {Place(table, 2, 2): (RATE, None)}

    @cached_property
    def samples(self) -> tuple[Sampled, Sampled]:
        return sampled(self.exercise), sampled(self.exercise, own_data=True)

    @cached_property
    def table(self) -> int:
        return next(place.sheet for place, (quantity, _) in self.places.items() if quantity == RATE)

    @cached_property
    def circles(self) -> set[int]:
        """The cells that read themselves, over however many others."""
        return on_a_circle({cell: tuple(held.refs.values()) for cell, held in self.graph.meaning.items()})

    def column(self, name: str) -> dict[int, Answer]:
        """Row of the sheet (from 1) -> what is said of the cell there, from the first row that was asked for."""
        first = self.exercise.empty_from.get(name, 0)
        return {TOP + row + 1: self.cell(name, row) for row in range(first, self.exercise.rows)}

    def cell(self, name: str, row: int) -> Answer:
        """What is said of one cell; `row` of the table, from 0."""
        place = Place(self.table, TOP + row + 1, self.exercise.column(name) + 1)
        if is_empty(self.book.sheets[self.table].cells, place.row, place.col):
            return "empty"
        cell = self.graph.cell(place)
        if cell not in self.graph.meaning and cell not in self.graph.opaque:
            return "typed" if np.isclose(self.graph.typed[cell], self.exercise.trace.column(name)[row]) else "wrong"
        if cell in self.circles:
            return "in a circle"
        try:
            if self._agrees(cell, name, row, self.samples[0]):
                return "right"
            return "typed" if self._agrees(cell, name, row, self.samples[1]) else "wrong"
        except NotUnderstood as problem:
            self.why.setdefault(name, str(problem))
            return "not read"

    def _agrees(self, cell: int, name: str, row: int, samples: Sampled) -> bool:
        """Whether the cell gives what it should, on all samples."""
        if row and name in self.exercise.net.trained:
            before = {one: samples.table[one][row - 1] for one in (name, f"dE/d{name}")}
            should = before[name] - self.exercise.net.learning_rate * before[f"dE/d{name}"]
        else:
            should = samples.table[name][row]
        found = np.broadcast_to(_Given(self, samples).compute(cell, 0), should.shape)
        return bool(np.allclose(found, should, rtol=_CLOSE, atol=_CLOSE))


def is_empty(cells: Mapping[tuple[int, int], Cell], row: int, column: int) -> bool:
    """Whether nothing stands in a cell."""
    cell = cells.get((row, column))
    return cell is None or (cell.formula is None and (cell.value is None or cell.value == ""))


@dataclass
class _Given:
    """The numbers of one set of samples, as a formula reads them; what stands beside the table is computed."""

    answers: Answers
    samples: Sampled
    known: dict[int, Floats] = field(default_factory=dict)

    def value(self, cell: int, depth: int) -> Floats:
        graph, places = self.answers.graph, self.answers.places
        held = places.get(graph.places[cell])
        if held is not None:
            name, row = held
            return self.samples.givens[name] if row is None else self.samples.table[name][row]
        if cell not in self.known:
            self.known[cell] = self.compute(cell, depth)
        return self.known[cell]

    def compute(self, cell: int, depth: int) -> Floats:
        graph = self.answers.graph
        if cell in graph.opaque:
            raise NotUnderstood(f"{graph.name(cell)} cannot be read: {graph.opaque[cell]}")
        meaning = graph.meaning.get(cell)
        if meaning is None:
            typed = graph.typed[cell]
            return np.full(_SAMPLES, 0.0 if np.isnan(typed) else typed)
        if depth > _DEEPEST:
            raise NotUnderstood(f"more than {_DEEPEST} cells stand one behind another")
        values = {name: self.value(read, depth + 1) for name, read in meaning.refs.items()}
        return np.asarray(evaluate(meaning.expr, values), dtype=float)
