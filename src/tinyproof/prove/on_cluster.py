"""A proof's runs on the workers of a cluster: errands go out, what comes back is checked, then stored here.

The folder is the only memory, as for processes of this machine: a seed is held while a worker has it, and its run is
stored whole, the record last.
"""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tinyproof.core import errands, parcel
from tinyproof.core.cluster import Cluster
from tinyproof.core.errands import Bounds
from tinyproof.core.errors import DataError, one_line
from tinyproof.core.files import sha256
from tinyproof.core.lease import Busy
from tinyproof.core.listener import Listener
from tinyproof.core.plain_data import parse_json
from tinyproof.core.workers import Outcome
from tinyproof.prove import came_back, collecting, proof, remote, sent_data
from tinyproof.prove.instructions import Instructions
from tinyproof.prove.worker import PROGRESS, Task, Work, local_data
from tinyproof.train import store

_MOST_FACTS = 100_000
_RUN_FILES = {store.RECORD, store.PREDICTIONS, store.WEIGHTS, "looks.json", proof.FAILED}


class OnCluster:
    """The place where the tasks of some works are done: every worker of a cluster (`core.workers.Place`)."""

    def __init__(self, cluster: Cluster, works: Sequence[Work], listener: Listener) -> None:
        self._cluster, self._listener = cluster, listener
        self._works, self._data = works, dict[str, Callable[[], bytes]]()
        self._digests = {work.declared.data.digest: self._send(work) for work in works}
        self._own = {work.declared.digest: remote.own_files(work.declared.model, work.declared.files) for work in works}
        self.welcome = Instructions(listener.say).welcome
        for work in works:
            came_back.clear(Path(work.folder))

    @property
    def lanes(self) -> int:
        """How many runs at once, on the workers that are there now; one where there is none yet."""
        threads = self._works[0].declared.threads
        return max(1, sum(max(1, peer.threads // threads) for peer in self._cluster.peers()))

    def outcomes(self, items: Sequence[Task]) -> Generator[Outcome]:
        """An Outcome for each task, as `prove.worker.do` gives them."""
        return errands.run(self._cluster, _Runs(self, items), items)

    def _send(self, work: Work) -> str:
        content = sent_data.to_bytes(local_data(work))
        digest = sha256(content)
        self._data[digest] = lambda: content
        return digest

    def hello(self) -> bytes:
        """What a worker is asked first."""
        return remote.introduction([work.declared for work in self._works])

    def keeps(self) -> Mapping[str, Callable[[], bytes]]:
        """The data sets, by the digest of what is sent."""
        return self._data

    def errand(self, task: Task) -> bytes:
        """What a worker needs for a task."""
        work, run = task.work, dict[str, bytes]()
        if task.seed is not None:
            run = remote.finished(proof.seed_folder(Path(work.folder), task.seed))
        declared = work.declared
        return remote.errand(work, task.seed, self._digests[declared.data.digest], self._own[declared.digest], run)

    def say(self, line: str) -> None:
        """A line for people."""
        self._listener.say(line)


class _Runs:
    """The errands of one round of tasks (`core.errands.Errands`)."""

    introduces, computes = "tinyproof.prove.remote:introduce", "tinyproof.prove.remote:compute"
    elsewhere = True

    def __init__(self, place: OnCluster, tasks: Sequence[Task]) -> None:
        self._place, self._tasks = place, tasks
        self._held: dict[int, contextlib.ExitStack] = {}
        # Of these it is told how far they have come, from a thread of Dask's.
        self._on, self._guard = set[int](), threading.Lock()
        self.bounds = Bounds(threads=tasks[0].work.declared.threads)
        self.keeps, self.hello, self.welcome, self.say = place.keeps, place.hello, place.welcome, place.say

    def give(self, index: int) -> bytes | None:
        """Hold the seed, and pack what a worker needs for it; None where another process is at it, or it has ended."""
        task = self._tasks[index]
        if task.seed is None:
            return self._place.errand(task)
        declared, place = task.work.declared, proof.seed_folder(Path(task.work.folder), task.seed)
        with contextlib.ExitStack() as held:
            try:
                held.enter_context(store.locked(place))
            except Busy:
                return None
            if proof.ended(declared, place) or proof.failure(place):
                return None
            content = self._place.errand(task)
            self._held[index] = held.pop_all()
        self._on.add(index)
        return content

    def let_go(self, index: int) -> None:
        """The seed is free again."""
        self._ends(index)
        if held := self._held.pop(index, None):
            held.close()

    def _ends(self, index: int) -> None:
        with self._guard:
            self._on.discard(index)

    def take(self, index: int, answer: bytes, worker: str) -> Any:
        """The seconds that were measured; or True once the run is checked and stored, False where another process has
        taken the seed over."""
        task = self._tasks[index]
        self._ends(index)
        if task.seed is None:
            seconds = parse_json(answer[:100], worker)
            if not isinstance(seconds, int | float) or not 0 <= seconds < 1e9:
                raise DataError(worker, "measured no number of seconds")
            return float(seconds)
        try:
            _stored(task.work, task.seed, parcel.unpack(answer), worker)
        except Busy:
            return False
        return True

    def progress(self, index: int) -> str:
        """The file that says how far a task has come."""
        seed = self._tasks[index].seed
        return "" if seed is None else remote.progress_of(seed)

    def told(self, index: int, words: str) -> None:
        """Write down how far a run has come, where `parallel_runs` reads it."""
        task = self._tasks[index]
        with self._guard, contextlib.suppress(OSError, DataError):
            if task.seed is not None and index in self._on:
                place = proof.seed_folder(Path(task.work.folder), task.seed) / PROGRESS
                place.write_text(json.dumps(_how_far(words)), encoding="utf-8")


def _how_far(words: str) -> dict[str, Any]:
    """A `Progress` as a worker tells it. Raises DataError where it is none."""
    told = parse_json(words[:_MOST_FACTS].encode(errors="replace"), "a progress")
    done, of = (told.get("done"), told.get("of")) if isinstance(told, dict) else (None, None)
    if not isinstance(done, int | float) or not isinstance(of, int | float) or not 0 <= done <= of < 1e9:
        raise DataError("a progress", "says not how far it is")
    return {"name": "", "done": done, "of": of, "words": one_line(str(told.get("words", "")), 200)}


def _stored(work: Work, seed: int, files: Mapping[str, bytes], worker: str) -> None:
    """Check a run that came back as `collect` does, and put it into its place. Raises DataError or InputError for a run
    that is not the declared one, or is not what its own answers say; Busy, OutputError."""
    declared, place = work.declared, proof.seed_folder(Path(work.folder), seed)
    export = f"export-{declared.judged_as}/" if declared.judged_as else None
    if odd := [name for name in files if name not in _RUN_FILES and not (export and name.startswith(export))]:
        raise DataError(f"seed {seed}", f"came with a file that belongs to no run, {odd[0]}")

    def check(staged: Path) -> None:
        if collecting.ended_run(declared, staged, seed, f"seed {seed}") is None:
            raise DataError(f"seed {seed}", "came back without a run that has ended")
        remote.check_looks(staged, work)
        if store.finished(place) and (place / store.RECORD).read_bytes() != files.get(store.RECORD):
            raise DataError(f"seed {seed}", "came back as another run than the one that was to be exported")

    came_back.put(files, place, Path(work.folder), check)
