"""The journal: runs and proofs in the order in which they were made, each with Target, Result and Analysis.

The target is what was asked, the result is filled in by the run, the analysis is the user's own (`analysis.txt`).
Between two entries stands what changed, and what it did, beside what chance alone does. No torch.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from tinyproof.core.errors import DataError, InputError, TinyproofError
from tinyproof.core.files import is_plain, read_bounded, write_atomic
from tinyproof.network import own_files
from tinyproof.prove.journal import changes, entries
from tinyproof.prove.journal.changes import Effect
from tinyproof.prove.journal.entries import Entry

ANALYSIS = "analysis.txt"
_MAX_ANALYSIS = 20_000
_DEEPEST = 4
_SEARCH, _RUNS = "search.json", "runs"


def read(root: Path) -> list[Entry]:
    """Every entry in `root` and below, in the order of their start; what cannot be read stands last, with its reason.

    Raises DataError where there is none, or none that can be read.
    """
    found = [_with_analysis(entries.read(folder, _name(folder, root))) for folder in _folders(root, 0)]
    if not found:
        raise DataError(str(root), "holds no finished run and no proof", "train one: tinyproof train s7-8k")
    if all(entry.kind == "unreadable" for entry in found):
        raise DataError(str(root), f"holds nothing that can be read; {found[0].name} is {found[0].result}")
    found.sort(key=lambda entry: (entry.kind == "unreadable", entry.started, entry.name))
    told, before = [], None
    for entry in found:
        if entry.kind in ("comparison", "unreadable"):
            told.append(entry)
        else:
            told.append(entry if before is None else _since(entry, before))
            before = entry
    return told


def write_analysis(root: Path, name: str, text: str) -> Path:
    """Keep the user's analysis of the entry called `name`. Raises InputError for another name or too long a text."""
    names = {entry.name: entry.folder for entry in read(root)}
    if name not in names:
        raise InputError("entry", name, ", ".join(names), str(root))
    if len(text.encode()) > _MAX_ANALYSIS:
        raise InputError("analysis", f"{len(text.encode()):,} bytes", f"at most {_MAX_ANALYSIS:,} bytes")
    return write_atomic(names[name] / ANALYSIS, text.strip() + "\n")


def _folders(root: Path, depth: int) -> Iterator[Path]:
    try:
        found = entries.is_entry(root)
        below = [path for path in root.iterdir() if path.is_dir() and not path.is_symlink()]
    except (NotADirectoryError, FileNotFoundError):
        return
    except OSError:
        found, below = True, []  # an entry that says why it cannot be read
    if found:
        yield root
    elif depth < _DEEPEST:
        # The runs of a search were for choosing; its entry is the proof of its winner.
        searched = (root / _SEARCH).is_file()
        for child in sorted(path for path in below if not (searched and path.name == _RUNS)):
            yield from _folders(child, depth + 1)


def _name(folder: Path, root: Path) -> str:
    return folder.resolve().name if folder == root else folder.relative_to(root).as_posix()


def _with_analysis(entry: Entry) -> Entry:
    path = entry.folder / ANALYSIS
    if not is_plain(path):
        return entry
    try:
        text = read_bounded(path, _MAX_ANALYSIS).decode("utf-8", errors="replace").strip()
    except TinyproofError as error:
        text = f"unreadable: {error}"
    return replace(entry, analysis=text)


def _since(entry: Entry, before: Entry) -> Entry:
    """The entry with what changed since the one before that has one accuracy, and what that did."""
    changed = changes.words(before.settings, entry.settings) or (changes.seeds_words(before.seeds, entry.seeds),)
    if any(before.settings[name] != entry.settings[name] for name in ("data", "images")):
        effect = Effect(None, None, "other data: not comparable")
    else:
        effect = changes.effect(before.percents, entry.percents, entry.images)
    diff = own_files.diff(before.texts, entry.texts) if before.texts and entry.texts else ""
    return replace(entry, since=before.name, changed=changed, effect=effect, diff=diff)
