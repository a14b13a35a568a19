"""The folder of this user in which a program may keep what it can make again."""

from __future__ import annotations

import os
from pathlib import Path


def user_cache() -> str:
    """The user's cache folder; "" where the user has no home, and none is named.

    >>> user_cache().endswith("tinyproof")
    True
    """
    import platformdirs

    try:
        return platformdirs.user_cache_dir("tinyproof")
    except RuntimeError:  # a user whom the system does not know, without $HOME
        return ""


def open_to_others(path: Path) -> str:
    """How others could change this file or folder, in words; "" where only this user and root can."""
    if not hasattr(os, "geteuid"):
        return ""  # Windows: the user's own folders are the user's own
    facts = path.stat()
    if facts.st_uid not in (os.geteuid(), 0):
        return f"belongs to another user (number {facts.st_uid})"
    return f"can be written by others (mode {facts.st_mode & 0o777:o})" if facts.st_mode & 0o022 else ""
