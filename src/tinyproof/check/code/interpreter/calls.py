"""Calls: into functions and classes of the notebook's own, into libraries, into the unknown."""

from __future__ import annotations

import ast
from functools import partial

from tinyproof.check.code.interpreter.attributes import attribute, find_member, is_network, library_bases
from tinyproof.check.code.interpreter.events import Impossible
from tinyproof.check.code.interpreter.flows import BATCH, Batch
from tinyproof.check.code.interpreter.machine import MAX_DEPTH, Machine
from tinyproof.check.code.interpreter.maps import ABSENT, mapped, one_map
from tinyproof.check.code.interpreter.turns import Frame
from tinyproof.check.code.interpreter.values import (
    MAX_ITEMS,
    Class,
    Const,
    Function,
    Made,
    Map,
    Object,
    Scope,
    Seq,
    Unknown,
    Value,
    join,
    options,
)
from tinyproof.check.code.interpreter.ways import merged_modes


def call(machine: Machine, node: ast.Call, scope: Scope) -> Value:
    """The value of a call expression."""
    if isinstance(node.func, ast.Attribute) and _is_super(node.func.value):
        return _call_super(machine, node, scope)
    function = _called(machine, node.func, scope)
    args = _arguments(machine, node, scope)
    kwargs, is_open = _keywords(machine, node, scope)
    ways = [
        partial(call_value, machine, option, args, kwargs, node, scope, is_open=is_open) for option in options(function)
    ]
    return join(machine.alternatives(ways))


def _called(machine: Machine, node: ast.expr, scope: Scope) -> Value:
    """What is called: of a table, `table.name(...)` is a method, where `table.name` is a column."""
    if not isinstance(node, ast.Attribute):
        return machine.evaluate(node, scope)
    machine.tick()
    owner = machine.evaluate(node.value, scope)
    return join([attribute(machine, option, node.attr, node, scope) for option in options(owner)])


def _arguments(machine: Machine, node: ast.Call, scope: Scope) -> list[Value]:
    args: list[Value] = []
    for argument in node.args:
        if isinstance(argument, ast.Starred):
            value = machine.evaluate(argument.value, scope)
            if isinstance(value, Seq):
                args.extend(value.items[: MAX_ITEMS + 1 - len(args)])
                if not value.whole or len(args) > MAX_ITEMS:
                    args.append(Unknown("*"))
            else:
                args.extend([value] if isinstance(value, Batch) else [])  # `net(*batch)`
                args.append(Unknown("*"))
        else:
            args.append(machine.evaluate(argument, scope))
    return args


def _keywords(machine: Machine, node: ast.Call, scope: Scope) -> tuple[dict[str, Value], bool]:
    kwargs: dict[str, Value] = {}
    is_open = False
    for keyword in node.keywords:
        value = machine.evaluate(keyword.value, scope)
        given = Map({keyword.arg: value}) if keyword.arg is not None else one_map(value)
        twice = next((key for key in given.items if ABSENT not in options(kwargs.get(str(key), ABSENT))), None)
        if twice is not None:
            machine.events.impossible.append(Impossible(machine.place(node, scope), f"{twice} is given twice"))
        is_open = is_open or not given.whole
        whole = [option for option in options(value) if isinstance(option, Batch)]
        if keyword.arg is None and whole:
            kwargs[BATCH] = whole[0]
        kwargs.update({key: item for key, item in given.items.items() if isinstance(key, str)})
    machine.copied(len(kwargs))
    return kwargs, is_open


def call_value(
    machine: Machine,
    function: Value,
    args: list[Value],
    kwargs: dict[str, Value],
    node: ast.AST,
    scope: Scope,
    is_open: bool = False,
) -> Value:
    """Call one value with evaluated arguments."""
    if isinstance(function, Function):
        result = follow(machine, function, args, kwargs, node, scope, is_open)
        return machine.meaning.followed(machine, function, args, result, machine.place(node, scope))
    if isinstance(function, Class):
        return instantiate(machine, function, args, kwargs, node, scope)
    if isinstance(function, Object):
        called = find_member(function.cls, "__call__")
        of_flax = any(path.startswith(("flax.", "equinox.", "haiku.")) for path in library_bases(function.cls))
        if isinstance(called, Function) and not of_flax:
            return follow(machine, _bound(called, function), args, kwargs, node, scope, is_open)
    return machine.meaning.foreign(machine, function, args, kwargs, node, scope, is_open)


def _bound(function: Function, owner: Value) -> Function:
    return Function(
        function.node,
        function.scope,
        name=function.name,
        cell=function.cell,
        owner=owner,
        no_grad=function.no_grad,
        kind="plain",
        home=function.home,
    )


