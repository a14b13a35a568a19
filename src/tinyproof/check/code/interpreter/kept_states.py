"""The best network so far, kept in a loop under a name: a copy of its weights, or the network that goes on learning."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tinyproof.check.code.interpreter.expressions import evaluate
from tinyproof.check.code.interpreter.machine import Machine
from tinyproof.check.code.interpreter.turns import KeptState, Loop
from tinyproof.check.code.interpreter.values import Made, Object, Scope, Value


def note_kept(machine: Machine, node: ast.Assign, scope: Scope) -> None:
    """A network, or its weights without a copy, is given another name under a condition in a loop."""
    if not machine.loops:
        return
    for target, value in pairs_of(node):
        if not isinstance(target, ast.Name):
            continue
        source, alias = (value, True) if isinstance(value, ast.Name) else (_state_of(value), False)
        if not isinstance(source, ast.Name | ast.Attribute) or (alias and ast.unparse(source) == target.id):
            continue
        model = evaluate(machine, source, scope)
        loop = next((loop for loop in machine.loops if _is_older(machine, model, loop)), None)
        if loop is not None and (not alias or _is_chosen(loop, node)):
            place = machine.place(node, scope)
            machine.events.kept_states.append(KeptState(target.id, model, loop, place, alias))


def note_loaded(machine: Machine, owner: Value | None, node: ast.AST, scope: Scope) -> None:
    """`model.load_state_dict(name)`, `torch.save(name, ...)`: what is kept under the name is taken up."""
    if not isinstance(node, ast.Call) or not node.args or not isinstance(node.args[0], ast.Name):
        return
    for kept in machine.events.kept_states:
        same = not kept.alias and kept.name == node.args[0].id and (owner is None or owner is kept.model)
        if same and (owner is not None or kept.loop not in machine.loops):
            kept.loaded = kept.loaded or machine.place(node, scope)


def pairs_of(node: ast.Assign) -> Iterator[tuple[ast.expr, ast.expr]]:
    """What is given to what by `a = b` or `a, c = b, d`."""
    target, value = node.targets[0], node.value
    if len(node.targets) != 1:
        return
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
        yield from zip(target.elts, value.elts, strict=True)
    else:
        yield target, value


def _state_of(node: ast.expr) -> ast.expr | None:
    """The network whose `state_dict()`, or a shallow copy of it, an expression is."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and not node.args:
        if node.func.attr == "state_dict":
            return node.func.value
        if node.func.attr == "copy" and isinstance(node.func.value, ast.Call):
            return _state_of(node.func.value)
    return None


def _is_older(machine: Machine, model: Value, loop: Loop) -> bool:
    """Whether a network was there when a loop began, so that every turn goes on with it."""
    if isinstance(model, Object):
        return any(model is other for other in machine.events.networks[: loop.networks_before])
    return isinstance(model, Made) and any(model is other for other in machine.events.made[: loop.made_before])


def _is_chosen(loop: Loop, node: ast.Assign) -> bool:
    """Whether a statement stands under a comparison in a loop, which goes on after it."""
    for statement in loop.body:
        for part in ast.walk(statement):
            if isinstance(part, ast.If) and any(inner is node for inner in part.body):
                compared = any(isinstance(inner, ast.Compare) for inner in ast.walk(part.test))
                return compared and not any(isinstance(inner, ast.Break | ast.Return) for inner in ast.walk(part))
    return False


def keeps_network(body: list[ast.stmt]) -> bool:
    """Whether statements keep a network: in a file, as a copy of its weights, under a name for the best."""
    return _saves_something(body) or _keeps_the_best(body)


def _keeps_the_best(body: list[ast.stmt]) -> bool:
    """`best_model = model`, `best_params = params`: a network or its weights are given a name for the best."""
    return any(
        isinstance(target, ast.Name)
        and isinstance(value, ast.Name | ast.Attribute)
        and re.match(r"best|champion|top", target.id, re.IGNORECASE)
        and re.search(r"model|net|params|weights|state|clf|learner", ast.unparse(value), re.IGNORECASE)
        for statement in body
        if isinstance(statement, ast.Assign)
        for target, value in pairs_of(statement)
    )


def _saves_something(body: list[ast.stmt]) -> bool:
    """Whether statements keep a network: torch.save, a copy of its state, a checkpoint."""
    for statement in body:
        for node in ast.walk(statement):
            if isinstance(node, ast.Call):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                lowered = str(name).lower()
                if lowered in ("state_dict", "get_weights") or re.match(
                    r"save_?\w*(?:model|net|ckpt|checkpoint|state|weights|best)", lowered
                ):
                    return True
                if lowered == "save" and _is_torch_or_model(node.func):
                    return True
                if lowered == "deepcopy" and any(
                    "model" in ast.unparse(a) or "net" in ast.unparse(a) for a in node.args
                ):
                    return True
    return False


def _is_torch_or_model(function: ast.expr) -> bool:
    return isinstance(function, ast.Attribute) and any(
        word in ast.unparse(function.value).lower() for word in ("torch", "model", "net", "jit", "checkpoint")
    )
