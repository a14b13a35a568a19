"""Methods of values that are not objects of the notebook's own: tensors, figures, optimisers, lists, networks."""

from __future__ import annotations

import ast
from dataclasses import replace

from tinyproof.check.code.interpreter.answers import hits
from tinyproof.check.code.interpreter.columns import UNKNOWN
from tinyproof.check.code.interpreter.events import SchedulerStep
from tinyproof.check.code.interpreter.flows import Batch, Flow, Quantity, is_tensor
from tinyproof.check.code.interpreter.kept_states import note_loaded
from tinyproof.check.code.interpreter.machine import Machine
from tinyproof.check.code.interpreter.maps import mapped, one_map
from tinyproof.check.code.interpreter.optimisers import is_optimiser, is_scheduler
from tinyproof.check.code.interpreter.relations import relation
from tinyproof.check.code.interpreter.row_answers import counted
from tinyproof.check.code.interpreter.row_expressions import product
from tinyproof.check.code.interpreter.rows import Cut, Parts, Rows, some_of, union
from tinyproof.check.code.interpreter.running_scores import note_metric
from tinyproof.check.code.interpreter.turns import Loop, Pass
from tinyproof.check.code.interpreter.values import (
    Const,
    Made,
    Map,
    Method,
    Namespace,
    Object,
    Scope,
    Seq,
    Unknown,
    Value,
    constant,
    options,
)
from tinyproof.check.code.library import array_calls, frameworks, tf_graph
from tinyproof.check.code.library.dynamic import of_namespace
from tinyproof.check.code.library.functions import as_batch_sum
from tinyproof.check.code.library.network_methods import of_made, of_object
from tinyproof.check.code.library.passes import note_backward, note_extreme
from tinyproof.check.code.library.set_arrays import as_array
from tinyproof.check.code.library.tensors import apply_functional, apply_unknown
from tinyproof.check.code.library.text_methods import text_method
from tinyproof.core.word_sets import words

_SAME = words(
    """
    to cuda cpu detach item float double half long int bool numpy clone contiguous requires_grad_ type type_as
    squeeze unsqueeze tolist reshape view view_as expand_as flatten ravel round __getitem__ bfloat16 t
    """
)
_SHAPES = frozenset(("view", "reshape", "flatten", "squeeze", "unsqueeze", "mean", "permute", "transpose"))

_IN_PLACE = frozenset(("append", "extend", "insert", "remove", "pop", "clear", "sort", "reverse", "copy_", "fill_"))


def call_method(
    machine: Machine, method: Method, args: list[Value], kwargs: dict[str, Value], node: ast.AST, scope: Scope
) -> Value:
    """owner.name(...) for a value whose class is not the notebook's own."""
    owner, name = method.owner, method.name
    if name not in _IN_PLACE:
        owner = as_array(machine, owner)
    _learning(machine, owner, name, args, kwargs, node, scope)
    note_metric(machine, owner, name, machine.place(node, scope))
    if name == "load_state_dict":
        note_loaded(machine, owner, node, scope)
    if name == "index" and isinstance(owner, Seq):
        note_extreme(machine, owner, machine.place(node, scope))
    known = tf_graph.of_method(machine, owner, name, args, kwargs, node, scope)
    if known is not None:
        return known
    known = frameworks.call_method(machine, owner, name, args, kwargs, node, scope)
    if known is not None:
        return known
    if isinstance(owner, Rows):
        return array_calls.method(machine, owner, name, args, kwargs, node, scope)
    if isinstance(owner, Flow):
        return _of_flow(machine, owner, name, args, kwargs, node, scope)
    if isinstance(owner, Quantity):
        return _of_quantity(machine, owner, name, args, node, scope)
    if isinstance(owner, Batch):
        return _of_batch(machine, owner, name, args, node, scope)
    if isinstance(owner, Seq):
        return _of_list(machine, owner, name, args)
    if isinstance(owner, Parts) and name not in ("get", "items", "keys", "values"):
        return owner  # the same parts, changed: map, rename_column, with_format
    if isinstance(owner, Map):
        return _of_map(owner, name, args, kwargs)
    if isinstance(owner, Object):
        return of_object(machine, owner, name, args, kwargs, node, scope)
    if isinstance(owner, Made):
        return of_made(machine, owner, name, args, kwargs, node, scope)
    if isinstance(owner, Namespace):
        return of_namespace(machine, owner, name, args, kwargs, node)
    if isinstance(owner, Const):
        return Unknown() if kwargs else text_method(owner, name, args)
    if name in ("train", "eval") and not args:
        machine.set_mode(owner, "train" if name == "train" else "eval")
        return owner
    if name in ("to", "cuda", "cpu"):
        return owner
    if name in ("dot", "matmul") and args and isinstance(args[0], Rows):
        return product(args[0], owner, False)  # `W.dot(X)`, whatever W is
    return apply_unknown(machine, Unknown(name), args, kwargs, node, scope)


