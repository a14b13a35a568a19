"""Folds made by hand: `x[i * n:(i + 1) * n]` is held out, `x[:i * n]` and `x[(i + 1) * n:]` joined are learned from."""

from __future__ import annotations

import ast
import operator
import random
from collections.abc import Callable
from dataclasses import replace

from tinyproof.check.code.interpreter.machine import Machine
from tinyproof.check.code.interpreter.rows import Cut, Path, Rows

_SUMS: dict[type[ast.operator], Callable[[int, int], int]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.FloorDiv: operator.floordiv,
}  # fmt: skip

_TRIALS = 5  # numbers are drawn so often for the names in a bound


def all_but_a_fold(machine: Machine, joined: list[Rows]) -> Rows | None:
    """What is left of rows when the piece between two bounds is left out; None where no such thing is joined."""
    if len(joined) != 2:
        return None
    (start, low), (high, end) = joined[0].turn, joined[1].turn
    whole, other = (tuple(Path(path.root, path.cuts[:-1]) for path in rows.paths) for rows in joined)
    if start in ("", "0") and not end and low and high and whole == other:
        if low == high:
            return replace(joined[0], paths=whole, turn=("", ""), names=[])  # both sides of one place: all
        machine.events.folds.append((whole, low, high))
        return _part(replace(joined[0], paths=whole), (low, high), "train")
    return None


def held_out(machine: Machine, rows: Rows | None) -> Rows | None:
    """The rows, cut where they are a fold, or a part of one, whose complement was joined.

    The bounds may be written in another way (`i * n + n` for `(i + 1) * n`). Where they name other things than those of
    the complement nothing is known of both; where they always reach beyond it they stay what they are.
    """
    if rows is None or rows.turn == ("", ""):
        return rows
    beside: list[tuple[str, str]] = [(low, high) for whole, low, high in machine.events.folds if whole == rows.paths]
    places = [_inside(rows.turn, bounds) for bounds in beside]
    if True in places:
        return _part(rows, beside[places.index(True)], "held out")
    return rows.cut(Cut("filter", ("by hand", *rows.turn), "piece")) if None in places else rows


def _inside(piece: tuple[str, str], bounds: tuple[str, str]) -> bool | None:
    """Whether the piece lies within these bounds, whatever their names stand for; None where that depends on them."""
    if piece == bounds:
        return True
    if not _atoms(piece) <= _atoms(bounds):
        return None
    answers = set[bool | None]()
    for trial in range(_TRIALS):
        low, high, least, most = (_worth(text, trial) for text in (*piece, *bounds))
        known = low is not None and high is not None and least is not None and most is not None
        answers.add(least <= low and high <= most if known else None)  # type: ignore[operator]
    return answers.pop() if len(answers) == 1 else None


def _worth(text: str, trial: int) -> int | None:
    """A bound's value with a number drawn for each name, and for each part that is no sum or product; None: no text."""
    try:
        return _value(ast.parse(text, mode="eval").body, trial)
    except (SyntaxError, ZeroDivisionError, RecursionError):
        return None


def _value(node: ast.expr, trial: int) -> int:
    if isinstance(node, ast.BinOp) and type(node.op) in _SUMS:
        return _SUMS[type(node.op)](_value(node.left, trial), _value(node.right, trial))
    if isinstance(node, ast.Constant) and isinstance(node.value, int):
        return node.value
    return random.Random(f"{ast.unparse(node)}/{trial}").randrange(1_000, 100_000)


def _atoms(texts: tuple[str, str]) -> set[str]:
    """The names that bounds are made of."""
    try:
        parsed = [ast.parse(text, mode="eval") for text in texts]
    except (SyntaxError, RecursionError):
        return set(texts)
    return {node.id for tree in parsed for node in ast.walk(tree) if isinstance(node, ast.Name)}


def _part(rows: Rows, bounds: tuple[str, str], part: str) -> Rows:
    cut = rows.cut(Cut("split", ("by hand", *bounds), part))
    cut.turn = ("", "")
    return cut
