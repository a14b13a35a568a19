"""The words that a print statement puts beside a measured figure."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tinyproof.check.code.interpreter.flows import Quantity
from tinyproof.check.code.interpreter.machine import Machine
from tinyproof.check.code.interpreter.turns import Pass
from tinyproof.check.code.interpreter.uses import Measured
from tinyproof.check.code.interpreter.values import Scope, Seq, Value, options

_GAP = re.compile(r"\{[^{}]*\}|%[-+ #0]*\d*(?:\.\d+)?[sdfgeri]")


# Calls that a measurement without one of its own stands in: `np.mean(guesses == labels)`.
_MEANS_OF = {"==": ("mean", "average", "float", "round", "item")}


def note(machine: Machine, node: ast.AST, scope: Scope) -> None:
    """Give the words of a print statement to the figures in it, each the words before it."""
    if not isinstance(node, ast.Call):
        return
    words = ""
    for text, part in _pieces(node.args):
        words = text or words
        if part is None:
            continue
        for inner in _looked_up(part):
            if isinstance(inner, ast.Name | ast.Subscript):
                for use in _figures(machine, machine.evaluate(inner, scope)):
                    _label(use, words)
            elif isinstance(inner, ast.Call) and getattr(inner.func, "attr", "") == "compute":
                _label_loop(machine, node, scope, words)
            elif isinstance(inner, ast.Call):
                _label_call(machine, inner, scope, words)


def _looked_up(part: ast.expr) -> Iterator[ast.AST]:
    """The parts of an expression, an element of a variable (`score[1]`) in place of the variable."""
    if isinstance(part, ast.Subscript) and isinstance(part.value, ast.Name) and isinstance(part.slice, ast.Constant):
        yield part
        return
    yield part
    for child in ast.iter_child_nodes(part):
        if isinstance(child, ast.expr):
            yield from _looked_up(child)


def _pieces(args: list[ast.expr]) -> Iterator[tuple[str, ast.expr | None]]:
    """The words of what is printed, and the expressions behind them, in order."""
    for arg in args:
        if isinstance(arg, ast.Constant) and isinstance(arg.value, str):
            yield arg.value, None
        elif isinstance(arg, ast.JoinedStr):
            for part in arg.values:
                if isinstance(part, ast.Constant):
                    yield str(part.value), None
                elif isinstance(part, ast.FormattedValue):
                    yield "", part.value
        elif isinstance(arg, ast.BinOp) and isinstance(arg.op, ast.Mod) and isinstance(arg.left, ast.Constant):
            values = arg.right.elts if isinstance(arg.right, ast.Tuple) else [arg.right]
            yield from _filled(str(arg.left.value), values)
        elif isinstance(arg, ast.BinOp) and isinstance(arg.op, ast.Add):
            yield from _pieces([arg.left, arg.right])
        elif (
            isinstance(arg, ast.Call)
            and isinstance(arg.func, ast.Attribute)
            and arg.func.attr == "format"
            and isinstance(arg.func.value, ast.Constant)
        ):
            yield from _filled(str(arg.func.value.value), arg.args)
        else:
            yield "", arg


def _filled(template: str, values: list[ast.expr]) -> Iterator[tuple[str, ast.expr | None]]:
    segments = _GAP.split(template)
    for index, value in enumerate(values):
        yield (segments[index] if index < len(segments) else ""), value


def _label_call(machine: Machine, node: ast.Call, scope: Scope, words: str) -> None:
    place = machine.place(node, scope)
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    for use in machine.events.uses[-8:]:
        if isinstance(use, Measured) and use.place == place and name in (use.name, *_MEANS_OF.get(use.name, ())):
            _label(use, words)
    for turn in machine.events.passes[-8:]:
        compared = turn.compared == place and name in ("item", "mean", "sum", "float", turn.compared_in)
        inside = bool(turn.frames) and turn.frames[0].place == place
        if turn.hits and turn.evaluates and (inside or compared):
            _label(turn, words)


def _label_loop(machine: Machine, node: ast.AST, scope: Scope, words: str) -> None:
    """`print("...", metric.compute())` after the loop of the same cell that fed the metric."""
    last = machine.events.uses[-1] if machine.events.uses else None
    if isinstance(last, Measured) and last.name == "loop" and not machine.frames:
        if last.place.cell == machine.place(node, scope).cell:
            _label(last, words)


def _label(use: Measured | Pass, words: str) -> None:
    text = words.strip()
    if text and text not in use.labels and len(use.labels) < 4:
        use.labels.append(text)


def _counts(figure: Quantity) -> bool:
    """Whether it is an accuracy, or the right answers of all batches that are divided where they are printed."""
    counted = figure.kind == "accuracy" or (figure.kind == "hits" and figure.reach != "batch")
    return counted and figure.loader is not None


def _loop_around(machine: Machine, compared: Measured) -> list[Measured]:
    """The loop over batches in whose turns guesses were compared with labels."""
    loops = [use for use in machine.events.uses[-8:] if isinstance(use, Measured) and use.name == "loop"]
    around = compared.within
    return [use for use in loops if isinstance(around, Pass) and use.loader is around.loader]


def _figures(machine: Machine, value: Value) -> list[Measured | Pass]:
    found: list[Measured | Pass] = []
    for option in options(value):
        if isinstance(option, Quantity) and isinstance(option.turn, Measured):
            whole = option.kind == "hits" and option.reach == "final" and option.scale == "sum"
            found.extend([option.turn] if option.kind == "accuracy" or whole else [])
            found.extend(_loop_around(machine, option.turn) if _counts(option) else [])
        elif isinstance(option, Quantity) and _counts(option):
            loops = [use for use in machine.events.uses[-8:] if isinstance(use, Measured)]
            found.extend(use for use in loops[-1:] if use.loader is option.loader)
            passes = [turn for turn in machine.events.passes[-8:] if turn.loader is option.loader and turn.hits]
            found.extend(turn for turn in passes[-1:] if turn.evaluates)
        elif isinstance(option, Seq):
            found.extend(figure for item in option.items[-1:] for figure in _figures(machine, item))
    return found
