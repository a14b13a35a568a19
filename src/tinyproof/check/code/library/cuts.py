"""Rows that are cut into parts: by train_test_split, by lengths, into folds."""

from __future__ import annotations

from tinyproof.check.code.interpreter.rows import Cut, Parts, Rows, rows_in
from tinyproof.check.code.interpreter.values import (
    Const,
    Seq,
    Value,
    constant,
)
from tinyproof.check.code.library.call import Call
from tinyproof.check.code.library.facts.fact import (
    Folds,
    Splits,
)
from tinyproof.check.code.library.sources import given, opaque


def splits(fact: Splits, call: Call) -> Value | None:
    if isinstance(call.owner, Rows):
        halves = [call.owner.cut(_cut(call, part)) for part in fact.parts]
        return Parts(dict(zip(fact.keys, halves, strict=True)), whole=True)
    if not call.args:
        return None
    if fact.counted:
        return _by_lengths(fact, call)
    parts: list[Value] = []
    for index, arg in enumerate(call.args):
        rows = rows_in(arg)
        if rows is None:
            call.machine.keep.append(arg)
            rows = opaque(arg, call.text(index), call.place)
        if len(call.args) > 1 and rows.side == "both":
            rows = rows.turned("x" if index == 0 else "y")
        parts.extend(rows.cut(_cut(call, part)) for part in fact.parts)
    for part in fact.parts:
        call.machine.parted_at.setdefault(_cut(call, part), call.place)
    return Seq(parts)


def _by_lengths(fact: Splits, call: Call) -> Value | None:
    """random_split(rows, [lengths]), the first part for training; numpy.split(rows, [places])."""
    rows = call.args[0] if isinstance(call.args[0], Rows) else None
    lengths = given(call.args, call.kwargs, ("lengths", 1))
    if rows is None or not isinstance(lengths, Seq):
        return None
    count = len(lengths.items) + ("numpy" in call.path)
    names = [*fact.parts, *(f"held out {n}" for n in range(2, count))]
    return Seq([rows.cut(_cut(call, name)) for name in names[:count]])


def _cut(call: Call, part: str) -> Cut:
    """A cut that two calls share where both say with which seed they draw."""
    seed = constant(call.kwargs.get("random_state", call.kwargs.get("seed")))
    share: object = "usual" if "train_size" not in call.kwargs else None
    share = constant(call.kwargs["test_size"]) if "test_size" in call.kwargs else share
    if isinstance(seed, int) and not isinstance(seed, bool):
        size = constant(call.kwargs.get("test_size", call.kwargs.get("train_size")))
        return Cut("split", ("seed", seed, size), part, share=share)
    return Cut("split", (call.place, *(frame.place for frame in call.machine.frames)), part, share=share)


def folds(fact: Folds, call: Call) -> Value | None:
    key = ("fold", call.place, *(frame.place for frame in call.machine.frames))
    base = opaque(Const(None), "the places", call.place).turned("index")
    pair = [base.cut(Cut("split", key, part)) for part in ("train", "held out")]
    return Seq([Seq(list(pair))], whole=False)
