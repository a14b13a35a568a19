"""A file to judge as it is sent to a worker of a cluster, with what is read beside it; and its report as it comes back.

Names are those of the submission, so that a report there is the report here.
"""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

from tinyproof import __version__
from tinyproof.api.judge_file import Item, audit_one
from tinyproof.api.report_cache import MOST_ENTRY_BYTES, MOST_READ_BYTES, code_digest
from tinyproof.check.finding import FileReport
from tinyproof.check.notebook.read.repository import walk
from tinyproof.core import parcel
from tinyproof.core.errors import DataError, TinyproofError
from tinyproof.core.fields import from_mapping
from tinyproof.core.files import is_plain, read_bounded
from tinyproof.core.plain_data import parse_json
from tinyproof.core.plain_records import from_plain, to_plain

_ITEM, _FILES = "item.json", "files"
_MOST_FILES = 200


def can_be_sent(item: Item) -> bool:
    """Whether a file is judged elsewhere: it is a plain file, small with all that is read beside it, and no other
    program has to read it."""
    if item.convert or item.kind == "other" or not is_plain(Path(item.path)):
        return False
    try:
        sizes = [path.stat().st_size for path in _with_it(item)]
        names = [_called(item, path) for path in _with_it(item)]
        parcel.pack(dict.fromkeys(names, b""))
    except (OSError, ValueError, TinyproofError):
        return False
    return len(sizes) <= _MOST_FILES and sum(sizes) <= MOST_READ_BYTES


def sent(item: Item) -> bytes:
    """A parcel of a file with what is read beside it. Raises DataError where it cannot be read any more."""
    told = {**asdict(item), "path": _called(item, Path(item.path)), "root": item.root and _root(item).name}
    files = {f"{_FILES}/{_called(item, path)}": read_bounded(path, MOST_READ_BYTES) for path in _with_it(item)}
    return parcel.pack({_ITEM: json.dumps(told).encode(), **files})


def introduction() -> bytes:
    """What a worker is asked first."""
    return json.dumps({"version": __version__, "code": code_digest()}).encode()


def introduce(content: bytes, folder: Path) -> bytes:
    """Raises TinyproofError where other code would judge here."""
    told = parse_json(content, "an introduction")
    if told["version"] != __version__:
        raise TinyproofError(f"has tinyproof {__version__}, where {told['version']} asks")
    if told["code"] != code_digest():
        raise TinyproofError("would judge with other code, or with other versions of what it stands on")
    return b"{}"


def judge(content: bytes, folder: Path) -> bytes:
    """The report of a file that was sent, as JSON."""
    files = parcel.unpack(content)
    told = parse_json(files.pop(_ITEM), _ITEM)
    parcel.into_folder(files, folder)
    item = from_mapping(Item, {**told, "disabled_rules": tuple(told["disabled_rules"])}, _ITEM)
    base = folder / _FILES
    found = audit_one(replace(item, path=str(base / item.path), root=item.root and str(base / item.root)))
    return json.dumps(to_plain(replace(found, file="", submission=""))).encode()


def report(answer: bytes) -> FileReport:
    """The report that came back. Raises DataError where it is none."""
    if len(answer) > MOST_ENTRY_BYTES:
        raise DataError("a report", f"is larger than {MOST_ENTRY_BYTES:,} bytes")
    try:
        return from_plain(FileReport, parse_json(answer, "a report"))
    except (ValueError, TypeError, KeyError) as error:
        raise DataError("a report", "is none of this version") from error


def _root(item: Item) -> Path:
    return Path(item.root) if item.root else Path(item.path).parent


def _with_it(item: Item) -> list[Path]:
    """The file and what is read with it: of a workbook nothing more, of the others the files of the submission."""
    path = Path(item.path)
    if item.kind == "workbook":
        return [path]
    return list(dict.fromkeys([path, *(found for found in walk(_root(item)) if is_plain(found))]))


def _called(item: Item, path: Path) -> str:
    """A name below the folder of the submission, which keeps its own. Raises ValueError for one outside."""
    root = _root(item)
    return f"{root.name or 'submission'}/{path.relative_to(root).as_posix()}"
