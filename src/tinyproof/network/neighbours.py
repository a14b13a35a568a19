"""The local files that a Python file imports, loaded for it alone, as they were read.

Each load is a package of its own, `_own_1`, whose submodules are the neighbours. An import inside one of these files
asks here first: its builtins hold another `__import__`. So it finds its neighbours at any time, also in a forward pass,
and nobody else does.
"""

from __future__ import annotations

import builtins
import contextlib
import itertools
import os
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import SOURCE_SUFFIXES, FileFinder, FrozenImporter, ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from tinyproof.network.model_name import NOTEBOOK
from tinyproof.network.notebook_source import source_of
from tinyproof.network.own_files import EXTRACTED

_PREFIX = "_own_"
_NUMBERS = itertools.count(1)
_LOADS: dict[str, Neighbours] = {}
_REACHABLE: list[Neighbours] = []
# Installed libraries have versions, which are recorded; all else that is imported is local, wherever it lies.
_INSTALLED = {"site-packages", "dist-packages"}
_LIBRARIES = {"tinyproof", "torch", "numpy"}
_STANDARD = [Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "platstdlib")]
# A module found along the usual path stays loaded for the life of the process: its content as it was then.
_FIRST_READ: dict[str, bytes] = {}


class Neighbours:
    """One load of `file`: where its neighbours are looked for, and what was read."""

    def __init__(self, file: Path) -> None:
        self.file = file.resolve()
        self.prefix = f"{_PREFIX}{next(_NUMBERS)}"
        package, root = "", self.file.parent
        while (root / "__init__.py").is_file() and root.parent != root:
            package, root = f"{root.name}.{package}", root.parent
        # Like `__main__`, it is not the module that a neighbour gets which imports the same file.
        self.main = f"{self.prefix}.{package}{self.file.stem} (main)"
        self.places = list(dict.fromkeys([str(self.file.parent), str(root)]))
        self.builtins = {**vars(builtins), "__import__": self._import}
        self._path = list(sys.path)
        self._read: dict[Path, bytes] = {}
        self._elsewhere: set[str] = set()
        _LOADS[self.prefix] = self
        if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
            sys.meta_path[:] = [_Finder(), *sys.meta_path, _LastFinder()]

    def hold(self, module: str) -> bool:
        """Whether a module is one of these files."""
        return module.startswith(f"{self.prefix}.") or module.partition(".")[0] in self._elsewhere

    def look_also(self) -> None:
        """Look in the folders, too, that the file itself has put on the search path."""
        added = [str(Path(entry).resolve()) for entry in sys.path if entry not in self._path]
        self.places += [place for place in dict.fromkeys(added) if place not in self.places]

    def files(self) -> dict[str, bytes]:
        """Every file that was read until now, by its path from the folder of the first."""
        for module in [*sys.modules.values()]:
            if getattr(module, "__name__", "").partition(".")[0] in self._elsewhere:
                path = getattr(module, "__file__", None) or ""
                if path.endswith(".py") and path not in _FIRST_READ:
                    _FIRST_READ[path] = Path(path).read_bytes()
                if path.endswith(".py"):
                    self._read.setdefault(Path(path).resolve(), _FIRST_READ[path])
        named = {self._name(path): content for path, content in self._read.items()}
        return dict(sorted(named.items()))

    def name_of(self, path: str) -> str:
        """How one of these files is called; empty for any other."""
        place = Path(path)
        return self._name(place.resolve()) if place.is_file() and place.resolve() in self._read else ""

    def _name(self, path: Path) -> str:
        ending = EXTRACTED if path.suffix == NOTEBOOK else ""
        try:
            return Path(os.path.relpath(path, self.file.parent)).as_posix() + ending
        except ValueError:  # another drive
            return path.as_posix() + ending

    @contextlib.contextmanager
    def reachable(self) -> Iterator[None]:
        """While the file runs, `importlib.import_module` finds its neighbours too, where nobody else has the name."""
        before = set(sys.modules)
        _REACHABLE.append(self)
        try:
            yield
        finally:
            _REACHABLE.remove(self)
            for name in set(sys.modules) - before:
                own = getattr(sys.modules[name], "__name__", "").startswith(f"{self.prefix}.")
                if own and not name.startswith(_PREFIX):
                    del sys.modules[name]

    def _import(
        self, name: str, globals: Any = None, locals: Any = None, fromlist: Sequence[str] | None = (), level: int = 0
    ) -> Any:
        top = name.partition(".")[0]
        self.look_also()
        if level or not self.has(top):
            module = builtins.__import__(name, globals, locals, fromlist or (), level)
            if not level and top not in _LIBRARIES and _is_local(sys.modules.get(top)):
                self._elsewhere.add(top)
            return module
        module = builtins.__import__(f"{self.prefix}.{name}", globals, locals, fromlist or (), 0)
        return module if fromlist else sys.modules[f"{self.prefix}.{top}"]

    def has(self, top: str) -> bool:
        """Whether a name is a neighbour's: those of the interpreter itself come first, as always."""
        if top in sys.builtin_module_names or FrozenImporter.find_spec(top) is not None:
            return False
        spec = self.find(f"{self.prefix}.{top}", self.places)
        return spec is not None and spec.loader is not None

    def find(self, name: str, places: Sequence[str]) -> ModuleSpec | None:
        """The module `name` in some folders: a file, a package, or else a folder without `__init__.py`."""
        folders: list[str] = []
        for place in places:
            finder = FileFinder(place, (self._loader, SOURCE_SUFFIXES))  # type: ignore[arg-type]
            spec = finder.find_spec(name)
            if spec is not None and spec.loader is not None:
                return spec
            folders += (spec.submodule_search_locations or []) if spec else []
        if not folders:
            return None
        spec = ModuleSpec(name, None, is_package=True)
        spec.submodule_search_locations = folders
        return spec

    def spec(self, name: str, path: Sequence[str] | None) -> ModuleSpec | None:
        """What the machinery of imports asks for a module of this load."""
        if name == self.prefix:
            root = ModuleSpec(name, None, is_package=True)
            root.submodule_search_locations = self.places
            return root
        if name == self.main:
            return spec_from_file_location(name, self.file, loader=self._loader(name, str(self.file)))
        return self.find(name, [*(path or [])])

    def _loader(self, name: str, path: str) -> _Loader:
        return _Loader(name, path, self)

    def read(self, path: str, content: bytes) -> None:
        """Keep what was read of a file."""
        self._read[Path(path).resolve()] = content


