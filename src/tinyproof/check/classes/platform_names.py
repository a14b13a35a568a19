"""The names that Moodle and Canvas give to what a teacher downloads: the student's own, and the number beside it.

Source: Moodle's "Download all submissions" (`Ada Lovelace_2873_assignsubmission_file`, as a folder, or with the file's
name behind it); Canvas's lib/content_zipper.rb (`lovelaceada_LATE_124_4562_backprop.xlsx`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

_MOODLE = re.compile(r"(?P<name>.+?)_(?P<number>\d+)_assignsubmission_(?:file|onlinetext)(?:_.*)?", re.DOTALL)
_CANVAS = re.compile(r"(?P<name>[^\W_]+)(?:_LATE)?_(?P<number>\d+)_\d+_.+", re.DOTALL)
_CANVAS_ANONYMOUS = re.compile(r"(?:LATE_)?(?P<name>anon_[^\W_]+)_(?P<number>\d+)_.+", re.DOTALL)


class Named(NamedTuple):
    """Whose an entry is: the name, and the number that tells it from another of the same name."""

    name: str
    number: str


def platform_names(entries: Iterable[str]) -> dict[str, str]:
    """For each entry of a folder that was downloaded from a platform whose it is; none where one is called otherwise,
    or where it is but one. Two students of one name keep their numbers.

    >>> list(platform_names(["lovelaceada_124_4562_s.xlsx", "gaussc_LATE_125_4563_n.ipynb"]).values())
    ['lovelaceada', 'gaussc']
    >>> platform_names(["hw_2026_10_s.xlsx", "readme.txt"])
    {}
    """
    held = list(entries)
    for kind in (_moodle, _canvas):
        named = {entry: found for entry in held if (found := kind(entry)) is not None}
        if len(named) == len(held) > 1:
            return _apart(named)
    return {}


def _moodle(entry: str) -> Named | None:
    found = _MOODLE.fullmatch(entry)
    return Named(found["name"].strip(), f"participant {found['number']}") if found else None


def _canvas(entry: str) -> Named | None:
    hidden = _CANVAS_ANONYMOUS.fullmatch(entry)
    if hidden:
        return Named(hidden["name"], "")  # the name itself tells them apart
    found = _CANVAS.fullmatch(entry)
    return Named(found["name"], found["number"]) if found else None


def _apart(named: dict[str, Named]) -> dict[str, str]:
    numbers: dict[str, set[str]] = {}
    for each in named.values():
        numbers.setdefault(each.name, set()).add(each.number)
    return {
        entry: f"{each.name} ({each.number})" if len(numbers[each.name]) > 1 else each.name
        for entry, each in named.items()
    }


def number_of(submission: str) -> tuple[str, str]:
    """The name of a submission without the number, and the number; "" where it has none.

    >>> number_of("Ada Lovelace (participant 2873)")
    ('Ada Lovelace', 'participant 2873')
    """
    found = re.fullmatch(r"(.+) \(((?:participant )?\d+)\)", submission, re.DOTALL)
    return (found[1], found[2]) if found else (submission, "")


def as_canvas_writes(sortable: str) -> str:
    """A name as it begins the files of Canvas, from how it stands in the grade book.

    >>> as_canvas_writes("O'Brien, Seán")
    'obrienseán'
    """
    return re.sub(r"\W", "", sortable.lower())
