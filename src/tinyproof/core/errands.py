"""Errands: items that the workers of a cluster compute, one at a time each; a worker that dies costs its item alone.

a worker comes        it keeps what it needs, and introduces itself; one that is other than asked is told, and idle
it has a free lane    it is given the next item
it answers            the answer is checked and taken; one that is not what it should be puts the worker aside, and so
                      does a problem that may be the worker's own: another one tries the item
it dies               its item goes to another worker
"""

from __future__ import annotations

import json
import queue
import secrets
import time
from collections import Counter
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from tinyproof.core import cluster_worker
from tinyproof.core.cluster import Cluster, Peer
from tinyproof.core.cluster_worker import Answer, Call
from tinyproof.core.errors import DataError, InputError, one_line
from tinyproof.core.files import sha256
from tinyproof.core.workers import Outcome

_LOOK_SECONDS, _ANSWER_SECONDS = 1.0, 60.0
_MOST_DEATHS = 5
_HELLO = -1


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """The threads of an item on a worker, and its limits; 0 for none."""

    threads: int = 1
    seconds: float = 0.0
    memory_bytes: int = 0


class Errands(Protocol):
    """What is computed on the workers: `introduces` and `computes` name functions of this package, which are called
    with bytes and a folder there and give bytes. The rest happens here.

    `keeps`: what each worker is sent once, by digest. `hello`: what it is asked first; its answer goes to `welcome`.
    `give`: the bytes of an item, None where there is nothing to do any more; a DataError is its outcome. `take`: its
    value, from the answer; raises DataError or InputError for an answer that is not what it should be. `let_go`: the
    item is with nobody now. `told`: how far it has come, in the words of the file `progress(index)`. `say`: a line for
    people. `elsewhere`: a problem with an item may be the worker's (its disk is full), so that another tries, and the
    first gets no more; else it is the item's outcome.
    """

    introduces: str
    computes: str
    elsewhere: bool
    bounds: Bounds

    def keeps(self) -> Mapping[str, Callable[[], bytes]]: ...
    def hello(self) -> bytes: ...
    def welcome(self, worker: str, answer: bytes) -> None: ...
    def give(self, index: int) -> bytes | None: ...
    def take(self, index: int, answer: bytes, worker: str) -> Any: ...
    def let_go(self, index: int) -> None: ...
    def progress(self, index: int) -> str: ...
    def told(self, index: int, words: str) -> None: ...
    def say(self, line: str) -> None: ...


@dataclass
class _Worker:
    """A worker as it is known here: its lanes, the keys of the tasks that it has, whether it has introduced itself."""

    peer: Peer
    lanes: int
    tasks: dict[str, int] = field(default_factory=dict)
    ready: bool = False


def run(cluster: Cluster, errands: Errands, items: Sequence[Any]) -> Generator[Outcome]:
    """An Outcome for each item, as `core.workers.run_bounded` gives them. Raises TinyproofError where the scheduler is
    gone, InputError where every worker is refused."""
    there = _Errands(cluster, errands, items)
    try:
        yield from there.outcomes()
    finally:
        there.stop()


