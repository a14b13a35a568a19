"""Files: written whole or not at all, read with a bound, named by their digest."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tinyproof.core.errors import DataError, InputError, OutputError


@contextlib.contextmanager
def writing(path: Path | str, private: bool = False) -> Iterator[Path]:
    """Give a temporary path beside `path`; rename it onto `path` when the block ends well, remove it otherwise.

    `private`: what is written is readable by this user alone, from its first byte on.

    Raises OutputError when the disk, the folder or its permissions do not let it be written.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with writing(Path(folder) / "a.txt") as beside:
    ...         _ = beside.write_text("whole")
    ...     (Path(folder) / "a.txt").read_text()
    'whole'
    """
    path = Path(path)
    beside: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            raise OutputError(path, "a folder of that name is in the way")
        if path.exists() and not path.is_file():
            # A device or a pipe would be replaced by a file.
            raise OutputError(path, "it is a device or a pipe; name a plain file")
        handle, name = tempfile.mkstemp(prefix=f".{path.name[:80]}.", suffix=".partial", dir=path.parent)
        os.close(handle)
        beside = Path(name)
        yield beside
        if not private:
            beside.chmod(0o666 & ~_umask())
        _sync(beside)
        beside.replace(path)
        beside = None
    except OSError as error:
        raise OutputError(path, reason(error)) from error
    finally:
        if beside is not None:
            with contextlib.suppress(OSError):
                beside.unlink(missing_ok=True)


def write_atomic(path: Path | str, content: bytes | str) -> Path:
    """Write `content` (text as UTF-8) to `path`: all of it, or nothing. Returns the path. Raises OutputError.

    Half a character, as a stranger's JSON may hold it, becomes a question mark: UTF-8 has no place for it.
    """
    with writing(path) as beside:
        beside.write_bytes(content.encode("utf-8", errors="replace") if isinstance(content, str) else content)
    return Path(path)


def write_private(path: Path | str, content: str) -> Path:
    """`write_atomic` for what nobody but this user may read (mode 600). Returns the path. Raises OutputError."""
    path = Path(path)
    with writing(path, private=True) as beside:
        beside.write_text(content, encoding="utf-8", newline="")
    return path


def distinct(**outputs: Path | str | None) -> None:
    """Raise InputError where two outputs, named by their options, are one file: the second would replace the first.

    >>> distinct(csv="a.csv", html=None)
    """
    places: dict[str, str] = {}
    for name, path in outputs.items():
        if path is None:
            continue
        place = os.path.realpath(path)
        if place in places:
            raise InputError(name, str(path), "name another", problem=f"is the file of {places[place]} too")
        places[place] = name


def read_bounded(path: Path | str, max_bytes: int) -> bytes:
    """Read a file of at most `max_bytes` bytes. Raises DataError when it is missing, larger or not a plain file."""
    path = Path(path)
    try:
        if not path.is_file():
            kind = "is a folder, not a file" if path.is_dir() else "is not a plain file"
            raise DataError(str(path), kind if path.exists() else "no such file")
        with path.open("rb") as file:
            expected = min(os.fstat(file.fileno()).st_size, max_bytes)
            content = file.read(expected + 1)  # memory for `max_bytes` is not asked for where the file is small
            if len(content) > expected:  # it grew, or is of those that give no size
                content += file.read(max_bytes + 1 - len(content))
    except OSError as error:
        raise DataError(str(path), f"cannot be read: {reason(error)}") from error
    if len(content) > max_bytes:
        raise DataError(str(path), f"is larger than {max_bytes:,} bytes")
    return content


def output_folder(path: Path | str) -> Path:
    """Make a folder and prove that it can be written before any work is done. Raises OutputError.

    Returns its path.
    """
    path = Path(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        raise OutputError(path, reason(error)) from error
    return path


def check_output(path: Path | str) -> Path:
    """Prove that a folder can be made and written, and leave nothing: neither it nor its parents. Raises OutputError.

    For the mistakes that can be found before any work: a download that fails must not leave an empty folder.
    """
    path = Path(path)
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    try:
        return output_folder(path)
    finally:
        for folder in missing:
            with contextlib.suppress(OSError):
                folder.rmdir()


def existing(path: Path | str, field: str = "path") -> Path:
    """Return the path when something is there, else raise InputError that names the field."""
    if not str(path):
        raise InputError(field, "", "name a file or folder", problem="names nothing")
    path = Path(path)
    try:
        path.stat()
    except (OSError, ValueError) as error:
        why = reason(error) if isinstance(error, OSError) else str(error)
        raise InputError(field, str(path), "name one that is there", why, problem="is no file or folder") from error
    return path


def is_plain(path: Path) -> bool:
    """Whether a plain file is there that can be looked at; where a folder on its way may not be entered, none is.

    >>> is_plain(Path("none"))
    False
    """
    try:
        return path.is_file()
    except OSError:
        return False


def sha256(content: bytes | Path, max_bytes: int | None = None) -> str:
    """The SHA-256 of bytes, or of a file read in pieces, as 64 hexadecimal digits; of a file of more than `max_bytes`
    nothing is read, and "too large" stands for it.

    >>> sha256(b"")[:16]
    'e3b0c44298fc1c14'
    """
    if isinstance(content, bytes):
        return hashlib.sha256(content).hexdigest()
    with content.open("rb") as file:
        if max_bytes is not None and os.fstat(file.fileno()).st_size > max_bytes:
            return "too large"
        return hashlib.file_digest(file, "sha256").hexdigest()


def reason(error: OSError) -> str:
    """What an OSError says, in plain lower-case words.

    >>> reason(OSError(errno.ENOSPC, "No space left on device"))
    'no space left on the device'
    """
    words = {
        errno.ENOSPC: "no space left on the device",
        errno.EDQUOT: "the disk quota is used up",
        errno.EACCES: "no permission",
        errno.EPERM: "no permission",
        errno.EROFS: "the file system is read-only",
        errno.ENOENT: "no such file or folder",
        errno.ENOTDIR: "a file is in the way where a folder should be",
        errno.EEXIST: "a file is in the way where a folder should be",
        errno.EISDIR: "a folder of that name is in the way",
        errno.ENAMETOOLONG: "the name is too long",
        errno.EBUSY: "it is open in another program",
    }
    if "temporary directory" in str(error.strerror):
        return "no folder for temporary files can be written"
    return words.get(error.errno or 0, (error.strerror or str(error)).lower())


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _sync(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def folder_name(words: str) -> str:
    """Words as the name of a folder: what is neither letter, digit, `-`, `_` nor `.` becomes `-`.

    >>> folder_name("a/b c@0.1")
    'a-b-c-0.1'
    """
    return "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in words)
