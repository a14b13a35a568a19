"""The files around a notebook: the local modules it may import, and the README files beside it.

Nothing is imported: a module's name is turned into a path below the folder, and the file is read as text.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from tinyproof.check.code.clean import parse_cell
from tinyproof.check.code.interpreter.blocks import Block
from tinyproof.check.notebook.read.document import Document, is_notebook, read_document
from tinyproof.core.errors import DataError
from tinyproof.core.files import is_plain
from tinyproof.core.word_sets import words

MAX_FILES = 20_000
MAX_DEPTH = 8
MAX_MODULES = 200
_SKIPPED = words(
    """
    .git .ipynb_checkpoints __pycache__ node_modules .venv venv .tox site-packages .mypy_cache
    """
)


def walk(folder: Path) -> Iterator[Path]:
    """The files below a folder, in order, without links, hidden caches and virtual environments; bounded."""
    count = 0
    base = len(folder.parts)
    for here, folders, files in os.walk(folder, followlinks=False):
        depth = len(Path(here).parts) - base
        folders[:] = sorted(f for f in folders if f not in _SKIPPED) if depth < MAX_DEPTH else []
        for name in sorted(files):
            count += 1
            if count > MAX_FILES:
                return
            path = Path(here) / name
            if not path.is_symlink():
                yield path


class Surroundings:
    """The modules that a document may import: files below `root`, and those its own cells write."""

    def __init__(self, document: Document, root: Path, texts: Mapping[str, str] | None = None) -> None:
        self.texts = texts or {}
        self.document = document
        self.root = root
        self.read: dict[str, tuple[str, tuple[Block, ...]] | None] = {}
        self.written: dict[str, tuple[Block, ...]] = {}
        self.sources: dict[str, list[str]] = {}
        self._suffixes: dict[str, list[Path]] | None = None

    def write(self, name: str, block: Block) -> None:
        """Note that a cell writes a module with %%writefile."""
        self.written[Path(name).name] = (*self.written.get(Path(name).name, ()), block)

    def blocks(self) -> list[Block]:
        """The code of all modules that were asked for."""
        return [block for found in self.read.values() if found is not None for block in found[1]]

    def find(self, name: str, asking: str) -> tuple[str, tuple[Block, ...]] | None:
        """The file and the statements of the module `name`; None where it is not there."""
        key = f"{name}\0{Path(asking).parent}" if name.startswith(".") else name
        if key not in self.read:
            self.read[key] = self._find(name, asking) if len(self.read) < MAX_MODULES else None
        return self.read[key]

    def find_file(self, path: str, asking: str) -> tuple[str, tuple[Block, ...]] | None:
        """The blocks of a script or notebook that is run by its path, relative to the notebook or the asking file."""
        name = Path(path if Path(path).suffix else path + ".py").name
        if name in self.written:
            return self.document.name, self.written[name]
        for folder in (self.document.path.parent, (self.document.path.parent / asking).parent, self.root):
            candidate = folder / (path if Path(path).suffix else path + ".py")
            try:
                inside = candidate.resolve().is_relative_to(self.root.resolve())
                if not inside or not is_plain(candidate) or candidate.is_symlink():
                    continue
                document = read_document(candidate, self._shown(candidate))
            except (DataError, OSError, ValueError):
                continue
            blocks = []
            for cell in document.code:
                parsed = parse_cell(cell.source)
                blocks.append(Block(document.name, None, parsed.statements, parsed.unread, parsed.unread_names))
                self.sources.setdefault(document.name, cell.source.split("\n"))
            return document.name, tuple(blocks)
        return None

    def _find(self, name: str, asking: str) -> tuple[str, tuple[Block, ...]] | None:
        bare = name.lstrip(".")
        if not bare:
            return None
        last = bare.rpartition(".")[2] + ".py"
        if last in self.written:
            return self.document.name, self.written[last]
        path = self._path(bare, asking)
        if path is None or _is_the_library(bare, path):
            return None
        shown = self._shown(path)
        try:
            document = read_document(path, shown)
        except DataError:
            return None
        source = self.texts.get(shown, document.cells[0].source)
        if re.search(rf"^\s*(?:import|from)\s+{re.escape(bare)}\b", source, re.MULTILINE):
            return None  # a script that bears the name of the library it uses is not that library
        parsed = parse_cell(source)
        self.sources[shown] = source.split("\n")
        return shown, (Block(shown, None, parsed.statements, parsed.unread, parsed.unread_names),)

    def _path(self, bare: str, asking: str) -> Path | None:
        relative = Path(*bare.split("."))
        here = (
            (self.document.path.parent / asking).parent if asking != self.document.name else self.document.path.parent
        )
        beside, above = self.document.path.parent, self.document.path.parent.parent
        for folder in dict.fromkeys((here, beside, self.root, above, self.root / "src")):
            for candidate in (folder / relative.with_suffix(".py"), folder / relative / "__init__.py"):
                if is_plain(candidate) and not candidate.is_symlink():
                    return candidate
        root = bare.partition(".")[0]
        if root in _COMMON or root in sys.stdlib_module_names:
            return None
        return self._nearest(self._by_suffix(relative.with_suffix(".py")), here) or self._nearest(
            self._by_suffix(relative / "__init__.py"), here
        )

    def _nearest(self, found: list[Path], here: Path) -> Path | None:
        """The nearest of several modules below the notebook, if it is one; else the only one of the submission."""
        below = [path for path in found if path.is_relative_to(here)]
        if below:
            least = min(len(path.parts) for path in below)
            nearest = [path for path in below if len(path.parts) == least]
            return nearest[0] if len(nearest) == 1 else None
        return found[0] if len(found) == 1 else None

    def _by_suffix(self, tail: Path) -> list[Path]:
        """Modules anywhere below the root whose path ends so: what a clone and a sys.path line made reachable."""
        if self._suffixes is None:
            self._suffixes = {}
            for path in walk(self.root):
                if path.suffix == ".py":
                    self._suffixes.setdefault(path.name, []).append(path)
        return [p for p in self._suffixes.get(tail.name, []) if p.parts[-len(tail.parts) :] == tail.parts]

    def _shown(self, path: Path) -> str:
        try:
            return os.path.relpath(path, self.document.path.parent)
        except ValueError:
            return path.name


# Names that are libraries when no file of that name stands right beside the notebook.
_COMMON = frozenset(
    (
        *("torch", "torchvision", "torchsummary", "torchinfo", "numpy", "pandas", "scipy", "sklearn", "matplotlib"),
        *("seaborn", "tqdm", "PIL", "cv2", "albumentations", "IPython", "google", "tensorflow", "keras"),
    )
)
# Frameworks of which whole copies stand in repositories.
_COPIED = _COMMON | {"fastai", "transformers", "jax", "flax", "xgboost", "lightgbm", "skorch", "pytorch_lightning"}


def _is_the_library(bare: str, path: Path) -> bool:
    """Whether a module is of a copy of the framework that it is named after: what its calls mean is known."""
    root = bare.partition(".")[0]
    package = next((folder for folder in path.parents if folder.name == root), None)
    if root not in _COPIED or package is None or not is_plain(package / "__init__.py"):
        return False
    try:
        return "__version__" in (package / "__init__.py").read_text(encoding="utf-8", errors="replace")[:5_000]
    except OSError:
        return False


_README = re.compile(r"readme(?:\.(?:md|txt|rst|markdown))?", re.IGNORECASE)
MAX_NEIGHBOURS = 60
MAX_ABOVE = 4  # so many folders above a file may be its submission's


def root_of(path: Path) -> Path:
    """The folder of the submission that a file belongs to, however the audit was called.

    The nearest folder at or above the file that is a repository; else the nearest with a README; else the file's own.
    """
    above = [path.absolute().parent, *path.absolute().parent.parents][: MAX_ABOVE + 1]
    for folder in above:
        if (folder / ".git").exists():
            return folder
    return next((folder for folder in above if readmes_in(folder)), above[0])


def readmes_in(folder: Path) -> list[Path]:
    """The README files of one folder."""
    try:
        beside = sorted(folder.iterdir())[:MAX_FILES]
    except OSError:
        return []
    return [p for p in beside if _README.fullmatch(p.name) and is_plain(p) and not p.is_symlink()]


def readmes_for(path: Path, root: Path) -> list[Path]:
    """The README files that speak of a notebook: in its folder, else in the nearest folder above, up to the root."""
    folder = path.parent
    for _ in range(MAX_DEPTH):
        found = readmes_in(folder)
        if found or folder == root or folder.parent == folder or not folder.is_relative_to(root):
            return found
        folder = folder.parent
    return []


def notebooks_below(folder: Path) -> list[Path]:
    """The notebooks that a README of this folder speaks of, in order; at most some sixty."""
    found: list[Path] = []
    for path in walk(folder):
        if is_notebook(path):
            found.append(path)
            if len(found) >= MAX_NEIGHBOURS:
                break
    return found
