"""The one door to a network of your own: `path/to/model.py:Class`, run as `python model.py` would run it.

In place of a class it may be a function that returns a network, in place of the file a notebook (notebook_source.py).
The file finds its neighbours in its folder, and in the one that holds its package. They are loaded under names that
nobody else has: two files may have neighbours of one name, a neighbour may be called like a library, and `sys.path`
stays as it is. A file is read once, and what was read is run and kept: the digest is of what computes.
"""

from __future__ import annotations

import contextlib
import inspect
import os
import sys
import traceback
import weakref
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from pathlib import Path

import torch
from torch import nn
from torch.nn.parameter import UninitializedParameter

from tinyproof.core.errors import DataError, InputError, TinyproofError, said
from tinyproof.core.files import existing
from tinyproof.network import own_files
from tinyproof.network.model_name import arguments, file_of, name_of
from tinyproof.network.neighbours import Neighbours, loads_of

EXIT = "ends the program (sys.exit); put what trains or tests under: if __name__ == '__main__':"
_MADE_OF: weakref.WeakKeyDictionary[nn.Module, Neighbours] = weakref.WeakKeyDictionary()


def load(model: str) -> Callable[[], nn.Module]:
    """Run the file of `path/to/model.py:Class`, and return what makes the network: name only files that you trust.

    Without a name (`model.py:`) it is the only network of the file. Raises InputError where there is no such file or
    class, DataError where the file does not run.
    """
    path, wanted = file_of(model), name_of(model)
    given = arguments(model)
    namespace, neighbours = _run(model)
    found = {k: v for k, v in namespace.items() if inspect.isclass(v) and issubclass(v, nn.Module)}
    own = {k: v for k, v in found.items() if neighbours.hold(v.__module__)}
    functions = {k: v for k, v in namespace.items() if inspect.isfunction(v) and neighbours.hold(v.__module__)}
    only = own if not wanted and len(own) == 1 else {}
    maker = own.get(wanted) or functions.get(wanted) or next(iter(only.values()), None)
    if maker is None:
        raise InputError("model", model, "one of its networks: " + (", ".join(own) or "it has none"), path.name)

    def make() -> nn.Module:
        with _errors_of(model, model, _cannot(maker, given)), _as_a_program(neighbours):
            module = maker(**given)
        if not isinstance(module, nn.Module):
            raise DataError(model, f"returns a {type(module).__name__} and no network")
        _MADE_OF[module] = neighbours
        return module

    return make


def function(name: str, field: str) -> Callable[..., object]:
    """Run the file of `path/to/model.py:function`, and return that function, whose own errors become one line: name
    only files that you trust. Raises InputError, which names the field, where there is no such function; DataError
    where the file does not run."""
    namespace, neighbours = _run(name, field)
    functions = {k: v for k, v in namespace.items() if inspect.isfunction(v) and neighbours.hold(v.__module__)}
    if name_of(name) not in functions:
        there = "one of its functions: " + (", ".join(functions) or "it has none")
        raise InputError(field, name, there, file_of(name).name)

    def call(*given: object) -> object:
        with _errors_of(name, name, "ends with an error"), _as_a_program(neighbours):
            return functions[name_of(name)](*given)

    return call


def _run(model: str, field: str = "model") -> tuple[dict[str, object], Neighbours]:
    """The names in a user's file once it has run, and its neighbours."""
    neighbours = Neighbours(existing(file_of(model), field))
    with _errors_of(str(file_of(model)), model, "does not run"), _as_a_program(neighbours):
        return vars(import_module(neighbours.main)), neighbours


def settle(model: str, module: nn.Module, shape: tuple[int, ...]) -> None:
    """Give lazy layers their sizes, and their first weights, by one empty image of `shape` [C, H, W]. DataError."""
    if not _lazy(module):
        return
    modes = [(part, part.training) for part in module.modules()]
    told = f"has lazy layers, and does not take an image of {' x '.join(map(str, shape))}"
    with _errors_of(model, model, told), _as_a_program(_MADE_OF[module]), torch.no_grad():
        module.eval()(torch.zeros(1, *shape))
    for part, training in modes:
        part.training = training
    if _lazy(module):
        raise DataError(model, "has lazy layers that no image comes to", "call them, or leave them out")


def _lazy(module: nn.Module) -> bool:
    return any(isinstance(parameter, UninitializedParameter) for parameter in module.parameters())


def _cannot(maker: Callable[..., object], given: Mapping[str, object]) -> str:
    """What is said where a network cannot be made: with the arguments that it was given, or needs."""
    if given:
        return f"cannot be made with {', '.join(given)}"
    needed = [
        one.name
        for one in inspect.signature(maker).parameters.values()
        if one.default is one.empty and one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY)
    ]
    hint = f" (give {' '.join(f'--set {name}=…' for name in needed)})" if needed else ""
    return f"cannot be made without arguments{hint}"


def files_of(module: nn.Module) -> dict[str, bytes]:
    """Every local file that was run for a network until now, by name; nothing for one of this package's.

    A file may import another when the network is made or called: ask after a forward pass.
    """
    return _MADE_OF[module].files() if module in _MADE_OF else {}


def expect(model: str, recorded: Mapping[str, str] | None, found: Mapping[str, str]) -> None:
    """Raise DataError, naming the files, where a network is not made of the recorded ones; None expects nothing."""
    told = own_files.differences(recorded, found) if recorded is not None else []
    if told:
        raise DataError(model, f"is not what it was: {', '.join(told)}")


def place_of(error: BaseException, model: str) -> tuple[str, int] | None:
    """The file of a network of your own, or its neighbour, and the line where an error was raised; None: elsewhere."""
    owners = loads_of(file_of(model).resolve())
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        name = next((name for owner in owners if (name := owner.name_of(frame.filename))), "")
        if name and frame.lineno:
            return name, frame.lineno
    return None


@contextlib.contextmanager
def _errors_of(what: str, model: str, problem: str) -> Iterator[None]:
    """Whatever a stranger's file raises becomes one line, with the file and the line where that is known."""
    try:
        yield
    except (TinyproofError, MemoryError):
        raise
    except SystemExit as error:
        raise DataError(what, EXIT) from error
    except Exception as error:
        place = place_of(error, model)
        where = f" ({place[0]}, line {place[1]})" if place else ""
        raise DataError(what, f"{problem}: {said(error)}{where}") from error


@contextlib.contextmanager
def _as_a_program(neighbours: Neighbours) -> Iterator[None]:
    """A program of its own: arguments without ours, search path and folder put back; what it prints goes beside."""
    argv, path, folder = sys.argv, list(sys.path), Path.cwd()
    sys.argv = [str(neighbours.file)]
    try:
        with contextlib.redirect_stdout(sys.stderr), neighbours.reachable():
            yield
    finally:
        neighbours.look_also()
        sys.argv, sys.path[:] = argv, path
        os.chdir(folder)
