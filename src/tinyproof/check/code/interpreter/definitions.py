"""Functions and classes of the notebook as they are defined."""

from __future__ import annotations

import ast

from tinyproof.check.code.interpreter.expressions import evaluate
from tinyproof.check.code.interpreter.machine import Machine
from tinyproof.check.code.interpreter.values import Class, Const, Function, Scope, options


def define_function(machine: Machine, node: ast.FunctionDef | ast.AsyncFunctionDef, scope: Scope) -> bool:
    decorators = {ast.unparse(d).rpartition(".")[2].split("(")[0] for d in node.decorator_list}
    no_grad = bool(decorators & {"no_grad", "inference_mode"})
    function = Function(node, scope, node.name, scope.cell, no_grad=no_grad)
    for name, kind in (("staticmethod", "static"), ("classmethod", "class"), ("property", "property")):
        if name in decorators:
            function.kind = kind  # type: ignore[assignment]
    scope.names[node.name] = function
    for decorator in node.decorator_list:
        for option in options(evaluate(machine, decorator, scope)):
            if isinstance(option, Function):
                machine.call_value(option, [function], {}, node, scope)  # for what else it does
    return False


def define_class(machine: Machine, node: ast.ClassDef, scope: Scope) -> bool:
    bases = [evaluate(machine, base, scope) for base in node.bases]
    body = Scope(scope.file, scope.cell, scope)
    machine.execute(node.body, body)
    cls = Class(node.name, node, bases, body.names, scope.cell, scope.file)
    for member in body.names.values():
        if isinstance(member, Function):
            member.scope, member.home = scope, cls
    scope.names[node.name] = cls
    if any("dataclass" in ast.unparse(d) for d in node.decorator_list):
        cls.members["__dataclass__"] = Const(True)
    return False
