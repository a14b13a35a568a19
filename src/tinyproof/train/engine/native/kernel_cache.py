"""Where compiled kernels are kept, and what is trusted there.

A library is code that will run, so only this user (or root) may be able to write it, and its name carries the digest of
its own content: a file that was cut off, or is another one, is found before it is loaded.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import tempfile
from functools import cache
from pathlib import Path

from tinyproof.core.files import sha256
from tinyproof.core.user_folders import open_to_others, user_cache


def cache_folder() -> Path | None:
    """Where compiled kernels are kept: $TINYPROOF_CACHE, else the user's cache folder; None where the user has none."""
    named = os.environ.get("TINYPROOF_CACHE") or user_cache()
    return Path(named) / "kernels" if named else None


def safe_folder() -> tuple[Path, str]:
    """The cache folder, made when it is missing; where others can write it, a private one for this process.

    Also one line that says why the private one, "" with the cache folder. Raises OSError when it cannot be made.
    """
    folder = cache_folder()
    if folder is None:
        return _private_folder(), "this user has no home: the kernels are compiled for this process alone"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    why = open_to_others(folder)
    if not why:
        return folder, ""
    return _private_folder(), f"{folder} {why}: the kernels are compiled for this process alone"


@cache
def _private_folder() -> Path:
    folder = tempfile.mkdtemp(prefix="tinyproof-kernels-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


def find(folder: Path, key: str) -> Path | None:
    """The library of this key whose content is what was kept; whatever else bears the key is removed."""
    for path in sorted(folder.glob(f"{key}-*.so")):
        with contextlib.suppress(OSError):
            if not open_to_others(path) and path.name == name_of(key, sha256(path)):
                return path
        forget(path)
    return None


def keep(folder: Path, key: str, content: bytes) -> Path:
    """Write a library under its name, whole or not at all. Raises OSError."""
    path = folder / name_of(key, sha256(content))
    # Only this user's from the first moment, whatever the umask says: another process may find it at once.
    handle, beside = tempfile.mkstemp(prefix=f".{key}.", suffix=".partial", dir=folder)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(handle)
        Path(beside).replace(path)
    except BaseException:
        forget(Path(beside))
        raise
    return path


def forget(path: Path) -> None:
    """Remove a library that is not to be used; where that is impossible it stays, and is not used either."""
    with contextlib.suppress(OSError):
        path.unlink()


def name_of(key: str, digest: str) -> str:
    """The file's name: what it was made from, then what it is."""
    return f"{key}-{digest}.so"
