"""Giving values to names, attributes and elements."""

from __future__ import annotations

import ast

from tinyproof.check.code.interpreter.attributes import OF_DATA_PATHS
from tinyproof.check.code.interpreter.changed_in_place import written_over
from tinyproof.check.code.interpreter.column_masks import set_anew
from tinyproof.check.code.interpreter.events import Overwritten
from tinyproof.check.code.interpreter.flows import Quantity
from tinyproof.check.code.interpreter.machine import Machine
from tinyproof.check.code.interpreter.made_arrays import fill
from tinyproof.check.code.interpreter.own_masks import changed, is_mask, let_through
from tinyproof.check.code.interpreter.rows import Parts, Rows, rows_in
from tinyproof.check.code.interpreter.turns import Loop, Pass
from tinyproof.check.code.interpreter.unpacking import items_of
from tinyproof.check.code.interpreter.values import (
    THINNED,
    Const,
    Made,
    Map,
    Name,
    Namespace,
    Object,
    Scope,
    Seq,
    Value,
    call_it,
    constant,
    join,
    options,
)

LATER = "(set later)"  # the mark of an object of which something was set after it was made
_TRANSFORMS = frozenset(("transform", "transforms", "target_transform"))
_FEW = 8  # values of a dict under keys that are not known, kept


def as_load(target: ast.expr) -> ast.expr:
    if isinstance(target, ast.Name):
        return ast.copy_location(ast.Name(target.id, ast.Load()), target)
    if isinstance(target, ast.Attribute):
        return ast.copy_location(ast.Attribute(target.value, target.attr, ast.Load()), target)
    if isinstance(target, ast.Subscript):
        return ast.copy_location(ast.Subscript(target.value, target.slice, ast.Load()), target)
    return target


def bind(machine: Machine, target: ast.expr, value: Value, scope: Scope, accumulated: bool = False) -> None:
    """Give a value to a name, an attribute, an element, or several of them."""
    if isinstance(target, ast.Name):
        _bind_name(machine, target, value, scope, accumulated)
    elif isinstance(target, ast.Attribute):
        for option in options(machine.evaluate(target.value, scope)):
            _bind_attribute(machine, target, option, value, scope)
    elif isinstance(target, ast.Subscript):
        _bind_element(machine, target, value, scope)
    elif isinstance(target, ast.Tuple | ast.List):
        parts = items_of(machine, value, len(target.elts))
        for element, part in zip(target.elts, parts, strict=False):
            bind(machine, element.value if isinstance(element, ast.Starred) else element, part, scope)


def _bind_attribute(machine: Machine, target: ast.Attribute, option: Value, value: Value, scope: Scope) -> None:
    if isinstance(option, Object):
        old = option.attrs.get(target.attr)
        option.attrs[target.attr] = join([old, value]) if machine.doubt and old is not None else value
        option.attr_places.setdefault(target.attr, machine.place(target, scope))
        if target.attr not in _TRANSFORMS and not _is_made(machine, option):
            option.attrs[LATER] = Const(True)
        call_it(value, target.attr)
    elif isinstance(option, Parts):
        old = option.items.get(target.attr)
        option.items[target.attr] = join([old, value]) if machine.doubt and old is not None else value
        call_it(value, target.attr)
    elif isinstance(option, Made):
        _of_made(machine, option, target.attr, value)
    elif isinstance(option, Namespace):
        option.scope.names[target.attr] = value
        call_it(value, target.attr)
    elif isinstance(option, Name):
        _patch(machine, option.path, target.attr)
    elif isinstance(option, Rows):
        set_anew(machine, option, target.attr)
    if target.attr == "grad" or target.attr == "requires_grad":
        around: tuple[Pass | Loop, ...] = (*machine.passes, *machine.loops)
        for turn in around:
            turn.zeroed = turn.zeroed or target.attr == "grad"


def _is_made(machine: Machine, option: Object) -> bool:
    """Whether an object is being made just now."""
    return any(frame.function.owner is option and frame.function.name == "__init__" for frame in machine.frames)


