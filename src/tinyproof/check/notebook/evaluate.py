"""Expressions: the value of each, as far as it can be known without running it."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable

from tinyproof.check.notebook.attributes import attribute
from tinyproof.check.notebook.calls import call
from tinyproof.check.notebook.events import Average, Pass
from tinyproof.check.notebook.loops import element, loader_of, turns
from tinyproof.check.notebook.machine import Machine
from tinyproof.check.notebook.quantities import add, divide, multiply
from tinyproof.check.notebook.values import (
    Batch,
    Choice,
    Const,
    Flow,
    Function,
    Made,
    Map,
    Name,
    Object,
    Op,
    Quantity,
    Scope,
    Seq,
    Unknown,
    Value,
    call_it,
    constant,
    join,
    number,
    options,
)
from tinyproof.core.finding import CodePlace

_BUILTINS = frozenset(dir(builtins))


def evaluate(machine: Machine, node: ast.expr, scope: Scope) -> Value:
    """The value of an expression; Unknown where it cannot be known."""
    machine.tick()
    handler = _HANDLERS.get(type(node))
    return handler(machine, node, scope) if handler is not None else Unknown()


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


def _name(machine: Machine, node: ast.Name, scope: Scope) -> Value:
    value = lookup(node.id, scope)
    if isinstance(value, Quantity) and id(value) in machine.replaced:
        event = machine.replaced[id(value)]
        if event.turn not in machine.passes:
            del machine.replaced[id(value)]
            machine.events.overwritten.append(event)
    return value


def lookup(name: str, scope: Scope) -> Value:
    """What a name stands for here: local, enclosing, module, star import of a library, built in."""
    here: Scope | None = scope.module if name in scope.globals else scope
    stars: list[str] = []
    while here is not None:
        if name in here.names:
            return here.names[name]
        stars = here.stars or stars
        here = here.parent
    if name in _BUILTINS:
        return Name(f"builtins.{name}")
    if name == "__name__":
        return Const("__main__") if scope.module.cell is not None or scope.module.main else Const(scope.file)
    known = [star for star in stars if star != "?"]
    if known and "?" not in stars:
        return Name(f"{known[-1]}.{name}")
    return Unknown(name)


def _constant(machine: Machine, node: ast.Constant, scope: Scope) -> Value:
    return Unknown() if node.value is ... else Const(node.value)


def _attribute(machine: Machine, node: ast.Attribute, scope: Scope) -> Value:
    owner = evaluate(machine, node.value, scope)
    return join([attribute(machine, option, node.attr, node, scope) for option in options(owner)])


def _sequence(machine: Machine, node: ast.List | ast.Tuple | ast.Set, scope: Scope) -> Value:
    items: list[Value] = []
    whole = True
    for element_node in node.elts[:2_000]:
        if isinstance(element_node, ast.Starred):
            inner = evaluate(machine, element_node.value, scope)
            if isinstance(inner, Seq) and inner.whole:
                items.extend(inner.items)
            else:
                items.extend(inner.items if isinstance(inner, Seq) else [])
                whole = False
        else:
            items.append(evaluate(machine, element_node, scope))
    return Seq(items, whole and len(node.elts) <= 2_000)


def _dict(machine: Machine, node: ast.Dict, scope: Scope) -> Value:
    made = Map({})
    for key_node, value_node in zip(node.keys, node.values, strict=True):
        value = evaluate(machine, value_node, scope)
        if key_node is None:
            if isinstance(value, Map):
                made.items.update(value.items)
                made.whole = made.whole and value.whole
            else:
                made.whole = False
            continue
        key = constant(evaluate(machine, key_node, scope))
        if isinstance(key, str | int):
            made.items[key] = value
            if isinstance(key, str):
                call_it(value, key)
        else:
            made.whole = False
    return made


def _binary(machine: Machine, node: ast.BinOp, scope: Scope) -> Value:
    left, right = evaluate(machine, node.left, scope), evaluate(machine, node.right, scope)
    return binary(machine, node.op, left, right, node, scope)


def binary(machine: Machine, op: ast.operator, left: Value, right: Value, node: ast.AST, scope: Scope) -> Value:
    """left op right."""
    flows = [side for side in (left, right) if isinstance(side, Flow)]
    if flows and not any(isinstance(side, Quantity) for side in (left, right)):
        return _joined_flows(machine, flows, node, scope)
    if isinstance(op, ast.Add):
        return add(left, right)
    if isinstance(op, ast.Mult):
        if isinstance(left, Seq) or isinstance(right, Seq):
            return _repeated(left, right)
        return multiply(left, right)
    if isinstance(op, ast.Div | ast.FloorDiv):
        return _quotient(machine, op, left, right, node, scope)
    a, b = number(left), number(right)
    if a is not None and b is not None and isinstance(op, ast.Sub):
        whole = isinstance(constant(left), int) and isinstance(constant(right), int)
        return Const(int(a - b) if whole else a - b)
    if a is not None and b is not None and isinstance(op, ast.Pow) and abs(a) <= 1e4 and abs(b) <= 8:
        return Const(float(a**b)) if a > 0 else Unknown()
    return Unknown()


def _quotient(machine: Machine, op: ast.operator, left: Value, right: Value, node: ast.AST, scope: Scope) -> Value:
    result, averaged = divide(left, right)
    if averaged is not None:
        turn = machine.passes[-1] if machine.passes else None
        machine.events.averages.append(Average(*averaged, machine.place(node, scope), turn))
    if isinstance(op, ast.FloorDiv) and isinstance(result, Const) and isinstance(result.value, float):
        return Const(int(result.value // 1))
    return result


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


def _unary(machine: Machine, node: ast.UnaryOp, scope: Scope) -> Value:
    value = evaluate(machine, node.operand, scope)
    if isinstance(node.op, ast.Not):
        known = truth(value)
        return Unknown() if known is None else Const(not known)
    known_number = number(value)
    if isinstance(node.op, ast.USub) and known_number is not None:
        return Const(-known_number if isinstance(constant(value), float) else -int(known_number))
    return value if isinstance(node.op, ast.UAdd) else Unknown()


def _boolean(machine: Machine, node: ast.BoolOp, scope: Scope) -> Value:
    values = [evaluate(machine, part, scope) for part in node.values]
    answers = [truth(value) for value in values]
    stops = isinstance(node.op, ast.Or)
    for value, answer in zip(values, answers, strict=True):
        if answer is stops:
            return value
        if answer is None:
            return join(values)
    return values[-1]


def _compare(machine: Machine, node: ast.Compare, scope: Scope) -> Value:
    left = evaluate(machine, node.left, scope)
    rights = [evaluate(machine, comparator, scope) for comparator in node.comparators]
    if len(rights) != 1:
        return Unknown()
    right, op = rights[0], node.ops[0]
    if isinstance(op, ast.Eq | ast.NotEq) and (isinstance(left, Flow) or isinstance(right, Flow)):
        return hits(machine, left, right, machine.place(node, scope))
    if isinstance(op, ast.Is | ast.IsNot) and constant(right) is None and isinstance(right, Const):
        if isinstance(left, Const):
            return Const((left.value is None) == isinstance(op, ast.Is))
        if isinstance(left, Object | Made | Function | Seq | Map):
            return Const(isinstance(op, ast.IsNot))
        return Unknown()
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


def hits(machine: Machine, left: Value, right: Value, place: object) -> Value:
    """The comparison of predictions with labels."""
    flow = left if isinstance(left, Flow) else right
    source = flow.source if isinstance(flow, Flow) else None
    if machine.passes:
        machine.passes[-1].hits = True
    loader = source.loader if isinstance(source, Batch) else None
    return Quantity("hits", "each", "batch", loader, None, machine.passes[-1] if machine.passes else None)


def _conditional(machine: Machine, node: ast.IfExp, scope: Scope) -> Value:
    known = truth(evaluate(machine, node.test, scope))
    if known is not None:
        return evaluate(machine, node.body if known else node.orelse, scope)
    return join([evaluate(machine, node.body, scope), evaluate(machine, node.orelse, scope)])


def _subscript(machine: Machine, node: ast.Subscript, scope: Scope) -> Value:
    owner = evaluate(machine, node.value, scope)
    index = Unknown() if isinstance(node.slice, ast.Slice) else evaluate(machine, node.slice, scope)
    return join([_element(option, index, isinstance(node.slice, ast.Slice)) for option in options(owner)])


def _element(owner: Value, index: Value, is_slice: bool) -> Value:
    key = constant(index)
    if isinstance(owner, Seq):
        if isinstance(key, int) and -len(owner.items) <= key < len(owner.items) and (owner.whole or key in (-1, 0)):
            return owner.items[key]
        if is_slice:
            return Seq(list(owner.items), False)
        return join(list(owner.items)) if owner.items and key is None else Unknown()
    if isinstance(owner, Map):
        if isinstance(key, str | int) and key in owner.items:
            return owner.items[key]
        return join(list(owner.items.values())) if key is None and owner.whole and owner.items else Unknown()
    if isinstance(owner, Batch):
        return Batch(owner.loader, "part")
    if isinstance(owner, Made):
        if owner.path == ".shape":
            return Quantity("images", "unknown", "batch") if key == 0 else Unknown()
        if owner.path == "torch.nn.Sequential" and isinstance(key, int) and -len(owner.args) <= key < len(owner.args):
            return owner.args[key]
        if "load_dataset" in owner.path and isinstance(key, str):
            return Made(owner.path, owner.args, {**owner.kwargs, "split": Const(key)}, owner.place)
        return Unknown()
    if isinstance(owner, Flow):
        return Flow((*owner.ops, Op("getitem", _NOWHERE)), owner.model, owner.source, straight=False)
    return owner if isinstance(owner, Quantity) else Unknown()


_NOWHERE = CodePlace("")


def items_of(machine: Machine, value: Value, count: int) -> list[Value]:
    """The parts of a value that is unpacked into `count` targets."""
    if isinstance(value, Choice):
        rows = [items_of(machine, option, count) for option in value.options]
        return [join([row[i] for row in rows]) for i in range(count)]
    if isinstance(value, Seq) and len(value.items) == count:
        return value.items
    if isinstance(value, Batch):
        return [Batch(value.loader, "part") for _ in range(count)]
    if isinstance(value, Made) and value.path == ".shape":
        return [Quantity("images", "unknown", "batch"), *(Unknown() for _ in range(count - 1))]
    if isinstance(value, Made) and value.path == "torch.utils.data.random_split":
        return [Made(value.path, [*value.args, Const(i)], value.kwargs, value.place) for i in range(count)]
    if isinstance(value, Flow):
        return [value] * count
    return [Unknown() for _ in range(count)]


def _formatted(machine: Machine, node: ast.JoinedStr, scope: Scope) -> Value:
    for part in node.values:
        if isinstance(part, ast.FormattedValue):
            evaluate(machine, part.value, scope)
    return Unknown()


def _lambda(machine: Machine, node: ast.Lambda, scope: Scope) -> Value:
    return Function(node, scope, "lambda", scope.cell)


def _comprehension(
    machine: Machine, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp, scope: Scope
) -> Value:
    rows = _rows(machine, node, scope)
    if rows is not None:
        return _written_out(machine, node, rows)
    inner = Scope(scope.file, scope.cell, scope)
    entered = 0
    for part in node.generators:
        iterable = evaluate(machine, part.iter, inner)
        loader = loader_of(iterable)
        if loader is not None:
            text = ast.unparse(part.iter)[:200]
            turn = Pass(loader, machine.place(node, scope), text, tuple(machine.frames), tuple(machine.loops))
            machine.passes.append(turn)
            machine.events.passes.append(turn)
            entered += 1
        machine.bind(part.target, element(iterable), inner)
        for condition in part.ifs:
            evaluate(machine, condition, inner)
    value = evaluate(machine, node.value if isinstance(node, ast.DictComp) else node.elt, inner)
    for _ in range(entered):
        turn = machine.passes.pop()
        turn.counted = turn.counted or isinstance(value, Quantity)
    return Map({}, whole=False) if isinstance(node, ast.DictComp) else Seq([value], whole=False)


def _rows(
    machine: Machine, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp, scope: Scope
) -> list[Scope] | None:
    """The scopes of each turn of a comprehension over a short list; None where it goes over something else."""
    if len(node.generators) != 1 or node.generators[0].ifs:
        return None
    part = node.generators[0]
    iterable = evaluate(machine, part.iter, scope)
    if loader_of(iterable) is not None:
        return None
    found = list(turns(machine, iterable, part.iter, scope))
    if not found or found[0].count != len(found):
        return None
    rows = []
    for turn in found:
        inner = Scope(scope.file, scope.cell, scope)
        machine.bind(part.target, turn.value, inner)
        rows.append(inner)
    return rows


def _written_out(
    machine: Machine, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp, rows: list[Scope]
) -> Value:
    if not isinstance(node, ast.DictComp):
        return Seq([evaluate(machine, node.elt, row) for row in rows])
    made = Map({})
    for row in rows:
        key, value = constant(evaluate(machine, node.key, row)), evaluate(machine, node.value, row)
        if isinstance(key, str | int):
            made.items[key] = value
            call_it(value, str(key))
        else:
            made.whole = False
    return made


def _walrus(machine: Machine, node: ast.NamedExpr, scope: Scope) -> Value:
    value = evaluate(machine, node.value, scope)
    machine.bind(node.target, value, scope)
    return value


def _inner(machine: Machine, node: ast.Await | ast.Starred, scope: Scope) -> Value:
    return evaluate(machine, node.value, scope)


def _yield(machine: Machine, node: ast.Yield, scope: Scope) -> Value:
    value = evaluate(machine, node.value, scope) if node.value is not None else Const(None)
    if machine.returns:
        machine.returns[-1].append(Seq([value], whole=False))
    return Unknown()


_HANDLERS: dict[type[ast.expr], Callable[..., Value]] = {
    ast.Name: _name,
    ast.Constant: _constant,
    ast.Attribute: _attribute,
    ast.List: _sequence,
    ast.Tuple: _sequence,
    ast.Set: _sequence,
    ast.Dict: _dict,
    ast.Call: call,
    ast.BinOp: _binary,
    ast.UnaryOp: _unary,
    ast.BoolOp: _boolean,
    ast.Compare: _compare,
    ast.IfExp: _conditional,
    ast.Subscript: _subscript,
    ast.JoinedStr: _formatted,
    ast.Lambda: _lambda,
    ast.ListComp: _comprehension,
    ast.SetComp: _comprehension,
    ast.GeneratorExp: _comprehension,
    ast.DictComp: _comprehension,
    ast.NamedExpr: _walrus,
    ast.Await: _inner,
    ast.Starred: _inner,
    ast.Yield: _yield,
}
