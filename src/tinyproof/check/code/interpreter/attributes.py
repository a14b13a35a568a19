"""What `owner.name` is."""

from __future__ import annotations

import ast

from tinyproof.check.code.interpreter import picking, row_answers, row_expressions
from tinyproof.check.code.interpreter.flows import Batch, Flow, Quantity
from tinyproof.check.code.interpreter.imports import normal
from tinyproof.check.code.interpreter.machine import Machine
from tinyproof.check.code.interpreter.own_losses import own_loss, scores
from tinyproof.check.code.interpreter.rows import Parts, Rows
from tinyproof.check.code.interpreter.values import (
    Choice,
    Class,
    Function,
    Made,
    Method,
    ModuleValue,
    Name,
    Namespace,
    Object,
    Scope,
    Unknown,
    Value,
)

# Attributes that leave a tensor or a figure what it is.
_SAME = frozenset(("data", "T", "real", "mT", "values"))
_OF_LOADER = frozenset(("dataset", "sampler", "batch_sampler"))
# What libraries for texts and graphs call the parts of a batch.
_OF_BATCH = frozenset(("text", "label", "labels", "x", "y", "input_ids", "attention_mask", "image", "images", "target"))
_OF_DATA = frozenset(("data", "targets", "train_data", "test_data", "train_labels", "test_labels", "transform"))


OF_DATA_PATHS = frozenset("." + name for name in _OF_DATA)


def attribute(machine: Machine, owner: Value, name: str, node: ast.AST, scope: Scope) -> Value:
    """The value of one attribute of one value."""
    if isinstance(owner, Name):
        path = normal(f"{owner.path}.{name}")
        return Unknown(name) if path in machine.patched else Name(path)
    if isinstance(owner, Namespace):
        return owner.scope.names.get(name, Method(owner, name))
    if isinstance(owner, Rows):
        found = row_expressions.attribute(machine, owner, name, node, scope)
        return found if found is not None else Method(owner, name)
    if isinstance(owner, Parts) and name in owner.items:
        return owner.items[name]
    if isinstance(owner, Parts) and name in ("data", "_data") and 0 in owner.items:
        return owner.items[0]  # the graph of a data set that has only one
    if isinstance(owner, ModuleValue):
        return owner.scope.names.get(name, Unknown(name))
    if isinstance(owner, Object):
        return _of_object(machine, owner, name, node, scope)
    if isinstance(owner, Class):
        member = find_member(owner, name)
        return member if member is not None else Method(owner, name)
    if isinstance(owner, Made):
        if name in owner.attrs:
            return owner.attrs[name]
        if name in ("best_estimator_", "model", "model_", "module") and owner.path.startswith(
            ("sklearn.", "scikeras.")
        ):
            return owner
        if owner.short == "SimpleNamespace" and name in owner.kwargs:
            return owner.kwargs[name]
        return _of_made(owner, name, machine, node, scope)
    return _of_tensor(machine, owner, name, node, scope)


def _of_tensor(machine: Machine, owner: Value, name: str, node: ast.AST, scope: Scope) -> Value:
    if isinstance(owner, Unknown) and name in _OF_LOADER:
        return Made("." + name, [owner], {}, machine.place(node, scope))
    if isinstance(owner, Flow | Quantity | Batch):
        if name in _SAME:
            return owner
        if name == "shape":
            return Made(".shape", [owner], {}, machine.place(node, scope))
        if name == "x" and isinstance(owner, Flow) and not owner.ops:
            return owner  # what the nodes of a graph hold
        if name == "loss" and isinstance(owner, Flow):
            return own_loss(machine, owner, machine.place(node, scope), by_name=True) or Unknown(name)
    if isinstance(owner, Batch) and name in picking.NAMED and isinstance(owner.loader, Rows):
        return picking.named_part(owner.loader.paths[0].root, picking.NAMED[name])
    if isinstance(owner, Batch) and name in ("num_graphs", "batch_size"):
        return Quantity("images", "unknown", "batch", owner.loader)
    if isinstance(owner, Batch) and name in _OF_BATCH:
        return Batch(owner.loader, "part")
    if isinstance(owner, Flow) and name == "logits":
        return scores(owner)
    return Method(owner, name)


def _of_object(machine: Machine, owner: Object, name: str, node: ast.AST, scope: Scope) -> Value:
    if name in owner.attrs:
        machine.events.called.add(id(owner.attrs[name]))
        return owner.attrs[name]
    member = find_member(owner.cls, name)
    if isinstance(member, Function):
        if member.kind == "static":
            return member
        owned: Value = owner.cls if member.kind == "class" else owner
        bound = Function(
            member.node,
            member.scope,
            name=member.name,
            cell=member.cell,
            owner=owned,
            no_grad=member.no_grad,
            kind="plain",
            home=member.home,
        )
        if member.kind == "property":
            return machine.call_value(bound, [], {}, node, scope)
        return bound
    return member if member is not None else Method(owner, name)


def _of_made(owner: Made, name: str, machine: Machine, node: ast.AST, scope: Scope) -> Value:
    place = machine.place(node, scope)
    if name in ("dls", "data") and owner.path.startswith("fastai."):
        held = next((value for value in (*owner.args, *owner.kwargs.values()) if isinstance(value, Parts)), None)
        if held is not None:
            return held
    if name in ("best_score_", "oob_score_") and id(owner) in machine.events.learned:
        return row_answers.held_out_within(machine, owner, name, place)
    if owner.path == "builtins.get_ipython" and name in ("user_ns", "user_global_ns"):
        return Namespace(scope.module)
    if name == "__dict__":
        return Made(".__dict__", [owner], {}, place)
    if name in _OF_LOADER and not owner.path.startswith("torch.nn"):
        return Made("." + name, [owner], {}, place)
    if owner.short.endswith("DataLoader") and name == "batch_size":
        return Quantity("images", "unknown", "batch", owner)
    if name in _OF_DATA and ("datasets" in owner.path or owner.path == ".dataset"):
        return Made("." + name, [owner], {}, place)
    return Method(owner, name)


def find_member(cls: Class, name: str) -> Value | None:
    """A member of a class or of the local classes it is derived from."""
    waiting = [cls]
    seen: set[int] = set()
    while waiting:
        here = waiting.pop(0)
        if id(here) in seen:
            continue
        seen.add(id(here))
        if name in here.members:
            return here.members[name]
        waiting.extend(base for base in here.bases if isinstance(base, Class))
    return None


def library_bases(cls: Class) -> list[str]:
    """The dotted paths of the library classes it is derived from; '?' stands for a base that is not known."""
    found: list[str] = []
    waiting: list[Value] = list(cls.bases)
    seen: set[int] = {id(cls)}
    while waiting:
        base = waiting.pop(0)
        if id(base) in seen:
            continue
        seen.add(id(base))
        if isinstance(base, Name):
            found.append(base.path)
        elif isinstance(base, Class):
            waiting.extend(base.bases)
        elif isinstance(base, Choice):
            waiting.extend(base.options)
        else:
            found.append("?")
    return found


def is_network(cls: Class) -> bool:
    """Whether a class is an nn.Module (or a Lightning module)."""
    return any(
        path.startswith("torch.nn.") or path.rpartition(".")[2] in ("Module", "LightningModule")
        for path in library_bases(cls)
    )
