"""`pack`: a proof, comparison, run or the claims in one .zip file, which `verify`, `report` and `journal` read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinyproof.core import packed
from tinyproof.core.errors import InputError
from tinyproof.core.files import existing
from tinyproof.core.printed import Part, Printed
from tinyproof.prove.journal import entries
from tinyproof.prove.journal.entries import Entry
from tinyproof.train import checkpoint, store

_DEEPEST = 8
# What belongs to a run that has not ended, or to this machine; compiled Python is nobody's evidence.
_LEFT = (checkpoint.FILE, "__pycache__")


@dataclass(frozen=True, repr=False)
class PackResult(Printed):
    """The file that was written, its SHA-256 and size in bytes, and the names in it; `entries`: what it holds."""

    path: Path
    digest: str
    size: int
    names: tuple[str, ...]
    entries: tuple[str, ...]

    def parts(self) -> Sequence[Part]:
        """How much, of what, where."""
        held = "; ".join(self.entries[:8]) + (f"; and {len(self.entries) - 8} more" if len(self.entries) > 8 else "")
        return [f"{held}\n{len(self.names):,} files, {self.size:,} bytes, SHA-256 {self.digest}\npacked: {self.path}"]

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        told = {"path": str(self.path), "sha256": self.digest, "bytes": self.size}
        return {**told, "files": list(self.names), "holds": list(self.entries)}


def pack(folder: str | Path, *, out: str | Path | None = None, weights: bool = True) -> PackResult:
    """Write a folder of `prove`, `compare`, `reproduce` or `train` as one .zip file.

    Records, answers, weights where they were kept (and wanted), pages, the kept files of your own network; no
    checkpoint, no link, no `__pycache__`, nothing whose name begins with a dot. `out`: the file; the folder's name and
    `.zip` beside it where not given. The same content gives the same bytes. Raises InputError where the folder
    holds no such thing, or `out` is a file that is no pack, or one of something else; DataError where it is too much,
    OutputError.

    >>> import tinyproof
    >>> found = tinyproof.prove("s7-8k", "s7-8k,epochs=2", dataset="digits", seeds=2, target=20, out="two", quiet=True)
    >>> tinyproof.verify(tinyproof.pack("two").path).broken
    ()
    """
    root = existing(folder, "folder")
    held = tuple(_held(root))
    if not held:
        remedy = "name a folder that `tinyproof prove`, `compare` or `train` has written"
        raise InputError("folder", str(folder), remedy, problem="holds no proof, no comparison and no run")
    path = root.resolve().with_name(root.resolve().name + packed.ENDING) if out is None else Path(out)
    _may_be_written(path, held)
    every = (file for file in _files(root, 0) if weights or file.name != store.WEIGHTS)
    names = tuple(sorted(file.relative_to(root).as_posix() for file in every if file.resolve() != path.resolve()))
    digest = packed.write(names, root, path)
    words = tuple(f"{entry.kind} {_called(entry, root)}: {entry.answer or entry.result}" for entry in held)
    return PackResult(path, digest, path.stat().st_size, names, words)


def _called(entry: Entry, root: Path) -> str:
    return root.resolve().name if entry.name == "." else entry.name


def _may_be_written(path: Path, held: Sequence[Entry]) -> None:
    """Raise InputError for another ending; and where a file is in the way that is no pack, or holds what this will not
    hold."""
    if path.suffix.lower() != packed.ENDING:
        raise InputError("out", str(path), f"a name that ends in {packed.ENDING}")
    if not path.is_file():
        return
    if not packed.is_marked(path):
        raise InputError("out", str(path), "name another", problem="is there already, and no pack")
    with packed.folder(path, "out") as there:
        lost = {(entry.kind, entry.name) for entry in _held(there)} - {(entry.kind, entry.name) for entry in held}
    if lost:
        kind, name = min(lost)
        what = f"is there already, and holds what this would not ({kind} {name})"
        raise InputError("out", str(path), "name another", problem=what)


def _held(root: Path, place: Path | None = None, depth: int = 0) -> Iterator[Entry]:
    """The entries in a folder; one that is the folder itself is called "."."""
    place = place or root
    if entries.is_entry(place):
        yield entries.read(place, place.relative_to(root).as_posix())
    elif depth < _DEEPEST and place.is_dir():
        for child in sorted(place.iterdir()):
            if child.is_dir() and not child.is_symlink():
                yield from _held(root, child, depth + 1)


def _files(place: Path, depth: int) -> Iterator[Path]:
    for child in sorted(place.iterdir()):
        if child.is_symlink() or child.name.startswith(".") or child.name in _LEFT:
            continue
        if child.is_dir() and depth < _DEEPEST:
            yield from _files(child, depth + 1)
        elif child.is_file():
            yield child
