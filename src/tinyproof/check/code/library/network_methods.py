"""Methods of networks, layers and other things that a library or the notebook made."""

from __future__ import annotations

import ast
import re

from tinyproof.check.code.interpreter import made_arrays
from tinyproof.check.code.interpreter.flows import Flow, Quantity, is_tensor
from tinyproof.check.code.interpreter.machine import Machine
from tinyproof.check.code.interpreter.turns import Mode
from tinyproof.check.code.interpreter.uses import Running
from tinyproof.check.code.interpreter.values import (
    CHANGED,
    PARTS_PATH,
    Const,
    Made,
    Map,
    Name,
    Object,
    Scope,
    Seq,
    Unknown,
    Value,
    constant,
)
from tinyproof.check.code.library import orders
from tinyproof.check.code.library.dynamic import of_shell
from tinyproof.check.code.library.graph_rows import GRAPH_LAYERS
from tinyproof.check.code.library.tensors import apply_unknown
from tinyproof.core.word_sets import words

_CHAIN = r"split_|random_split|label_|transform|add_test|filter_by|use_partial_data|preprocess|process|normalize"
_OF_MODEL = words(
    """
    to cuda cpu double half float state_dict requires_grad_ apply zero_grad train eval load_state_dict summary
    share_memory compile bfloat16
    """
)


_PARTS = frozenset(
    ("parameters", "named_parameters", "modules", "children", "named_modules", "named_children", "buffers")
)


def parts_of(value: Value) -> list[Value]:
    """A network and the networks and layers in it: train() and eval() reach them all."""
    found: dict[int, Value] = {}
    waiting = [value]
    while waiting and len(found) < 500:
        part = waiting.pop()
        if id(part) in found or not isinstance(part, Object | Made | Seq | Map | Unknown):
            continue
        found[id(part)] = part
        if isinstance(part, Object):
            waiting.extend(part.attrs.values())
        elif isinstance(part, Made) and part.path.startswith("torch.nn."):
            waiting.extend(part.args)
        elif isinstance(part, Seq):
            waiting.extend(part.items)
        elif isinstance(part, Map):
            waiting.extend(part.items.values())
    return [part for part in found.values() if isinstance(part, Object | Made) or part is value]


def _mode(machine: Machine, owner: Value, name: str, args: list[Value], kwargs: dict[str, Value]) -> None:
    mode: Mode = "eval"
    if name == "train":
        chosen = args[0] if args else kwargs.get("mode")
        on = True if chosen is None else constant(chosen)
        # Training mode under a condition is chosen: where such a pass measures, it does so on purpose.
        by_choice = not isinstance(on, bool) or (on and machine.conditions > 0)
        mode = "unknown" if by_choice else "train" if on else "eval"
    if name in ("train", "eval"):
        for part in parts_of(owner):
            machine.set_mode(part, mode)
    elif name == "load_state_dict":
        machine.events.loaded.add(id(owner))


def of_object(
    machine: Machine, owner: Object, name: str, args: list[Value], kwargs: dict[str, Value], node: ast.AST, scope: Scope
) -> Value:
    _mode(machine, owner, name, args, kwargs)
    if name == "forward":
        return machine.call_value(owner, args, kwargs, node, scope)
    if name == "log" and len(args) > 1 and machine.passes and machine.passes[-1].framework:
        if isinstance(args[1], Made) and args[1].path == "(computed)":
            machine.events.uses.append(Running(machine.place(node, scope)))
        return Const(None)
    if name in ("add_module", "register_module") and len(args) == 2:
        key = constant(args[0])
        if isinstance(key, str):
            owner.attrs[key] = args[1]
        else:
            machine.events.called.add(id(args[1]))
        return Const(None)
    if name in ("modules", "children", "named_modules", "named_children"):
        for value in owner.attrs.values():
            machine.events.called.add(id(value))
    if name in _PARTS:
        return Made(PARTS_PATH, [owner], {}, machine.place(node, scope))
    if name in _OF_MODEL:
        return owner
    return apply_unknown(machine, Unknown(name), args, kwargs, node, scope)


