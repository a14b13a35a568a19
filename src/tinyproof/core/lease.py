"""A lease on a folder: one process at a time works in it, on one machine or on many that share a disk.

Locks of the operating system fail on some network disks and exclude nobody on others; what holds on all of them is
that a new file is created by exactly one of those who ask for it. So a lease is a file, `.lease-N`, and the highest
number counts:

    it changes                  its holder lives: it counts on in it every BEAT_SECONDS
    it says that it has ended   the folder is free
    its process is gone         free at once, where this machine can tell: it is the holder's own
    it stands still             free after STALE_SECONDS in which whoever waits saw no change

Whoever finds the folder free creates N + 1, which one of all can do, and removes the lower ones. A number that somebody
held is removed only once a higher one is held, so a slow process cannot undo what a quicker one did. No clock of one
machine is held against that of another: whoever waits counts its own seconds. A holder that was taken for dead finds a
higher number.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from tinyproof.core.errors import InputError, OutputError
from tinyproof.core.files import reason
from tinyproof.core.lease_file import HELD, LENGTH, REMOVED, Seen, facts, highest, look, numbers, path_of
from tinyproof.core.process_identity import this

BEAT_SECONDS = 5.0
STALE_SECONDS = 60.0
# For who waits for work of some seconds, as to judge a proof: long enough on a machine that does much else, and to see
# that whoever does it is dead.
PATIENCE_SECONDS = 300.0
_POLL_SECONDS = 0.25


class Busy(InputError):
    """Another process works in this folder."""


class Lease:
    """A lease that this process holds, with the thread that shows that it lives."""

    def __init__(self, folder: Path, number: int) -> None:
        self.folder, self.number, self.path = folder, number, path_of(folder, number)
        self.key, self.lost = secrets.token_hex(16), False
        since = datetime.now(UTC).isoformat(sep=" ", timespec="seconds")
        self._told = {**asdict(this()), "key": self.key, "since": since}
        self._beats, self._guard, self._over = 0, threading.Lock(), threading.Event()
        self._thread = threading.Thread(target=self._live, name=f"lease {folder.name}", daemon=True)

    def create(self) -> bool:
        """Write its file, which nobody else may have written; False where somebody has. Raises OutputError."""
        HELD.add(self.key)  # before it can be seen
        made = False
        try:
            handle = os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0), 0o666)
            made = True
            try:
                os.write(handle, self._content())
            finally:
                os.close(handle)  # a network disk may say only here that it is full
        except FileExistsError:
            HELD.discard(self.key)
            return False
        except OSError as error:
            self.give_up(made)
            raise OutputError(self.path, reason(error)) from error
        return True

    def give_up(self, made: bool = True) -> None:
        """Leave no trace of a lease that was never held."""
        HELD.discard(self.key)
        if made:
            with contextlib.suppress(OSError):
                self.path.unlink(missing_ok=True)

    def start(self) -> None:
        """Begin to show signs of life."""
        _LEASES.append(self)
        self._thread.start()

    def check(self) -> None:
        """Raise Busy where another process has taken the folder over, because this one had shown no life for too long:
        its machine slept, or had lost the disk."""
        if not self.lost:
            with contextlib.suppress(OSError):
                self.lost = highest(self.folder) > self.number
        if self.lost:
            problem = f"was taken over by another process: this one had shown no life for {STALE_SECONDS:g} s"
            raise Busy("out", str(self.folder), "what was written until then is kept", problem=problem)

    def release(self) -> None:
        """Let the folder go."""
        self._over.set()
        with self._guard, contextlib.suppress(OSError):
            self._write(ended=True)
        HELD.discard(self.key)
        _LEASES.remove(self)

    def _live(self) -> None:
        while not self._over.wait(BEAT_SECONDS) and not self.lost:
            with self._guard:
                self._beats += 1
                # A disk that is full or away for a moment: the next beat tries again.
                with contextlib.suppress(OSError):
                    if not self._over.is_set():
                        self._write()

    def _content(self, ended: bool = False) -> bytes:
        told = {**self._told, "beat": self._beats, "ended": ended}
        return json.dumps(told).encode().ljust(LENGTH - 1) + b"\n"

    def _write(self, ended: bool = False) -> None:
        try:
            with self.path.open("r+b", buffering=0) as file:
                if facts(file.read(LENGTH)).get("key", self.key) != self.key:
                    self.lost = True
                    return
                file.seek(0)
                file.write(self._content(ended))
        except OSError as error:
            if error.errno not in REMOVED:
                raise
            self.lost = True


_LEASES: list[Lease] = []


class Watch:
    """The leases of folders as one waiting process sees them change, by its own clock."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._known: dict[Path, _Known] = {}

    def look(self, folder: Path) -> Seen | None:
        """Who holds a folder; None where nobody does, or whoever did has shown no life for `STALE_SECONDS`.

        Only time in which this process was looking counts: it may have slept itself, or have waited for the disk.
        """
        seen, now = look(folder), self._clock()
        if seen is None or seen.free:
            self._known.pop(folder, None)
            return None
        before = self._known.get(folder)
        if before is None:
            self._known[folder] = _Known(seen, now)
        elif (before.seen.number, before.seen.content) != (seen.number, seen.content):
            self._known[folder] = _Known(seen, now, alive=True)
        else:
            before.silent += min(now - before.looked, BEAT_SECONDS)
            before.looked = now
        return None if self.stale(folder) else seen

    def stale(self, folder: Path) -> Seen | None:
        """The lease of a folder that has stood still for too long, as it was seen last."""
        known = self._known.get(folder)
        return known.seen if known and known.silent >= STALE_SECONDS else None

    def alive(self, folder: Path) -> bool:
        """Whether its holder has shown a sign of life since it is watched."""
        return folder in self._known and self._known[folder].alive

    def words(self, folder: Path) -> str:
        """Who holds a folder that is watched, since when, and how long ago it last showed life."""
        known = self._known[folder]
        sign = f" (last sign of life {known.silent:.0f} s ago)" if known.alive else ""
        if not known.alive and known.silent >= 1:
            sign = f" (no sign of life in {known.silent:.0f} s)"
        return known.seen.words() + sign


