"""Where each quantity stands: a body (row, table, list) for a step; the next step below, beside or on its own sheet."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from tests.workbook.layouts.labels import NOTES, Labels
from tests.workbook.layouts.spec import weight
from tests.workbook.layouts.terms import Address, Area, Key
from tests.workbook.layouts.writing import Written, family

Slot = tuple[str, int]  # a quantity of one step: its name and its example


@dataclass
class Placed:
    """Addresses of all quantities, names of the sheets, words around. `anchored`: dollars of a step's own cells."""

    where: dict[Key, Address] = field(default_factory=dict)
    titles: tuple[str, ...] = ("Sheet1",)
    words: dict[Address, str] = field(default_factory=dict)
    anchored: str = ""
    loss: list[Address] = field(default_factory=list)
    notes: dict[Address, str] = field(default_factory=dict)
    chart: bool = False
    areas: dict[Key, Area] = field(default_factory=dict)
    filled: frozenset[Key] = frozenset()

    def cells(self, key: Key) -> list[Address]:
        """All cells of a quantity: one, or those of a matrix."""
        first, last = self.areas.get(key, (self.where[key],) * 2)
        rows, columns = range(first.row, last.row + 1), range(first.column, last.column + 1)
        return [Address(first.sheet, row, column) for row in rows for column in columns]

    def fixed(self, key: Key) -> str:
        if key.step < 0:
            return "cr"
        return self.anchored if key.example < 0 else ""


@dataclass
class Body:
    """One step: the place of each quantity inside it, and the headings."""

    at: dict[Slot, tuple[int, int]] = field(default_factory=dict)
    words: dict[tuple[int, int], str] = field(default_factory=dict)

    @property
    def height(self) -> int:
        return 1 + max(row for row, _ in [*self.at.values(), *self.words])

    @property
    def width(self) -> int:
        return 1 + max(column for _, column in [*self.at.values(), *self.words])


def order(written: Written, rng: random.Random) -> list[str]:
    """The names of a step's quantities in this author's order of columns."""
    names = [name for name in written.names if any(k.step >= 0 for k in written.cells if k.name == name)]
    groups: dict[str, list[str]] = {}
    units = rng.random() < 0.5
    for name in names:
        head = family(name)
        if head in ("z", "a", "ex") and units:
            head = "za"
        elif head in ("d", "da", "ds", "back"):
            head = "d"
        elif head in ("w", "b"):
            head = "w"
        elif head in ("e", "E", "L"):
            head = "e"
        groups.setdefault(head, []).append(name)
    if "za" in groups:
        groups["za"].sort(key=lambda name: (name.split(".")[1:], family(name) == "a"))
    usual = ["extra", "count", "rate", "raw", "x", "t", "w", "copy", "z", "ex", "a", "za"]
    usual += ["e", "d", "g", "G", "v", "s", "vh", "sh", "step", "new"]
    heads = sorted(groups, key=usual.index)
    if rng.random() < 0.5:
        first = rng.sample(["count", "t", "x", "w"], 4)
        heads.sort(key=lambda head: first.index(head) if head in first else 9)
    if rng.random() < 0.2:
        rng.shuffle(heads)
    for head in heads:
        if head not in ("za",) and rng.random() < 0.15:
            rng.shuffle(groups[head])
    if "extra" in heads and rng.random() < 0.6:
        heads.append(heads.pop(heads.index("extra")))
    return [name for head in heads for name in groups[head]]


def examples_of(written: Written, name: str) -> list[int]:
    return sorted({key.example for key in written.cells if key.name == name and key.step >= 0})


def row_body(written: Written, labels: Labels, rng: random.Random, two_rows: bool = False) -> Body:
    """Everything of a step in one row; new weights in a second one below the weights where `two_rows`."""
    body = Body()
    column = 0
    for name in order(written, rng):
        if two_rows and family(name) == "new":
            continue
        for example in examples_of(written, name):
            body.at[name, example] = (0, column)
            body.words[-1, column] = labels.of(name) + (f" ({example + 1})" if example >= 0 and labels.of(name) else "")
            column += 1
    if two_rows:
        for name in written.spec.parameters:
            body.at[f"new.{name}", -1] = (1, body.at[name, -1][1])
    return body


def table_body(written: Written, labels: Labels, rng: random.Random) -> Body:
    """An example a row; what is one for the step in the first row, sums below their columns."""
    body = Body()
    below = rng.random() < 0.6
    column = 0
    summed = {"G": "g", "L": "E"}
    names = order(written, rng)
    stacks = _stacks(written) if written.style.stacked else {}
    for name in names:
        partner = _partner(name, summed)
        if below and partner in names:
            continue
        if name in stacks:
            place, heading = stacks[name]
            if place == 0:
                body.words[-1, column] = heading if labels.language != "none" else ""
                body.at |= {(other, -1): (row, column) for other, (row, own) in stacks.items() if own == heading}
                column += 1
            continue
        for example in examples_of(written, name):
            body.at[name, example] = (max(example, 0), column)
        body.words[-1, column] = labels.of(name)
        column += 1
        if rng.random() < 0.06:
            column += 1
    for name in names:
        partner = _partner(name, summed)
        if below and partner in names:
            body.at[name, -1] = (written.spec.examples, body.at[partner, 0][1])
    return body


