"""Journal: read the entries in a folder in their order, keep an analysis, write the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinyproof.core.errors import InputError
from tinyproof.core.files import existing, write_atomic
from tinyproof.core.printed import Part, Printed
from tinyproof.prove.journal import history
from tinyproof.prove.journal.entries import Entry
from tinyproof.show import journal_page

PAGE = "journal.html"


@dataclass(frozen=True, repr=False)
class JournalResult(Printed):
    """Every run, proof, comparison and claim of a folder in their order, and where the page of them was written."""

    entries: tuple[Entry, ...]
    page: Path | None

    def parts(self) -> Sequence[Part]:
        """Every entry, the overview, where the page is."""
        where = [f"page: {self.page}"] if self.page is not None else []
        return [*journal_page.journal_parts(self.entries), *where]

    def to_json(self) -> list[dict[str, Any]]:
        """Plain data, an entry each."""
        return [entry.to_json() for entry in self.entries]


def journal(
    folder: str | Path = "tinyproof-out", *, of: str | None = None, analysis: str | None = None, page: bool = True
) -> JournalResult:
    """Runs and proofs in their order: what changed between them, what it did; Target, Result and Analysis as a page.

    `folder`: with runs and proofs in it. `of` and `analysis`: first keep that text as the analysis of that entry.
    Writes `journal.html` into the folder when `page`. Raises InputError for one of them alone or an unknown entry,
    DataError where there is nothing that can be read.

    >>> import tinyproof
    >>> found = tinyproof.train("s7-8k", dataset="digits", epochs=1, out="runs/first", quiet=True)
    >>> [(entry.kind, entry.name) for entry in tinyproof.journal("runs").entries]
    [('run', 'first')]
    """
    if (of is None) != (analysis is None):
        raise InputError("analysis", "one of --of and --analysis", "both, or none")
    root = existing(folder, "folder")
    if of is not None:
        history.write_analysis(root, of, analysis or "")
    entries = history.read(root)
    if page:
        write_atomic(root / PAGE, journal_page.page(entries, root.resolve().name))
    return JournalResult(tuple(entries), Path(folder) / PAGE if page else None)
