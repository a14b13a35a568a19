"""A parcel: files by their names in one piece of bytes, with their sizes and digests before them; no pickle.

    {"files": [{"name": "seed-17/run.json", "bytes": 5120, "sha256": "..."}, ...]}\\n
    the contents, one after the other

What another machine sends is believed only as far as its digests say that it arrived whole: what it means is for the
receiver to check.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from tinyproof.core.errors import DataError, one_line
from tinyproof.core.files import sha256, write_atomic
from tinyproof.core.plain_data import parse_json

MOST_BYTES = 2_000_000_000
_MOST_FILES, _MOST_HEADER, _DEEPEST = 10_000, 4_000_000, 24
_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f\ud800-\udfff\\:*?"<>|]')


def pack(files: Mapping[str, bytes]) -> bytes:
    """One piece of bytes of all files. Raises DataError for a name that no receiver takes.

    >>> unpack(pack({"a/b.json": b"{}"}))
    {'a/b.json': b'{}'}
    """
    told = [{"name": _plain(name), "bytes": len(content), "sha256": sha256(content)} for name, content in files.items()]
    return b"".join([json.dumps({"files": told}).encode(), b"\n", *files.values()])


def unpack(content: bytes) -> dict[str, bytes]:
    """The files again. Raises DataError where it is no parcel, was cut off or changed, or has names that lead away."""
    head, sign, _ = content[:_MOST_HEADER].partition(b"\n")
    if not sign:
        raise DataError("a parcel", "has no header")
    told = parse_json(head, "a parcel")
    entries = told.get("files") if isinstance(told, dict) else None
    if not isinstance(entries, list) or len(entries) > _MOST_FILES:
        raise DataError("a parcel", f"has no list of at most {_MOST_FILES:,} files")
    found, at = dict[str, bytes](), len(head) + 1
    for entry in entries:
        name, size = (entry.get("name"), entry.get("bytes")) if isinstance(entry, dict) else (None, None)
        if not isinstance(name, str) or type(size) is not int or not 0 <= size <= MOST_BYTES or _plain(name) in found:
            raise DataError("a parcel", "has a file without name or size, or one twice")
        part = content[at : at + size]
        if sha256(part) != entry.get("sha256"):
            raise DataError("a parcel", f"{one_line(name, 80)!r} did not arrive as it was sent (its digest differs)")
        found[name], at = part, at + size
    if at != len(content):
        raise DataError("a parcel", f"has {len(content) - at:,} bytes too many")
    if double := {str(above) for name in found for above in PurePosixPath(name).parents} & found.keys():
        raise DataError("a parcel", f"has a file and a folder of the name {one_line(min(double), 80)!r}")
    return found


def into_folder(files: Mapping[str, bytes], folder: Path) -> None:
    """Write the files of a parcel below a folder. Raises OutputError; DataError for names that lead away."""
    for name, content in files.items():
        write_atomic(folder / _plain(name), content)


def _plain(name: str) -> str:
    """A relative path that stays below, on every system: no `..`, no name that ends or begins with a space or dot."""
    parts = PurePosixPath(name).parts
    odd = any(part.startswith((".", " ")) or part.endswith((".", " ")) or len(part) > 200 for part in parts)
    away = name.startswith("/") or "/".join(parts) != name or len(parts) > _DEEPEST
    if not parts or odd or away or _FORBIDDEN.search(name):
        raise DataError("a parcel", f"has a file of the name {one_line(name, 80)!r}, which no receiver takes")
    return name
