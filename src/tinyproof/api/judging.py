"""Each file of a class judged in a worker that can be killed, or as it was judged before."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tinyproof.api.file_kinds import TEXT_TABLES, kind_of
from tinyproof.api.report_cache import ReportCache
from tinyproof.api.survey import BYTES_PER_WORKER, SECONDS_PER_FILE, Item
from tinyproof.check import notebook
from tinyproof.check.finding import FileReport
from tinyproof.core.errors import Stopped
from tinyproof.core.listener import Listener, Progress
from tinyproof.core.workers import Outcome, run_bounded

# Objects that are made between two searches for circles among them: what a file leaves is small, the search is a tenth
# of the work.
_SELDOM = 100_000


def judged(items: Sequence[Item], jobs: int | None, listener: Listener, kept: ReportCache) -> tuple[FileReport, ...]:
    """The report of each, in their order. Raises Stopped after Ctrl-C: what was judged until then is kept."""
    keys = [kept.key(item) for item in items]
    reports = {i: _of(items[i], found) for i, key in enumerate(keys) if (found := kept.find(key)) is not None}
    waiting = [i for i in range(len(items)) if i not in reports]
    again = f", {len(reports)} as before" if reports else ""
    try:
        for outcome in run_bounded(
            audit_one,
            [items[i] for i in waiting],
            processes=jobs,
            seconds=SECONDS_PER_FILE,
            memory_bytes=BYTES_PER_WORKER,
        ):
            index = waiting[outcome.index]
            reports[index] = _report(items[index], outcome)
            if isinstance(outcome.value, FileReport):
                kept.keep(keys[index], outcome.value)
            words = f"{len(reports):,} of {len(items):,}{again}"
            listener.progress([Progress(name="files", done=len(reports), of=len(items), words=words)])
    except KeyboardInterrupt:
        told = "the same command goes on from there" if kept.folder else "nothing was kept"
        raise Stopped(f"stopped after {len(reports)} of {len(items)} files; no report was written, {told}") from None
    finally:
        kept.prune()
    return tuple(reports[index] for index in range(len(items)))


def _of(item: Item, found: FileReport) -> FileReport:
    return replace(found, file=item.shown, submission=item.submission)


def _report(item: Item, outcome: Outcome) -> FileReport:
    if isinstance(outcome.value, FileReport):
        return _of(item, outcome.value)
    problem = outcome.problem or "gave no answer"
    return FileReport(item.shown, item.kind, "unreadable", problem=problem, submission=item.submission)


def audit_one(item: Item) -> FileReport:
    """Judge one file (in a worker)."""
    gc.set_threshold(_SELDOM)
    if item.kind == "workbook":
        from tinyproof.check.workbook import audit_workbook

        found = audit_workbook(item.path, item.shown, item.convert)
        return _data_or(found, Path(item.path))
    if item.kind in ("notebook", "script"):
        return notebook.audit_notebook(item.path, item.disabled_rules, item.root or None)
    if item.kind == "text":
        return notebook.audit_text(item.path, item.disabled_rules)
    what = "is no workbook and no notebook" if Path(item.path).is_file() else "is a device or a pipe, no plain file"
    return FileReport(item.shown, item.kind, "unreadable", problem=what)


def _data_or(found: FileReport, path: Path) -> FileReport:
    """Of a text file in which no formula stands that it is data, where nothing in it could be compared."""
    data = found.status == "undecided" and path.name.lower().endswith(TEXT_TABLES) and kind_of(path) == "other"
    return replace(found, status="nothing to judge") if data else found
