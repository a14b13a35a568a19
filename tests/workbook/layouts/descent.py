"""A function of one or two variables descended step by step: no data, no outputs, only the slope."""

from __future__ import annotations

import random

from tests.workbook.layouts.forward_pass import Held
from tests.workbook.layouts.spec import Spec
from tests.workbook.layouts.style import Style
from tests.workbook.layouts.terms import Key, Num, Op, Ref, Tree, total
from tests.workbook.layouts.writing import Written


def draw_function(rng: random.Random) -> Spec:
    """a (x - p)^2, or a (x - p)^2 + b (y - q)^2 + c x y with positive curvature."""
    two = rng.random() < 0.6
    start = {"w.x": rng.choice([4.0, -3.0, 2.5, 10.0])}
    constants = {"a": float(rng.choice([1, 2, 3])), "p": float(rng.choice([1, -2, 5])), "b": 0.0, "q": 0.0, "c": 0.0}
    if two:
        start["w.y"] = rng.choice([-1.0, 3.5, 6.0])
        constants |= {
            "b": float(rng.choice([1, 2, 4])),
            "q": float(rng.choice([2, -1])),
            "c": rng.choice([0.0, 0.5, 1.0]),
        }
    return Spec(
        model="function",
        sizes=(0,),
        activations=("linear",),
        objective="function",
        bias="none",
        batch="one",
        rule="plain",
        inputs=((),),
        targets=((),),
        start=start,
        constants=constants,
        steps=rng.randint(5, 12),
        rate=rng.choice([0.05, 0.1, 0.2]),
    )


def _number(value: float) -> Num:
    return Num(f"{value:g}")


def _away(variable: Tree, from_: float) -> Tree:
    return Op("-", variable, _number(from_)) if from_ >= 0 else Op("+", variable, _number(-from_))


def write_function(spec: Spec, style: Style) -> Written:
    """The variables, the value, the slopes and the update of every step."""
    cells: dict[Key, Held] = {}
    if not style.typed_rate:
        cells[Key("rate")] = spec.rate
    rate: Tree = Num(str(spec.rate)) if style.typed_rate else Ref(Key("rate"))
    k = spec.constants
    sides = {"w.x": (k["a"], k["p"], "w.y"), "w.y": (k["b"], k["q"], "w.x")}
    for step in range(spec.steps):
        terms: list[Tree] = []
        for name, value in spec.start.items():
            old = Ref(Key(name, step - 1))
            moved = Op("-", old, Op("*", rate, Ref(Key(f"g.{name}", step - 1))))
            cells[Key(name, step)] = moved if step else value
        for name in spec.start:
            factor, centre, other = sides[name]
            own = Ref(Key(name, step))
            terms.append(Op("*", _number(factor), Op("^", _away(own, centre), Num("2"))))
            slope: Tree = Op("*", _number(2 * factor), _away(own, centre))
            if k["c"]:
                slope = Op("+", slope, Op("*", _number(k["c"]), Ref(Key(other, step))))
            cells[Key(f"g.{name}", step)] = slope
        if k["c"]:
            terms.append(Op("*", Op("*", _number(k["c"]), Ref(Key("w.x", step))), Ref(Key("w.y", step))))
        cells[Key("E", step)] = total(terms)
    return Written(spec, style, cells)
