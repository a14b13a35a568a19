"""A workbook that learns, with what is known of it: its quantities, their trees, their places."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any

import torch
from tests.workbook.layouts.book import Book
from tests.workbook.layouts.equations import Held, Style
from tests.workbook.layouts.evaluate import Sheets, functions
from tests.workbook.layouts.places import Placed
from tests.workbook.layouts.spec import Spec
from tests.workbook.layouts.terms import Address, Key, Writer
from tests.workbook.layouts.truth import (
    Step,
    examples_of_step,
    loss_and_gradient,
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

    @cached_property
    def writer(self) -> Writer:
        return Writer(self.placed.where.__getitem__, self.placed.titles, self.placed.fixed)

    @cached_property
    def book(self) -> Book:
        cells: dict[Address, float | str] = {at: word for at, word in self.placed.words.items() if word}
        for key, held in self.trees.items():
            at = self.placed.where[key]
            if key in self.blank:
                continue
            cells[at] = held if isinstance(held, float) else self.writer.at_home(at.sheet).text(held)
        charted = tuple(self.placed.loss) if len(self.placed.loss) > 1 else ()
        return Book(self.placed.titles, cells, notes=self.placed.notes, charted=charted if self.placed.chart else ())

    def after_key(self, name: str, step: int) -> Key | None:
        """Where the sheet has the value of a parameter after a step."""
        for key in (Key(name, step + 1), Key(f"new.{name}", step)):
            if key in self.trees:
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
        chosen = spec or self.spec
        before, after = self.parameters()
        return steps_taken(chosen, before, after, lambda step, values: loss_and_gradient(chosen, values, step)[1])

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
        return all(any(key.name == f"{letter}.{last}.1" for key in self.trees) for letter in letters)

    def right_by_itself(self) -> bool:
        """Whether it is a right training of the outputs that the sheet's own formulas give, whatever they are."""
        before, after = self.parameters()
        specs = readings(self.spec) if self.spec.objective != "perceptron" else [self.spec]
        return any(only_another_rate(steps_taken(s, before, after, partial(self._own_slopes, s))) for s in specs)

    def _own_slopes(self, spec: Spec, step: int, values: Any) -> dict[str, float]:
        leaves = {n: torch.tensor(values[n], dtype=torch.float64, requires_grad=True) for n in spec.parameters}
        given: dict[Address, Any] = {}
        for key in self.trees:
            if key.name in leaves and key.step >= 0:
                held = leaves[key.name] if key.step == step else torch.tensor(self.book.number(self.placed.where[key]))
                given[self.placed.where[key]] = held
        sheets = Sheets(self.book.titles, self.book.cells, self.book.arrays, given, _tensor_functions(), _stacked)
        whole: Any = 0.0
        last = len(spec.sizes) - 1
        for slot, example in enumerate(examples_of_step(spec, step)):
            slot = slot if spec.batch in ("sum", "mean") else -1
            units = spec.units(last)
            made = [sheets.value(self.placed.where[Key(f"a.{last}.{u}", step, slot)]) for u in units]
            sums = made
            if spec.objective == "perceptron":
                sums = [sheets.value(self.placed.where[Key(f"z.{last}.{u}", step, slot)]) for u in units]
            made = [torch.as_tensor(v, dtype=torch.float64) for v in made]
            whole = whole + objective(spec, sums, made, spec.targets[example])
        whole = whole / (spec.examples if spec.batch == "mean" else 1)
        if not getattr(whole, "requires_grad", False):
            return dict.fromkeys(leaves, 0.0)
        slopes = torch.autograd.grad(whole, list(leaves.values()), allow_unused=True)
        return {n: 0.0 if s is None else float(s) for n, s in zip(leaves, slopes, strict=True)}

    def losses(self) -> list[tuple[float, float]]:
        """The loss that each step shows and the one that torch computes of its parameters."""
        before, _ = self.parameters()
        name = "L" if self.spec.batch in ("sum", "mean") else "E"
        pairs = []
        for step, values in enumerate(before):
            key = Key(name, step)
            if key in self.trees and self.spec.objective != "perceptron":
                shown = self.book.number(self.placed.where[key])
                pairs.append((shown, loss_and_gradient(self.spec, values, step)[0]))
        return pairs

    def with_trees(self, changed: dict[Key, Held], blank: frozenset[Key] = frozenset()) -> Made:
        return replace(self, trees=self.trees | changed, blank=blank)


def _stacked(values: list[Any], shape: tuple[int, int]) -> Any:
    return torch.stack([torch.as_tensor(v, dtype=torch.float64) for v in values]).reshape(shape)
