"""Work in processes that can be bounded and killed: one item at a time each, with a time and a memory limit.

A worker that hangs or eats memory is killed and replaced; its item gets an `Outcome` that says so, the rest goes on.
"""

from __future__ import annotations

import contextlib
import multiprocessing as mp
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any, Literal, Protocol

from tinyproof.core.errors import TinyproofError, one_line

# A browser has none: what an item costs there, the browser's own worker bounds.
_PROCESSES = sys.platform != "emscripten"
StartMethod = Literal["auto", "fork", "spawn"]


@dataclass(frozen=True)
class Outcome:
    """What became of one item: its position, its `value`, or why there is none (`problem`, one line)."""

    index: int
    value: Any = None
    problem: str = ""
    seconds: float = 0.0


class Place(Protocol):
    """Where items are computed: `Here`, in processes of this machine, or on those of a cluster (`core.cluster`).

    `lanes`: how many at once. `outcomes` is to an item what `run_bounded` is to it: an Outcome each, in any order; the
    items may become more until the last one was given; leaving early, or Ctrl-C, leaves nothing at work.
    """

    @property
    def lanes(self) -> int: ...

    def outcomes(self, items: Sequence[Any]) -> Generator[Outcome]: ...


class _Worker:
    def __init__(self, context: Any, function: Callable[[Any], Any], memory_bytes: int | None) -> None:
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, function, memory_bytes), daemon=True)
        with _interrupt_waits():
            self.process.start()
        theirs.close()
        self.index: int | None = None
        self.started = 0.0

    def give(self, index: int, item: Any) -> None:
        self.index, self.started = index, time.monotonic()
        with contextlib.suppress(ConnectionError):  # it was killed: `take` will say so
            self.pipe.send(item)

    def take(self, arrived: bool, seconds: float | None) -> tuple[Outcome | None, bool]:
        """The outcome of the item in work, or None while it runs on; and whether this worker still lives."""
        elapsed = time.monotonic() - self.started
        assert self.index is not None
        if arrived:
            try:
                value, problem = self.pipe.recv()
            except (EOFError, OSError):
                return Outcome(self.index, None, "the worker process died (out of memory, or killed)", elapsed), False
            return Outcome(self.index, value, problem, elapsed), True
        if seconds is not None and elapsed >= seconds:
            return Outcome(self.index, None, f"took longer than {seconds:g} s and was stopped", elapsed), False
        return None, True

    def kill(self) -> None:
        with contextlib.suppress(Exception):
            self.process.kill()
            self.process.join(5)
        self.pipe.close()


def run_bounded(
    function: Callable[[Any], Any],
    items: Sequence[Any],
    *,
    processes: int | None = None,
    seconds: float | None = 60.0,
    memory_bytes: int | None = None,
    start: StartMethod = "auto",
) -> Generator[Outcome]:
    """Call `function(item)` for every item in worker processes; yield an Outcome for each as it ends, in any order.

    `function` must be importable (spawn) and its results picklable: they come from our own code, never from a file.
    `seconds`: wall time per item; `memory_bytes`: address space of a worker (Linux and macOS; ignored elsewhere).
    A TinyproofError becomes its one line; any other exception becomes `internal error: ...`. Leaving the generator
    early (or Ctrl-C) kills every worker. The caller may append items until it has been given the last outcome: what
    depends on the outcomes of the first ones is held back so, and the processes that wait for it are kept. Where there
    are no processes (in a browser) the items are done here, one after the other, without bounds.
    """
    if not _PROCESSES:
        yield from _done_here(function, items)
        return
    count = max(1, min(processes or os.cpu_count() or 1, len(items)))
    context = mp.get_context(_method(start))
    waiting = _Waiting(items)
    workers = [_Worker(context, function, memory_bytes) for _ in range(count)] if items else []
    try:
        while busy := waiting.share(workers):
            now = time.monotonic()
            patience = None if seconds is None else max(0.0, min(w.started for w in busy) + seconds - now)
            arrived = set(wait([worker.pipe for worker in busy], patience))
            for worker in busy:
                outcome, lives = worker.take(worker.pipe in arrived, seconds)
                if outcome is None:
                    continue
                worker.index = None
                if not lives:
                    worker.kill()
                    workers[workers.index(worker)] = worker = _Worker(context, function, memory_bytes)
                waiting.share([worker])
                yield outcome
    finally:
        for worker in workers:
            worker.kill()


@dataclass(frozen=True, kw_only=True)
class Here:
    """Processes of this machine, bounded as `run_bounded` says."""

    function: Callable[[Any], Any]
    lanes: int
    seconds: float | None = None
    memory_bytes: int | None = None
    start: StartMethod = "auto"

    def outcomes(self, items: Sequence[Any]) -> Generator[Outcome]:
        """An Outcome for each item, as it ends."""
        return run_bounded(
            self.function, items, processes=self.lanes, seconds=self.seconds, memory_bytes=self.memory_bytes,
            start=self.start,
        )  # fmt: skip


class _Waiting:
    """The items that no worker has been given yet; there may become more of them."""

    def __init__(self, items: Sequence[Any]) -> None:
        self.items, self.given = items, 0

    def share(self, workers: Sequence[_Worker]) -> list[_Worker]:
        """Give an item to each idle worker while there are some; return the workers that are busy now."""
        for worker in workers:
            if worker.index is None and self.given < len(self.items):
                worker.give(self.given, self.items[self.given])
                self.given += 1
        return [worker for worker in workers if worker.index is not None]


def _method(start: StartMethod) -> str:
    if start != "auto":
        return start
    # A fork is quick, and safe only while no other thread holds a lock; macOS's system libraries do not survive it.
    return "fork" if sys.platform == "linux" and threading.active_count() == 1 else "spawn"


@contextlib.contextmanager
def _interrupt_waits() -> Iterator[None]:
    """A Ctrl-C while a process is forked is heard afterwards: Python drops what is raised inside its fork handlers."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _serve(pipe: Connection, function: Callable[[Any], Any], memory_bytes: int | None) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    threading.Thread(target=_end_with_parent, daemon=True).start()
    limit_memory(memory_bytes)
    while True:
        try:
            item = pipe.recv()
        except (EOFError, OSError):
            return
        answer = answered(function, item)
        try:
            pipe.send(answer)
        except (BrokenPipeError, ConnectionError):
            return
        except Exception as error:  # the value cannot be pickled: say so instead of dying
            pipe.send((None, f"internal error: the result cannot be sent: {one_line(str(error), 200)}"))


def limit_memory(memory_bytes: int | None) -> None:
    """Bound the address space of this process, where the system can; None or 0: not at all."""
    if memory_bytes:
        with contextlib.suppress(ImportError, ValueError, OSError):
            import resource

            resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))


def answered(function: Callable[[Any], Any], item: Any) -> tuple[Any, str]:
    """What a function gives for an item and "", or None and the problem in one line; raises nothing."""
    try:
        return function(item), ""
    except TinyproofError as error:
        return None, str(error)
    except MemoryError:
        return None, "needs more memory than is allowed"
    except RecursionError:
        return None, "is nested too deeply"
    except Exception as error:
        return None, f"internal error: {type(error).__name__}: {one_line(str(error), 200)}"


def _done_here(function: Callable[[Any], Any], items: Sequence[Any]) -> Iterator[Outcome]:
    index = 0
    while index < len(items):  # there may become more of them
        began = time.monotonic()
        value, problem = answered(function, items[index])
        yield Outcome(index, value, problem, time.monotonic() - began)
        index += 1


def _end_with_parent() -> None:
    """A worker does not outlive the process that asked for its work, however that one ended."""
    parent = mp.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
