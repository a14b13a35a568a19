"""How a network is named: one of this package's, or `path/to/model.py:Class`, with arguments `Class(norm='group')`.

A record keeps the whole name, so that the same network can be made again. Nothing here runs a file.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from tinyproof.core.errors import InputError

NOTEBOOK = ".ipynb"
_OWN = re.compile(r"(?P<file>.*\.(?:py|ipynb)):(?P<name>[^:()]*)(?P<arguments>\(.*\))?", re.DOTALL)
_MOST_LETTERS = 2000
_WORDS = {"true": True, "false": False, "none": None}


def is_own(model: str) -> bool:
    """Whether a network is named by its file and is none of this package's.

    >>> is_own("model.py:Net(norm='a:b')"), is_own("s7-8k")
    (True, False)
    """
    return _OWN.fullmatch(model) is not None


def file_of(model: str) -> Path:
    """The Python file, or the notebook, of `path/to/model.py:Class`."""
    found = _OWN.fullmatch(model)
    return Path(found["file"] if found else model.rpartition(":")[0])


def name_of(model: str) -> str:
    """The class, or the function, of `path/to/model.py:Class`."""
    found = _OWN.fullmatch(model)
    return found["name"] if found else model.rpartition(":")[2]


def written_arguments(model: str) -> str:
    """The arguments as the name holds them, in their brackets; nothing where it has none."""
    found = _OWN.fullmatch(model)
    return (found["arguments"] or "") if found else ""


def arguments(model: str) -> dict[str, object]:
    """The arguments that the name holds, plain values. Raises InputError.

    >>> arguments("model.py:Net(classes=10, norm='group')")
    {'classes': 10, 'norm': 'group'}
    """
    text = written_arguments(model)
    try:
        call = ast.parse(f"f{text or '()'}", mode="eval").body
        assert isinstance(call, ast.Call)
        assert not call.args
        return {str(one.arg): ast.literal_eval(one.value) for one in call.keywords if one.arg is not None}
    except (SyntaxError, ValueError, AssertionError, MemoryError, RecursionError) as error:
        raise InputError("model", text, "arguments by name with plain values, as (norm='group', classes=10)") from error


def with_settings(model: str, settings: Sequence[str] | Mapping[str, object]) -> str:
    """The name with constructor arguments in it, given as `norm=group` or by name; the later one counts.

    >>> with_settings("model.py:Net", ["norm=group", "classes=10"])
    "model.py:Net(classes=10, norm='group')"
    """
    if not settings and not written_arguments(model):
        return model
    if not is_own(model):
        given = ", ".join(map(str, settings))
        raise InputError("set", given, "an argument of a network of your own", f"{model} takes none")
    pairs = settings.items() if isinstance(settings, Mapping) else [_pair(text) for text in settings]
    return _joined(model, {**arguments(model), **dict(pairs)})


def like(model: str, recorded: str) -> str:
    """The name that a user gives for a recorded network, with the recorded arguments where it has none of its own."""
    if not is_own(model) or written_arguments(model) or not written_arguments(recorded):
        return model
    return _joined(model, arguments(recorded))


def _joined(model: str, values: Mapping[str, object]) -> str:
    inside = ", ".join(f"{name}={value!r}" for name, value in sorted(values.items()))
    name = f"{file_of(model)}:{name_of(model)}({inside})"
    if arguments(name) != dict(values) or len(inside) > _MOST_LETTERS:
        raise InputError("set", inside[:100], "numbers, words, true, false, none, and lists of them")
    return name


def _pair(text: str) -> tuple[str, object]:
    name, sign, value = text.partition("=")
    if not sign or not name.strip().isidentifier():
        raise InputError("set", text, "argument=value, as norm=group")
    value = value.strip()
    if value.lower() in _WORDS:
        return name.strip(), _WORDS[value.lower()]
    try:
        return name.strip(), ast.literal_eval(value)
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return name.strip(), value


def short(model: str) -> str:
    """A network's name; of a network of one's own without the folders.

    >>> short("course/session7/model.py:Net(classes=10)")
    'model.py:Net(classes=10)'
    """
    return f"{file_of(model).name}:{name_of(model)}{written_arguments(model)}" if is_own(model) else model