def _learning(
    machine: Machine,
    owner: Value,
    name: str,
    args: list[Value],
    kwargs: dict[str, Value],
    node: ast.AST,
    scope: Scope,
) -> None:
    """backward(), step() and zero_grad() of anything."""
    place = machine.place(node, scope)
    around: tuple[Pass | Loop, ...] = (*machine.passes, *machine.loops)
    if name in ("apply_gradients", "minimize"):
        for turn in machine.passes:
            turn.backward, turn.zeroed = turn.backward or place, True
    if name in ("backward", "manual_backward"):
        note_backward(machine, owner, place)
        innermost: tuple[Pass | Loop, ...] = (*machine.passes, *machine.loops[-1:])
        for one in innermost:
            one.backward = one.backward or place
    elif name in ("zero_grad", "optimizer_zero_grad", "zero_"):
        for one in around:
            one.zeroed = True
    elif name == "step":
        stepped = [option for value in (owner, *args) for option in options(value)]
        for option in stepped:
            if is_scheduler(option):
                assert isinstance(option, Made)
                turn_now = machine.passes[-1] if machine.passes else None
                values = (*args, *kwargs.values())
                loops = tuple(machine.loops)
                after = any(t.trains and t.loops[-1:] == loops[-1:] for t in machine.events.passes)
                machine.events.steps.append(SchedulerStep(option, values, loops, turn_now, place, after))
            elif is_optimiser(option) and machine.passes:
                machine.passes[-1].steps.append((option, place))
            elif is_optimiser(option) and machine.loops:
                machine.loops[-1].optimiser = option


def _of_flow(
    machine: Machine, owner: Flow, name: str, args: list[Value], kwargs: dict[str, Value], node: ast.AST, scope: Scope
) -> Value:
    place = machine.place(node, scope)
    if name == "size":
        return Quantity("images", "unknown", "batch") if args and constant(args[0]) == 0 else Unknown()
    if name in ("eq", "equal", "__eq__") and args:
        return hits(machine, owner, args[0], place)
    if name in ("max", "topk", "sort", "min") and (args or kwargs):
        return Seq([owner, apply_functional(machine, "argmax", [owner], {}, place)])
    if name in _SHAPES or name not in _SAME:
        if name in ("backward", "register_hook", "retain_grad"):
            return Unknown()
        return apply_functional(machine, name, [owner, *args], kwargs, place)
    return owner


def _of_quantity(machine: Machine, owner: Quantity, name: str, args: list[Value], node: ast.AST, scope: Scope) -> Value:
    if name in ("sum", "mean"):
        counted(machine, owner, machine.place(node, scope))
        return as_batch_sum(owner, name == "mean")
    if name in ("backward", "all", "any"):
        return Unknown()
    return owner


def _of_batch(machine: Machine, owner: Batch, name: str, args: list[Value], node: ast.AST, scope: Scope) -> Value:
    if name == "size":
        return Quantity("images", "unknown", "batch") if args and constant(args[0]) == 0 else Unknown()
    if name in ("eq", "equal") and args and is_tensor(args[0]):
        return hits(machine, args[0], owner, machine.place(node, scope))
    if name in ("items", "values"):
        return Seq([owner], whole=False)
    return Batch(owner.loader, "part")


