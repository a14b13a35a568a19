"""Which process is this, among all machines that share a disk; and is another one, of the same machine, gone?"""

from __future__ import annotations

import os
import socket
import sys
import uuid
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_PROC = Path("/proc")


@dataclass(frozen=True)
class Process:
    """A process as others can recognise it. `host`: the machine's name, for people. `machine`: the running system and
    the table of processes that `number` is of (containers of one machine have several); "" where neither can be known.
    `began`: when it started, in the system's own count; "" where the system does not tell.
    """

    host: str
    machine: str
    number: int
    began: str


def this() -> Process:
    """The process that asks."""
    number = os.getpid()
    return Process(socket.gethostname()[:100], _machine(), number, _began(number))


def gone(process: Process) -> bool:
    """Whether a process is known to have ended: only where it is of this very machine, and the machine says so.

    >>> gone(this())
    False
    """
    if sys.platform == "win32" or not process.machine or process.machine != _machine():
        return False
    try:
        os.kill(process.number, 0)  # signal 0 asks, and sends nothing
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):
        pass  # it is another user's: it is there
    now = _began(process.number)
    # The number may have been given to another process since; one that only waits to be counted has ended.
    return now == _ENDED or bool(now and process.began and now != process.began)


_ENDED = "ended"


@cache
def _machine() -> str:
    """Linux: this start of the system and the table of processes; elsewhere the network card's own number."""
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {(_PROC / 'self/ns/pid').readlink()}"
    except (OSError, ValueError):
        pass
    if sys.platform in ("win32", "linux", "emscripten"):
        return ""
    card = uuid.getnode()
    return "" if card >> 40 & 1 else f"{card:012x}"  # with that bit it was drawn, because no card could be read


def _began(number: int) -> str:
    """The tick of the system's clock at which a process started; "" where it cannot be read."""
    try:
        # The name, in brackets, may hold anything.
        fields = (_PROC / str(number) / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        return _ENDED if fields[0] in "ZX" else fields[19]
    except (OSError, IndexError):
        return ""
