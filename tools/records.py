"""The figures of the documentation that stand on stored runs, counted again from records/ each time.

python tools/records.py proof records/s7-8k-30.zip             one proof: its verdict and what it stands on
python tools/records.py comparisons records/compare.zip/rate   a table of these comparisons
python tools/records.py claims records/reproduce.zip           every claim: what was published, what was measured
python tools/records.py looks records/reproduce.zip            every evaluation of every claim

Each is a folder, or a pack of one; what follows the pack's name is a folder in it.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from tinyproof.core import packed
from tinyproof.core.table import Column, Table
from tinyproof.network.budget import table as budget_table
from tinyproof.prove import comparison, proof, published_claims, reproduction
from tinyproof.show.compare_page import side_names
from tinyproof.show.prove_page import summary_table, verdict_line


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Path]:
    """The folder itself, or the one in the pack that its path leads through."""
    pack = next((place for place in (path, *path.parents) if packed.is_pack(place)), None)
    if pack is None:
        yield path
        return
    with packed.folder(pack) as there:
        yield there / path.relative_to(pack)


def show_proof(folder: Path) -> str:
    """As `tinyproof prove` ends, without the runs one by one."""
    with opened(folder) as there:
        found = proof.load(there)
    tables = [summary_table(found), *([budget_table(found.checks)] if found.checks else [])]
    return "\n\n".join([*(table.text() for table in tables), verdict_line(found)])


def show_comparisons(*folders: Path) -> str:
    """A row for each comparison: both sides' means, the paired difference with its interval, the answer."""
    rows = []
    for folder in folders:
        with opened(folder) as there:
            found = comparison.load(there)
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


def show_claims(folder: Path) -> str:
    """As `tinyproof reproduce` ends: a row for each claim."""
    return reproduction.table(_claims(folder)).markdown()


def show_looks(folder: Path) -> str:
    """Every evaluation of every claim that was run: mean over the seeds, lowest, highest, and what was published."""
    return reproduction.looks_table(_claims(folder)).markdown()


def _claims(folder: Path) -> list[reproduction.Reproduction]:
    with opened(folder) as there:
        return [reproduction.load(there / name, claim) for name, claim in published_claims.CLAIMS.items()]


if __name__ == "__main__":
    show: dict[str, Callable[..., str]] = {
        "proof": show_proof, "comparisons": show_comparisons, "claims": show_claims, "looks": show_looks
    }  # fmt: skip
    print(show[sys.argv[1]](*map(Path, sys.argv[2:])))
