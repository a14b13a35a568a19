"""Every quantity of a training as a formula, written in one of the many ways in which people write it."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from tests.workbook.layouts.spec import Spec, bias, weight
from tests.workbook.layouts.terms import Call, Dot, Key, Many, Neg, Num, Op, Ref, Tree, mapped, product, total

Held = Tree | float


@dataclass(frozen=True)
class Style:
    """How somebody writes. `uphill`: error = target - output and w + rate * ...; `hidden`: families without cells.

    `new_columns`: a "new weight" beside each weight, which the next step copies. `data`: inputs stand once
    ("once"), or again in every step, typed ("typed") or copied ("copied"). `state_before`: momentum as the state
    before the step, 0 at first.
    """

    uphill: bool = False
    hidden: frozenset[str] = frozenset()
    new_columns: bool = False
    data: str = "once"
    state_before: bool = False
    typed_rate: bool = False
    ranges: bool = True
    first_order: bool = False
    shows_loss: bool = True
    halves: str = "0.5*"
    squares: str = "^2"
    slopes: str = "a(1-a)"
    average: str = "AVERAGE"


def draw_style(rng: random.Random, spec: Spec, new_columns: bool | None = None, data: str | None = None) -> Style:
    """A way of writing, at random."""
    hidden = {name for name in ("da", "ds", "back", "step", "ex") if rng.random() < 0.6}
    hidden |= {name for name in ("z", "d", "g") if rng.random() < 0.25}
    hidden |= {name for name in ("G", "e") if rng.random() < 0.4}
    if "d" in hidden and len(spec.sizes) > 2:
        hidden -= {"g"}
    return Style(
        uphill=spec.objective == "perceptron" or rng.random() < 0.25,
        hidden=frozenset(hidden),
        new_columns=rng.random() < 0.5 if new_columns is None else new_columns,
        data=data or rng.choice(["once", "typed", "copied"]),
        state_before=rng.random() < 0.4,
        typed_rate=rng.random() < 0.15,
        ranges=rng.random() < 0.7,
        first_order=rng.random() < 0.5,
        shows_loss=rng.random() < 0.75,
        halves=rng.choice(["0.5*", "1/2*", "/2"]),
        squares=rng.choice(["^2", "^2", "POWER", "product"]),
        slopes=rng.choice(["a(1-a)", "a(1-a)", "a-a^2", "exp"]),
        average=rng.choice(["AVERAGE", "SUM/n", "1/n*"]),
    )


@dataclass
class Written:
    """All cells of a training, by quantity. `names`: quantities in the order of thought."""

    spec: Spec
    style: Style
    cells: dict[Key, Held] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        return list(dict.fromkeys(key.name for key in self.cells))


def family(name: str) -> str:
    return name.split(".", 1)[0]


def write(spec: Spec, style: Style) -> Written:
    """The whole training, the hidden families put into those who use them."""
    made = _Maker(spec, style)
    for step in range(spec.steps):
        made.step(step)
    cells = {**made.fixed, **made.cells}
    _hide(cells, style.hidden)
    if not style.shows_loss:
        cells = {key: held for key, held in cells.items() if family(key.name) not in ("e", "E")}
    return Written(spec, style, cells)


def _hide(cells: dict[Key, Held], hidden: frozenset[str]) -> None:
    def inner(key: Key) -> Tree | None:
        held = cells.get(key)
        if family(key.name) in hidden and held is not None and not isinstance(held, float):
            return mapped(held, inner)
        return None

    for key, held in list(cells.items()):
        if not isinstance(held, float):
            cells[key] = mapped(held, inner)
    for key in [key for key in cells if family(key.name) in hidden]:
        del cells[key]


class _Maker:
    """Writes one step after the other."""

    def __init__(self, spec: Spec, style: Style) -> None:
        self.spec, self.style = spec, style
        self.cells: dict[Key, Held] = {}
        self.fixed: dict[Key, Held] = {}
        self.batch = spec.batch in ("sum", "mean")
        self._constants()

    def _constants(self) -> None:
        spec = self.spec
        if not self.style.typed_rate:
            self.fixed[Key("rate")] = spec.rate
        if spec.rule != "plain":
            self.fixed[Key("beta")] = spec.beta
        if spec.rule == "adam":
            self.fixed[Key("beta2")] = spec.beta2
        for name, value in spec.constants.items():
            self.fixed[Key(name)] = value
        if self.style.data == "once" and spec.batch != "online":
            for example in range(spec.examples):
                self._data(self.fixed, -1, example if self.batch else -1, example)

    def _data(self, cells: dict[Key, Held], step: int, slot: int, example: int) -> None:
        given = [("x", self.spec.inputs[example]), ("t", self.spec.targets[example])]
        for letter, values in given:
            for index, value in enumerate(values, 1):
                cells[Key(f"{letter}.{index}", step, slot)] = value

    def rate(self) -> Tree:
        return Num(str(self.spec.rate)) if self.style.typed_rate else Ref(Key("rate"))

    def parameter(self, name: str, step: int) -> Key:
        return Key(name) if name in self.spec.constants else Key(name, step)

    def step(self, step: int) -> None:
        spec = self.spec
        for name in spec.parameters:
            self.cells[Key(name, step)] = self._value(name, step)
        if spec.rule == "adam":
            self.cells[Key("count", step)] = 1.0 if step == 0 else Op("+", Ref(Key("count", step - 1)), Num("1"))
        for slot in range(spec.examples) if self.batch else [-1]:
            self._example(step, slot)
        if self.batch and self.style.shows_loss:
            self.cells[Key("L", step)] = self._over_examples("E", step)
        for name in spec.parameters:
            self._change(name, step)

    def _value(self, name: str, step: int) -> Held:
        if step == 0:
            return self.spec.start[name]
        if self.style.new_columns:
            return Ref(Key(f"new.{name}", step - 1))
        return self._moved(name, step - 1)

    def _data_step(self, step: int) -> int:
        return -1 if self.style.data == "once" and self.spec.batch != "online" else step

    def _example(self, step: int, slot: int) -> None:
        spec, style = self.spec, self.style
        shown = self._data_step(step)
        if shown >= 0:
            example = step % spec.examples if spec.batch == "online" else max(slot, 0)
            self._data(self.cells, step, slot, example)
            back = spec.examples if spec.batch == "online" else 1
            if style.data == "copied" and step >= back:
                for letter, count in (("x", spec.sizes[0]), ("t", spec.sizes[-1])):
                    for index in range(1, count + 1):
                        self.cells[Key(f"{letter}.{index}", step, slot)] = Ref(
                            Key(f"{letter}.{index}", step - back, slot)
                        )
        self._forward(step, slot, shown)
        self._loss(step, slot, shown)
        self._backward(step, slot, shown)

    def source(self, layer: int, unit: int, step: int, slot: int, shown: int) -> Key:
        return Key(f"x.{unit}", shown, slot) if layer == 0 else Key(f"a.{layer}.{unit}", step, slot)

    def _forward(self, step: int, slot: int, shown: int) -> None:
        spec = self.spec
        for layer in spec.layers:
            for to in spec.units(layer):
                sources = [self.source(layer - 1, i, step, slot, shown) for i in spec.units(layer - 1)]
                weights = [Key(weight(layer, to, i), step) for i in spec.units(layer - 1)]
                terms: list[Tree]
                if self.style.ranges and len(sources) > 1:
                    terms = [Dot(tuple(weights), tuple(sources))]
                else:
                    terms = [self.times(Ref(w), Ref(x)) for w, x in zip(weights, sources, strict=True)]
                if spec.bias != "none":
                    own = Ref(self.parameter(bias(layer, to), step))
                    terms = [own, *terms] if self.style.first_order else [*terms, own]
                self.cells[Key(f"z.{layer}.{to}", step, slot)] = total(terms)
            self._activate(layer, step, slot)

    def times(self, a: Tree, b: Tree) -> Tree:
        return Op("*", b, a) if self.style.first_order else Op("*", a, b)

    def _activate(self, layer: int, step: int, slot: int) -> None:
        spec = self.spec
        kind = spec.activations[layer - 1]
        units = spec.units(layer)
        if kind == "softmax":
            for to in units:
                self.cells[Key(f"ex.{layer}.{to}", step, slot)] = Call(
                    "EXP", (Ref(Key(f"z.{layer}.{to}", step, slot)),)
                )
        for to in units:
            z: Tree = Ref(Key(f"z.{layer}.{to}", step, slot))
            if kind == "softmax":
                powers = tuple(Key(f"ex.{layer}.{i}", step, slot) for i in units)
                made: Tree = Op("/", Ref(powers[to - 1]), Call("SUM", (Many(powers),)))
            else:
                made = activated(kind, z)
            self.cells[Key(f"a.{layer}.{to}", step, slot)] = made

    def _loss(self, step: int, slot: int, shown: int) -> None:
        spec = self.spec
        last = len(spec.sizes) - 1
        units = spec.units(last)
        for to in units:
            a, t = Ref(Key(f"a.{last}.{to}", step, slot)), Ref(Key(f"t.{to}", shown, slot))
            self.cells[Key(f"e.{to}", step, slot)] = self._error(a, t)
        parts = tuple(Key(f"e.{to}", step, slot) for to in units)
        whole: Tree = (
            Call("SUM", (Many(parts),)) if self.style.ranges and len(parts) > 1 else total([Ref(k) for k in parts])
        )
        self.cells[Key("E", step, slot)] = whole

    def _error(self, a: Tree, t: Tree) -> Tree:
        spec, style = self.spec, self.style
        if spec.objective == "cross-entropy":
            own: Tree = Op("*", t, Call("LN", (a,)))
            if spec.activations[-1] == "sigmoid":
                rest = Op("*", Op("-", Num("1"), t), Call("LN", (Op("-", Num("1"), a),)))
                own = Op("+", own, rest)
            return Neg(own)
        gap: Tree = Op("-", t, a) if style.uphill or style.first_order else Op("-", a, t)
        square: Tree = Op("^", gap, Num("2"))
        if style.squares == "POWER":
            square = Call("POWER", (gap, Num("2")))
        elif style.squares == "product":
            square = Op("*", gap, gap)
        if spec.objective != "half":
            return square
        if style.halves == "/2":
            return Op("/", square, Num("2"))
        half: Tree = Num("0.5") if style.halves == "0.5*" else Op("/", Num("1"), Num("2"))
        return Op("*", half, square)

    def _backward(self, step: int, slot: int, shown: int) -> None:
        spec = self.spec
        last = len(spec.sizes) - 1
        for layer in reversed(spec.layers):
            for to in spec.units(layer):
                here = f"{layer}.{to}"
                if layer == last:
                    self._output_delta(layer, to, step, slot, shown)
                else:
                    after = spec.units(layer + 1)
                    deltas = [Key(f"d.{layer + 1}.{k}", step, slot) for k in after]
                    weights = [Key(weight(layer + 1, k, to), step) for k in after]
                    back = total([self.times(Ref(d), Ref(w)) for d, w in zip(deltas, weights, strict=True)])
                    self.cells[Key(f"back.{here}", step, slot)] = back
                    self._delta(layer, to, Key(f"back.{here}", step, slot), step, slot)
                delta = Key(f"d.{here}", step, slot)
                for i in spec.units(layer - 1):
                    source = Ref(self.source(layer - 1, i, step, slot, shown))
                    self.cells[Key(f"g.{weight(layer, to, i)}", step, slot)] = self.times(Ref(delta), source)
                if spec.bias == "trained":
                    self.cells[Key(f"g.{bias(layer, to)}", step, slot)] = Ref(delta)

    def _output_delta(self, layer: int, to: int, step: int, slot: int, shown: int) -> None:
        spec = self.spec
        a, t = Ref(Key(f"a.{layer}.{to}", step, slot)), Ref(Key(f"t.{to}", shown, slot))
        gap: Tree = Op("-", t, a) if self.style.uphill else Op("-", a, t)
        if not self.style.uphill and self.style.squares == "product":
            gap = Neg(Op("-", t, a))
        name = Key(f"da.{layer}.{to}", step, slot)
        if spec.objective == "square":
            gap = Op("*", Num("2"), gap)
        self.cells[name] = gap
        if spec.objective in ("cross-entropy", "perceptron"):
            self.cells[Key(f"d.{layer}.{to}", step, slot)] = Ref(name)
        else:
            self._delta(layer, to, name, step, slot)

    def _delta(self, layer: int, to: int, above: Key, step: int, slot: int) -> None:
        kind = self.spec.activations[layer - 1]
        delta = Key(f"d.{layer}.{to}", step, slot)
        if kind == "linear":
            self.cells[delta] = Ref(above)
            return
        a, z = Ref(Key(f"a.{layer}.{to}", step, slot)), Ref(Key(f"z.{layer}.{to}", step, slot))
        slope = Key(f"ds.{layer}.{to}", step, slot)
        self.cells[slope] = sloped(kind, a, z, self.style.slopes)
        self.cells[delta] = Op("*", Ref(above), Ref(slope))

    def _over_examples(self, name: str, step: int) -> Tree:
        spec = self.spec
        keys = tuple(Key(name, step, e) for e in range(spec.examples))
        whole = Call("SUM", (Many(keys),))
        if spec.batch == "sum":
            return whole
        if self.style.average == "AVERAGE":
            return Call("AVERAGE", (Many(keys),))
        if self.style.average == "SUM/n":
            return Op("/", whole, Num(str(spec.examples)))
        return Op("*", Op("/", Num("1"), Num(str(spec.examples))), whole)

    def _change(self, name: str, step: int) -> None:
        spec = self.spec
        if self.batch:
            self.cells[Key(f"G.{name}", step)] = self._over_examples(f"g.{name}", step)
        self._states(name, step)
        by = self._direction(name, step)
        if spec.rule in ("plain", "momentum", "averaged"):
            by = Op("*", by, self.rate()) if self.style.first_order else Op("*", self.rate(), by)
        self.cells[Key(f"step.{name}", step)] = by
        if self.style.new_columns:
            self.cells[Key(f"new.{name}", step)] = self._moved(name, step)

    def _moved(self, name: str, step: int) -> Tree:
        return Op("+" if self.style.uphill else "-", Ref(Key(name, step)), Ref(Key(f"step.{name}", step)))

    def gradient(self, name: str, step: int) -> Key:
        return Key(f"G.{name}", step) if self.batch else Key(f"g.{name}", step)

    def _states(self, name: str, step: int) -> None:
        spec = self.spec
        own = Ref(self.gradient(name, step))
        one = Num("1")
        if spec.rule in ("momentum", "averaged", "adam"):
            share: Tree = own if spec.rule == "momentum" else Op("*", Op("-", one, Ref(Key("beta"))), own)
            self._carry(f"v.{name}", step, Ref(Key("beta")), share)
        if spec.rule in ("rmsprop", "adam"):
            beta = Ref(Key("beta2" if spec.rule == "adam" else "beta"))
            self._carry(f"s.{name}", step, beta, Op("*", Op("-", one, beta), Op("^", own, Num("2"))))
        if spec.rule == "adam":
            count = Ref(Key("count", step))
            for letter, beta in (("v", Ref(Key("beta"))), ("s", Ref(Key("beta2")))):
                rest = Op("-", one, Op("^", beta, count))
                self.cells[Key(f"{letter}h.{name}", step)] = Op("/", Ref(Key(f"{letter}.{name}", step)), rest)

    def _carry(self, name: str, step: int, beta: Tree, share: Tree) -> None:
        """The state after this step; where states stand before the step, the cell of the next one."""
        if step == 0:
            old: Held | None = None
            if self.style.state_before:
                self.fixed[Key(name + ".0")] = 0.0
                old = Ref(Key(name + ".0"))
        else:
            old = Ref(Key(name, step - 1))
        self.cells[Key(name, step)] = share if old is None else Op("+", Op("*", beta, old), share)

    def _direction(self, name: str, step: int) -> Tree:
        spec = self.spec
        if spec.rule == "plain":
            return Ref(self.gradient(name, step))
        if spec.rule in ("momentum", "averaged"):
            return Ref(Key(f"v.{name}", step))
        square, tiny = Key(f"s.{name}", step), Num(f"{spec.tiny:.0E}".replace("E-0", "E-"))
        above: Tree = Ref(self.gradient(name, step))
        if spec.rule == "adam":
            square, above = Key(f"sh.{name}", step), Ref(Key(f"vh.{name}", step))
        below = Op("+", Call("SQRT", (Ref(square),)), tiny)
        return Op("/", Op("*", self.rate(), above), below)


def activated(kind: str, z: Tree) -> Tree:
    """The activation of a sum."""
    if kind == "linear":
        return z
    if kind == "sigmoid":
        return Op("/", Num("1"), Op("+", Num("1"), Call("EXP", (Neg(z),))))
    if kind == "tanh":
        return Call("TANH", (z,))
    if kind == "relu":
        return Call("MAX", (Num("0"), z))
    low = Num("0" if kind == "step" else "-1")
    return Call("IF", (Op(">=", z, Num("0")), Num("1"), low))


def sloped(kind: str, a: Tree, z: Tree, way: str) -> Tree:
    """The slope of an activation, by its value or by its sum."""
    one = Num("1")
    if kind == "tanh":
        return Op("-", one, Op("^", a, Num("2")))
    if kind == "relu":
        return Call("IF", (Op(">", z, Num("0")), one, Num("0")))
    if way == "a-a^2":
        return Op("-", a, Op("^", a, Num("2")))
    if way == "exp":
        power = Call("EXP", (Neg(z),))
        return Op("/", power, Op("^", Op("+", one, power), Num("2")))
    return product([a, Op("-", one, a)])