def _bind_element(machine: Machine, target: ast.Subscript, value: Value, scope: Scope) -> None:
    owner = machine.evaluate(target.value, scope)
    key = constant(machine.evaluate(target.slice, scope))
    for option in options(owner):
        if isinstance(option, Namespace) and isinstance(key, str):
            option.scope.names[key] = value
            call_it(value, key)
        elif isinstance(option, Namespace):
            machine.forget(option.scope, target)
        elif isinstance(option, Made) and option.path in OF_DATA_PATHS:
            _of_data(machine, option, value)
        elif isinstance(option, Rows) and option.side in ("mask", "index"):
            option.paths = changed(option, machine.place(target, scope))
        elif isinstance(option, Rows):
            last = target.slice.elts[-1] if isinstance(target.slice, ast.Tuple) and target.slice.elts else target.slice
            column = constant(machine.evaluate(last, scope))
            set_anew(machine, option, column)
            if not isinstance(column, str):
                written_over(machine, option, value, target, scope)
        elif isinstance(option, Made) and is_mask(option, value):
            let_through(machine, option, target.slice, value, scope)
        elif isinstance(option, Made) and not machine.passes:
            over, in_turn = _over(machine, target)
            fill(option, over, in_turn, rows_in(value), machine.place(target, scope))
        elif isinstance(option, Map) and isinstance(key, str | int):
            option.items[key] = value
            if isinstance(key, str):
                call_it(value, key)
        elif isinstance(option, (Map, Seq)):
            option.whole = False
            if isinstance(option, Map) and len(option.others) < _FEW:
                option.others.append(value)


def _over(machine: Machine, target: ast.Subscript) -> tuple[Rows | None, bool]:
    """The rows that a loop goes over, and whether it is its own counter that says which element is set."""
    first = target.slice.elts[0] if isinstance(target.slice, ast.Tuple) and target.slice.elts else target.slice
    name = first.id if isinstance(first, ast.Name) else ""
    counted = next((loop for loop in reversed(machine.loops) if name and loop.counts_by(name)), None)
    loop = counted or (machine.loops[-1] if machine.loops else None)
    over = loop.rows if loop is not None else None
    return over if isinstance(over, Rows) else None, counted is not None


def _of_data(machine: Machine, part: Made, value: Value) -> None:
    """An element of a data set's images or labels is replaced: a label by another number leaves the images there."""
    if part.path == ".targets" and all(isinstance(option, Const) for option in options(value)):
        owner: Value = part
        while isinstance(owner, Made) and owner.path.startswith(".") and owner.args:
            owner = owner.args[0]
        if isinstance(owner, Made):
            owner.attrs[THINNED] = Const(True)  # its classes are not those of the library any more
        return
    machine.alter(part)


def _of_made(machine: Machine, owner: Made, name: str, value: Value) -> None:
    """An attribute of something that a library made: data that are put in place of a data set's own."""
    owner.attrs[name] = value
    if name == "transform" or not (owner.short == "DataLoader" or "dataset" in owner.path):
        return
    if f".{name}" in OF_DATA_PATHS and _of_its_own(machine, owner, name, value):
        del owner.attrs[name]
        owner.attrs[THINNED] = Const(True)  # some of its own images: the same set, smaller
        return
    machine.alter(owner)


def _of_its_own(machine: Machine, owner: Made, name: str, value: Value) -> bool:
    """Whether it is some of what a data set holds: of its images, of its labels."""
    if isinstance(value, Made):
        return value.path in OF_DATA_PATHS and value.args[0] is owner
    held = machine.meaning.array(machine, Made(f".{name}", [owner], {}, owner.place))
    if not isinstance(held, Rows) or not isinstance(value, Rows):
        return False
    return all(path.root == held.paths[0].root for path in value.paths)


# What may be set in a library's classes of data without changing which images they give.
_HARMLESS = frozenset(("resources", "urls", "url", "mirrors", "training_file", "test_file", "base_folder", "classes"))


def _patch(machine: Machine, path: str, name: str) -> None:
    """Something of a library's data classes is replaced: what they give from now on is not known."""
    if not path.startswith(("torchvision.datasets", "torch.utils.data")) or name in _HARMLESS:
        return
    machine.patched.update((f"{path}.{name}", path))
    for made in machine.events.made:
        if made.path == path:
            machine.alter(made)


def _bind_name(machine: Machine, target: ast.Name, value: Value, scope: Scope, accumulated: bool) -> None:
    home = scope.module if target.id in scope.globals else scope
    turn = machine.passes[-1] if machine.passes else None
    if isinstance(value, Quantity) and value.kind == "loss" and value.reach == "batch" and turn and not accumulated:
        before = home.names.get(target.id)
        value = Quantity("loss", value.scale, "batch", value.loader, machine.place(target, scope), turn)
        # A sum that was set to nothing before the loop and is replaced in each turn has lost all batches but one.
        if (isinstance(before, Const) and before.value in (0, 0.0) and not isinstance(before.value, bool)) or (
            isinstance(before, Quantity) and id(before) in machine.replaced
        ):
            machine.replaced[id(value)] = Overwritten(machine.place(target, scope), turn)
            machine.keep.append(value)
    if isinstance(value, Quantity) and value.reach == "total" and turn:
        turn.counted = True
        turn.sums_loss = turn.sums_loss or value.kind == "loss"
    home.names[target.id] = value
    call_it(value, target.id)
