"""`report`: the pictures and the page of a stored run, proof, comparison or reproduction, made again."""

from __future__ import annotations

import html
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tinyproof.api import compare, prove, reproduce, search
from tinyproof.api.run_report import REPORT, run_parts, write_report
from tinyproof.core import packed
from tinyproof.core.files import existing, write_atomic
from tinyproof.core.printed import Part, Printed
from tinyproof.network.budget import Check
from tinyproof.prove import comparison, declaration, proof
from tinyproof.search import question as questions
from tinyproof.search import searched
from tinyproof.show.matplotlib_door import need_charts
from tinyproof.train.run_record import Run


@dataclass(frozen=True, repr=False)
class ReportResult(Printed):
    """The page that was written; of a single run also its record and the checks of its budget."""

    path: Path
    run: Run | None = None
    checks: tuple[Check, ...] = ()

    def parts(self) -> Sequence[Part]:
        """Of a run what it reached and its budget; the path."""
        return [f"written: {self.path}"] if self.run is None else run_parts(self.run, self.checks, self.path)


def report(run: str | Path, *, data: str | Path | None = None) -> ReportResult:
    """Make the pictures and `report.html` of what a folder holds again: a run, proof, comparison, search, claims.

    Of a pack (.zip) the page alone is written, beside it: `NAME-report.html`.
    `data`: the folder with MNIST's four files. Where the run's own data set cannot be had, the pictures of images are
    left out and the page says so. Raises DataError when there is no finished run or its files do not belong together,
    InputError for a broken declaration and for `data` that leads to nothing, OutputError, MissingDependency without
    matplotlib.

    >>> import tinyproof
    >>> found = tinyproof.train("s7-8k", dataset="digits", epochs=1, out="first", quiet=True)
    >>> tinyproof.report("first").path.name
    'report.html'
    """
    need_charts("a page with charts")
    if packed.is_pack(Path(run)):
        with packed.folder(run, "run") as unpacked:
            made = report(unpacked, data=data)
            page = Path(run).with_name(f"{Path(run).stem}-{REPORT}")
            # What the page suggests to type is about the pack.
            here, there = str(unpacked), html.escape(shlex.quote(str(run)))
            write_atomic(page, made.path.read_text(encoding="utf-8").replace(here, there))
        return replace(made, path=page)
    folder, place = Path(run), str(existing(data, "data")) if data else None
    if (folder / questions.FILE).is_file():
        search.write_page(searched.load(folder))
        return ReportResult(folder / REPORT)
    if (folder / declaration.FILE).is_file():
        found = proof.load(folder)
        proof.write_verdict(found)
        return ReportResult(prove.write_page(found, None, place))
    names = reproduce.present(folder)
    if names or (folder / comparison.FILE).is_file():
        (folder / REPORT).unlink(missing_ok=True)
        if names:
            reproduce.finish(folder, names)
        else:
            compare.finish(folder)
        return ReportResult(folder / REPORT)
    record, checks = write_report(folder, data=data)
    return ReportResult(folder / REPORT, record, checks)
