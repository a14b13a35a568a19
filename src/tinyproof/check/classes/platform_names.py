"""The names that Moodle and Canvas give to what a teacher downloads: the student's own, and the number beside it.

Source: Moodle's "Download all submissions" (`Ada Lovelace_2873_assignsubmission_file`, as a folder, or with the file's
name behind it); Canvas's lib/content_zipper.rb (`lovelaceada_LATE_124_4562_backprop.xlsx`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from pathlib import PurePath
from typing import NamedTuple

_MOODLE = re.compile(r"(?P<name>.+?)_(?P<number>\d+)_assignsubmission_(?:file|onlinetext)(?:_.*)?", re.DOTALL)
_CANVAS = re.compile(r"(?P<name>[^_\s]+)(?:_LATE)?_(?P<number>\d+)_(?P<attached>\d+)_.+", re.DOTALL)
_CANVAS_ANONYMOUS = re.compile(r"(?:LATE_)?(?P<name>anon_[^_\s]+)_(?P<attached>\d+)_.+", re.DOTALL)
_PARTICIPANT = re.compile(r"(?:participant|teilnehmer)[^\d\s]*\s*(?P<number>\d+)", re.IGNORECASE)

_TEACHERS = (".csv", ".html", ".json", ".toml", ".txt", ".md")  # what lies beside a class and is no submission


class Named(NamedTuple):
    """Whose an entry is: the name, and the number that tells it from another of the same name. `attached`: Canvas's
    number of the file, which no other file has."""

    name: str
    number: str
    attached: str = ""


def platform_names(entries: Iterable[str]) -> dict[str, str]:
    """For each entry of a folder that was downloaded from a platform whose it is. Moodle's names say so themselves;
    Canvas's are taken for such where their numbers agree and more than two thirds are such, a teacher's own lists and
    pages apart; the rest is in no answer. Two students of one name keep their numbers.

    >>> list(platform_names(["lovelaceada_124_4562_s.xlsx", "gaussc_LATE_125_4563_n.ipynb"]).values())
    ['lovelaceada', 'gaussc']
    >>> platform_names(["hw_2026_10_s.xlsx", "hw_2026_11_s.xlsx", "ada.xlsx"])
    {}
    """
    held = list(entries)
    moodle = {entry: found for entry in held if (found := _moodle(entry)) is not None}
    if moodle:
        return _apart(moodle)
    canvas = {entry: found for entry in held if (found := _canvas(entry)) is not None}
    others = [entry for entry in held if entry not in canvas and not entry.lower().endswith(_TEACHERS)]
    return _apart(canvas) if _agree(canvas) and len(canvas) > 2 * len(others) else {}


def _moodle(entry: str) -> Named | None:
    found = _MOODLE.fullmatch(composed(entry))
    return Named(found["name"].strip(), f"participant {found['number']}") if found else None


def _canvas(entry: str) -> Named | None:
    hidden = _CANVAS_ANONYMOUS.fullmatch(composed(entry))
    if hidden:
        return Named(hidden["name"], "", hidden["attached"])  # the name itself tells them apart
    found = _CANVAS.fullmatch(composed(entry))
    return Named(found["name"], found["number"], found["attached"]) if found else None


def composed(name: str) -> str:
    """A name whose letters are one with their marks (NFC), as not every file system keeps them."""
    return unicodedata.normalize("NFC", name)


def _agree(named: dict[str, Named]) -> bool:
    """Whether numbers are as Canvas gives them, and not of a homework or a date: one for each file (an archive may lie
    beside the folder that it was unpacked to), one for each student; and there are two names at least."""
    files = {(each.attached, entry.casefold().removesuffix(".zip")) for entry, each in named.items()}
    students = {(each.name, each.number) for each in named.values()}
    one_a_file = len({attached for attached, _ in files}) == len(files)
    one_a_student = len({number or name for name, number in students}) == len(students)
    return one_a_file and one_a_student and len({name for name, _ in students}) > 1


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


def number_in(submission: str, paths: Iterable[str]) -> str:
    """The number of a submission: the one in its name, else that which Moodle put into the paths of its files; "" for
    none, or several.

    >>> number_in("Participant", ["class/Participant_2871_assignsubmission_file/s.xlsx"])
    'participant 2871'
    """
    name, number = number_of(composed(PurePath(submission).name))
    if number:
        return number
    named = (found for path in paths for part in PurePath(path).parts if (found := _moodle(part)) is not None)
    numbers = {found.number for found in named if found.name == name}
    return numbers.pop() if len(numbers) == 1 else ""


def participant(identifier: str) -> str:
    """Moodle's number of a participant in the words of its other languages; "" where it is none.

    >>> participant("Teilnehmer/in 2871")
    'participant 2871'
    """
    found = _PARTICIPANT.fullmatch(identifier.strip())
    return f"participant {found['number']}" if found else ""


def as_canvas_writes(sortable: str) -> str:
    """A name as it begins the files of Canvas, from how it stands in the grade book or there; marks that no letter is
    composed with do not count.

    >>> as_canvas_writes("O'Brien, Seán")
    'obrienseán'
    """
    return re.sub(r"\W", "", composed(sortable.lower()))
