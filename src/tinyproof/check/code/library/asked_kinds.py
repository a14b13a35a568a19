"""What `isinstance` answers: of a value, whether it is a list, a dict, a tensor, a layer; where that is known."""

from __future__ import annotations

from collections.abc import Iterator

from tinyproof.check.code.interpreter.attributes import library_bases
from tinyproof.check.code.interpreter.machine import Machine
from tinyproof.check.code.interpreter.values import (
    Const,
    Function,
    Made,
    Map,
    Name,
    Object,
    Seq,
    Unknown,
    Value,
    options,
)
from tinyproof.core.word_sets import words

_MODULE = "torch.nn.Module"
_LAYERS = ("torch.nn.", "torchvision.models.")
# Kinds of which nothing is another: what is known to be one of them is none of the rest.
_APART = words(
    """
    builtins.list builtins.tuple builtins.dict builtins.str builtins.bytes builtins.int builtins.float builtins.complex
    builtins.bool builtins.set builtins.frozenset torch.Tensor torch.FloatTensor torch.LongTensor torch.nn.Parameter
    numpy.ndarray pandas.DataFrame pandas.Series torch.utils.data.DataLoader torch.utils.data.Dataset
    """
)
_OF_CONSTANTS = {bool: ("bool", "int"), int: ("int",), float: ("float",), str: ("str",), bytes: ("bytes",)}


def is_instance(machine: Machine, args: list[Value], kwargs: dict[str, Value]) -> Value | None:
    """True or False where it is known of everything that the value may be, else nothing."""
    if len(args) != 2:
        return Unknown()
    kinds = list(_kinds(args[1]))
    found = {_is(option, kinds) for option in options(args[0])}
    return Const(found.pop()) if len(found) == 1 and None not in found else Unknown()


def _kinds(asked: Value) -> Iterator[Value]:
    if isinstance(asked, Seq) and asked.whole:
        for item in asked.items:
            yield from _kinds(item)
    else:
        yield asked


def _is(value: Value, kinds: list[Value]) -> bool | None:
    """Whether it is of one of the kinds; None where that is not known."""
    paths = {kind.path for kind in kinds if isinstance(kind, Name)}
    known = len(paths) == len(kinds)
    if isinstance(value, Object):
        return _is_object(value, kinds, paths)
    if isinstance(value, Made):
        if value.path.startswith(_LAYERS):
            return True if _MODULE in paths or value.path in paths else _none_of(paths, known)
        return _none_of(paths - {value.path}, known) if value.path.startswith("torch.utils.data.DataLoader") else None
    if isinstance(value, Seq):
        both = {"builtins.list", "builtins.tuple"}
        return True if both <= paths else None if both & paths else _none_of(paths, known)
    if isinstance(value, Map):
        return True if "builtins.dict" in paths else _none_of(paths, known)
    if isinstance(value, Const):
        own = {f"builtins.{name}" for name in _OF_CONSTANTS.get(type(value.value), ())}
        return True if own & paths else _none_of(paths, known)
    if isinstance(value, Function):
        return _none_of(paths, known)
    return None


def _is_object(value: Object, kinds: list[Value], paths: set[str]) -> bool | None:
    if any(kind is value.cls for kind in kinds):
        return True
    bases = library_bases(value.cls)
    if _MODULE in paths and any(base.startswith(_LAYERS) for base in bases):
        return True
    known = "?" not in bases and not any(base in _APART for base in bases)
    return _none_of(paths, known and len(paths) == len(kinds))


def _none_of(paths: set[str], known: bool) -> bool | None:
    """That it is none of the kinds, where each of them is apart from all others."""
    return False if known and paths <= _APART else None
