"""An archive of a stranger as a folder: bounded, every member under the folder it is unpacked to, no links."""

from __future__ import annotations

import contextlib
import errno
import lzma
import re
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from tinyproof.core.archives import opened
from tinyproof.core.errors import TinyproofError, one_line
from tinyproof.core.files import reason

MOST_MEMBERS = 5_000
MOST_BYTES = 500_000_000  # of all members together
MOST_BYTES_TOGETHER = 10 * MOST_BYTES  # of all archives of a command
_MOST_NAME = 200
_PART = 1 << 20
_DAMAGED = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, NotImplementedError, EOFError)
_TAKEN = (errno.EEXIST, errno.ENOTDIR, errno.EISDIR)
_OF_ITS_NAME = (*_TAKEN, errno.EINVAL, errno.ENAMETOOLONG)


@dataclass(frozen=True)
class Unpacking:
    """An archive and the empty folder to unpack it to. `room`: the bytes that it may hold in all, or it is refused:
    those before it have taken the rest of `together`."""

    archive: str
    into: str
    room: int = MOST_BYTES
    together: int = MOST_BYTES_TOGETHER


@dataclass(frozen=True)
class Refused:
    """A member that was not unpacked, and why; `name` is "" where it is several."""

    name: str
    why: str


def unpack(asked: Unpacking) -> tuple[Refused, ...]:
    """Unpack what can be; return what was refused. Raises TinyproofError (one line) where nothing of it can be read.

    Meant for a worker process that is bounded in time and memory.
    """
    try:
        with opened(Path(asked.archive)) as archive:
            return _members(archive, asked)
    except (zipfile.BadZipFile, EOFError) as error:
        raise TinyproofError(f"it is no archive that can be read: {one_line(str(error), 200)}") from error
    except OSError as error:
        raise TinyproofError(f"it cannot be unpacked: {reason(error)}") from error


def _members(archive: zipfile.ZipFile, asked: Unpacking) -> tuple[Refused, ...]:
    refused, left, room = [], MOST_BYTES, asked.room
    members = [member for member in archive.infolist() if not member.is_dir()]
    for member in members[:MOST_MEMBERS]:
        why, written = _against(member), 0
        if not why:
            written, why = _tried(archive, member, Path(asked.into), left)
        left, room = left - written, room - written
        if room < 0:
            raise TinyproofError(f"with those before it, the archives hold more than {asked.together:,} bytes")
        if why:
            refused.append(Refused(one_line(member.filename, _MOST_NAME), why))
    if len(members) > MOST_MEMBERS:
        refused.append(Refused("", f"only the first {MOST_MEMBERS:,} of its {len(members):,} files are read"))
    return tuple(refused)


def _against(member: zipfile.ZipInfo) -> str:
    """Why a member is not written; "" where it may be."""
    if why := bad_name(member.filename):
        return why
    if (member.external_attr >> 16) & 0o170000 == 0o120000:
        return "it is a link"
    return "it is encrypted" if member.flag_bits & 1 else ""


def bad_name(name: str) -> str:
    """Why a file of that name is not unpacked; "" where it may be."""
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or re.match(r"[A-Za-z]:/|.*\0", str(path)):
        return "its name leads out of the archive"
    if not path.parts or any(len(part.encode("utf-8", "replace")) > _MOST_NAME for part in path.parts):
        return "its name is too long or empty"
    return ""


def _tried(archive: zipfile.ZipFile, member: zipfile.ZipInfo, into: Path, most: int) -> tuple[int, str]:
    """Bytes written, and why it was not: what is the matter with one member costs none of the others."""
    target = into / PurePosixPath(member.filename.replace("\\", "/").replace(":", "_"))
    written, why = 0, ""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("xb") as out:
            try:
                written = _written(archive, member, out, most)
            except _DAMAGED as error:
                why = f"it cannot be unpacked: {one_line(str(error), 100)}"
    except OSError as error:
        if error.errno not in _OF_ITS_NAME:
            raise
        why = "another of its files is in the way" if error.errno in _TAKEN else reason(error)
        return 0, f"it cannot be unpacked: {why}"
    if written <= most and not why:
        return written, ""
    with contextlib.suppress(OSError):
        target.unlink()
    return 0, why or f"the archive holds more than {MOST_BYTES:,} bytes"


def _written(archive: zipfile.ZipFile, member: zipfile.ZipInfo, out: IO[bytes], most: int) -> int:
    """Bytes of the member; of more than `most` not all are written."""
    written = 0
    with archive.open(member) as source:
        while part := source.read(_PART):
            written += len(part)
            if written > most:
                break
            out.write(part)
    return written
