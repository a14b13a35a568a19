"""Each file of a class judged in a worker that can be killed, or as it was judged before."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import replace

from tinyproof.api import judge_sent
from tinyproof.api.audit_on_cluster import AuditOnCluster
from tinyproof.api.judge_file import Item, audit_one
from tinyproof.api.report_cache import ReportCache
from tinyproof.api.survey import BYTES_PER_WORKER, SECONDS_PER_FILE
from tinyproof.check.finding import FileReport
from tinyproof.core import cluster as clusters
from tinyproof.core.errors import Stopped
from tinyproof.core.listener import Listener, Progress
from tinyproof.core.workers import Outcome, run_bounded


def judged(
    items: Sequence[Item], jobs: int | None, listener: Listener, kept: ReportCache, cluster: str | None = None
) -> tuple[FileReport, ...]:
    """The report of each, in their order, judged in processes here or on a cluster. Raises Stopped after Ctrl-C: what
    was judged until then is kept."""
    keys = [kept.key(item) for item in items]
    reports = {i: as_shown(items[i], found) for i, key in enumerate(keys) if (found := kept.find(key)) is not None}
    waiting = [i for i in range(len(items)) if i not in reports]
    again = f", {len(reports)} as before" if reports else ""
    outcomes = _outcomes([items[i] for i in waiting], jobs, listener, cluster)
    try:
        for outcome in outcomes:
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
        outcomes.close()
        kept.prune()
    return tuple(reports[index] for index in range(len(items)))


def _outcomes(items: list[Item], jobs: int | None, listener: Listener, address: str | None) -> Generator[Outcome]:
    """Those of a cluster first, then of what is not sent: what is large, and what another program reads."""
    here = list(range(len(items)))
    if address is not None and items:
        there = [index for index in here if judge_sent.can_be_sent(items[index])]
        here = sorted({*here} - {*there})
        with clusters.opened(address) as cluster:
            place = AuditOnCluster(cluster, listener)
            for outcome in place.outcomes([items[index] for index in there]):
                yield replace(outcome, index=there[outcome.index])
    left = [items[index] for index in here]
    for outcome in run_bounded(
        audit_one, left, processes=jobs, seconds=SECONDS_PER_FILE, memory_bytes=BYTES_PER_WORKER
    ):
        yield replace(outcome, index=here[outcome.index])


def as_shown(item: Item, found: FileReport) -> FileReport:
    """The report under the name that the command shows, with whose it is."""
    return replace(found, file=item.shown, submission=item.submission)


def _report(item: Item, outcome: Outcome) -> FileReport:
    if isinstance(outcome.value, FileReport):
        return as_shown(item, outcome.value)
    problem = outcome.problem or "gave no answer"
    return unreadable(item, problem)


def unreadable(item: Item, problem: str) -> FileReport:
    """The report of a file that nothing could be said of, with the reason."""
    return FileReport(item.shown, item.kind, "unreadable", problem=problem, submission=item.submission)
