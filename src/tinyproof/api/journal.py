"""Journal: read the entries in a folder in their order, keep an analysis, write the page."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tinyproof.api import journal_notebook
from tinyproof.core import packed
from tinyproof.core.errors import InputError
from tinyproof.core.files import existing, read_bounded, write_atomic
from tinyproof.core.printed import Part, Printed
from tinyproof.prove.journal import history
from tinyproof.prove.journal.entries import Entry
from tinyproof.show import journal_markdown, journal_page
from tinyproof.show.journal_markdown import RunFiles
from tinyproof.show.terminal import terminal
from tinyproof.train import store

PAGE = "journal.html"
LAYERS = "layers.txt"
_PICTURES = (("curves.png", "Loss and accuracy of every epoch"), ("misclassified.png", "Test images that were misread"))
_MAX_LAYERS = 1_000_000


@dataclass(frozen=True, repr=False)
class JournalResult(Printed):
    """Every run, proof, comparison and claim of a folder in their order, and where the page of them was written.

    `exit_code`: 1 when an entry cannot be read, which is named in its place, else 0.
    """

    entries: tuple[Entry, ...]
    page: Path | None
    markdown: Path | None = None
    notebook: Path | None = None
    notebook_verdict: str = ""

    @property
    def exit_code(self) -> int:
        """1 when an entry cannot be read, else 0."""
        return int(any(entry.kind == "unreadable" for entry in self.entries))

    def parts(self) -> Sequence[Part]:
        """Every entry, the overview, where the page is."""
        written = (("page", self.page), ("markdown", self.markdown), ("notebook", self.notebook))
        where = [f"{name}: {path}" for name, path in written if path is not None]
        where += [f"`audit` of the notebook: {self.notebook_verdict}"] if self.notebook is not None else []
        return [*journal_page.journal_parts(self.entries), *where]

    def to_json(self) -> list[dict[str, Any]]:
        """Plain data, an entry each."""
        return [entry.to_json() for entry in self.entries]


def journal(
    folder: str | Path = "tinyproof-out",
    *,
    of: str | None = None,
    analysis: str | None = None,
    markdown: str | Path | None = None,
    notebook: str | Path | None = None,
    model: str | None = None,
    dataset: str | None = None,
    data: str | Path | None = None,
    page: bool = True,
    quiet: bool = True,
) -> JournalResult:
    """Runs and proofs in their order: what changed between them, what it did; Target, Result and Analysis as a page.

    `folder`: with runs and proofs in it; or a pack (.zip), which is only read, its page beside it. `of` and
    `analysis`: first keep that text as the analysis of that entry. `markdown`: a file to write too, README.md for
    example: the tries in one table, then each with its log, layers and pictures; a file of that name that this did
    not write is never replaced. `notebook`: an .ipynb to write too, of the run that `of` names, else of the last
    one: plain PyTorch with `model.py` beside it, which trains that network by that recipe; it is run, and its
    outputs are what that printed. For it alone: `model`, the file of a network of your own, `dataset` and `data`,
    where the data lies. Writes `journal.html` into the folder when `page`. `quiet`: nothing is said of the
    notebook's progress. Raises InputError for one of them alone or an unknown entry, DataError where there is
    nothing that can be read, OutputError.

    >>> import tinyproof
    >>> found = tinyproof.train("s7-8k", dataset="digits", epochs=1, out="runs/first", quiet=True)
    >>> [(entry.kind, entry.name) for entry in tinyproof.journal("runs").entries]
    [('run', 'first')]
    """
    if (of is None) != (analysis is None) and not (notebook is not None and analysis is None):
        raise InputError("analysis", of or analysis, "name --of and --analysis, or neither", problem="stands alone")
    for name, value in (("model", model), ("dataset", dataset), ("data", data)):
        if value is not None and notebook is None:
            raise InputError(name, str(value), "name the notebook too, with --notebook", problem="is for a notebook")
    if packed.is_pack(Path(folder)):
        for name, value in (("analysis", analysis), ("markdown", markdown), ("notebook", notebook)):
            if value is not None:
                what = f"is for a folder; {folder} is a pack, which is only read"
                raise InputError(name, str(value), "unpack it, and name the folder", problem=what)
        return _of_pack(Path(folder), page)
    root = existing(folder, "folder")
    if markdown is not None:
        _may_be_written(Path(markdown))
    if of is not None and analysis is not None:
        history.write_analysis(root, of, analysis)
    entries = history.read(root)
    written = None
    if notebook is not None:
        with terminal(quiet=quiet, errors=True) as listener:
            written = journal_notebook.write(
                _chosen(entries, of, root), Path(notebook), model=model, dataset=dataset,
                data=None if data is None else str(data), listener=listener,
            )  # fmt: skip
    if page:
        write_atomic(root / PAGE, journal_page.page(entries, root.resolve().name, root))
    if markdown is not None:
        runs = {entry.name: found for entry in entries if (found := _files(entry, Path(markdown).parent))}
        write_atomic(Path(markdown), journal_markdown.markdown(entries, root.resolve().name, runs))
    return JournalResult(
        tuple(entries), Path(folder) / PAGE if page else None, None if markdown is None else Path(markdown),
        written.path if written else None, written.verdict if written else "",
    )  # fmt: skip


def _of_pack(pack: Path, page: bool) -> JournalResult:
    """The entries of a pack; the page of them stands beside it."""
    with packed.folder(pack) as root:
        entries = history.read(root)
    beside = pack.with_name(f"{pack.stem}-{PAGE}") if page else None
    if beside is not None:
        write_atomic(beside, journal_page.page(entries, pack.name))
    return JournalResult(tuple(entries), beside)


def _chosen(entries: Sequence[Entry], of: str | None, root: Path) -> Entry:
    """The entry of that name, else the last run. Raises InputError where there is none."""
    found = [entry for entry in entries if (entry.name == of if of is not None else entry.kind == "run")]
    if not found:
        allowed = ", ".join(entry.name for entry in entries if entry.kind == "run") or "a folder that holds a run"
        raise InputError("of", of, allowed, str(root), problem="" if of is not None else "is missing")
    return found[-1]


def _may_be_written(path: Path) -> None:
    """Raise InputError where the file is somebody's own text."""
    if path.suffix.lower() not in (".md", ".markdown"):
        raise InputError("markdown", str(path), "a name that ends in .md, for example README.md")
    if not path.is_file():
        return
    mark = journal_markdown.MARK.encode()
    with path.open("rb") as file:
        ours = file.read(len(mark)) == mark
    if not ours:
        problem = "is there already, and was not written by `tinyproof journal`"
        raise InputError("markdown", str(path), "name another", problem=problem)


def _files(entry: Entry, beside: Path) -> RunFiles | None:
    """What the folder of a run holds, with links from the folder `beside`; None for anything but a run."""
    if entry.kind != "run":
        return None
    where = Path(os.path.relpath(entry.folder.resolve(), beside.resolve()))
    pictures = [(name, words) for name, words in _PICTURES if (entry.folder / name).is_file()]
    links = tuple((words, quote((where / name).as_posix())) for name, words in pictures)
    layers = entry.folder / LAYERS
    text = read_bounded(layers, _MAX_LAYERS).decode("utf-8", errors="replace") if layers.is_file() else ""
    return RunFiles(run=store.load(entry.folder), layers=text, pictures=links)
