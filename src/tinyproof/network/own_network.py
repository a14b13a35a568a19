"""The one door to a network of your own: `path/to/model.py:Class`, run as `python model.py` would run it.

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

from torch import nn
from torch.nn.parameter import UninitializedParameter

from tinyproof.core.errors import DataError, InputError, TinyproofError, said
from tinyproof.core.files import existing
from tinyproof.network import own_files
from tinyproof.network.neighbours import Neighbours, loads_of

EXIT = "ends the program (sys.exit); put what trains or tests under: if __name__ == '__main__':"
_MADE_OF: weakref.WeakKeyDictionary[nn.Module, Neighbours] = weakref.WeakKeyDictionary()


def load(model: str) -> Callable[[], nn.Module]:
    """Run the file of `path/to/model.py:Class`, and return what makes the network: name only files that you trust.

    Raises InputError where there is no such file or class, DataError where the file does not run.
    """
    path, wanted = existing(own_files.file_of(model), "model"), model.rpartition(":")[2]
    neighbours = Neighbours(path)
    with _errors_of(str(own_files.file_of(model)), model, "does not run"), _as_a_program(neighbours):
        namespace = vars(import_module(neighbours.main))
    found = {k: v for k, v in namespace.items() if inspect.isclass(v) and issubclass(v, nn.Module)}
    own = {k: v for k, v in found.items() if neighbours.hold(v.__module__)}
    if wanted not in own:
        raise InputError("model", model, "one of its networks: " + (", ".join(own) or "it has none"), path.name)

    def make() -> nn.Module:
        with _errors_of(model, model, "cannot be made without arguments"), _as_a_program(neighbours):
            module = own[wanted]()
        if any(isinstance(parameter, UninitializedParameter) for parameter in module.parameters()):
            raise DataError(model, "has lazy layers, whose sizes only the first images decide", "write the sizes out")
        _MADE_OF[module] = neighbours
        return module

    return make


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
    owners = loads_of(own_files.file_of(model).resolve())
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
