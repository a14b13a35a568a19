"""What runs in a worker of a Dask cluster: it keeps what is sent once, and lets a process beside it compute.

Only bytes and text come in and go out: a line of JSON that says what became of it and the digest of the answer, then
the answer.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinyproof.core.cluster_child import ANSWER, GIVEN
from tinyproof.core.errors import DataError, one_line
from tinyproof.core.files import sha256
from tinyproof.core.plain_data import parse_json

_POLL_SECONDS, _TOLD_SECONDS, _IDLE_SECONDS = 0.25, 1.0, 60.0
_KEPT = "tinyproof-kept"
_MOST_TOLD, _MOST_PROBLEM = 10_000, 2_000
_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
_CHILD = "from tinyproof.core.cluster_child import main; main()"


@dataclass(frozen=True, kw_only=True)
class Call:
    """What is to be computed: the name of a function of this package, the digest of what it is given, the threads,
    bounds (0: none) and the file in its folder that says how far it has come; `topic`: where that is told."""

    function: str
    sha256: str
    threads: int
    seconds: float
    memory_bytes: int
    progress: str
    topic: str
    index: int


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What became of a call: `died`: that is the fault of the worker, so that another may try."""

    problem: str
    died: bool
    seconds: float
    content: bytes


def answer_of(content: bytes) -> Answer:
    """What `compute` gave, as it came over the network. Raises DataError where it is none, or did not arrive whole."""
    head, _, answer = content.partition(b"\n")
    told = parse_json(head, "an answer")
    if not isinstance(told, dict) or not isinstance(told.get("problem"), str):
        raise DataError("an answer", "says not what became of it")
    seconds = told.get("seconds")
    if not isinstance(seconds, int | float) or not 0 <= seconds < 1e9:
        raise DataError("an answer", "says not how long it took")
    if sha256(answer) != told.get("sha256"):
        raise DataError("an answer", "did not arrive whole (its digest differs)")
    problem = one_line(told["problem"], _MOST_PROBLEM)
    return Answer(problem=problem, died=bool(told.get("died")), seconds=float(seconds), content=answer)


def missing(digests: list[str], dask_worker: Any) -> list[str]:
    """Those of the digests that this worker does not keep yet."""
    return [digest for digest in digests if not (_kept(dask_worker) / digest).is_file()]


def keep(digest: str, content: bytes, dask_worker: Any) -> str:
    """Keep what was sent, under its digest; why that is not possible, or nothing."""
    if sha256(content) != digest:
        return "what was sent did not arrive whole"
    try:
        folder = _kept(dask_worker)
        folder.mkdir(parents=True, exist_ok=True)
        beside = folder / f".{digest}.{os.getpid()}"
        beside.write_bytes(content)
        beside.replace(folder / digest)
    except OSError as error:
        return f"what was sent cannot be kept: {one_line(str(error), 120)}"
    return ""


def compute(call: str, content: bytes) -> bytes:
    """Let a process beside this one compute; the outcome and its answer. Where nobody waits for it any more, or it
    takes too long, that process is killed."""
    asked, begun = Call(**json.loads(call)), time.monotonic()
    if sha256(content) != asked.sha256:
        return _told("what was sent did not arrive whole", b"", begun, died=True)
    with tempfile.TemporaryDirectory(prefix="tinyproof-", dir=_room(), ignore_cleanup_errors=True) as name:
        folder = Path(name)
        (folder / GIVEN).write_bytes(content)
        problem, died = _ask(asked, folder, begun)
        answer = b"" if problem else (folder / ANSWER).read_bytes()
    return _told(problem, answer, begun, died)


def dismiss() -> None:
    """Let the idle processes beside this worker go."""
    _IDLE.clear()


def kept(folder: Path, digest: str) -> Path:
    """Where what was sent once lies, for a function that computes in a folder."""
    return folder.parent / _KEPT / digest


def _told(problem: str, answer: bytes, begun: float, died: bool = False) -> bytes:
    head = {"problem": problem, "died": died, "sha256": sha256(answer), "seconds": time.monotonic() - begun}
    return json.dumps(head).encode() + b"\n" + answer


