"""The runs of a search, side by side: rung after rung in the same place, until nothing is missing.

The folder is the only memory. Whoever is killed loses the runs that were being trained; the same decisions follow from
what is there, in whatever order it came.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace

from tinyproof.core import cluster as cluster_at
from tinyproof.core.errors import DataError, InputError, Stopped, TinyproofError
from tinyproof.core.listener import SILENT, Listener, Progress
from tinyproof.core.workers import Here, Place
from tinyproof.prove import parallel_runs
from tinyproof.search import fold_runs, searched
from tinyproof.search.decisions import Course, Missing, follow
from tinyproof.search.fold_runs import Errand, Where
from tinyproof.search.search_on_cluster import SearchOnCluster
from tinyproof.search.searched import Searched, known_of, read_run, run_folder
from tinyproof.train import environment


def run(
    found: Searched,
    where: Where,
    processes: int | None = None,
    listener: Listener = SILENT,
    decided: Callable[[Searched], None] = lambda found: None,
    cluster: str | None = None,
) -> Searched:
    """Train what is missing until a winner is chosen and the front confirmed, or the target refuted; `processes` side
    by side (None: one a core), or on the workers of a cluster. Every decision is stored as it is made, and told to
    `decided`. Raises Stopped on Ctrl-C, and TinyproofError where a run could not be computed or written; what has ended
    stays."""
    if not found.course.missing:
        return found
    environment.need_training()
    unchanged(found, where)
    job = _Job(found, where, listener, decided)
    try:
        with _place(found, where, processes, cluster, listener) as at, closing(at.outcomes(job.errands)) as outcomes:
            for outcome in outcomes:
                job.ended(outcome.index, outcome.problem)
    except KeyboardInterrupt:
        left = len(job.course.missing)
        raise Stopped(f"stopped; {left} runs of this rung are missing, and the same command goes on") from None
    return replace(found, course=job.course)


@contextmanager
def _place(
    found: Searched, where: Where, processes: int | None, address: str | None, listener: Listener
) -> Iterator[Place]:
    """Where the runs are trained: in processes of this machine, or on the cluster of an address."""
    question = found.question
    if address is None:
        count, _ = parallel_runs.share_cores(len(found.contenders), question.device, processes, question.threads)
        with parallel_runs.quiet_threads(question.threads):
            yield Here(function=fold_runs.do, lanes=count, start="spawn")
        return
    with cluster_at.opened(address) as there:
        yield SearchOnCluster(there, found, where, listener)
        listener.say(f"to the workers {there.sent / 1e6:.2f} MB, back {there.received / 1e6:.2f} MB")


def unchanged(found: Searched, where: Where) -> None:
    """Before runs are trained: raise InputError, naming the reason, where they would not be computed as declared, and
    DataError where the data is another."""
    there = where.load()
    if there.digest != found.question.data.digest:
        raise DataError(there.source or there.name, "is not the data that was declared (its digest differs)")
    reasons = fold_runs.declared_otherwise(found.question, found.contenders)
    if reasons:
        told = "; ".join(reason.removeprefix("made ") for reason in reasons)
        remedy = "a new search needs another folder"
        raise InputError("out", str(found.folder), remedy, problem=f"takes no new runs: its runs were declared {told}")


class _Job:
    """The runs that were given to processes, and what follows from those that have ended."""

    def __init__(self, found: Searched, where: Where, listener: Listener, decided: Callable[[Searched], None]) -> None:
        self._found, self._where, self._listener, self._decided = found, where, listener, decided
        self._known = known_of(found.question, found.contenders, found.runs)
        self._plan = searched.plan_of(found.question, found.contenders)
        self._by_name = {one.name: one for one in found.contenders}
        self._given: list[Missing] = []
        self._ended = 0
        self.errands: list[Errand] = []
        self.course: Course = found.course
        self._give()

    def _give(self) -> None:
        """Hand out the missing runs of the next decision; all of one fold follow each other."""
        given = set(self._given)
        new = [one for one in self.course.missing if one not in given]
        if not new:
            return
        seconds = [value for one in self._found.runs.seconds.values() for value in one.values()]
        each = f", about {parallel_runs.duration(sum(seconds) / len(seconds))} each" if seconds else ""
        names = {name for name, _ in self.course.missing}
        self._listener.say(f"{self._what()}: {len(names)} candidates, {len(new)} runs{each}")
        for name, place in new:
            seed, fold = self._plan[place]
            self.errands.append(
                Errand(
                    question=self._found.question,
                    contender=self._by_name[name],
                    place=str(run_folder(self._found.folder, name, seed)),
                    seed=seed,
                    fold=fold,
                    where=self._where,
                )
            )
        self._given += new

    def _what(self) -> str:
        """What the runs are for that are on."""
        rung = f"rung {len(self.course.decisions) + 1} of {len(self._known.rungs)}"
        return "the front" if self.course.winner else rung

    def ended(self, index: int, problem: str) -> None:
        """A run has ended: note it; with the last one of its rung decide, and hand out what the next decision needs."""
        name, place = self._given[index]
        folder, question = self._found.folder, self._found.question
        if problem:
            raise TinyproofError(f"candidate {name}, seed {self._plan[place][0]}: {problem}")
        searched.keep(
            self._found.runs, (name, place), read_run(folder, question, self._by_name[name], self._plan[place])
        )
        self._ended += 1
        done = Progress(name=self._what(), done=self._ended, of=len(self._given), words=f"{name}, {self._ended} runs")
        self._listener.progress([done])
        if self._ended < len(self._given):
            return
        before = len(self.course.decisions)
        self.course = follow(self._known)
        if len(self.course.decisions) > before:
            searched.write_decisions(folder, self.course)
            for decision in self.course.decisions[before:]:
                kept, best = decision.kept, decision.standings[0]
                stay = f"{len(kept)} of {len(decision.standings)} stay"
                self._listener.say(f"{stay}; held-out mean of the best, {best.name}: {best.mean:.2f} %")
            self._decided(replace(self._found, course=self.course))
        self._give()
