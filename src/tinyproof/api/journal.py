"""Journal: read the entries in a folder in their order, keep an analysis, write the page."""

from __future__ import annotations

from pathlib import Path

from tinyproof.core.files import existing, write_atomic
from tinyproof.prove.journal import history as journals
from tinyproof.prove.journal.entries import Entry

PAGE = "journal.html"


def journal(
    folder: str | Path, *, of: str | None = None, analysis: str | None = None, page: bool = True
) -> list[Entry]:
    """Every run, proof, comparison and claim in the folder, in their order.

    `of` and `analysis`: first keep that text as the analysis of that entry. Writes `journal.html` into the folder when
    `page`. Raises InputError, DataError.
    """
    from tinyproof.show import journal_page

    root = existing(folder, "folder")
    if of is not None:
        journals.write_analysis(root, of, analysis or "")
    entries = journals.read(root)
    if page:
        write_atomic(root / PAGE, journal_page.page(entries, root.resolve().name))
    return entries