def follow(
    machine: Machine,
    function: Function,
    args: list[Value],
    kwargs: dict[str, Value],
    node: ast.AST,
    scope: Scope,
    is_open: bool = False,
) -> Value:
    """Walk through the body of a function with its parameters bound."""
    depth = sum(frame.function.node is function.node for frame in machine.frames)
    if depth >= 2 or len(machine.frames) >= MAX_DEPTH:
        return Unknown()
    inner = Scope(function.scope.file, function.cell, function.scope)
    given = [function.owner, *args] if function.owner is not None else args
    _bind_parameters(machine, function, given, kwargs, inner, is_open)
    machine.functions_entered.add(id(function.node))
    machine.frames.append(Frame(function, machine.place(node, scope), _texts(function, node)))
    machine.no_grad += function.no_grad
    machine.returns.append([])
    machine.exits.append([])
    conditions, machine.conditions, sides = machine.conditions, 0, len(machine.sides)
    inner.names.setdefault("__class__", function.home or Const(None))
    ended = False
    try:
        if isinstance(function.node, ast.Lambda):
            machine.returns[-1].append(machine.evaluate(function.node.body, inner))
        else:
            ended = machine.execute(function.node.body, inner)
            if not ended and not machine.returns[-1]:
                machine.returns[-1].append(Const(None))
    finally:
        machine.no_grad -= function.no_grad
        machine.conditions = conditions
        del machine.sides[sides:]
        machine.frames.pop()
        returned, exits = machine.returns.pop(), machine.exits.pop()
    if exits:
        machine.modes = merged_modes([*exits, *([] if ended else [machine.modes])])
    return join(returned)


def _bind_parameters(
    machine: Machine,
    function: Function,
    args: list[Value],
    kwargs: dict[str, Value],
    inner: Scope,
    is_open: bool,
) -> None:
    spec = function.node.args
    names = [a.arg for a in (*spec.posonlyargs, *spec.args)]
    outer = Scope(function.scope.file, function.cell, function.scope)
    defaults: dict[str, ast.expr] = dict(zip(names[len(names) - len(spec.defaults) :], spec.defaults, strict=True))
    defaults |= {a.arg: d for a, d in zip(spec.kwonlyargs, spec.kw_defaults, strict=True) if d is not None}
    starred = any(isinstance(arg, Unknown) and arg.name == "*" for arg in args)
    for index, name in enumerate([*names, *(a.arg for a in spec.kwonlyargs)]):
        if index < len(names) and index < len(args):
            inner.names[name] = Unknown(name) if starred else args[index]
        elif name in kwargs:
            inner.names[name] = kwargs[name]
        elif name in defaults and not is_open and not starred:
            inner.names[name] = machine.evaluate(defaults[name], outer)
        else:
            inner.names[name] = Unknown(name)
    if spec.vararg is not None:
        inner.names[spec.vararg.arg] = Seq(args[len(names) :], whole=not starred)
    if spec.kwarg is not None:
        rest = {k: v for k, v in kwargs.items() if k not in inner.names}
        inner.names[spec.kwarg.arg] = mapped({}, rest, whole=not is_open)


def _texts(function: Function, node: ast.AST) -> dict[str, str]:
    """The text of each argument, by the name of the parameter it is given to."""
    if not isinstance(node, ast.Call):
        return {}
    names = [a.arg for a in (*function.node.args.posonlyargs, *function.node.args.args)]
    if function.owner is not None:
        names = names[1:]
    texts = {name: ast.unparse(arg)[:80] for name, arg in zip(names, node.args, strict=False)}
    return texts | {k.arg: ast.unparse(k.value)[:80] for k in node.keywords if k.arg is not None}


def instantiate(
    machine: Machine, cls: Class, args: list[Value], kwargs: dict[str, Value], node: ast.AST, scope: Scope
) -> Value:
    """An object of a class of the notebook's own, its __init__ walked through."""
    made = Object(cls, args, kwargs, machine.place(node, scope))
    machine.keep.append(made)
    initialise = find_member(cls, "__init__")
    if isinstance(initialise, Function):
        machine.building += is_network(cls)
        try:
            follow(machine, _bound(initialise, made), args, kwargs, node, scope)
        finally:
            machine.building -= is_network(cls)
    elif "__dataclass__" in cls.members or any(path.endswith("NamedTuple") for path in library_bases(cls)):
        fields = [s.target.id for s in cls.node.body if isinstance(s, ast.AnnAssign) and isinstance(s.target, ast.Name)]
        made.attrs.update(zip(fields, args, strict=False))
        made.attrs.update(kwargs)
    if is_network(cls):
        machine.events.networks.append(made)
    elif any(path == "?" for path in library_bases(cls)):
        for value in (*args, *kwargs.values()):
            machine.escape(value)
    return made


def _is_super(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "super"


def _call_super(machine: Machine, node: ast.Call, scope: Scope) -> Value:
    assert isinstance(node.func, ast.Attribute)
    owner = machine.frames[-1].function.owner if machine.frames else None
    home = machine.frames[-1].function.home if machine.frames else None
    args = _arguments(machine, node, scope)
    kwargs, is_open = _keywords(machine, node, scope)
    if not isinstance(owner, Object) or home is None:
        return Unknown()
    for base in home.bases:
        if isinstance(base, Class):
            member = find_member(base, node.func.attr)
            if isinstance(member, Function):
                return follow(machine, _bound(member, owner), args, kwargs, node, scope, is_open)
    if node.func.attr == "__init__":
        if not any("Module" in path for path in library_bases(home)):
            owner.attrs.setdefault("(super)", Seq(list(args)))
            owner.attrs.setdefault("(super keywords)", mapped({}, kwargs))
        if any(path.endswith("nn.Sequential") for path in library_bases(home)):
            owner.attrs["(layers)"] = Made("torch.nn.Sequential", args, {}, machine.place(node, scope))
    elif node.func.attr == "forward" and "(layers)" in owner.attrs:
        return call_value(machine, owner.attrs["(layers)"], args, kwargs, node, scope)
    return Const(None) if node.func.attr == "__init__" else Unknown()