class _Errands:
    def __init__(self, cluster: Cluster, errands: Errands, items: Sequence[Any]) -> None:
        self._cluster, self._errands, self._items = cluster, errands, items
        self._workers: dict[str, _Worker] = {}
        self._refused: dict[str, str] = {}
        self._given, self._again, self._deaths = 0, list[int](), Counter[int]()
        self._futures: dict[str, Any] = {}
        self._ended: queue.Queue[str] = queue.Queue()
        self._looked, self._told_alone = 0.0, False
        self._topic = f"tinyproof-{secrets.token_hex(8)}"
        cluster.client.subscribe_topic(self._topic, self._hear)

    def outcomes(self) -> Generator[Outcome]:
        while self._at_work() or self._left():
            self._look()
            yield from self._share()
            try:
                key = self._ended.get(timeout=_LOOK_SECONDS if self._at_work() else _LOOK_SECONDS / 4)
            except queue.Empty:
                continue
            yield from self._end(key)

    def stop(self) -> None:
        """Ask for nothing any more, and let go of what is at work: a worker kills what nobody waits for."""
        futures = list(self._futures.values())
        for worker in self._workers.values():
            for index in worker.tasks.values():
                self._let_go(index)
        self._workers.clear()
        self._futures.clear()
        try:
            self._cluster.client.cancel(futures, force=True)
            self._cluster.client.unsubscribe_topic(self._topic)
        except Exception:  # the scheduler is gone, and its tasks with it
            return

    def _at_work(self) -> bool:
        return any(index != _HELLO for worker in self._workers.values() for index in worker.tasks.values())

    def _left(self) -> bool:
        return bool(self._again) or self._given < len(self._items)

    # ------------------------------------------------------------------ workers come and go

    def _look(self) -> None:
        now = time.monotonic()
        if now - self._looked < _LOOK_SECONDS:
            return
        self._looked = now
        peers = {peer.address: peer for peer in self._cluster.peers()}
        for address in [one for one, worker in self._workers.items() if peers.get(one) != worker.peer]:
            self._lose(address)
        new = [peer for peer in peers.values() if peer.address not in (*self._workers, *self._refused)]
        if new:
            self._meet(new)
        if not self._workers and self._refused:
            address, why = next(iter(self._refused.items()))
            problem = f"has no worker that can compute this: {address} {why}"
            raise InputError(
                "cluster", self._cluster.address, "start workers as docs/many-machines.md says", problem=problem
            )
        if not self._workers and not self._told_alone:
            self._told_alone = True
            self._errands.say(f"{self._cluster.address} has no worker yet; waiting for one")

    def _meet(self, peers: list[Peer]) -> None:
        failed = dict[str, str]()
        for digest, content in self._errands.keeps().items():
            failed |= self._cluster.keep(peers, digest, content)
        for peer in peers:
            worker = _Worker(peer, max(1, peer.threads // self._errands.bounds.threads))
            if why := failed.get(peer.address):
                self._refuse(peer.address, why)
                continue
            self._workers[peer.address] = worker
            self._send(worker, _HELLO, self._errands.introduces, self._errands.hello())

    def _lose(self, address: str) -> None:
        worker = self._workers.pop(address)
        for key, index in worker.tasks.items():
            self._drop(key)
            self._return(index)
            self._deaths[index] += 1
        if any(index != _HELLO for index in worker.tasks.values()):
            self._errands.say(f"worker {address} is gone; what it computed goes to another")

    def _refuse(self, address: str, why: str) -> None:
        self._refused[address] = why = one_line(why, 300)
        self._errands.say(f"warning: worker {address} is not used: {why}")
        worker = self._workers.pop(address, None)
        for key, index in worker.tasks.items() if worker else ():
            self._drop(key)
            self._return(index)

    def _return(self, index: int) -> None:
        if index != _HELLO:
            self._let_go(index)
            self._again.append(index)

    def _let_go(self, index: int) -> None:
        if index != _HELLO:
            self._errands.let_go(index)

    def _drop(self, key: str) -> None:
        future = self._futures.pop(key, None)
        if future is not None:
            self._cluster.client.cancel([future], force=True)

    # ------------------------------------------------------------------ items go and answers come

    def _share(self) -> Generator[Outcome]:
        """Give every free lane an item."""
        for worker in list(self._workers.values()):
            while worker.ready and len(worker.tasks) < worker.lanes and self._left():
                index = self._again.pop(0) if self._again else self._given
                self._given += index == self._given
                if self._deaths[index] >= _MOST_DEATHS:
                    yield Outcome(index, None, f"{_MOST_DEATHS} workers died while they computed it")
                    continue
                try:
                    content = self._errands.give(index)
                except DataError as error:
                    yield Outcome(index, None, str(error))
                    continue
                if content is None:
                    yield Outcome(index, False)
                    continue
                self._send(worker, index, self._errands.computes, content)

    def _send(self, worker: _Worker, index: int, function: str, content: bytes) -> None:
        bounds = self._errands.bounds
        call = Call(
            function=function, sha256=sha256(content), threads=bounds.threads, seconds=bounds.seconds,
            memory_bytes=bounds.memory_bytes, topic=self._topic, index=index,
            progress="" if index == _HELLO else self._errands.progress(index),
        )  # fmt: skip
        key = f"tinyproof-{secrets.token_hex(12)}"
        worker.tasks[key] = index
        self._cluster.sent += len(content)
        future = self._cluster.client.submit(
            cluster_worker.compute, json.dumps(asdict(call)), content, key=key, pure=False, retries=0,
            workers=[worker.peer.address], allow_other_workers=False,
        )  # fmt: skip
        self._futures[key] = future
        future.add_done_callback(lambda _: self._ended.put(key))

    def _end(self, key: str) -> Generator[Outcome]:
        address = next((one for one, worker in self._workers.items() if key in worker.tasks), "")
        if not address:
            return  # it was taken away from a worker that is gone
        worker, index = self._workers[address], self._workers[address].tasks[key]
        answer = self._answer(self._futures.pop(key))
        if isinstance(answer, str):
            # The next look at the workers says whether it is gone; where it is there, it cannot compute.
            if address in {peer.address for peer in self._cluster.peers()}:
                self._refuse(address, answer)
            else:
                self._lose(address)
            return
        del worker.tasks[key]
        if index == _HELLO:
            self._welcome(worker, answer)
            return
        if answer.died:
            self._deaths[index] += 1
            self._return(index)
            return
        if answer.problem and self._errands.elsewhere:
            worker.tasks[key] = index
            self._refuse(address, answer.problem)
            return
        try:
            value = None if answer.problem else self._errands.take(index, answer.content, address)
        except (DataError, InputError) as error:
            worker.tasks[key] = index
            self._refuse(address, f"its answer is not taken: {error}")
            return
        finally:
            self._let_go(index)
        yield Outcome(index, value, answer.problem, answer.seconds)

    def _welcome(self, worker: _Worker, answer: Answer) -> None:
        if answer.problem:
            self._refuse(worker.peer.address, answer.problem)
            return
        try:
            self._errands.welcome(worker.peer.address, answer.content)
        except (DataError, InputError) as error:
            self._refuse(worker.peer.address, str(error))
        else:
            worker.ready = True

    def _answer(self, future: Any) -> Answer | str:
        """What came back, or why there is none."""
        try:
            content = bytes(future.result(timeout=_ANSWER_SECONDS))
            self._cluster.received += len(content)
            return cluster_worker.answer_of(content)
        except DataError as error:
            return f"gave no answer that can be read: {error}"
        except Exception as error:
            return f"gave no answer: {type(error).__name__}: {one_line(str(error), 160)}"
        finally:
            future.release()

    def _hear(self, event: tuple[float, Any]) -> None:
        """A worker says how far it has come."""
        told = event[1]
        if isinstance(told, dict) and isinstance(told.get("index"), int) and isinstance(told.get("words"), str):
            if 0 <= told["index"] < len(self._items):
                self._errands.told(told["index"], told["words"])