def _of_layer(
    machine: Machine, owner: Made, name: str, args: list[Value], kwargs: dict[str, Value], node: ast.AST, scope: Scope
) -> Value:
    _mode(machine, owner, name, args, kwargs)
    if name in ("add_module", "append", "extend", "insert"):
        owner.args.append(args[-1] if args else Unknown("*"))
        if owner.short == "ModuleList" and (name == "insert" or (machine.loops and not machine.loops[-1].listed)):
            owner.args.append(Unknown("*"))  # in each turn one more, of which one is seen
        return owner
    if name == "forward":
        return machine.call_value(owner, args, kwargs, node, scope)
    if name in _PARTS:
        return Made(PARTS_PATH, [owner], {}, machine.place(node, scope))
    return owner if name in _OF_MODEL else Unknown()


def _of_accelerator(name: str, args: list[Value]) -> Value:
    """What prepare() gives is what it is given, on its device; gather() gives what all devices have."""
    if name == "prepare":
        return args[0] if len(args) == 1 else Seq(list(args))
    return args[0] if args and name.startswith(("unwrap", "gather", "pad")) else Unknown(name)


def of_made(
    machine: Machine, owner: Made, name: str, args: list[Value], kwargs: dict[str, Value], node: ast.AST, scope: Scope
) -> Value:
    """The method of something that a library made."""
    drawn = orders.of_generator(machine, owner, name, args, node, scope)
    drawn = drawn or made_arrays.changed(owner, name, machine.place(node, scope))
    if drawn is not None:
        return drawn
    orders.note_seed(machine, name)
    if owner.path.startswith(("torch.nn", "torchvision.models", *GRAPH_LAYERS)):
        return _of_layer(machine, owner, name, args, kwargs, node, scope)
    if owner.path == "accelerate.Accelerator":
        return _of_accelerator(name, args)
    if owner.path.startswith("transformers.") and owner.short == "from_pretrained" and name in _OF_MODEL:
        _mode(machine, owner, name, args, kwargs)
        return owner
    if owner.path.startswith("fastai.") and re.match(_CHAIN, name):
        step = Made(f"fastai.{name}", list(args), kwargs, machine.place(node, scope), attrs={"(before)": owner})
        return step if name.startswith("split_") else owner  # one step of a chain that ends in the data
    if owner.path.startswith("fastai.") and name == "new":
        return Made(owner.path, owner.args, {**owner.kwargs, **kwargs}, machine.place(node, scope))
    if owner.path.startswith("fastai.") and name in ("to_fp16", "to_native_fp16", "to_fp32", "load", "unfreeze", "to"):
        return owner
    if name == "add" and owner.path.startswith("keras") and args:
        owner.args.append(args[0])
        return Const(None)
    if name == "compile" and owner.path.startswith("keras"):
        owner.attrs["(optimizer)"] = args[0] if args else kwargs.get("optimizer", Unknown())
        loss = kwargs.get("loss", args[1] if len(args) > 1 else None)
        place = loss.place if isinstance(loss, Made) else machine.place(node, scope)
        machine.events.compiled.append((owner, loss, place))
        return Const(None)
    if name == "compute" and owner.path.startswith("torchmetrics") and not args:
        return Made("(computed)", [owner], {}, machine.place(node, scope))
    if name == "parse_args":
        return Unknown("args")
    if owner.path == "builtins.get_ipython":
        return of_shell(machine, name, args, node, scope)
    if owner.path == ".__dict__" and name in ("update", "__setitem__", "setdefault", "pop", "clear"):
        machine.alter(owner)
        return Const(None)
    if name in ("extend", "append", "insert", "remove", "pop", "clear") and owner.path.startswith("builtins."):
        owner.attrs[CHANGED] = Const(True)
        machine.events.batches_added.append(machine.place(node, scope))
        return Const(None)
    if machine.passes and any(is_tensor(value) for value in (*args, *kwargs.values())):
        # A metric of a library keeps the score: torchmetrics, a meter.
        machine.passes[-1].counted = True
    if owner.path.startswith(("torch.optim", "torch.utils.tensorboard", "matplotlib", "tqdm", "wandb", "torch.device")):
        return Unknown()
    if name in ("item", "to", "cuda", "cpu", "items"):
        return owner
    if any(isinstance(value, Flow) for value in args):
        return Quantity("accuracy", "unknown", "batch")
    return apply_unknown(machine, Name(f"{owner.path}.{name}"), list(args), kwargs, node, scope)