def _ask(asked: Call, folder: Path, begun: float) -> tuple[str, bool]:
    """Why there is no answer, or nothing; and whether that is the fault of this worker, so that another may try."""
    child: _Child | None
    child, last = _IDLE.take(asked), begun
    try:
        child.ask({"function": asked.function, "folder": str(folder), "memory_bytes": asked.memory_bytes})
        while (answer := child.answer(_POLL_SECONDS)) is None:
            if not _wanted():
                return "nobody waits for it any more", True
            if asked.seconds and time.monotonic() - begun >= asked.seconds:
                return f"took longer than {asked.seconds:g} s and was stopped", False
            if asked.progress and time.monotonic() - last >= _TOLD_SECONDS:
                last = time.monotonic()
                _tell(asked, folder)
    except (OSError, EOFError):
        return "the worker process died (out of memory, or killed)", True
    else:
        _IDLE.put(asked, child)
        child = None
        return answer, False
    finally:
        if child is not None:
            child.kill()


def _wanted() -> bool:
    """Whether the task of this thread is still asked for, and this worker still at work."""
    from distributed import get_worker

    worker = get_worker()
    task = worker.state.tasks.get(worker.get_current_task())
    return task is not None and task.state == "executing" and worker.status.name in ("running", "paused")


def _tell(asked: Call, folder: Path) -> None:
    from distributed import get_worker

    with contextlib.suppress(OSError, UnicodeDecodeError):
        words = (folder / asked.progress).read_text(encoding="utf-8")[:_MOST_TOLD]
        get_worker().log_event(asked.topic, {"index": asked.index, "words": words})


def _room() -> Path:
    from distributed import get_worker

    return Path(get_worker().local_directory)


def _kept(worker: Any) -> Path:
    return Path(worker.local_directory) / _KEPT


class _Child:
    """A process that computes, and what it says."""

    def __init__(self, threads: int) -> None:
        environment = {**os.environ, **dict.fromkeys(_THREADS, str(threads))}
        # Dask has a worker give memory back at once, which a training that takes it again pays for.
        environment.pop("MALLOC_TRIM_THRESHOLD_", None)
        package = str(Path(__file__).resolve().parents[2])
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, [package, environment.get("PYTHONPATH", "")]))
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", _CHILD],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment, cwd=_room(),
        )  # fmt: skip
        self._said: queue.Queue[bytes] = queue.Queue()
        self.idle_since = 0.0
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._said.put(line)
        self._said.put(b"")

    def ask(self, call: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(call).encode() + b"\n")
        self._process.stdin.flush()

    def answer(self, seconds: float) -> str | None:
        """The problem, empty where there is none, or None while it computes. Raises EOFError where it died."""
        try:
            line = self._said.get(timeout=seconds)
        except queue.Empty:
            return None
        if not line:
            raise EOFError
        return str(json.loads(line)["problem"])

    @property
    def lives(self) -> bool:
        return self._process.poll() is None

    def kill(self) -> None:
        with contextlib.suppress(OSError):
            self._process.kill()
            self._process.wait(5)
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                if pipe is not None:
                    pipe.close()


class _Idle:
    """Processes that have computed and may be asked again: to load torch takes longer than a small run."""

    def __init__(self) -> None:
        self._guard, self._children = threading.Lock(), dict[tuple[int, int], list[_Child]]()

    def take(self, asked: Call) -> _Child:
        with self._guard:
            waiting = self._children.get((asked.threads, asked.memory_bytes), [])
            while waiting:
                child = waiting.pop()
                if child.lives:
                    return child
                child.kill()
        return _Child(asked.threads)

    def put(self, asked: Call, child: _Child) -> None:
        child.idle_since = time.monotonic()
        with self._guard:
            self._children.setdefault((asked.threads, asked.memory_bytes), []).append(child)
        timer = threading.Timer(_IDLE_SECONDS + 1, self.clear, (_IDLE_SECONDS,))
        timer.daemon = True
        timer.start()

    def clear(self, seconds: float = 0.0) -> None:
        """Kill those that have been idle for so long."""
        with self._guard:
            for waiting in self._children.values():
                for child in [one for one in waiting if time.monotonic() - one.idle_since >= seconds]:
                    waiting.remove(child)
                    child.kill()


_IDLE = _Idle()
