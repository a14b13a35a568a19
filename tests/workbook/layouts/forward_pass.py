"""The data and the forward pass of a step, and its loss, as formulas."""

from __future__ import annotations

from tests.workbook.layouts.spec import Spec, bias, weight
from tests.workbook.layouts.style import Style, shown
from tests.workbook.layouts.terms import Call, Dot, Key, Many, Neg, Num, Op, Ref, Tree, product, total

Held = Tree | float


class Base:
    """What every part of a training is written with."""

    def __init__(self, spec: Spec, style: Style) -> None:
        self.spec, self.style = spec, style
        self.cells: dict[Key, Held] = {}
        self.fixed: dict[Key, Held] = {}
        self.batch = spec.batch in ("sum", "mean")
        self._constants()

    def _constants(self) -> None:
        spec = self.spec
        if not self.style.typed_rate and not self.style.rate_column:
            self.fixed[Key("rate")] = spec.rate
        if spec.rule != "plain":
            self.fixed[Key("beta")] = spec.beta
        if spec.decay:
            self.fixed[Key("decay")] = spec.decay
        if spec.rule == "adam":
            self.fixed[Key("beta2")] = spec.beta2
        for name, value in spec.constants.items():
            if self.parameter(name, 0) == Key(name):
                self.fixed[Key(name)] = value
        if self.style.scaled_data:
            self.fixed[Key("scale")] = 10.0
        if self.style.indexed or (self.style.data == "once" and spec.batch != "online"):
            for example in range(spec.examples):
                self._data(self.fixed, -1, example if self.batch or self.style.indexed else -1, example)

    def _data(self, cells: dict[Key, Held], step: int, slot: int, example: int) -> None:
        given = [("x", self.spec.inputs[example]), ("t", self.spec.targets[example])]
        for letter, values in given:
            for index, value in enumerate(values, 1):
                cells[Key(f"{letter}.{index}", step, slot)] = value
                if letter == "x" and self.style.scaled_data and step < 0:
                    raw = Key(f"raw.{index}", step, slot)
                    cells[raw] = round(value * 10, 6)
                    cells[Key(f"x.{index}", step, slot)] = Op("/", Ref(raw), Ref(Key("scale")))

    def rate(self, step: int) -> Tree:
        if self.style.rate_column:
            return Ref(Key("rate", step))
        return Num(str(self.spec.rate)) if self.style.typed_rate else Ref(Key("rate"))

    def parameter(self, name: str, step: int, slot: int = -1) -> Key:
        """The cell that a formula reads for a weight: its own, an example's copy, one bias for a whole layer."""
        if name in self.spec.constants:
            layer = name.split(".")[1]
            return Key(bias(int(layer), 1)) if self.spec.one_bias and name.startswith("b") else Key(name)
        return Key(f"copy.{name}", step, slot) if self.style.copies and slot >= 0 else Key(name, step)

    def example(self, step: int, slot: int) -> int:
        """The data, the forward pass and the loss of an example; answers the step that its data stand in."""
        spec, style = self.spec, self.style
        read = self._data_step(step)
        if read >= 0:
            example = step % spec.examples if spec.batch == "online" else max(slot, 0)
            self._data(self.cells, step, slot, example)
            back = spec.examples if spec.batch == "online" else 1
            if style.indexed:
                self._indexed(step, example)
            elif style.data == "copied" and step >= back:
                for letter, count in (("x", spec.sizes[0]), ("t", spec.sizes[-1])):
                    for index in range(1, count + 1):
                        self.cells[Key(f"{letter}.{index}", step, slot)] = Ref(
                            Key(f"{letter}.{index}", step - back, slot)
                        )
        for name in spec.parameters if style.copies and slot >= 0 else ():
            self.cells[Key(f"copy.{name}", step, slot)] = Ref(Key(name, step))
        self._forward(step, slot, read)
        self._loss(step, slot, read)
        return read

    def _indexed(self, step: int, example: int) -> None:
        for letter, count in (("x", self.spec.sizes[0]), ("t", self.spec.sizes[-1])):
            for index in range(1, count + 1):
                name = f"{letter}.{index}"
                table = tuple(Key(name, -1, e) for e in range(self.spec.examples))
                self.cells[Key(name, step)] = Call("INDEX", (Many(table), Num(str(example + 1))))

    def source(self, layer: int, unit: int, step: int, slot: int, read: int) -> Key:
        return Key(f"x.{unit}", read, slot) if layer == 0 else Key(f"a.{layer}.{unit}", step, slot)

    def _forward(self, step: int, slot: int, read: int) -> None:
        spec = self.spec
        for layer in spec.layers:
            for to in spec.units(layer):
                sources = [self.source(layer - 1, i, step, slot, read) for i in spec.units(layer - 1)]
                weights = [self.parameter(weight(layer, to, i), step, slot) for i in spec.units(layer - 1)]
                terms: list[Tree]
                if self.style.ranges and len(sources) > 1:
                    terms = [Dot(tuple(weights), tuple(sources))]
                else:
                    terms = [self.times(Ref(w), Ref(x)) for w, x in zip(weights, sources, strict=True)]
                if spec.bias != "none":
                    own = Ref(self.parameter(bias(layer, to), step, slot))
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
                made = activated(kind, z, self.style)
            self.cells[Key(f"a.{layer}.{to}", step, slot)] = made

    def _loss(self, step: int, slot: int, read: int) -> None:
        spec = self.spec
        last = len(spec.sizes) - 1
        units = spec.units(last)
        for to in units:
            a, t = Ref(Key(f"a.{last}.{to}", step, slot)), Ref(Key(f"t.{to}", read, slot))
            self.cells[Key(f"e.{to}", step, slot)] = self._error(a, t)
        parts = tuple(Key(f"e.{to}", step, slot) for to in units)
        whole: Tree = (
            Call("SUM", (Many(parts),)) if self.style.ranges and len(parts) > 1 else total([Ref(k) for k in parts])
        )
        self.cells[Key("E", step, slot)] = whole

    def _error(self, a: Tree, t: Tree) -> Tree:
        spec, style = self.spec, self.style
        objective = shown(spec, style)
        if objective == "cross-entropy":
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
        if objective != "half":
            return square
        if style.halves == "/2":
            return Op("/", square, Num("2"))
        half: Tree = Num("0.5") if style.halves == "0.5*" else Op("/", Num("1"), Num("2"))
        return Op("*", half, square)


def activated(kind: str, z: Tree, style: Style) -> Tree:
    """The activation of a sum."""
    if kind == "linear":
        return z
    if kind == "sigmoid":
        return _sigmoid(z, style.sigmoid)
    if kind == "tanh":
        return Call("TANH", (z,))
    if kind == "relu" and style.gate == "IF":
        return Call("IF", (Op(">", z, Num("0")), z, Num("0")))
    if kind == "relu":
        return Call("MAX", (Num("0"), z))
    low = Num("0" if kind == "step" else "-1")
    return Call("IF", (Op(">=", z, Num("0")), Num("1"), low))


def _sigmoid(z: Tree, way: str) -> Tree:
    one = Num("1")
    if way == "EXP(z)/(1+EXP(z))":
        return Op("/", Call("EXP", (z,)), Op("+", one, Call("EXP", (z,))))
    if way == "POWER":
        power: Tree = Call("POWER", (Call("EXP", (one,)), Neg(z)))
    elif way == "1/(1+EXP(-1*z))":
        power = Call("EXP", (Op("*", Neg(one), z),))
    else:
        power = Call("EXP", (Neg(z),))
    return Op("/", one, Op("+", one, power))


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