@dataclass
class _Known:
    """What is known of a lease: as it was seen last and when, for how long it has not changed, whether it ever did."""

    seen: Seen
    looked: float
    silent: float = 0.0
    alive: bool = False


@contextlib.contextmanager
def hold(
    folder: Path,
    *,
    patience: float = 0.0,
    until_sign: bool = False,
    watch: Watch | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> Iterator[Lease]:
    """Hold a folder, which must be there, while the block runs.

    `patience`: try for so many seconds. `until_sign`: until its holder has shown that it lives, or has not for
    `STALE_SECONDS`; `say` is told of that wait. `watch`: what was seen of it before. Raises Busy where another process
    holds it, DataError where its lease cannot be read, OutputError where none can be written.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with hold(Path(folder)) as lease:
    ...         lease.path.name
    '.lease-1'
    """
    lease = _taken(folder, patience, until_sign, watch or Watch(), say)
    try:
        lease.start()
        yield lease
    finally:
        lease.release()


def check(folder: Path, at_once: bool = True) -> None:
    """Raise Busy where this process held the folder and another has taken it over. `at_once`: look on the disk now;
    else what the last beat found."""
    for lease in [*_LEASES]:
        if lease.folder == folder and (at_once or lease.lost):
            lease.check()


def _taken(folder: Path, patience: float, until_sign: bool, watch: Watch, say: Callable[[str], None]) -> Lease:
    begun, told = time.monotonic(), False
    while True:
        lease = _next(folder, watch.stale(folder))
        if lease is not None:
            return lease
        held = watch.look(folder)
        if held is None:
            continue  # it has just become free
        if time.monotonic() - begun >= patience and (watch.alive(folder) or not until_sign):
            remedy = f"wait for that process, or stop it; where it is gone for certain, remove {held.path.name}"
            raise Busy("out", str(folder), remedy, problem=f"is in use {watch.words(folder)}")
        if until_sign and not told:
            told = True
            say(f"{folder} is in use {held.words()}; waiting for a sign of life, at most {STALE_SECONDS:g} s")
        time.sleep(_POLL_SECONDS)


def _next(folder: Path, stale: Seen | None) -> Lease | None:
    """The next lease, where the last one is free or is the one that was seen to be stale; else None."""
    last = look(folder)
    if last is not None and not last.free and last != stale:
        return None
    lease = Lease(folder, last.number + 1 if last else 1)
    if not lease.create():
        return None
    try:
        every = numbers(folder)
    except OSError as error:
        lease.give_up()
        raise OutputError(lease.path, reason(error)) from error
    if max(every, default=0) != lease.number:  # what was read was overtaken long ago
        lease.give_up()
        return None
    for number in every:
        if number < lease.number:
            with contextlib.suppress(OSError):
                path_of(folder, number).unlink(missing_ok=True)
    return lease
