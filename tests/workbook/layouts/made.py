"""A workbook that learns, with what is known of it: its quantities, their trees, their places."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import torch
from tests.workbook.layouts.book import Book
from tests.workbook.layouts.evaluate import Sheets, functions
from tests.workbook.layouts.excel_text import Writer
from tests.workbook.layouts.forward_pass import Held
from tests.workbook.layouts.places import Placed
from tests.workbook.layouts.spec import Spec
from tests.workbook.layouts.style import Style, shown
from tests.workbook.layouts.terms import Address, Area, Key
from tests.workbook.layouts.truth import (
    Step,
    examples_of_step,
    losses_and_gradients,
    objective,
    only_another_rate,
    readings,
    steps_taken,
    wrong_steps,
)

TORCH = functions(torch.exp, torch.log, torch.tanh, torch.sqrt, torch.where, torch.matmul)


def _tensor_functions() -> dict[str, Any]:
    """Floats may stand where torch wants tensors."""
    own = dict(TORCH)
    for name in ("EXP", "LN", "TANH", "SQRT"):
        own[name] = lambda v, f=TORCH[name]: f(v if hasattr(v, "array") else torch.as_tensor(v, dtype=torch.float64))
    return own


@dataclass(frozen=True)
class Made:
    """A workbook and what it means. `trees`: the formula or the value of each quantity; `loose`: cells beside them."""

    layout: str
    seed: int
    spec: Spec
    style: Style
    trees: dict[Key, Held] = field(hash=False)
    placed: Placed = field(hash=False)
    blank: frozenset[Key] = frozenset()
    patches: dict[Address, float | str | None] = field(default_factory=dict, hash=False)
    origin: Made | None = None
    companion: Book | None = None

    @cached_property
    def writer(self) -> Writer:
        placed = self.placed
        sign = "=+" if self.style.plus else "="
        names = ((Key("rate"), self.style.named),) if self.named else ()
        return Writer(placed.where.__getitem__, placed.titles, placed.fixed, placed.areas.get, sign, names)

    @property
    def named(self) -> bool:
        return bool(self.style.named) and Key("rate") in self.trees

    @cached_property
    def book(self) -> Book:
        """All cells. A broken workbook writes only what differs from its `origin`."""
        placed, origin = self.placed, self.origin
        cells: dict[Address, float | str] = {at: word for at, word in placed.words.items() if word}
        arrays: dict[Area, str] = {}
        changed = self.trees
        if origin is not None:
            changed = {key: held for key, held in self.trees.items() if held is not origin.trees[key]}
            cells, arrays = dict(origin.book.cells), dict(origin.book.arrays)
        for key, held in changed.items():
            self._write(key, held, cells, arrays)
        for key in self.blank:
            arrays.pop(placed.areas[key], None) if key in placed.areas else None
            for at in placed.cells(key):
                cells.pop(at, None)
        for at, patch in self.patches.items():
            del cells[at]
            if patch is not None:
                cells[at] = patch
        charted = tuple(placed.loss) if placed.chart and len(placed.loss) > 1 else ()
        titles = placed.titles
        if self.companion is not None:
            cells |= {at._replace(sheet=len(titles)): held for at, held in self.companion.cells.items()}
            titles += self.companion.titles
        names = {self.style.named: placed.where[Key("rate")]} if self.named else {}
        circling = {placed.where[Key(n, 0)]: v for n, v in self.spec.start.items()} if self.layout == "loop" else {}
        return Book(titles, cells, arrays, placed.notes, charted, names, circling)

    def _write(self, key: Key, held: Held, cells: dict[Address, float | str], arrays: dict[Area, str]) -> None:
        placed = self.placed
        at = placed.where[key]
        if isinstance(held, float):
            cells |= dict.fromkeys(placed.cells(key), held)
        elif key in placed.filled:
            for spot in placed.cells(key):
                cells[spot] = self.writer.at_home(at.sheet, (spot.row - at.row, spot.column - at.column)).text(held)
        elif key in placed.areas:
            arrays[placed.areas[key]] = self.writer.at_home(at.sheet).text(held)
        else:
            cells[at] = self.writer.at_home(at.sheet).text(held)

    def after_key(self, name: str, step: int) -> Key | None:
        """Where the sheet has the value of a parameter after a step."""
        for key in (Key(name, step + 1), Key(f"new.{name}", step)):
            if key in self.placed.where:
                return key
        return None

    def parameters(self) -> tuple[list[dict[str, float]], list[dict[str, float]]]:
        """The parameters before each step and after it, as the sheet has them."""
        spec = self.spec
        before, after = [], []
        for step in range(spec.steps):
            before.append({n: self.book.number(self.placed.where[Key(n, step)]) for n in spec.parameters})
            keys = {n: self.after_key(n, step) for n in spec.parameters}
            if all(keys.values()):
                after.append({n: self.book.number(self.placed.where[k]) for n, k in keys.items() if k})
        return before, after

    def taken(self, spec: Spec | None = None) -> list[Step]:
        """The steps of this sheet beside those that torch makes of its values."""
        before, after = self.parameters()
        return steps_taken(spec or self.spec, before, after, losses_and_gradients(spec or self.spec, before)[1])

    def wrong(self) -> list[str]:
        """What torch says of this sheet: the parameters that are not what the training makes of them."""
        return wrong_steps(self.taken())

    def right_all_the_same(self) -> bool:
        """Whether this is a right training of another scale, or on another objective of the same outputs."""
        return any(only_another_rate(self.taken(spec)) for spec in readings(self.spec))

    @property
    def shows_outputs(self) -> bool:
        """Whether the outputs (for threshold units also the sums) stand in cells of their own."""
        last = len(self.spec.sizes) - 1
        letters = "az" if self.spec.objective == "perceptron" else "a"
        return all(any(key.name == f"{letter}.{last}.1" for key in self.placed.where) for letter in letters)

    def right_by_itself(self) -> bool:
        """Whether it is a right training of the outputs that the sheet's own formulas give, whatever they are."""
        before, after = self.parameters()
        specs = readings(self.spec) if self.spec.objective != "perceptron" else [self.spec]
        for spec in specs:
            slopes = [self._own_slopes(spec, step, values) for step, values in enumerate(before)]
            if only_another_rate(steps_taken(spec, before, after, slopes)):
                return True
        return False

    def _own_slopes(self, spec: Spec, step: int, values: dict[str, float]) -> dict[str, float]:
        leaves = {n: torch.tensor(values[n], dtype=torch.float64, requires_grad=True) for n in spec.parameters}
        given: dict[Address, Any] = {}
        for key, at in self.placed.where.items():
            if key.name in leaves and key.step >= 0:
                given[at] = leaves[key.name] if key.step == step else torch.tensor(self.book.number(at))
        book = self.book
        sheets = Sheets(book.titles, book.cells, book.arrays, given, _tensor_functions(), _stacked, book.names)
        whole: Any = 0.0
        units = spec.units(len(spec.sizes) - 1)
        for slot, example in enumerate(examples_of_step(spec, step)):
            spots = [(f"{len(spec.sizes) - 1}.{unit}", slot if spec.batch in ("sum", "mean") else -1) for unit in units]
            made = [sheets.value(self.placed.where[Key(f"a.{unit}", step, e)]) for unit, e in spots]
            sums = made
            if spec.objective == "perceptron":
                sums = [sheets.value(self.placed.where[Key(f"z.{unit}", step, e)]) for unit, e in spots]
            whole = whole + objective(spec, _column(sums), _column(made), _column(list(spec.targets[example])))
        whole = whole / (spec.examples if spec.batch == "mean" else 1)
        if not whole.requires_grad:
            return dict.fromkeys(leaves, 0.0)
        slopes = torch.autograd.grad(whole, list(leaves.values()), allow_unused=True)
        found = {n: 0.0 if s is None else float(s) for n, s in zip(leaves, slopes, strict=True)}
        return {n: s + spec.decay * values[n] * n.startswith("w") for n, s in found.items()}

    def losses(self) -> list[tuple[float, float]]:
        """The loss that each step shows and the one that torch computes of its parameters."""
        before, _ = self.parameters()
        name = "L" if self.spec.batch in ("sum", "mean") or self.placed.areas else "E"
        pairs: list[tuple[float, float]] = []
        spec = replace(self.spec, objective=shown(self.spec, self.style))
        for step, right in enumerate(losses_and_gradients(spec, before)[0]):
            key = Key(name, step)
            if key in self.trees and self.spec.objective != "perceptron":
                pairs.append((self.book.number(self.placed.where[key]), right))
        return pairs

    def with_trees(
        self,
        changed: dict[Key, Held],
        blank: frozenset[Key] = frozenset(),
        patches: dict[Address, float | str | None] | None = None,
    ) -> Made:
        return replace(self, trees=self.trees | changed, blank=blank, patches=patches or {}, origin=self)


def _column(values: list[Any]) -> Any:
    return torch.stack([torch.as_tensor(v, dtype=torch.float64) for v in values])


def _stacked(values: list[Any], shape: tuple[int, int]) -> Any:
    return torch.stack([torch.as_tensor(v, dtype=torch.float64) for v in values]).reshape(shape)