def _stacks(written: Written) -> dict[str, tuple[int, str]]:
    """Weights as a small matrix: a unit of the layer a column, an input a row."""
    spec = written.spec
    return {
        weight(layer, to, i): (i - 1, f"W{layer} {to}")
        for layer in spec.layers
        for to in spec.units(layer)
        for i in spec.units(layer - 1)
    }


def _partner(name: str, summed: dict[str, str]) -> str:
    head, dot, rest = name.partition(".")
    return summed[head] + dot + rest if head in summed else "-"


def list_body(written: Written, labels: Labels, rng: random.Random) -> Body:
    """Labels and values downwards, in one list or in several beside each other; an example a column."""
    body = Body()
    lists = rng.choice([1, 1, 2, 3])
    names = order(written, rng)
    share = -(-len(names) // lists)
    width = 2 + max(0, max(max(examples_of(written, name)) for name in names)) + 1
    for index, name in enumerate(names):
        row, left = index % share, (index // share) * width
        body.words[row, left] = labels.of(name)
        for example in examples_of(written, name):
            body.at[name, example] = (row, left + 1 + max(example, 0))
    return body


def transposed(body: Body) -> Body:
    return Body(
        {slot: (column, row) for slot, (row, column) in body.at.items()},
        {(column, row): word for (row, column), word in body.words.items()},
    )


def constants(written: Written, labels: Labels, rng: random.Random, placed: Placed) -> int:
    """What is the same in all steps, above everything; answers the first free row."""
    row = 0
    if rng.random() < 0.4:
        placed.words[Address(0, 0, 0)] = rng.choice(NOTES)
        row = rng.choice([1, 2])
    lone = [key for key in written.cells if key.step < 0 and key.example < 0 and not key.name.endswith(".0")]
    across = rng.random() < 0.3
    for index, key in enumerate(lone):
        spot = Address(0, row, 2 * index) if across else Address(0, row + index, 0)
        placed.words[spot] = labels.of(key.name)
        placed.where[key] = spot._replace(column=spot.column + 1)
    row += (1 if across else len(lone)) + (1 if lone else 0)
    table = [key for key in written.cells if key.step < 0 and key.example >= 0]
    names = list(dict.fromkeys(key.name for key in table))
    for column, name in enumerate(names):
        placed.words[Address(0, row, column)] = labels.of(name)
        for key in table:
            if key.name == name:
                placed.where[key] = Address(0, row + 1 + key.example, column)
    return row + (written.spec.examples + 2 if names else 0)


def states_before(written: Written, placed: Placed) -> None:
    """Each state one step later: it stands before the step that uses it, 0 in the first one."""
    name = written.spec.parameters[0]
    first, second = placed.where[Key(name, 0)], placed.where[Key(name, 1)]
    down, right = second.row - first.row, second.column - first.column
    for key in [key for key in placed.where if family(key.name) in ("v", "s")]:
        at = placed.where[key]
        if key.step == 0:
            placed.where[Key(key.name + ".0")] = at
        placed.where[key] = at._replace(row=at.row + down, column=at.column + right)


def lay(written: Written, labels: Labels, rng: random.Random, body: Body, way: str, gap: int, once: bool) -> Placed:
    """Steps one after the other: `way` is "down", "side" or "sheets"; `once`: headings only at the first."""
    placed = Placed()
    top = constants(written, labels, rng, placed)
    lowest = min([row for row, _ in body.words], default=0)
    leftmost = min([column for _, column in body.words], default=0)
    top, left = top - min(lowest, 0), -min(leftmost, 0)
    if rng.random() < 0.3:
        left += 1
        if way == "down" and once:
            word = rng.choice(["step {}", "Epoch {}", "iteración {}", "row {}"])
            rows = range(written.spec.steps)
            placed.words |= {Address(0, top + i * (body.height + gap), 0): word.format(i + 1) for i in rows}
    for step in range(written.spec.steps):
        sheet = step if way == "sheets" else 0
        row = top + (step * (body.height + gap - min(lowest, 0) * (not once)) if way == "down" else 0)
        column = left + (step * (body.width + gap - min(leftmost, 0) * (not once)) if way == "side" else 0)
        for (name, example), (r, c) in body.at.items():
            key = Key(name, step, example)
            if key in written.cells:
                placed.where[key] = Address(sheet, row + r, column + c)
        if step == 0 or not once:
            for (r, c), word in body.words.items():
                placed.words[Address(sheet, row + r, column + c)] = word
    if way == "sheets":
        word = rng.choice(["Step {}", "iter {}", "Paso{}", "{}", "epoch_{}"])
        placed.titles = tuple(word.format(step + 1) for step in range(written.spec.steps))
    else:
        placed.titles = (rng.choice(["Sheet1", "Tabelle1", "training", "Hoja 1", "Backprop"]),)
    placed.loss = [at for key, at in placed.where.items() if key.name in ("E", "L") and key.example < 0]
    return placed
