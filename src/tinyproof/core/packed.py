"""A folder in one .zip file: written so that the same content gives the same bytes, read as if it were the folder."""

from __future__ import annotations

import contextlib
import hashlib
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from tinyproof.core.archives import opened
from tinyproof.core.errors import DataError, TinyproofError
from tinyproof.core.files import existing, is_plain, writing
from tinyproof.core.unpack import MOST_BYTES, MOST_MEMBERS, Unpacking, bad_name, unpack

ENDING = ".zip"
MARK = b"tinyproof pack"  # the archive's comment
# The earliest time that an archive can name, and plain permissions: neither depends on who packs, or when.
_WHEN, _MODE = (1980, 1, 1, 0, 0, 0), 0o100644
# Of these nothing is gained by deflating once more.
_DEFLATED = (".npz", ".png", ".zip", ".xlsx")


def is_pack(path: Path) -> bool:
    """Whether the path names a .zip file that is there."""
    return path.suffix.lower() == ENDING and is_plain(path)


@contextlib.contextmanager
def folder(path: Path | str, field: str = "folder", room: int = MOST_BYTES) -> Iterator[Path]:
    """The folder itself; of a .zip file a temporary one with its content, bounded, under its name, gone afterwards.

    `room`: how many bytes of `MOST_BYTES` are left to it.
    Raises InputError where nothing is there, DataError where the file cannot be unpacked whole.
    """
    path = existing(path, field)
    if not is_pack(path):
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="tinyproof-") as scratch:
        into = Path(scratch) / (path.stem if path.stem.strip(".") else "pack")
        into.mkdir()
        try:
            refused = unpack(Unpacking(str(path), str(into), room, MOST_BYTES))
        except TinyproofError as error:
            raise DataError(str(path), str(error), "pack the folder again: tinyproof pack FOLDER") from error
        if refused:
            what = f"{refused[0].name}: {refused[0].why}" if refused[0].name else refused[0].why
            raise DataError(str(path), f"cannot be unpacked whole; {what}")
        yield into


def write(names: tuple[str, ...], root: Path, path: Path) -> str:
    """Pack the files of a folder, by their names under it ("seed-1/run.json"); returns the SHA-256 of `path`.

    Sorted, without times, owners and permissions: the same content gives the same bytes, with one version of zlib.
    Raises DataError where it is more than can be read again, OutputError.
    """
    for name in names:
        if why := _not_packed(name):
            raise DataError(
                str(root), f"holds a file that no archive can hold everywhere, {name!a}: {why}", "rename it"
            )
    if len(names) > MOST_MEMBERS:
        raise DataError(str(root), f"holds {len(names):,} files; at most {MOST_MEMBERS:,} go into one pack")
    with writing(path) as beside:
        size = sum((root / name).stat().st_size for name in names)
        if size > MOST_BYTES:
            raise DataError(str(root), f"holds {size:,} bytes; at most {MOST_BYTES:,} go into one pack")
        with zipfile.ZipFile(beside, "w") as archive:
            archive.comment = MARK
            for name in sorted(names):
                member = zipfile.ZipInfo(name, _WHEN)
                member.external_attr, member.create_system = _MODE << 16, 3
                stored = PurePosixPath(name).suffix.lower() in _DEFLATED
                member.compress_type = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
                archive.writestr(member, (root / name).read_bytes(), compresslevel=9)
        return hashlib.sha256(beside.read_bytes()).hexdigest()


def _not_packed(name: str) -> str:
    if any("\ud800" <= letter <= "\udfff" for letter in name):
        return "its name is no text"
    return "its name has a colon or a backslash" if set(name) & set(":\\") else bad_name(name)


def is_marked(path: Path) -> bool:
    """Whether a .zip file says that `write` wrote it."""
    try:
        with opened(path) as archive:
            return archive.comment == MARK
    except (zipfile.BadZipFile, OSError, EOFError, ValueError, NotImplementedError):
        return False


def size(place: Path) -> int:
    """The bytes of all files in a folder."""
    return sum(file.stat().st_size for file in place.rglob("*") if file.is_file())
