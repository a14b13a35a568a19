"""The one door for zip archives (.xlsx, .ods, .npz) of strangers: a directory too large is refused unread."""

from __future__ import annotations

import contextlib
import io
import lzma
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, cast

from tinyproof.core.errors import one_line

# About 40,000 members of ordinary names; Python makes an object of some 400 bytes of each, before anything is bounded.
MOST_DIRECTORY_BYTES = 4_000_000


@contextlib.contextmanager
def opened(source: Path | bytes) -> Iterator[zipfile.ZipFile]:
    """An archive to read. Raises zipfile.BadZipFile where it is none, where its directory is too large to read, a name
    stands twice in it, or a member cannot be unpacked; OSError. What its members unpack to is the caller's to bound.

    >>> held = io.BytesIO()
    >>> with zipfile.ZipFile(held, "w") as archive:
    ...     archive.writestr("a", "b")
    >>> with opened(held.getvalue()) as archive:
    ...     archive.namelist()
    ['a']
    """
    with io.BytesIO(source) if isinstance(source, bytes) else source.open("rb") as file:
        door = _Door(file)
        with zipfile.ZipFile(cast(IO[bytes], door)) as archive:
            door.opening = False
            _refuse_doubles(archive)
            try:
                yield archive
            except (zlib.error, lzma.LZMAError, NotImplementedError) as error:  # whatever packed the member
                raise zipfile.BadZipFile(f"a member cannot be unpacked: {error}") from error


def _refuse_doubles(archive: zipfile.ZipFile) -> None:
    """A name that stands twice has two contents: one program reads the first, another the last."""
    names = archive.namelist()
    if len(set(names)) < len(names):
        twice = next(name for name, count in Counter(names).items() if count > 1)
        raise zipfile.BadZipFile(f"the name {one_line(twice, 60)!r} stands twice in it")


class _Door:
    """A file that refuses one large read, as that of a directory is, while the archive is opened."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self.opening = file, True

    def read(self, size: int = -1) -> bytes:
        if self.opening and size > MOST_DIRECTORY_BYTES:
            raise zipfile.BadZipFile(f"a directory of {size:,} bytes, where at most {MOST_DIRECTORY_BYTES:,} are read")
        return self._file.read(size)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)
