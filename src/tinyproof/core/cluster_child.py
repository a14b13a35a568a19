"""The process beside a worker of a cluster in which things are computed: it can be killed, and has threads of its own.

It is asked in lines of JSON on its standard input and answers in lines on its standard output; what it is given and
what it gives lie as bytes in the folder that the line names. It ends when the worker is gone.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import queue
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO

from tinyproof.core.errors import TinyproofError
from tinyproof.core.workers import answered, limit_memory

GIVEN, ANSWER = "given", "answer"
Computes = Callable[[bytes, Path], bytes]


def main() -> None:
    """Answer until nobody asks any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    asked, told = _private_pipes()
    lines: queue.Queue[str] = queue.Queue()
    threading.Thread(target=_listen, args=(asked, lines), daemon=True).start()
    while True:
        call = json.loads(lines.get())
        limit_memory(call["memory_bytes"])
        _, problem = answered(_computed, call)
        told.write(json.dumps({"problem": problem}) + "\n")
        told.flush()


def _private_pipes() -> tuple[IO[str], IO[str]]:
    """The two pipes to the worker, which nothing that is computed can write into: what it prints goes nowhere."""
    asked, told = os.fdopen(os.dup(0), "r", encoding="utf-8"), os.fdopen(os.dup(1), "w", encoding="utf-8")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nowhere, number)
    return asked, told


def _listen(asked: IO[str], lines: queue.Queue[str]) -> None:
    with contextlib.suppress(OSError, ValueError):
        for line in asked:
            lines.put(line)
    os._exit(1)  # the worker is gone


def _computed(call: dict[str, str]) -> None:
    folder, begun_in = Path(call["folder"]), Path.cwd()
    try:
        answer = find(call["function"])((folder / GIVEN).read_bytes(), folder)
    finally:
        os.chdir(begun_in)
    (folder / ANSWER).write_bytes(answer)


def find(function: str) -> Computes:
    """A function of this package by its name, as `tinyproof.prove.remote:finish`. Raises TinyproofError for any other.

    >>> find("os:system")
    Traceback (most recent call last):
    tinyproof.core.errors.TinyproofError: os:system is no function of this package
    """
    module, _, name = function.partition(":")
    if module.partition(".")[0] != "tinyproof" or not name.isidentifier():
        raise TinyproofError(f"{function} is no function of this package")
    found: Computes = getattr(importlib.import_module(module), name)
    return found
