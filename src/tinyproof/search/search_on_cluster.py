"""A search's runs on the workers of a cluster: errands go out, what comes back is checked, then stored here.

The folder is the only memory, and every decision is made here: a worker sees one run at a time.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Mapping, Sequence
from pathlib import Path

from tinyproof.core import errands, lease, parcel
from tinyproof.core.cluster import Cluster
from tinyproof.core.errands import Bounds
from tinyproof.core.errors import DataError
from tinyproof.core.files import sha256
from tinyproof.core.listener import Listener
from tinyproof.core.workers import Outcome
from tinyproof.prove import came_back, proof, sent_data
from tinyproof.prove.instructions import Instructions
from tinyproof.search import fold_runs, sent_runs
from tinyproof.search.fold_runs import Errand, Where
from tinyproof.search.searched import Searched
from tinyproof.train import store

_RUN_FILES = {store.RECORD, store.PREDICTIONS, proof.FAILED}


class SearchOnCluster:
    """The place where the runs of a search are trained: every worker of a cluster (`core.workers.Place`), and the
    errands that go there (`core.errands.Errands`)."""

    introduces, computes = "tinyproof.search.sent_runs:introduce", "tinyproof.search.sent_runs:compute"
    elsewhere = True

    def __init__(self, cluster: Cluster, found: Searched, where: Where, listener: Listener) -> None:
        self._cluster, self._found, self.say = cluster, found, listener.say
        self._data = sent_data.to_bytes(where.load())
        self._digest = sha256(self._data)
        self._items: Sequence[Errand] = ()
        self._held: dict[int, contextlib.ExitStack] = {}
        self.bounds = Bounds(threads=found.question.threads)
        self.welcome = Instructions(listener.say).welcome
        came_back.clear(found.folder)

    @property
    def lanes(self) -> int:
        """How many runs at once, on the workers that are there now; one where there is none yet."""
        return max(1, sum(max(1, peer.threads // self.bounds.threads) for peer in self._cluster.peers()))

    def outcomes(self, items: Sequence[Errand]) -> Generator[Outcome]:
        """An Outcome for each run, as it ends; the items may become more until the last one was given."""
        self._items = items
        return errands.run(self._cluster, self, items)

    def keeps(self) -> Mapping[str, Callable[[], bytes]]:
        """The data set, by the digest of what is sent."""
        return {self._digest: lambda: self._data}

    def hello(self) -> bytes:
        """What a worker is asked first."""
        return sent_runs.introduction(self._found.question, self._found.contenders)

    def give(self, index: int) -> bytes | None:
        """Hold the run's folder, and pack what a worker needs for it; None where it has ended. Raises DataError where
        another process stays at it."""
        errand = self._items[index]
        place = Path(errand.place)
        with contextlib.ExitStack() as held:
            try:
                # A process of this search that was killed may hold it for a moment yet.
                held.enter_context(store.locked(place, patience=fold_runs.PATIENCE_SECONDS))
            except lease.Busy as error:
                raise DataError(str(place), str(error)) from error
            if store.finished(place) or proof.failure(place):
                return None
            content = sent_runs.errand(errand, self._digest)
            self._held[index] = held.pop_all()
        return content

    def let_go(self, index: int) -> None:
        """Its folder is free again."""
        if held := self._held.pop(index, None):
            held.close()

    def take(self, index: int, answer: bytes, worker: str) -> bool:
        """Check a run that came back, and put it into its place. Raises DataError for one that is not the declared one,
        or is not what its own answers say; Busy, OutputError."""
        errand, files = self._items[index], parcel.unpack(answer)
        called = f"candidate {errand.contender.name}, seed {errand.seed}"
        if odd := [name for name in files if name not in _RUN_FILES]:
            raise DataError(called, f"came with a file that belongs to no run, {odd[0]}")

        def check(staged: Path) -> None:
            if proof.failure(staged) and len(files) == 1:
                return
            if not {store.RECORD, store.PREDICTIONS} == files.keys():
                raise DataError(called, "came back without a run that has ended")
            problem = fold_runs.mismatch(errand.question, errand.contender, staged, errand.seed, errand.fold)
            if problem := problem or fold_runs.other_figures(errand.contender, staged):
                raise DataError(called, problem)

        came_back.put(files, Path(errand.place), self._found.folder, check)
        return True

    def progress(self, index: int) -> str:
        """A run is short: nothing is told of it before it ends."""
        return ""

    def told(self, index: int, words: str) -> None:
        """Nothing is told."""
