"""A training as matrices: MMULT and TRANSPOSE as array formulas, the rest as array formulas or filled cell by cell."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from tests.workbook.layouts.forward_pass import Held, activated, sloped
from tests.workbook.layouts.labels import LANGUAGES
from tests.workbook.layouts.places import Placed
from tests.workbook.layouts.spec import Spec, bias, weight
from tests.workbook.layouts.style import Style, shown
from tests.workbook.layouts.terms import Address, Call, Key, Line, Neg, Num, Op, Ref, Tree

HEADS = {"x": "X", "t": "Y", "w": "W", "b": "b", "z": "Z", "ex": "exp", "a": "A", "ds": "f'", "d": "dZ", "back": "dA"}


@dataclass
class Matrices:
    """Builds the trees of one training. `tall`: examples in rows, Z = X W + b; else in columns, Z = W X + b."""

    spec: Spec
    style: Style
    tall: bool
    arrays: bool
    trees: dict[Key, Held] = field(default_factory=dict)
    shapes: dict[Key, tuple[int, int]] = field(default_factory=dict)
    filled: set[Key] = field(default_factory=set)

    def __post_init__(self) -> None:
        for step in range(self.spec.steps):
            self._step(step)

    def oriented(self, examples: int, units: int) -> tuple[int, int]:
        return (examples, units) if self.tall else (units, examples)

    def put(self, key: Key, shape: tuple[int, int], tree: Tree, whole: bool = False) -> None:
        """`whole`: only an array formula can say this."""
        self.trees[key], self.shapes[key] = tree, shape
        if not whole and not self.arrays:
            self.filled.add(key)

    def times(self, left: Tree, right: Tree) -> Tree:
        """left x right where examples stand in rows; transposed else."""
        return Call("MMULT", (left, right) if self.tall else (right, left))

    def _step(self, step: int) -> None:
        spec = self.spec
        last = len(spec.sizes) - 1
        for layer in spec.layers:
            self._parameters(layer, step)
        for layer in spec.layers:
            self._forward(layer, step)
        if self.style.shows_loss:
            self._loss(step)
        for layer in reversed(spec.layers):
            self._delta(layer, step, layer == last)
            self._gradients(layer, step)

    def signal(self, layer: int, step: int) -> Key:
        return Key("x") if layer == 0 else Key(f"a.{layer}", step)

    def _parameters(self, layer: int, step: int) -> None:
        sizes = self.spec.sizes
        shapes = {f"w.{layer}": self.oriented(sizes[layer - 1], sizes[layer])}
        if self.spec.bias == "trained":
            shapes[f"b.{layer}"] = self.oriented(1, sizes[layer])
        for name, shape in shapes.items():
            key = Key(name, step)
            self.shapes[key] = shape
            if step:
                by: Tree = Op("*", Ref(Key("rate")), Ref(Key(f"g.{name}", step - 1)))
                sign = "+" if self.style.uphill else "-"
                self.put(key, shape, Op(sign, Ref(Key(name, step - 1)), by))

    def _forward(self, layer: int, step: int) -> None:
        spec = self.spec
        shape = self.oriented(spec.examples, spec.sizes[layer])
        z, a = Key(f"z.{layer}", step), Key(f"a.{layer}", step)
        made = self.times(Ref(self.signal(layer - 1, step)), Ref(Key(f"w.{layer}", step)))
        own = Key(f"b.{layer}", step if spec.bias == "trained" else -1)
        self.put(z, shape, made if spec.bias == "none" else Op("+", made, Ref(own)), whole=True)
        kind = spec.activations[layer - 1]
        if kind == "softmax":
            powers = Key(f"ex.{layer}", step)
            self.put(powers, shape, Call("EXP", (Ref(z),)))
            self.put(a, shape, Op("/", Ref(powers), Call("SUM", (Line(powers, self.tall),))))
            self.filled.add(a)
        elif kind == "relu" and self.arrays:
            self.put(a, shape, Call("IF", (Op(">", Ref(z), Num("0")), Ref(z), Num("0"))))
        else:
            self.put(a, shape, activated(kind, Ref(z), self.style))

    def _loss(self, step: int) -> None:
        spec = self.spec
        last = len(spec.sizes) - 1
        a, t, one = Ref(Key(f"a.{last}", step)), Ref(Key("t")), Num("1")
        objective = shown(spec, self.style)
        if objective == "cross-entropy":
            inside: Tree = Op("*", t, Call("LN", (a,)))
            if spec.activations[-1] == "sigmoid":
                rest = Op("*", Op("-", one, t), Call("LN", (Op("-", one, a),)))
                inside = Op("+", inside, rest)
            whole: Tree = Neg(Call("SUM", (inside,)))
        else:
            whole = Call("SUM", (Op("^", Op("-", a, t), Num("2")),))
            if objective == "half":
                whole = Op("/", whole, Num("2"))
        if spec.batch == "mean":
            whole = Op("/", whole, Num(str(spec.examples)))
        self.put(Key("L", step), (1, 1), whole, whole=True)

    def _delta(self, layer: int, step: int, last: bool) -> None:
        spec, style = self.spec, self.style
        shape = self.oriented(spec.examples, spec.sizes[layer])
        a, z, delta = Ref(Key(f"a.{layer}", step)), Ref(Key(f"z.{layer}", step)), Key(f"d.{layer}", step)
        if last:
            gap: Tree = Op("-", Ref(Key("t")), a) if style.uphill else Op("-", a, Ref(Key("t")))
            above: Tree = Op("*", Num("2"), gap) if spec.objective == "square" else gap
        else:
            w, after = Key(f"w.{layer + 1}", step), Key(f"d.{layer + 1}", step)
            above = self.times(Ref(after), Call("TRANSPOSE", (Ref(w),)))
            if "back" not in style.hidden or not self.arrays:
                self.put(Key(f"back.{layer}", step), shape, above, whole=True)
                above = Ref(Key(f"back.{layer}", step))
        kind = spec.activations[layer - 1]
        if kind == "linear" or (last and spec.objective == "cross-entropy"):
            self.put(delta, shape, above)
            return
        slope = sloped(kind, a, z, style.slopes)
        if "ds" not in style.hidden:
            self.put(Key(f"ds.{layer}", step), shape, slope)
            slope = Ref(Key(f"ds.{layer}", step))
        self.put(delta, shape, Op("*", above, slope))

    def _gradients(self, layer: int, step: int) -> None:
        spec = self.spec
        delta = Key(f"d.{layer}", step)
        before = Call("TRANSPOSE", (Ref(self.signal(layer - 1, step)),))
        made = self.times(before, Ref(delta))
        shared = Num(str(spec.examples)) if spec.batch == "mean" else None
        key = Key(f"g.w.{layer}", step)
        self.put(key, self.shapes[Key(f"w.{layer}", step)], Op("/", made, shared) if shared else made, whole=True)
        if spec.bias == "trained":
            summed: Tree = Call("SUM", (Line(delta, not self.tall),))
            key = Key(f"g.b.{layer}", step)
            self.put(key, self.shapes[Key(f"b.{layer}", step)], Op("/", summed, shared) if shared else summed)
            self.filled.add(key)


def place(made: Matrices, rng: random.Random) -> Placed:
    """Matrices one after the other in blocks; a step below the other, beside it or on its own sheet."""
    spec, placed = made.spec, Placed()
    titled = rng.choice(LANGUAGES) != "none"
    placed.words[Address(0, 0, 0)] = rng.choice(["learning rate", "lr", "η", "Lernrate", "学習率"])
    placed.where[Key("rate")] = Address(0, 0, 1)
    made.trees[Key("rate")] = spec.rate
    given = {Key("x"): (spec.inputs, spec.sizes[0]), Key("t"): (spec.targets, spec.sizes[-1])}
    column, deepest = 0, 0
    for key, (values, count) in given.items():
        shape = made.oriented(spec.examples, count)
        _area(placed, key, Address(0, 3, column), shape, HEADS[key.name] if titled else "")
        for example, line in enumerate(values):
            for index, value in enumerate(line):
                _typed(made, placed, key, (example, index), Key(f"{key.name}.{index + 1}", -1, example), value)
        column, deepest = column + shape[1] + 1, max(deepest, shape[0])
    for layer in spec.layers if spec.bias == "constant" else ():
        shape = made.oriented(1, spec.sizes[layer])
        _area(placed, Key(f"b.{layer}"), Address(0, 3, column), shape, f"b{layer}" if titled else "")
        for unit in spec.units(layer):
            name = bias(layer, unit)
            _typed(made, placed, Key(f"b.{layer}"), (0, unit - 1), Key(name), spec.constants[name])
        column, deepest = column + shape[1] + 1, max(deepest, shape[0])
    _blocks(made, placed, rng, deepest + 5, titled)
    _names(made, placed)
    return placed


def _typed(made: Matrices, placed: Placed, key: Key, spot: tuple[int, int], own: Key, value: float) -> None:
    first, _ = placed.areas[key]
    row, column = spot if made.tall else spot[::-1]
    placed.where[own] = first._replace(row=first.row + row, column=first.column + column)
    made.trees[own] = value


def _area(placed: Placed, key: Key, first: Address, shape: tuple[int, int], title: str) -> None:
    placed.where[key] = first
    placed.areas[key] = first, first._replace(row=first.row + shape[0] - 1, column=first.column + shape[1] - 1)
    if title:
        placed.words[first._replace(row=first.row - 1)] = title


def _blocks(made: Matrices, placed: Placed, rng: random.Random, top: int, titled: bool) -> None:
    way = rng.choice(["down", "down", "side", "sheets"])
    wrap = rng.choice([6, 14, 99])
    keys = [key for key in made.shapes if key.step == 0]
    spots: dict[str, tuple[int, int]] = {}
    row = column = height = width = 0
    for key in keys:
        rows, columns = made.shapes[key]
        if column and column + columns > wrap:
            row, column, height = row + height + 2, 0, 0
        spots[key.name] = row, column
        column, height = column + columns + 1, max(height, rows)
        width = max(width, column)
    tall = row + height + 3
    for key, shape in made.shapes.items():
        r, c = spots[key.name]
        sheet = key.step if way == "sheets" else 0
        down, right = (key.step * tall if way == "down" else 0), (key.step * (width + 1) if way == "side" else 0)
        head, _, rest = key.name.partition(".")
        word = f"d{HEADS[rest[0]]}{rest[2:]}" if head == "g" else HEADS.get(head, "Loss") + rest
        _area(placed, key, Address(sheet, top + r + down, c + right), shape, word if titled else "")
    if way == "sheets":
        placed.titles = tuple(f"step {step + 1}" for step in range(made.spec.steps))


def _names(made: Matrices, placed: Placed) -> None:
    """Where each single parameter and output stands inside its matrix; the start values are typed there."""
    spec = made.spec
    placed.filled = frozenset(made.filled)
    last = len(spec.sizes) - 1

    def spot(key: Key, row: int, column: int) -> Address:
        first, _ = placed.areas[key]
        row, column = (row, column) if made.tall else (column, row)
        return first._replace(row=first.row + row, column=first.column + column)

    for step in range(spec.steps):
        for layer in spec.layers:
            for to in spec.units(layer):
                for i in spec.units(layer - 1):
                    name = weight(layer, to, i)
                    placed.where[Key(name, step)] = spot(Key(f"w.{layer}", step), i - 1, to - 1)
                if spec.bias == "trained":
                    placed.where[Key(bias(layer, to), step)] = spot(Key(f"b.{layer}", step), 0, to - 1)
        for example in range(spec.examples):
            for to in spec.units(last):
                slot = example if spec.batch in ("sum", "mean") else -1
                for head in ("a", "z"):
                    key = Key(f"{head}.{last}", step)
                    placed.where[Key(f"{head}.{last}.{to}", step, slot)] = spot(key, example, to - 1)
    for name, value in spec.start.items():
        made.trees[Key(name, 0)] = value
    placed.loss = [placed.where[key] for key in made.trees if key.name == "L"]
