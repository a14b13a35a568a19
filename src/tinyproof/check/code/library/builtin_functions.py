"""What Python's own functions give."""

from __future__ import annotations

from dataclasses import replace

from tinyproof.check.code.interpreter.columns import is_one
from tinyproof.check.code.interpreter.flows import Batch, Flow, Quantity
from tinyproof.check.code.interpreter.imports import normal
from tinyproof.check.code.interpreter.loops import element, wrapped
from tinyproof.check.code.interpreter.machine import Machine
from tinyproof.check.code.interpreter.maps import mapped, one_map
from tinyproof.check.code.interpreter.rows import Rows
from tinyproof.check.code.interpreter.values import (
    Const,
    Made,
    Map,
    Method,
    Name,
    Object,
    Seq,
    Unknown,
    Value,
    constant,
    join,
    number,
    options,
)
from tinyproof.check.code.library.asked_kinds import is_instance


def _len(machine: Machine, args: list[Value], kwargs: dict[str, Value]) -> Value | None:
    return join([_length(option) for option in options(args[0])]) if args else None


def _length(value: Value) -> Value:
    if isinstance(value, Seq | Map) and value.whole:
        return Const(len(value.items))
    if isinstance(value, Batch | Flow):
        return Quantity("images", "unknown", "batch")
    if isinstance(value, Quantity) and value.scale == "each":
        return Quantity("images", "unknown", "batch" if value.reach == "batch" else "total", value.loader)
    if isinstance(value, Rows) and value.batch:
        return Quantity("batches", "unknown", "total", value)
    if isinstance(value, Rows) and not value.across and (value.side in ("x", "y", "scores") or _is_table(value)):
        return Quantity("images", "unknown", "total", value)
    if isinstance(value, Made):
        if value.path in (".dataset", ".sampler", ".data", ".targets"):
            return Quantity("images", "unknown", "total", value.args[0])
        if value.short.endswith("DataLoader"):
            return Quantity("batches", "unknown", "total", value)
        if "datasets" in value.path or value.path.startswith("torch.utils.data."):
            return Quantity("images", "unknown", "total", value)
        inner = wrapped(value)
        return _length(inner) if inner is not None else Unknown()
    if isinstance(value, Unknown) and ("loader" in value.name.lower() or value.name.lower().endswith("_dl")):
        return Quantity("batches", "unknown", "total", value)
    return Unknown()


def _is_table(rows: Rows) -> bool:
    """Whether it is a table, or a set made of arrays: what comes from a folder may be given in batches."""
    return rows.side == "both" and all(path.root.form in ("file", "rows", "set") for path in rows.paths)


def _list(machine: Machine, args: list[Value], kwargs: dict[str, Value]) -> Value | None:
    if not args:
        return Seq([])
    if isinstance(args[0], Seq):
        return Seq(list(args[0].items), args[0].whole, args[0].rows)
    if isinstance(args[0], Rows) and args[0].batch == 0 and (args[0].side != "both" or is_one(args[0])):
        return replace(args[0], names=[])
    return args[0] if isinstance(args[0], Batch | Flow) else None


def _sorted(machine: Machine, args: list[Value], kwargs: dict[str, Value]) -> Value | None:
    """The files of a folder in order: so two lists of them are in the same one."""
    listed = args[0] if args else None
    return replace(listed, names=[], orders=()) if isinstance(listed, Rows) and _of_folder(listed) else None


def _of_folder(value: Value) -> bool:
    return isinstance(value, Rows) and all(path.root.form == "folder" for path in value.paths)


def _path(machine: Machine, args: list[Value], kwargs: dict[str, Value]) -> Value | None:
    """A path with the name of a file in it that stands for all those of a folder."""
    return next((arg for arg in reversed(args) if _of_folder(arg)), None)


def _dict(machine: Machine, args: list[Value], kwargs: dict[str, Value]) -> Value | None:
    base = args[0] if args else Map({})
    given = one_map(base)
    return mapped(given.items, kwargs, given.whole)


def _extreme(machine: Machine, args: list[Value], kwargs: dict[str, Value]) -> Value | None:
    values = args[0].items if len(args) == 1 and isinstance(args[0], Seq) else args
    figures = [value for value in values if isinstance(value, Quantity)]
    if figures:
        return figures[-1]
    return None


def _getattr(machine: Machine, args: list[Value], kwargs: dict[str, Value]) -> Value | None:
    name = constant(args[1]) if len(args) > 1 else None
    owner = args[0] if args else None
    if isinstance(owner, Name) and isinstance(name, str):
        return Name(normal(f"{owner.path}.{name}"))
    if isinstance(owner, Object) and isinstance(name, str) and name in owner.attrs:
        machine.events.called.add(id(owner.attrs[name]))
        return owner.attrs[name]
    if name in ("train", "eval") and isinstance(owner, Object | Made) and len(args) == 2:
        return Method(owner, name)
    if isinstance(owner, Object):
        for value in owner.attrs.values():
            machine.events.called.add(id(value))
    if owner is not None and not isinstance(name, str):
        machine.set_mode(owner, "unknown")  # perhaps its train or eval
    return Unknown()


def _next(machine: Machine, args: list[Value], kwargs: dict[str, Value]) -> Value | None:
    return element(args[0]) if args else None


def _map(machine: Machine, args: list[Value], kwargs: dict[str, Value]) -> Value | None:
    return Seq([], whole=False)


def _pow(machine: Machine, args: list[Value], kwargs: dict[str, Value]) -> Value | None:
    return Unknown()


def _print(machine: Machine, args: list[Value], kwargs: dict[str, Value]) -> Value | None:
    return Const(None)


def _ceil(machine: Machine, args: list[Value], kwargs: dict[str, Value]) -> Value | None:
    known = number(args[0]) if args else None
    if known is not None:
        return Const(-int(-known // 1))
    return args[0] if args else None


BUILTINS = {
    "builtins.len": _len,
    "builtins.list": _list,
    "builtins.tuple": _list,
    "builtins.sorted": _sorted,
    "natsort.natsorted": _sorted,
    "os.path.join": _path,
    "os.path.abspath": _path,
    "os.path.basename": _path,
    "builtins.str": _path,
    "pathlib.Path": _path,
    "builtins.dict": _dict,
    "collections.defaultdict": _map,
    "builtins.max": _extreme,
    "builtins.min": _extreme,
    "builtins.getattr": _getattr,
    "builtins.next": _next,
    "builtins.isinstance": is_instance,
    "builtins.map": _map,
    "builtins.pow": _pow,
    "builtins.print": _print,
    "math.ceil": _ceil,
}
