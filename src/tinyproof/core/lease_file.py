"""The files that say who holds a folder, as they lie on the disk: `lease` says what they mean."""

from __future__ import annotations

import errno
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinyproof.core.errors import DataError, one_line
from tinyproof.core.files import reason
from tinyproof.core.process_identity import Process, gone, this

_NAME = re.compile(r"\.lease-([1-9]\d{0,8})")
# Every file has this length, whatever it says, so that it is written over in place.
LENGTH = 2048
# What a network disk says of a file that somebody else has just removed.
REMOVED = (errno.ENOENT, getattr(errno, "ESTALE", errno.ENOENT))
# The keys of the leases that this process holds.
HELD: set[str] = set()


@dataclass(frozen=True)
class Seen:
    """A lease as it lies on the disk. `content` changes with every sign of life; `holder` is None where it cannot be
    read (its process was killed while it wrote it)."""

    path: Path
    number: int
    content: bytes
    holder: Process | None
    key: str
    since: str
    ended: bool

    @property
    def free(self) -> bool:
        """Whether it can be seen at once that nobody holds it any more."""
        if self.ended or self.holder is None:
            return self.ended
        # What this very process let go of, and could not mark so, is not held either.
        return gone(self.holder) or (self.holder == this() and self.key not in HELD)

    def words(self) -> str:
        """Who holds it, where and since when (by the clock there)."""
        if self.holder is None:
            return "by a process that did not write down which it is"
        host = one_line(self.holder.host, 60)
        return f"by process {self.holder.number} on {host} since {one_line(self.since, 40)}"


def path_of(folder: Path, number: int) -> Path:
    """The file of a lease by its number, from 1."""
    return folder / f".lease-{number}"


def numbers(folder: Path) -> list[int]:
    """The numbers of all leases in a folder. Raises OSError."""
    try:
        with os.scandir(folder) as entries:
            return [int(match[1]) for entry in entries if (match := _NAME.fullmatch(entry.name))]
    except FileNotFoundError:
        return []


def highest(folder: Path) -> int:
    """The number of the lease that counts; 0 where the folder has none. Raises OSError."""
    return max(numbers(folder), default=0)


def look(folder: Path) -> Seen | None:
    """The lease that counts; None where the folder has none. Raises DataError where it cannot be read."""
    path = folder
    try:
        while number := highest(folder):
            path = path_of(folder, number)
            try:
                with path.open("rb", buffering=0) as file:
                    return _seen(path, number, file.read(LENGTH))
            except OSError as error:
                if error.errno not in REMOVED:
                    raise
            # A higher one is there by now.
    except OSError as error:
        raise DataError(
            str(path), f"cannot be read: {reason(error)}", "whether somebody works there is not known"
        ) from error
    return None


def facts(content: bytes) -> dict[str, Any]:
    """What a lease says; nothing where it says nothing whole."""
    try:
        told = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def _seen(path: Path, number: int, content: bytes) -> Seen:
    told = facts(content)
    names = {"host": str, "machine": str, "number": int, "began": str}
    whole = all(type(told.get(name)) is kind for name, kind in names.items())
    holder = Process(**{name: told[name] for name in names}) if whole else None
    key, since = str(told.get("key", "")), str(told.get("since", "a time that it does not say"))
    return Seen(path, number, content, holder, key, since, told.get("ended") is True)
