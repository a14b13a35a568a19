"""How somebody writes a training down: signs, hidden columns, the many spellings of one formula."""

from __future__ import annotations

import random
from dataclasses import dataclass

from tests.workbook.layouts.spec import Objective, Spec

EXTRAS = ("number", "rounded", "hit", "root", "unused")


@dataclass(frozen=True)
class Style:
    """How somebody writes. `uphill`: error = target - output and w + rate * ...; `hidden`: families without cells.

    `new_columns`: a "new weight" beside each weight, which the next step copies. `data`: inputs stand once
    ("once"), or again in every step, typed ("typed") or copied ("copied"). `state_before`: momentum as the state
    before the step, 0 at first. `rate_column`: the rate stands in every step; `if_update`: a threshold unit's weights
    move only IF it was wrong; `plus`: "=+A1"; `stacked`: a layer's weights as a small matrix in the block; `extras`:
    columns that train nothing (the step's number, a rounded answer, whether it was right, the root of the loss).
    `named`: the name that the rate's cell has; `indexed`: examples one after the other, fetched from a table by INDEX.
    `copies`: each example has its own copy of the weights; `scaled_data`: inputs computed from raw ones; `shown_loss`:
    the loss that is trained ("own"), the same in another scale ("scaled"), or the squared error beside a training on
    the cross-entropy ("squared"): none of them a mistake.
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
    sigmoid: str = "1/(1+EXP(-z))"
    gate: str = "MAX"
    rate_column: bool = False
    if_update: bool = False
    plus: bool = False
    stacked: bool = False
    extras: frozenset[str] = frozenset()
    copies: bool = False
    named: str = ""
    indexed: bool = False
    scaled_data: bool = False
    shown_loss: str = "own"


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
        average=rng.choice(["AVERAGE", "SUM/n", "1/n*", "SUM/COUNT"]),
        sigmoid=rng.choice(["1/(1+EXP(-z))", "1/(1+EXP(-z))", "1/(1+EXP(-1*z))", "EXP(z)/(1+EXP(z))", "POWER"]),
        gate=rng.choice(["MAX", "IF"]),
        rate_column=rng.random() < 0.12,
        if_update=spec.objective == "perceptron" and spec.batch in ("one", "online") and rng.random() < 0.4,
        plus=rng.random() < 0.08,
        stacked=rng.random() < 0.35,
        named=rng.choice(["eta", "lr", "learning_rate", "alpha"]) if rng.random() < 0.12 else "",
        indexed=spec.batch == "online" and rng.random() < 0.15,
        copies=rng.random() < 0.15,
        scaled_data=rng.random() < 0.15,
        shown_loss=rng.choice(["own"] * 8 + ["scaled", "squared"]),
        extras=frozenset(name for name in EXTRAS if rng.random() < 0.15),
    )


def shown(spec: Spec, style: Style) -> Objective:
    """The loss that the sheet shows."""
    if style.shown_loss == "scaled" and spec.objective in ("half", "square"):
        return "square" if spec.objective == "half" else "half"
    if style.shown_loss == "squared" and spec.objective == "cross-entropy" and spec.activations[-1] == "sigmoid":
        return "half"
    return spec.objective
