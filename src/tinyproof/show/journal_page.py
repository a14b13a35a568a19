"""The journal as a table and as a page of Target, Result, Analysis."""

from __future__ import annotations

from tinyproof.cnn.journal import Entry
from tinyproof.core.table import Column, Table
from tinyproof.show.html import render


def table(entries: list[Entry]) -> Table:
    """One row an entry: what changed, what came out, what the change did."""
    columns = (Column("run"), Column("what changed"), Column("result"), Column("what it did"), Column("analysis"))
    rows = tuple((e.name, "; ".join(e.changed), e.result, e.did, e.analysis.partition("\n")[0]) for e in entries)
    return Table("", columns, rows)


def page(entries: list[Entry], title: str) -> str:
    """One self-contained HTML page."""
    return render("journal.html.j2", title=f"Journal: {title}", entries=entries)
