"""Every quantity of a training as a formula: the way back, the update, and all of it together."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.workbook.layouts.forward_pass import Base, Held, sloped
from tests.workbook.layouts.spec import Spec, bias, weight
from tests.workbook.layouts.style import Style
from tests.workbook.layouts.terms import Call, Key, Many, Neg, Num, Op, Ref, Tree, mapped, total


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
    made = Maker(spec, style)
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


class Maker(Base):
    """Writes one step after the other."""

    def step(self, step: int) -> None:
        spec = self.spec
        for name in spec.parameters:
            self.cells[Key(name, step)] = self._value(name, step)
        if self.style.rate_column:
            held: Held = spec.rate if step == 0 or self.style.data == "typed" else Ref(Key("rate", step - 1))
            self.cells[Key("rate", step)] = held
        if spec.rule == "adam":
            self.cells[Key("count", step)] = 1.0 if step == 0 else Op("+", Ref(Key("count", step - 1)), Num("1"))
        for slot in range(spec.examples) if self.batch else [-1]:
            self._backward(step, slot, self.example(step, slot))
            self._extras(step, slot)
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
                    weights = [self.parameter(weight(layer + 1, k, to), step, slot) for k in after]
                    back = total([self.times(Ref(d), Ref(w)) for d, w in zip(deltas, weights, strict=True)])
                    self.cells[Key(f"back.{here}", step, slot)] = back
                    self._delta(layer, to, Key(f"back.{here}", step, slot), step, slot)
                delta = Key(f"d.{here}", step, slot)
                for i in spec.units(layer - 1):
                    if weight(layer, to, i) in spec.constants:
                        continue
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
        if self.style.average == "SUM/COUNT":
            return Op("/", whole, Call("COUNT", (Many(keys),)))
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
            by = self.times(self.rate(step), by)
        self.cells[Key(f"step.{name}", step)] = by
        if self.style.new_columns:
            self.cells[Key(f"new.{name}", step)] = self._moved(name, step)

    def _moved(self, name: str, step: int) -> Tree:
        old = Ref(Key(name, step))
        adds = self.style.uphill or self.spec.rule == "classic"
        moved = Op("+" if adds else "-", old, Ref(Key(f"step.{name}", step)))
        if not self.style.if_update:
            return moved
        answer, right = Ref(Key("a.1.1", step)), Ref(Key("t.1", self._data_step(step)))
        return Call("IF", (Op("=", answer, right), old, moved))

    def gradient(self, name: str, step: int) -> Tree:
        """The gradient of a weight; with weight decay the weight's own share beside it."""
        own = Ref(Key(f"G.{name}" if self.batch else f"g.{name}", step))
        if not self.spec.decay or name.startswith("b"):
            return own
        return Op("-" if self.style.uphill else "+", own, Op("*", Ref(Key("decay")), Ref(Key(name, step))))

    def _states(self, name: str, step: int) -> None:
        spec = self.spec
        own, one, beta = self.gradient(name, step), Num("1"), Ref(Key("beta"))
        if spec.rule == "classic":
            sign = "+" if self.style.uphill else "-"
            self._carry(f"v.{name}", step, beta, self.times(self.rate(step), own), sign)
        if spec.rule in ("momentum", "averaged", "adam"):
            share: Tree = own if spec.rule == "momentum" else Op("*", Op("-", one, beta), own)
            self._carry(f"v.{name}", step, beta, share)
        if spec.rule in ("rmsprop", "adam"):
            second = Ref(Key("beta2" if spec.rule == "adam" else "beta"))
            self._carry(f"s.{name}", step, second, Op("*", Op("-", one, second), Op("^", own, Num("2"))))
        if spec.rule == "adam":
            count = Ref(Key("count", step))
            for letter, share in (("v", beta), ("s", Ref(Key("beta2")))):
                rest = Op("-", one, Op("^", share, count))
                self.cells[Key(f"{letter}h.{name}", step)] = Op("/", Ref(Key(f"{letter}.{name}", step)), rest)

    def _carry(self, name: str, step: int, beta: Tree, share: Tree, sign: str = "+") -> None:
        """The state after this step; the first one starts from nothing, or from a cell that holds 0."""
        old: Tree | None = Ref(Key(name, step - 1)) if step else None
        if step == 0 and self.style.state_before:
            self.fixed[Key(name + ".0")] = 0.0
            old = Ref(Key(name + ".0"))
        first = Neg(share) if sign == "-" else share
        self.cells[Key(name, step)] = first if old is None else Op(sign, Op("*", beta, old), share)

    def _direction(self, name: str, step: int) -> Tree:
        spec = self.spec
        if spec.rule == "plain":
            return self.gradient(name, step)
        if spec.rule in ("momentum", "averaged", "classic"):
            return Ref(Key(f"v.{name}", step))
        square, tiny = Ref(Key(f"s.{name}", step)), Num(f"{spec.tiny:.0E}".replace("E-0", "E-"))
        above: Tree = self.gradient(name, step)
        if spec.rule == "adam":
            square, above = Ref(Key(f"sh.{name}", step)), Ref(Key(f"vh.{name}", step))
        below: Tree = Op("+", Call("SQRT", (square,)), tiny)
        if spec.tiny_inside:
            below = Call("SQRT", (Op("+", square, tiny),))
        return Op("/", Op("*", self.rate(step), above), below)

    def _extras(self, step: int, slot: int) -> None:
        """Columns beside the training that move nothing."""
        extras, last = self.style.extras, len(self.spec.sizes) - 1
        a, t = Ref(Key(f"a.{last}.1", step, slot)), Ref(Key("t.1", self._data_step(step), slot))
        if "number" in extras and slot <= 0:
            before = Ref(Key("extra.number", step - 1))
            self.cells[Key("extra.number", step)] = 1.0 if step == 0 else Op("+", before, Num("1"))
        if "rounded" in extras:
            self.cells[Key("extra.rounded", step, slot)] = Call("ROUND", (a, Num("0")))
        if "hit" in extras:
            near = Op("<", Call("ABS", (Op("-", t, a),)), Num("0.5"))
            self.cells[Key("extra.hit", step, slot)] = Call("IF", (near, Num("1"), Num("0")))
        if "root" in extras and self.style.shows_loss:
            self.cells[Key("extra.root", step, slot)] = Call("SQRT", (Ref(Key("E", step, slot)),))
        if "unused" in extras and "g" not in self.style.hidden:
            name = self.spec.parameters[0]
            unused = Op("-", Ref(Key(name, step)), Ref(Key(f"g.{name}", step, slot)))
            self.cells[Key("extra.unused", step, slot)] = unused
