"""The files that a network of your own was made of, as a record names them: digests by name, copies, what changed.

Nothing here runs them, or needs torch. A name is the path from the folder of the network's own file.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path

from tinyproof.core.errors import TinyproofError
from tinyproof.core.files import read_bounded, sha256, write_atomic
from tinyproof.network.model_name import NOTEBOOK, file_of
from tinyproof.network.notebook_source import source_of

KEPT = "network-files"
# What was run of a notebook is kept under the notebook's name with this ending.
EXTRACTED = ".py"
_MOST_BYTES = 10_000_000
_MOST_LINES = 200


def notebook_words(model: str) -> str:
    """What is run of a notebook that a network is named by; nothing for any other. Raises DataError."""
    file = file_of(model)
    return source_of(read_bounded(file, _MOST_BYTES), str(file)).words(file.name) if file.suffix == NOTEBOOK else ""


def digests(files: Mapping[str, bytes]) -> dict[str, str]:
    """The SHA-256 of each file."""
    return {name: sha256(content) for name, content in sorted(files.items())}


def digest(files: Mapping[str, str]) -> str:
    """One digest of the files' digests by name: of a single file its own; nothing where there is none.

    >>> digest({"model.py": "ab" * 32})[:6], digest({})
    ('ababab', '')
    """
    if len(files) < 2:
        return next(iter(files.values()), "")
    return sha256("".join(f"{name}\0{value}\n" for name, value in sorted(files.items())).encode())


def named(model: str, whole: str, files: Mapping[str, str]) -> dict[str, str]:
    """The digests by name that a record holds for a network; one of the first version knows the main file alone."""
    if not whole or (files and digest(files) == whole):
        return dict(files) if whole else {}
    return {file_of(model).name: whole}


def changed(folder: Path, recorded: Mapping[str, str]) -> list[str]:
    """Which of the recorded files in `folder` are others now, in words. For records of your own: the files are read."""
    told = []
    for name, value in sorted(recorded.items()):
        try:
            if sha256(_now(folder, name)) != value:
                told.append(f"{name} has changed")
        except TinyproofError:
            told.append(f"{name} is missing")
    return told


def _now(folder: Path, name: str) -> bytes:
    """The content of a recorded file, or, of a notebook, what is run of it."""
    notebook = folder / name.removesuffix(EXTRACTED)
    if name.endswith(NOTEBOOK + EXTRACTED) and not (folder / name).exists():
        return source_of(read_bounded(notebook, _MOST_BYTES), str(notebook)).text.encode()
    return read_bounded(folder / name, _MOST_BYTES)


def differences(recorded: Mapping[str, str], found: Mapping[str, str]) -> list[str]:
    """How the files that were run differ from the recorded ones, in words."""
    names = sorted({*recorded, *found})
    words = {True: "has changed", False: "is not imported any more"}
    return [
        f"{name} is new" if name not in recorded else f"{name} {words[name in found]}"
        for name in names
        if recorded.get(name) != found.get(name)
    ]


def against(recorded: Mapping[str, str], whole: str, found: Mapping[str, str], main: str) -> list[str]:
    """The same against any record: `whole` is its digest, and those of the first version know the main file alone."""
    if recorded:
        return differences(recorded, found)
    alone = found.get(main, "")
    return [] if whole in (alone, digest(found)) else [f"{main} has changed"]


def keep(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write copies into the folder of a run or a proof, to be read and compared. Nothing runs them there."""
    for name, content in files.items():
        write_atomic(place(folder, name), content)


def kept(folder: Path, recorded: Mapping[str, str]) -> dict[str, str]:
    """The text of the kept copies that are what the record says; the others are left out."""
    found = {}
    for name, value in recorded.items():
        try:
            content = read_bounded(place(folder, name), _MOST_BYTES)
        except TinyproofError:
            continue
        if sha256(content) == value:
            found[name] = content.decode("utf-8", errors="replace")
    return found


def diff(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    """What changed in the text of the files, as a unified diff of at most 200 lines."""
    lines: list[str] = []
    for name in sorted({*before, *after}):
        old, new = before.get(name, "").splitlines(), after.get(name, "").splitlines()
        lines += difflib.unified_diff(old, new, f"before/{name}", f"after/{name}", lineterm="", n=2)
    more = [f"… {len(lines) - _MOST_LINES:,} more lines"] if len(lines) > _MOST_LINES else []
    return "\n".join([*lines[:_MOST_LINES], *more])


def place(folder: Path, name: str) -> Path:
    """Where the copy of a file lies."""
    return folder / KEPT / _inside(name)


def _inside(name: str) -> Path:
    """A relative path that stays inside, whatever a record calls a file.

    >>> _inside("../lib/blocks.py").as_posix()
    'up/lib/blocks.py'
    """
    parts = ["up" if part == ".." else part for part in Path(name.replace("\\", "/")).parts]
    return Path(*(part.replace(":", "-") for part in parts if part not in ("/", ".", "")))
