"""Operators: arithmetic on figures, tensors and constants, comparisons, conditions."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from tinyproof.check.code.interpreter import made_arrays, picking, row_answers, row_expressions
from tinyproof.check.code.interpreter.answers import answers_in, hits
from tinyproof.check.code.interpreter.events import Average, Tampered
from tinyproof.check.code.interpreter.flows import Batch, Flow, Op, Quantity
from tinyproof.check.code.interpreter.machine import Machine
from tinyproof.check.code.interpreter.quantities import add, divide, multiply, turned
from tinyproof.check.code.interpreter.rows import Rows
from tinyproof.check.code.interpreter.running_scores import note_shown
from tinyproof.check.code.interpreter.stepped import is_stepped
from tinyproof.check.code.interpreter.values import (
    STEPPED,
    Choice,
    Const,
    Function,
    Made,
    Map,
    Object,
    Scope,
    Seq,
    Unknown,
    Value,
    constant,
    join,
    number,
)
from tinyproof.check.finding import CodePlace

NODE = "(node)"  # the mark of a node of a graph, which is computed when it is run


def truth(value: Value) -> bool | None:
    """Whether a value counts as true, where that is known.

    >>> truth(Const(0)), truth(Unknown())
    (False, None)
    """
    if isinstance(value, Const):
        return bool(value.value)
    if isinstance(value, Choice):
        answers = {truth(option) for option in value.options}
        return answers.pop() if len(answers) == 1 else None
    if isinstance(value, Object | Function):
        return True
    if isinstance(value, Made) and value.path.startswith(("torch.optim", "torch.nn", "torch.utils.data")):
        return True
    return None


def binary_node(machine: Machine, node: ast.BinOp, scope: Scope) -> Value:
    by_distance = _share_of_right(machine, node, scope)
    if by_distance is not None:
        return by_distance
    sides = [machine.meaning.array(machine, machine.evaluate(side, scope)) for side in (node.left, node.right)]
    left, right = sides
    return binary(machine, node.op, left, right, node, scope)


def _share_of_right(machine: Machine, node: ast.BinOp, scope: Scope) -> Value | None:
    """`100 - np.mean(np.abs(guesses - labels)) * 100`, of guesses that are 0 or 1: how many of them are right."""
    if not isinstance(node.op, ast.Sub) or not isinstance(node.left, ast.Constant) or node.left.value not in (1, 100):
        return None
    means = [part for part in ast.walk(node.right) if _calls(part, "mean")]
    inner = means[0].args[0] if len(means) == 1 and isinstance(means[0], ast.Call) and means[0].args else None
    away = inner.args[0] if isinstance(inner, ast.Call) and _calls(inner, "abs") and inner.args else None
    if not isinstance(away, ast.BinOp) or not isinstance(away.op, ast.Sub):
        return None
    one, other = (machine.evaluate(side, scope) for side in (away.left, away.right))
    if not isinstance(one, Rows) or not isinstance(other, Rows):
        return None
    place = machine.place(node, scope)
    found = row_expressions.compare(machine, ast.Eq(), one, other, place)
    if not isinstance(found, Quantity):
        return None
    row_answers.counted(machine, found, place)
    return replace(found, kind="accuracy", scale="mean", reach="final")


def _calls(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in (name, f"{name}olute")


def binary(machine: Machine, op: ast.operator, left: Value, right: Value, node: ast.AST, scope: Scope) -> Value:
    """left op right."""
    if isinstance(left, Choice) and isinstance(left.options[0], Rows):
        return join([binary(machine, op, option, right, node, scope) for option in left.options])
    if isinstance(left, Rows) or isinstance(right, Rows):
        return row_expressions.binary(machine, op, left, right, node, scope)
    if isinstance(left, Made) and left.path == row_expressions.STATISTIC and number(right) is not None:
        return left  # a deviation and a little more
    if any(isinstance(side, Made) and NODE in side.attrs for side in (left, right)):
        name = f"tensorflow.{type(op).__name__.lower()}"
        return Made(name, [left, right], {}, machine.place(node, scope), attrs={NODE: Const(True)})
    slope = next((side for side in (left, right) if getattr(side, "path", "") == row_expressions.GRADIENT), None)
    if slope is not None:  # times a rate, and with what regularises it, it is still one; taken off weights it is none
        return slope if slope is left or not isinstance(op, ast.Sub) else Unknown()
    array = made_arrays.computed(left, right, machine.place(node, scope))
    if array is not None and not any(isinstance(side, Flow | Quantity) for side in (left, right)):
        return array
    flows = [side for side in (left, right) if isinstance(side, Flow)]
    if flows and not any(isinstance(side, Quantity) for side in (left, right)):
        return _joined_flows(machine, flows, node, scope)
    if isinstance(op, ast.Add) and _is_path(left) and str(constant(right)).startswith("/"):
        return Made("(path)", [left, Const(str(constant(right))[1:])], {}, machine.place(node, scope))
    if isinstance(op, ast.Add):
        if _is_data(left) and _is_data(right):
            place = machine.place(node, scope)
            return machine.made(Made("torch.utils.data.ConcatDataset", [Seq([left, right])], {}, place))
        return add(left, right)
    if isinstance(op, ast.Mult):
        if isinstance(left, Seq) or isinstance(right, Seq):
            return _repeated(left, right)
        return multiply(left, right)
    if isinstance(op, ast.Div) and (isinstance(constant(right), str) or _is_path(left)):
        return Made("(path)", [left, right], {}, machine.place(node, scope))
    if isinstance(op, ast.Div | ast.FloorDiv):
        return _quotient(machine, op, left, right, node, scope)
    if isinstance(op, ast.Pow) and isinstance(left, Quantity) and left.kind == "loss" and left.scale == "each":
        return left  # the squares of how far each is off
    if isinstance(op, ast.Sub) and isinstance(left, Quantity) and isinstance(right, Flow | Unknown):
        return add(left, right) if left.kind == "loss" and left.reach == "batch" else Unknown()  # less a penalty
    a, b = number(left), number(right)
    if a in (1, 100) and isinstance(op, ast.Sub) and isinstance(right, Quantity):
        return turned(right)
    if a is not None and b is not None and isinstance(op, ast.Sub):
        whole = isinstance(constant(left), int) and isinstance(constant(right), int)
        return Const(int(a - b) if whole else a - b)
    if a is not None and b is not None and isinstance(op, ast.Pow) and abs(a) <= 1e4 and abs(b) <= 8:
        return Const(float(a**b)) if a > 0 else Unknown()
    return Unknown(STEPPED if is_stepped(left, right) else "")


def _is_data(value: Value) -> bool:
    """Whether it is a data set: two of them are joined by a plus."""
    if not isinstance(value, Made):
        return False
    return value.path.startswith("torchvision.datasets.") or value.path in (
        "torch.utils.data.Subset",
        "torch.utils.data.random_split",
        "torch.utils.data.ConcatDataset",
    )


def _quotient(machine: Machine, op: ast.operator, left: Value, right: Value, node: ast.AST, scope: Scope) -> Value:
    result, averaged = divide(left, right)
    count = number(right)
    summed = isinstance(left, Quantity) and (left.reach == "total" or (left.reach, left.scale) == ("final", "sum"))
    if isinstance(left, Quantity) and left.kind == "hits" and summed and count:
        machine.events.tampered.append(Tampered(left, "divided", machine.place(node, scope), count))
    _note_count(machine, left, right, machine.place(node, scope))
    note_shown(machine, left, machine.place(node, scope))
    if averaged is not None:
        turn = machine.passes[-1] if machine.passes else None
        machine.events.averages.append(Average(*averaged, machine.place(node, scope), turn))
    if isinstance(op, ast.FloorDiv) and isinstance(result, Const) and isinstance(result.value, float):
        return Const(int(result.value // 1))
    return result


def _note_count(machine: Machine, left: Value, right: Value, place: CodePlace) -> None:
    """What right answers are divided by, once the loop over the batches has ended."""
    noted = machine.events.tampered
    if not isinstance(left, Quantity):
        return
    if left.kind == "accuracy" and number(right) is not None and noted and noted[-1].figure.loader is left.loader:
        if noted[-1].count is not None and noted[-1].count.kind == "batches":
            noted.pop()  # by the number of batches, then by the images of one: that is the number of images
    if left.kind == "hits" and isinstance(right, Quantity) and right.reach == "total":
        if getattr(left.turn, "within", left.turn) not in machine.passes:
            noted.append(Tampered(left, "counted", place, count=right))


def _is_path(value: Value) -> bool:
    return isinstance(value, Made) and value.path in ("(path)", "pathlib.Path", "os.path.join")


def _repeated(left: Value, right: Value) -> Value:
    sequence, times = (left, right) if isinstance(left, Seq) else (right, left)
    count = constant(times)
    if isinstance(sequence, Seq) and isinstance(count, int) and 0 <= count * len(sequence.items) <= 200:
        return Seq(sequence.items * count, sequence.whole)
    return Unknown()


def _joined_flows(machine: Machine, flows: list[Flow], node: ast.AST, scope: Scope) -> Value:
    if len(flows) == 1:
        return flows[0]
    longest = max(flows, key=lambda flow: len(flow.ops))
    op = Op("add", machine.place(node, scope))
    certain = all(flow.certain for flow in flows)
    return Flow((*longest.ops, op), longest.model, longest.source, straight=False, certain=certain)


def unary(machine: Machine, node: ast.UnaryOp, scope: Scope) -> Value:
    value = machine.evaluate(node.operand, scope)
    if isinstance(node.op, ast.Not):
        known = truth(value)
        return Unknown() if known is None else Const(not known)
    if isinstance(value, Rows):
        machine.keep.append(value)
        other = isinstance(node.op, ast.Invert) or (isinstance(node.op, ast.USub) and value.side == "mask")
        return picking.inverted(value) or value if other else value
    known_number = number(value)
    if isinstance(node.op, ast.USub) and known_number is not None:
        return Const(-known_number if isinstance(constant(value), float) else -int(known_number))
    return value if isinstance(node.op, ast.UAdd) else turned(value) if isinstance(node.op, ast.USub) else Unknown()


def boolean(machine: Machine, node: ast.BoolOp, scope: Scope) -> Value:
    stops = isinstance(node.op, ast.Or)
    value = machine.evaluate(node.values[0], scope)
    for position, part in enumerate(node.values[1:], start=1):
        answer = truth(value)
        if answer is stops:
            return value
        if answer is None:
            rest = [partial(machine.evaluate, other, scope) for other in node.values[position:]]
            return join([value, *machine.alternatives([Unknown, *rest])[1:]])
        value = machine.evaluate(part, scope)
    return value


def compare(machine: Machine, node: ast.Compare, scope: Scope) -> Value:
    left = machine.meaning.array(machine, machine.evaluate(node.left, scope))
    rights = [machine.meaning.array(machine, machine.evaluate(side, scope)) for side in node.comparators]
    if len(rights) != 1:
        return Unknown()
    right, op = rights[0], node.ops[0]
    if isinstance(op, ast.Is | ast.IsNot) and constant(right) is None and isinstance(right, Const):
        if isinstance(left, Const):
            return Const((left.value is None) == isinstance(op, ast.Is))
        there = isinstance(left, Object | Made | Function | Seq | Map | Rows | Flow | Batch)
        return Const(isinstance(op, ast.IsNot)) if there else Unknown()
    if isinstance(op, ast.Eq | ast.NotEq) and (answers_in(left) or answers_in(right)):
        return hits(machine, left, right, machine.place(node, scope))
    if isinstance(op, ast.Gt | ast.GtE) and isinstance(left, Flow) and number(right) is not None:
        return left  # scores against a threshold: still what the network says
    drawn = made_arrays.drawn_mask(left, op, right, machine.place(node, scope))
    if drawn is not None:
        machine.keep.append(left)
        return drawn
    if isinstance(left, Rows) or isinstance(right, Rows):
        found = row_expressions.compare(machine, op, left, right, machine.place(node, scope))
        return found if found is not None else Unknown()
    if isinstance(left, Const) and isinstance(right, Const):
        return _compared(op, left, right)
    if isinstance(left, Const) and isinstance(right, Seq) and right.whole and isinstance(op, ast.In | ast.NotIn):
        if all(isinstance(item, Const) for item in right.items):
            inside = any(constant(item) == left.value for item in right.items)
            return Const(inside == isinstance(op, ast.In))
    return Unknown()


def _compared(op: ast.cmpop, left: Const, right: Const) -> Value:
    compare: dict[type[ast.cmpop], Callable[[object, object], bool]] = {
        ast.Eq: lambda a, b: a == b,
        ast.NotEq: lambda a, b: a != b,
        ast.Lt: lambda a, b: a < b,  # type: ignore[operator]
        ast.LtE: lambda a, b: a <= b,  # type: ignore[operator]
        ast.Gt: lambda a, b: a > b,  # type: ignore[operator]
        ast.GtE: lambda a, b: a >= b,  # type: ignore[operator]
        ast.In: lambda a, b: a in b,  # type: ignore[operator]
        ast.NotIn: lambda a, b: a not in b,  # type: ignore[operator]
    }
    try:
        return Const(bool(compare[type(op)](left.value, right.value))) if type(op) in compare else Unknown()
    except TypeError:
        return Unknown()


def conditional(machine: Machine, node: ast.IfExp, scope: Scope) -> Value:
    known = truth(machine.evaluate(node.test, scope))
    if known is not None:
        return machine.evaluate(node.body if known else node.orelse, scope)
    sides = (node.body, node.orelse)
    return join(machine.alternatives([partial(machine.evaluate, side, scope) for side in sides]))
