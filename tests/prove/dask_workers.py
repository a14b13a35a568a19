"""A scheduler and workers as processes of their own, as somebody keeps them; a wire to a worker that can be cut."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
from tests.prove.proving import environment

PATIENCE = 400


def until(true: Callable[[], Any], what: str, seconds: float = PATIENCE) -> Any:
    """What a function gives once it gives something."""
    deadline = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < deadline, f"waited for {seconds:g} s in vain until {what}"
        time.sleep(0.05)
    return found


class Workers:
    """A scheduler in a process, and the workers that a test starts: each with one thread and no nanny."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._processes = folder, list[subprocess.Popen[bytes]]()
        folder.mkdir(parents=True, exist_ok=True)
        told = folder / "scheduler.json"
        words = ("--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", told)
        self._start("scheduler", *words)
        self.address = str(until(lambda: _address(told), "the scheduler is there"))

    def worker(self, at: str = "") -> psutil.Process:
        """A further worker, which reaches the scheduler at an address."""
        before = len(self._processes)
        room = self._folder / f"worker-{before}"
        room.mkdir()
        asked = ("--nthreads", "1", "--no-nanny", "--no-dashboard", "--local-directory", room)
        return psutil.Process(self._start("worker", at or self.address, *asked).pid)

    def _start(self, kind: str, *words: object) -> subprocess.Popen[bytes]:
        script = f"from distributed.cli.dask_{kind} import main; main()"
        log = (self._folder / f"{kind}-{len(self._processes)}.log").open("wb")
        process = subprocess.Popen(
            [sys.executable, "-c", script, *map(str, words)],
            stdout=log,
            stderr=log,
            env=environment(),
            cwd=self._folder,
        )
        self._processes.append(process)
        return process

    def close(self) -> None:
        """End them all."""
        for process in self._processes:
            process.kill()
            process.wait(30)


def computing(*workers: psutil.Process) -> list[psutil.Process]:
    """The processes beside some workers in which things are computed."""
    found = []
    for worker in workers:
        with contextlib.suppress(psutil.Error):
            found += [child for child in worker.children() if "cluster_child" in " ".join(child.cmdline())]
    return found


class Wire:
    """A way to an address that can be cut: all that goes through it ends, and nothing new begins."""

    def __init__(self, address: str) -> None:
        host, _, port = address.removeprefix("tcp://").partition(":")
        self._there, self._ends, self._cut = (host, int(port)), list[socket.socket](), False
        self._door = socket.create_server(("127.0.0.1", 0))
        self.address = f"tcp://127.0.0.1:{self._door.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                here, _ = self._door.accept()
                there = socket.create_connection(self._there)
                self._ends += [here, there]
                for one, other in ((here, there), (there, here)):
                    threading.Thread(target=_carry, args=(one, other), daemon=True).start()

    def cut(self) -> None:
        """Cut it."""
        for end in (self._door, *self._ends):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


def _carry(one: socket.socket, other: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while content := one.recv(65536):
            other.sendall(content)
    for end in (one, other):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


def _address(told: Path) -> str:
    with contextlib.suppress(OSError, ValueError, KeyError):
        return str(json.loads(told.read_text())["address"])
    return ""


@contextlib.contextmanager
def workers(folder: Path, count: int) -> Iterator[tuple[Workers, list[psutil.Process]]]:
    """A scheduler with so many workers."""
    there = Workers(folder)
    try:
        yield there, [there.worker() for _ in range(count)]
    finally:
        there.close()


def start(words: tuple[object, ...], log: Path) -> subprocess.Popen[bytes]:
    """The command, in a process group of its own, as a shell starts it."""
    with log.open("wb") as out:
        return subprocess.Popen(
            [sys.executable, "-m", "tinyproof", *map(str, words)], stdout=out, stderr=out, env=environment(),
            start_new_session=True,
        )  # fmt: skip
