"""What changed since an earlier result: submissions new and gone, statuses that moved, findings that came and went."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from tinyproof.check.finding import RESULT_SCHEMA, Report
from tinyproof.core.errors import DataError, InputError
from tinyproof.core.plain_data import read_json

_MOST_BYTES = 300_000_000
_REMEDY = "make one with `tinyproof audit --json`"


@dataclass(frozen=True)
class Change:
    """A file that is new (`was` is ""), gone (`now` is ""), or stands otherwise; `come` and `gone`: its findings."""

    submission: str
    file: str
    was: str
    now: str
    come: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()


@dataclass(frozen=True)
class Told:
    """What a result says of one file: whose it is, its status, its findings (severity, rule, place, message)."""

    submission: str
    file: str
    status: str
    findings: tuple[str, ...] = ()


def earlier_result(path: Path) -> tuple[Told, ...]:
    """The files of a result of `tinyproof audit --json`. Raises DataError, InputError."""
    held = read_json(path, _MOST_BYTES)
    if not isinstance(held, dict) or "files" not in held:
        raise DataError(str(path), "is no result of an audit", _REMEDY)
    if held.get("schema") != RESULT_SCHEMA:
        raise InputError("schema", held.get("schema"), str(RESULT_SCHEMA), str(path))
    try:
        return told_in(held)
    except (KeyError, TypeError, AttributeError) as error:
        raise DataError(str(path), "is no whole result of an audit", _REMEDY) from error


def told_in(held: Any) -> tuple[Told, ...]:
    """What the plain data of a result says. Raises KeyError, TypeError or AttributeError where they are none."""
    judged = [_file(each) for each in held["files"]]
    return (*judged, *(Told(_text(each["submission"]), _text(each["file"]), "left out") for each in held["left_out"]))


def _file(held: Any) -> Told:
    found = tuple(_finding(each) for each in held["findings"])
    return Told(_text(held["submission"]), _text(held["file"]), _text(held["status"]), found)


def _finding(held: Any) -> str:
    """Without rows and lines: what was pushed down by a row is no other finding."""
    rule, place = held.get("kind") or held["rule"], held.get("column") or held.get("sheet") or held["file"]
    return f"{_text(held['severity'])} {_text(rule)} ({_text(place)}): {_text(held['message'])}"


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("no text")
    return value


def changes(before: tuple[Told, ...], report: Report) -> tuple[Change, ...]:
    """What is otherwise now, in the order of the report; what is gone comes last."""
    after = told_in(report.to_json())
    deep = _depths(before, after)
    was, now = _by_place(before, deep), _by_place(after, deep)
    found = [_change(was.get(place), told) for place, told in now.items()]
    found += [Change(told.submission, told.file, told.status, "") for place, told in was.items() if place not in now]
    return tuple(change for change in found if change is not None)


def _by_place(told: tuple[Told, ...], deep: dict[str, int]) -> dict[tuple[str, ...], Told]:
    """Files by submission and the end of their path: from where the class was named does not matter."""
    return {(each.submission, *PurePath(each.file).parts[-deep[each.submission] :]): each for each in told}


def _depths(*results: tuple[Told, ...]) -> dict[str, int]:
    """For each submission of how many parts the end of a path has to be, so that no two of its files fall together."""
    deep: dict[str, int] = {}
    for told in results:
        held: dict[str, set[tuple[str, ...]]] = {}
        for each in told:
            held.setdefault(each.submission, set()).add(PurePath(each.file).parts)
        for name, paths in held.items():
            longest = max(map(len, paths))
            apart = (n for n in range(1, longest) if len({path[-n:] for path in paths}) == len(paths))
            deep[name] = max(deep.get(name, 1), next(apart, longest))
    return deep


def _change(was: Told | None, now: Told) -> Change | None:
    if was is None:
        return Change(now.submission, now.file, "", now.status, now.findings)
    before, after = Counter(was.findings), Counter(now.findings)
    come, gone = tuple((after - before).elements()), tuple((before - after).elements())
    if was.status == now.status and not come and not gone:
        return None
    return Change(now.submission, now.file, was.status, now.status, come, gone)
