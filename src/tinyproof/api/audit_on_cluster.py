"""The files of a class judged on the workers of a cluster, bounded there as here; their reports are checked."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence

from tinyproof.api import judge_sent
from tinyproof.api.judge_file import Item
from tinyproof.api.survey import BYTES_PER_WORKER, SECONDS_PER_FILE
from tinyproof.check.finding import FileReport
from tinyproof.core import errands
from tinyproof.core.cluster import Cluster
from tinyproof.core.errands import Bounds
from tinyproof.core.listener import Listener
from tinyproof.core.workers import Outcome


class AuditOnCluster:
    """The place where files are judged: every worker of a cluster (`core.workers.Place`)."""

    introduces, computes = "tinyproof.api.judge_sent:introduce", "tinyproof.api.judge_sent:judge"
    elsewhere = False
    bounds = Bounds(seconds=SECONDS_PER_FILE, memory_bytes=BYTES_PER_WORKER)

    def __init__(self, cluster: Cluster, listener: Listener) -> None:
        self._cluster, self.say = cluster, listener.say
        self._items: Sequence[Item] = ()

    @property
    def lanes(self) -> int:
        """How many files at once, on the workers that are there now."""
        return max(1, sum(peer.threads for peer in self._cluster.peers()))

    def outcomes(self, items: Sequence[Item]) -> Generator[Outcome]:
        """An Outcome for each file, whose value is its report."""
        self._items = items
        return errands.run(self._cluster, self, items)

    def keeps(self) -> Mapping[str, Callable[[], bytes]]:
        """Nothing: each file goes once, to whoever judges it."""
        return {}

    def hello(self) -> bytes:
        """What a worker is asked first."""
        return judge_sent.introduction()

    def welcome(self, worker: str, answer: bytes) -> None:
        """A worker with the same code is like any other."""

    def give(self, index: int) -> bytes | None:
        """The file with what is read beside it."""
        return judge_sent.sent(self._items[index])

    def take(self, index: int, answer: bytes, worker: str) -> FileReport:
        """The report, checked."""
        return judge_sent.report(answer)

    def let_go(self, index: int) -> None:
        """Nothing is held."""

    def progress(self, index: int) -> str:
        """A file takes seconds: nothing is told."""
        return ""

    def told(self, index: int, words: str) -> None:
        """Nothing is told."""