def loads_of(file: Path) -> list[Neighbours]:
    """Every load of a file in this process, the latest first."""
    return [load for load in reversed(_LOADS.values()) if load.file == file]


class _Loader(SourceFileLoader):
    """Runs the source as it was read: a compiled file beside it may be older by less than its clock can tell."""

    def __init__(self, name: str, path: str, owner: Neighbours) -> None:
        super().__init__(name, path)
        self._owner = owner

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        content = self.get_data(path)
        if path.endswith(NOTEBOOK):
            content = source_of(content, path).text.encode()
        self._owner.read(path, content)
        return self.source_to_code(content, path)

    def exec_module(self, module: ModuleType) -> None:
        vars(module)["__builtins__"] = self._owner.builtins
        super().exec_module(module)


class _Finder(MetaPathFinder):
    """Finds the modules of every load by their prefix."""

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> Any:
        owner = _LOADS.get(fullname.partition(".")[0])
        return None if owner is None else owner.spec(fullname, path)


class _LastFinder(MetaPathFinder):
    """Asked when nobody else knows a name: the file that is being run may have a neighbour of it."""

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> Any:
        if path is not None or not _REACHABLE or not _REACHABLE[-1].has(fullname):
            return None
        return ModuleSpec(fullname, _Alias(f"{_REACHABLE[-1].prefix}.{fullname}"))


class _Alias(Loader):
    """Gives a neighbour under its plain name: the same module, not a second one."""

    def __init__(self, name: str) -> None:
        self._name = name

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return import_module(self._name)

    def exec_module(self, module: ModuleType) -> None:
        pass


def _is_local(module: ModuleType | None) -> bool:
    """Whether a module is somebody's own: neither the interpreter's nor an installed library's."""
    path = getattr(module, "__file__", None) or next(iter(getattr(module, "__path__", ())), None)
    if not isinstance(path, str):
        return False
    place = Path(path).resolve()
    return not _INSTALLED & set(place.parts) and not any(place.is_relative_to(root) for root in _STANDARD)