def _of_list(machine: Machine, owner: Seq, name: str, args: list[Value]) -> Value:
    if machine.passes and name in ("append", "extend", "add"):
        machine.keep.append(owner)
        machine.filled[id(owner)] = machine.passes[-1]
    if name in ("append", "add", "appendleft") and args:
        if len(owner.items) < 2_000:
            owner.items.append(some_of(args[0], _open_cuts(machine)))
        if machine.loops or machine.passes:
            if not machine.building:
                owner.whole = False
            _note_rows(machine, owner)
        if machine.passes and isinstance(args[0], Quantity):
            machine.passes[-1].counted = True
            machine.passes[-1].sums_loss = machine.passes[-1].sums_loss or args[0].kind == "loss"
    elif name == "extend" and args:
        other = args[0]
        kept: list[Value] = other.items if isinstance(other, Seq) else [other] if isinstance(other, Flow) else []
        owner.grow(kept, isinstance(other, Seq) and other.whole)
    elif name == "insert" and len(args) > 1 and constant(args[0]) == 0:
        owner.items.insert(0, args[1])
        owner.grow([])
    elif name == "pop" and owner.items and owner.whole and not args:
        return owner.items.pop()
    elif name in ("to", "cuda", "cpu", "float") and not owner.items:
        return owner  # `torch.tensor([]).to(device)`
    elif name == "copy":
        return Seq(list(owner.items), owner.whole)
    elif name in ("clear", "sort", "reverse", "remove", "insert", "pop"):
        owner.whole = False
    return Unknown()


def _open_cuts(machine: Machine) -> list[Cut]:
    """What the conditions around a statement, inside of the innermost loop, let through of the rows it goes over."""
    if not machine.loops or machine.passes:
        return []
    return [Cut("filter", key, part) for key, part in machine.sides[machine.loops[-1].sides :]]


def _note_rows(machine: Machine, owner: Seq) -> None:
    """Something was added to a list in a loop over rows, one by one: it has an element for each."""
    rows = machine.loops[-1].rows if machine.loops and not machine.passes else None
    cuts = _open_cuts(machine)
    if not isinstance(rows, Rows) or machine.doubt - machine.loops[-1].doubt > len(cuts):
        return
    known = owner.items[-1] if owner.items else None
    if isinstance(known, Rows | Quantity | Flow):
        return
    whole = replace(some_of(rows, cuts), side="both", names=[], columns=(UNKNOWN,))  # type: ignore[type-var]
    assert isinstance(whole, Rows)
    if isinstance(owner.rows, Rows) and _folders_apart(owner.rows, whole):
        owner.rows = union([owner.rows, whole]) or Unknown()  # of one class after the other
    else:
        owner.rows = whole if owner.rows is None or whole.same_as(owner.rows) else Unknown()


def _folders_apart(known: Rows, more: Rows) -> bool:
    """Whether files of one folder after those of others are read, whole or by a condition."""
    named = all(path.root.form == "folder" and len(path.root.key) == 2 for path in (*known.paths, *more.paths))
    return named and relation(known.paths, more.paths) == "apart"


def _of_map(owner: Map, name: str, args: list[Value], kwargs: dict[str, Value]) -> Value:
    if name == "update":
        other = args[0] if args else mapped({}, kwargs)
        given = one_map(other)
        owner.items.update(given.items)
        owner.items.update(kwargs.items())
        owner.whole = owner.whole and given.whole
        return Unknown()
    if name in ("get", "pop", "setdefault") and args:
        key = constant(args[0])
        if isinstance(key, str | int) and key in owner.items:
            return owner.items[key]
        return args[1] if len(args) > 1 and owner.whole else Unknown()
    if name == "values":
        return Seq(list(owner.items.values()), owner.whole)
    if name == "keys":
        return Seq([Const(key) for key in owner.items], owner.whole)
    if name == "items":
        return Seq([Seq([Const(key), value]) for key, value in owner.items.items()], owner.whole)
    return Map(dict(owner.items), owner.whole) if name == "copy" else Unknown()
