"""The figures of the documentation that stand on stored runs, counted again from records/ each time.

python tools/records.py proof records/s7-8k-30          one proof: its verdict and what it stands on
python tools/records.py comparisons records/compare/*   a table of these comparisons
python tools/records.py looks records/reproduce         every evaluation of every claim
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from tinyproof.core import packed
from tinyproof.core.table import Column, Table
from tinyproof.network.budget import table as budget_table
from tinyproof.prove import comparison, proof, published_claims, reproduction
from tinyproof.show.compare_page import side_names
from tinyproof.show.prove_page import summary_table, verdict_line


def show_proof(folder: Path) -> str:
    """As `tinyproof prove` ends, without the runs one by one. `folder`: it may be a pack."""
    with packed.folder(folder) as there:
        found = proof.load(there)
    tables = [summary_table(found), *([budget_table(found.checks)] if found.checks else [])]
    return "\n\n".join([*(table.text() for table in tables), verdict_line(found)])


def show_comparisons(*folders: Path) -> str:
    """A row for each comparison: both sides' means, the paired difference with its interval, the answer."""
    rows = []
    for folder in folders:
        found = comparison.load(folder)
        assert found.paired is not None, folder
        first, second = side_names(found)
        low, high = found.paired.interval.low, found.paired.interval.high
        interval = f"{low:+.3f} to {high:+.3f} ({100 * found.paired.interval.confidence:.0f} %)"
        means = (found.first.verdict.mean, found.second.verdict.mean)
        rows.append((first, second, found.paired.n, *means, found.paired.mean, interval, found.word))
    number = "right"
    columns = (
        Column("first"), Column("second"), Column("seeds", number), Column("first, %", number, ".3f"),
        Column("second, %", number, ".3f"), Column("difference, points", number, "+.3f"), Column("interval"),
        Column("answer"),
    )  # fmt: skip
    return Table("", columns, tuple(rows)).markdown()


def show_looks(folder: Path) -> str:
    """Every evaluation of every claim that was run: mean over the seeds, lowest, highest, and what was published."""
    found = [reproduction.load(folder / name, claim) for name, claim in published_claims.CLAIMS.items()]
    return reproduction.looks_table(found).markdown()


if __name__ == "__main__":
    show: dict[str, Callable[..., str]] = {"proof": show_proof, "comparisons": show_comparisons, "looks": show_looks}
    print(show[sys.argv[1]](*map(Path, sys.argv[2:])))
