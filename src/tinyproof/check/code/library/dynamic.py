"""Code that reaches names and attributes by text: exec, globals(), setattr, %run. Read where it can be, else forgotten.

What may have been changed by text that is not known stands for nothing any more, so that no rule and no verdict rests
on it.
"""

from __future__ import annotations

import ast
from collections.abc import Callable

from tinyproof.check.code.clean import parse_anew, parse_cell
from tinyproof.check.code.interpreter.machine import Machine
from tinyproof.check.code.interpreter.values import (
    Const,
    Made,
    Map,
    Namespace,
    Object,
    Scope,
    Unknown,
    Value,
    call_it,
    constant,
)

MAX_TEXT = 20_000  # characters of code in a text that are read as code
_HARMLESS_MAGICS = frozenset(
    (
        *("matplotlib", "load_ext", "reload_ext", "autoreload", "config", "pip", "conda", "env", "cd", "pwd", "mkdir"),
        *("time", "timeit", "tensorboard", "pylab", "capture", "who", "whos", "system", "sx", "ls", "watermark"),
    )
)
Handler = Callable[[Machine, list[Value], dict[str, Value], ast.AST, Scope], Value]


def run_text(machine: Machine, text: object, node: ast.AST, scope: Scope) -> Value:
    """Walk through code that is given as text, in the names of `scope`; forget all of them where it is not known."""
    parsed = parse_anew(text) if isinstance(text, str) and len(text) <= MAX_TEXT else None
    if parsed is None or parsed.unread:
        machine.forget(scope, node)
        return Unknown()
    for statement in parsed.statements:
        for part in ast.walk(statement):
            if hasattr(part, "lineno"):
                part.lineno = getattr(node, "lineno", 1)
        machine.execute([statement], scope)
    return Unknown()


def _exec(machine: Machine, args: list[Value], kwargs: dict[str, Value], node: ast.AST, scope: Scope) -> Value:
    run_text(machine, constant(args[0]) if args else None, node, scope)
    return Const(None)


def _eval(machine: Machine, args: list[Value], kwargs: dict[str, Value], node: ast.AST, scope: Scope) -> Value:
    text = constant(args[0]) if args else None
    if isinstance(text, str) and len(text) <= MAX_TEXT:
        parsed = parse_cell(text)
        if len(parsed.statements) == 1 and isinstance(parsed.statements[0], ast.Expr) and not parsed.unread:
            return machine.evaluate(parsed.statements[0].value, scope)
    return Unknown()  # an expression seldom changes names; what it gives is not known


def _namespace(machine: Machine, args: list[Value], kwargs: dict[str, Value], node: ast.AST, scope: Scope) -> Value:
    if not args:
        return Namespace(scope.module)
    machine.alter(args[0])
    return Map({}, whole=False)


def _set_attribute(machine: Machine, args: list[Value], kwargs: dict[str, Value], node: ast.AST, scope: Scope) -> Value:
    if len(args) < 3:
        return Const(None)
    owner, name = args[0], constant(args[1])
    if isinstance(name, str) and name.isidentifier():
        machine.set_attribute(owner, name, args[2], node, scope)
    elif isinstance(owner, Namespace):
        machine.forget(scope, node)
    elif isinstance(owner, Object | Made):
        machine.alter(owner)
        machine.events.called.add(id(args[2]))
    return Const(None)


def _import_module(machine: Machine, args: list[Value], kwargs: dict[str, Value], node: ast.AST, scope: Scope) -> Value:
    name = constant(args[0]) if args else None
    local = machine.module(name, scope.file) if isinstance(name, str) else None
    return Namespace(local) if local is not None else Unknown(str(name or ""))


def _shell(machine: Machine, args: list[Value], kwargs: dict[str, Value], node: ast.AST, scope: Scope) -> Value:
    return Made("builtins.get_ipython", [], {}, machine.place(node, scope))


CALLS: dict[str, Handler] = {
    "builtins.exec": _exec,
    "builtins.eval": _eval,
    "builtins.globals": _namespace,
    "builtins.locals": _namespace,
    "builtins.vars": _namespace,
    "builtins.setattr": _set_attribute,
    "builtins.object.__setattr__": _set_attribute,
    "builtins.get_ipython": _shell,
    "importlib.import_module": _import_module,
}


def of_namespace(
    machine: Machine, owner: Namespace, name: str, args: list[Value], kwargs: dict[str, Value], node: ast.AST
) -> Value:
    """A method of globals(): what it binds is bound, what it may bind is forgotten."""
    key = constant(args[0]) if args else None
    if name in ("get", "pop", "__getitem__") and isinstance(key, str):
        return owner.scope.names.get(key, args[1] if len(args) > 1 else Unknown(key))
    if name in ("__setitem__", "setdefault") and isinstance(key, str) and len(args) > 1:
        if name == "__setitem__" or key not in owner.scope.names:
            owner.scope.names[key] = args[1]
            call_it(args[1], key)
        return args[1]
    if name == "update" and all(isinstance(arg, Map) and arg.whole for arg in args):
        given = {str(k): v for arg in args if isinstance(arg, Map) for k, v in arg.items.items()} | kwargs
        owner.scope.names.update(given)
        for bound, value in given.items():
            call_it(value, bound)
        return Const(None)
    if name in ("update", "__setitem__", "setdefault", "pop", "popitem", "clear", "__delitem__"):
        machine.forget(owner.scope, node)
    return Unknown()


def of_shell(machine: Machine, name: str, args: list[Value], node: ast.AST, scope: Scope) -> Value:
    """A method of get_ipython(): magics that run code are read, where their file is here."""
    words = [constant(arg) for arg in args]
    if name in ("run_line_magic", "magic") and words:
        line = " ".join(str(word) for word in words if isinstance(word, str)).lstrip("%")
        magic, _, rest = line.partition(" ")
        if magic == "run":
            _run_file(machine, rest, node, scope)
        elif magic not in _HARMLESS_MAGICS:
            machine.forget(scope, node)
    elif name in ("ex", "ev", "run_cell", "run_cell_magic"):
        run_text(machine, words[-1] if words and name != "run_cell_magic" else None, node, scope)
    elif name in ("push", "drop_by_id", "reset"):
        machine.forget(scope, node)
    return Unknown()


def _run_file(machine: Machine, rest: str, node: ast.AST, scope: Scope) -> None:
    """`%run file.py`: its names are this notebook's from then on."""
    options_left = [word for word in rest.split() if not word.startswith("-")]
    file = options_left[0].strip("'\"") if options_left else ""
    local = machine.file(file, scope.file)
    if local is None:
        machine.events.missing_modules.append(file or "%run")
        machine.forget(scope, node)
        return
    scope.module.names.update(local.names)
    scope.module.stars.extend(star for star in local.stars if star not in scope.module.stars)
