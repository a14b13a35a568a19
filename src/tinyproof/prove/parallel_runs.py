"""Many runs side by side: one process a core, each run in a folder of its own, going on wherever it stopped.

The folder is the only memory: kill any of the processes at any moment, start again, and the bits are the same. Two
such jobs in one folder, on one machine or on several, share the work: a seed is trained by whoever holds its folder.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from tinyproof.core import lease
from tinyproof.core.errors import Stopped, TinyproofError
from tinyproof.core.listener import SILENT, Listener, Progress
from tinyproof.core.workers import Here, Place
from tinyproof.data.dataset import shared_words
from tinyproof.prove import proof, worker
from tinyproof.prove.worker import PROGRESS, Task, Work, missing
from tinyproof.ship import exported
from tinyproof.train import checkpoint, environment, store

_POLL_SECONDS = 1.0


def cores() -> int:
    """How many cores this process may use (a container or `taskset` may give it fewer than the machine has)."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def share_cores(seeds: int, device: str, processes: int | None, threads: int | None) -> tuple[int, int]:
    """Processes side by side and threads in each, so that they do not fight: together at most one thread a core.

    >>> share_cores(10, "cpu", 2, None)[0]
    2
    """
    there = cores()
    # A network this small leaves most of a GPU idle; a few processes share it.
    usual = there if device == "cpu" else min(4, there)
    count = max(1, min(processes or usual, seeds))
    return count, threads or (max(1, there // count) if device == "cpu" else 1)


def run(works: Sequence[Work], processes: int, listener: Listener = SILENT) -> None:
    """Train every missing seed of every declaration, side by side; return when all have ended or failed for good.

    Raises Stopped on Ctrl-C, and TinyproofError when a run could not be computed or written; what is finished stays.
    """
    run_at(Here(function=worker.do, lanes=processes, start="spawn"), works, listener)


def run_at(at: Place, works: Sequence[Work], listener: Listener = SILENT) -> None:
    """The same at any place: in processes of this machine, or on a cluster (`prove.on_cluster`)."""
    environment.need_training()
    works, processes = [replace(work, parent=os.getpid()) for work in works], at.lanes
    begun, costs, first = time.monotonic(), dict[str, float](), _tasks(works, {})
    before = {_place(task): _seconds(_place(task)) for task in first if not store.finished(_place(task))}
    for line in sorted({shared_words(work.declared.data.overlap, work.declared.data.name) for work in works} - {""}):
        listener.say(line)
    others = _Others(listener)
    while tasks := _tasks(works, costs):
        if not (free := others.leave(tasks)):
            # Every missing seed is in the hands of another process: wait for it, or take over what it leaves.
            _wait(works)
            continue
        with quiet_threads(works[0].declared.threads), _reporter(tasks, listener):
            # Once, each process first measures some steps: the cost is said before it is spent.
            measures = [] if costs or not any(map(worker.untrained, works)) else _measures(free, processes)
            advanced = _round(at, measures, free, costs, listener)
        if not advanced:
            _wait(works)
    listener.say(_spent(before, len(first), time.monotonic() - begun, processes))


class _Others:
    """The seeds that other processes hold: watched for as long as this one waits, and told once each."""

    def __init__(self, listener: Listener) -> None:
        self._watch, self._listener, self._told = lease.Watch(), listener, set[str]()

    def leave(self, tasks: Sequence[Task]) -> list[Task]:
        """The tasks that nobody else is at. What a process left that has shown no life for long is let go of."""
        free, waiting = list[Task](), list[str]()
        for task in tasks:
            place = _place(task)
            seen = self._watch.look(place)
            if seen is not None:
                waiting.append(f"waiting for seed {task.seed}, which is held {seen.words()}")
                continue
            if self._watch.stale(place):
                with contextlib.suppress(lease.Busy), lease.hold(place, watch=self._watch):
                    self._listener.say(f"taking over seed {task.seed}, which was held {self._watch.words(place)}")
            free.append(task)
        if not free:
            for line in waiting:
                if line not in self._told:
                    self._listener.say(line)
            self._told.update(waiting)
        return free


def _wait(works: Sequence[Work]) -> None:
    try:
        time.sleep(_POLL_SECONDS)
    except KeyboardInterrupt:
        raise _stopped(sum(len(missing(work)) for work in works)) from None


def _stopped(left: int) -> Stopped:
    return Stopped(f"stopped; {left} run(s) are not finished, and the same command goes on with them")


def _spent(before: Mapping[Path, float], count: int, wall: float, processes: int) -> str:
    """The time that passed beside what the training loops alone took of it: what running side by side costs on top.
    `before`: of `count` missing runs those to be trained, with the seconds that they had been trained already."""
    if not before:
        return f"all done in {duration(wall)}: {count} run(s), trained before, were exported"
    loops = sum(_seconds(place) - seconds for place, seconds in before.items())
    lanes = max(1, min(processes, len(before)))
    return f"all done in {duration(wall)}; the training loops alone, in {lanes} lane(s): {duration(loops / lanes)}"


def _seconds(place: Path) -> float:
    """How long the run in a folder has been trained until now."""
    return store.load(place).seconds if store.finished(place) else checkpoint.spent(place)


def _place(task: Task) -> Path:
    return proof.seed_folder(Path(task.work.folder), task.seed or 0)


def _tasks(works: Sequence[Work], costs: Mapping[str, float]) -> list[Task]:
    """Every missing seed, the longest runs first."""
    return _longest_first([Task(work, seed) for work in works for seed in missing(work)], costs)


def _longest_first(tasks: Sequence[Task], costs: Mapping[str, float]) -> list[Task]:
    """By the measured cost of each folder's runs."""
    return sorted(tasks, key=lambda task: -costs.get(task.work.folder, 0.0))


def _measures(tasks: Sequence[Task], processes: int) -> list[Task]:
    """One for each kind of run, and enough to keep every process busy: they are measured as they will run."""
    kinds = list({task.work.folder: task.work for task in tasks}.values())
    count = max(len(kinds), min(processes, len(tasks)))
    return [Task(kinds[index % len(kinds)], None) for index in range(count)]


def _round(at: Place, measures: list[Task], tasks: list[Task], costs: dict[str, float], listener: Listener) -> bool:
    """Give every task to a lane, and note what the measured ones cost; True when at least one run ended here.

    No run begins before all is measured and the cost said; then the longest begins first: one that begins last keeps
    all the others waiting.
    """
    items = list(measures or tasks)
    waiting, ended, trained = len(measures), False, {_place(task) for task in tasks if store.finished(_place(task))}
    outcomes = at.outcomes(items)
    try:
        for outcome in outcomes:
            task = items[outcome.index]
            if outcome.problem:
                run = "" if task.seed is None else f"{task.work.declared.model}, seed {task.seed}: "
                raise TinyproofError(run + outcome.problem)
            if task.seed is None:
                waiting -= 1
                costs[task.work.folder] = max(outcome.value, costs.get(task.work.folder, 0.0))
                if waiting == 0:
                    listener.say(_estimate(costs, tasks, at.lanes))
                    items += _longest_first(tasks, costs)
            elif outcome.value:
                ended = True
                several = len({task.work.folder for task in tasks}) > 1
                listener.say(_ended(task.work, task.seed, several, _place(task) in trained))
    except KeyboardInterrupt:
        left = sum(len(missing(work)) for work in {task.work.folder: task.work for task in items}.values())
        raise _stopped(left) from None
    finally:
        outcomes.close()
    return ended


def _estimate(costs: Mapping[str, float], tasks: list[Task], processes: int) -> str:
    each = sorted((costs[task.work.folder] for task in tasks if not store.finished(_place(task))), reverse=True)
    lanes = [0.0] * max(1, min(processes, len(each)))
    for cost in each:
        lanes[lanes.index(min(lanes))] += cost
    return f"{len(each)} run(s), {len(lanes)} side by side: about {duration(max(lanes))}, by some measured steps"


def duration(seconds: float) -> str:
    """Seconds in words.

    >>> duration(95)
    '1 min 35 s'
    """
    if seconds < 60:
        return f"{seconds:.0f} s"
    if seconds < 3600:
        return f"{seconds // 60:.0f} min {seconds % 60:.0f} s"
    return f"{seconds // 3600:.0f} h {seconds % 3600 / 60:.0f} min"


@contextlib.contextmanager
def quiet_threads(threads: int) -> Iterator[None]:
    """Worker processes inherit these: the libraries under torch read them once, when they are loaded."""
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, str(threads)))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextlib.contextmanager
def _reporter(tasks: Sequence[Task], listener: Listener) -> Iterator[None]:
    """Read about once a second how far the runs have come, and pass it on, from a thread of its own."""
    done = threading.Event()
    several = len({task.work.folder for task in tasks}) > 1

    def report() -> None:
        while not done.wait(_POLL_SECONDS):
            listener.progress([piece for task in tasks if (piece := _piece(task, several)) is not None])

    thread = threading.Thread(target=report, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _piece(task: Task, several: bool) -> Progress | None:
    """How far a seed has come, as its worker has written down; None where it has not begun, or is being written."""
    path = _place(task) / PROGRESS
    try:
        piece = Progress(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return replace(piece, name=_named(task.work, task.seed or 0, several))


def _named(work: Work, seed: int, several: bool) -> str:
    """A run among others; of `several` proofs, with the proof's name."""
    return (f"{Path(work.folder).name:<8}  " if several else "") + f"seed {seed:<10}"


def _ended(work: Work, seed: int, several: bool, before: bool) -> str:
    """What became of a run, in a line; `before`: it had been trained already, and was exported now."""
    place = proof.seed_folder(Path(work.folder), seed)
    why, head = proof.failure(place), _named(work, seed, several)
    if why:
        return f"{head}  failed: {why}"
    run = store.load(place)
    took = "trained before" if before else f"{run.seconds:.1f} s"
    told = f"{head}  {run.accuracy_percent:.2f} %  ({run.correct:,} of {run.test_count:,})  {took}"
    to = work.declared.judged_as
    if not to or not proof.ended(work.declared, place):
        return told
    record = exported.load(exported.folder_of(place, to))
    return f"{told}; as {to} {record.accuracy_percent:.2f} %"
