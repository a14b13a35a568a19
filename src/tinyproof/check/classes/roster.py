"""Who is in the class: the list that a learning platform exports, kept as it is, and found again by name."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath

from tinyproof.check.classes.platform_names import as_canvas_writes, number_in, number_of, participant
from tinyproof.core.errors import InputError
from tinyproof.core.files import read_bounded

_MOST_BYTES = 5_000_000
# Headings of exported lists (Moodle's and Canvas's grade books, plain lists) in English, German, French; small letters.
_IDENTIFYING = (
    "student", "name", "full name", "identifier", "username", "email address", "email", "id number", "id",
    "sis login id", "sis user id", "login", "folder",
    "vollständiger name", "e-mail-adresse", "id-nummer", "anmeldename", "matrikelnummer",
    "nom complet", "adresse de courriel", "numéro d'identification", "nom d'utilisateur", "identifiant",
)  # fmt: skip
_WHOLE = ("student", "name", "full name", "vollständiger name", "nom complet")
_FIRST = ("first name", "firstname", "vorname", "prénom")
_LAST = ("last name", "lastname", "surname", "nachname", "nom", "nom de famille")
WHO = (*_IDENTIFYING, *_FIRST, *_LAST)
_ENDINGS = (".zip", ".xlsx", ".xlsm", ".ods", ".csv", ".ipynb", ".py", ".html")


@dataclass(frozen=True)
class Roster:
    """A list as it was read: its headings and rows, and by which names each row is found; `as_files`: in Canvas's
    writing of the names of files."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    names: tuple[frozenset[str], ...]
    as_files: tuple[frozenset[str], ...]

    def matched(self, submissions: Mapping[str, Iterable[str]]) -> tuple[dict[int, str], list[str]]:
        """Rows (from 0) with the submission that is theirs, and the submissions that fit no row or several, or whose
        row fits another one too. `submissions`: each with the paths of its files."""
        rows = {submission: self.may_be(submission, paths) for submission, paths in submissions.items()}
        wanted = Counter(fit[0] for fit in rows.values() if len(fit) == 1)
        found = {fit[0]: name for name, fit in rows.items() if len(fit) == 1 and wanted[fit[0]] == 1}
        theirs = set(found.values())
        return found, [name for name in rows if name not in theirs]

    def may_be(self, submission: str, paths: Iterable[str] = ()) -> list[int]:
        """The rows whose a submission may be: by its name, or by the number that a platform puts beside it, which
        decides between names, and alone where the name fits none."""
        whole = PurePath(submission).name
        name, number = number_of(whole)[0], number_in(whole, paths)
        called = {_plain(whole), _plain(name)}
        written = as_canvas_writes(without_ending(name)) if " " not in name else ""
        both = enumerate(zip(self.names, self.as_files, strict=True))
        rows = [row for row, (names, as_files) in both if called & names or written in as_files]
        numbered = [row for row, names in enumerate(self.names) if number in names] if number else []
        alone = number.startswith("participant") or self.is_canvas  # else it may be somebody's number in another list
        return [row for row in rows if row in numbered] or rows or (numbered if alone else [])

    def column(self, title: str) -> int | None:
        """The column of an assignment: of its title, or, as Canvas writes it, with its number behind."""
        for position, name in enumerate(self.columns):
            if name == title or re.fullmatch(re.escape(title) + r" \(\d+\)", name):
                return position
        return None

    @property
    def is_canvas(self) -> bool:
        """Whether it is a grade book of Canvas, by the columns that Canvas asks for."""
        return {"Student", "ID", "SIS Login ID"} <= set(self.columns)

    def is_heading(self, row: int) -> bool:
        """Whether a row is no student's: a grade book of Canvas has one with the points that are possible."""
        return self.is_canvas and self.rows[row][0].strip().casefold() in ("points possible", "")

    def called(self, row: int) -> str:
        """The name of a row's student: the whole name, or first and last name, or what stands first in it."""
        held = dict(zip(map(_heading, self.columns), map(str.strip, self.rows[row]), strict=True))
        first, last = (next((held[name] for name in kind if held.get(name)), "") for kind in (_FIRST, _LAST))
        whole = next((held[name] for name in _WHOLE if held.get(name)), "")
        return whole or (f"{first} {last}" if first and last else self.shown(row).strip())

    def shown(self, row: int) -> str:
        """A row in words, by its first filled cell."""
        return next((cell for cell in self.rows[row] if cell.strip()), f"row {row + 2}")


def load_roster(path: Path) -> Roster:
    """A roster from CSV (commas, semicolons or tabs) with headings. Raises DataError, InputError.

    A name has to stand in a column called as lists call it (`name`, `username`, `email address`, `id number`, ...), or
    in two, `first name` and `last name`.
    """
    lines = [row for row in _read(path) if any(cell.strip() for cell in row)]
    columns = tuple(cell.strip() for cell in lines[0]) if lines else ()
    small = [_heading(name) for name in columns]
    if not any(name in _IDENTIFYING or name in _FIRST for name in small):
        told = ", ".join(columns[:6]) or "none"
        raise InputError("roster", told, f"a column called one of {', '.join(_IDENTIFYING[:8])}", str(path))
    rows = tuple(tuple([*row, *[""] * len(columns)][: len(columns)]) for row in lines[1:])
    held = Roster(columns, rows, (), ())
    written = [_names(small, row) if not held.is_heading(k) else set() for k, row in enumerate(rows)]
    names = tuple(frozenset(map(_plain, found)) - {""} for found in written)
    _refuse_doubles(rows, names, path)
    as_files = (frozenset(as_canvas_writes(name) for name in found if "," in name) - {""} for found in written)
    return Roster(columns, rows, names, tuple(as_files))


def _heading(cell: str) -> str:
    return unicodedata.normalize("NFC", cell).casefold().replace("\u2019", "'")


def _read(path: Path) -> list[list[str]]:
    content = read_bounded(path, _MOST_BYTES)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError("roster", str(path), "save it as CSV in UTF-8", problem="is not UTF-8") from error
    first = text.partition("\n")[0]
    separator = max(",;\t", key=first.count)
    try:
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
    except csv.Error as error:
        raise InputError("roster", str(path), "save it as CSV anew", problem=f"is not CSV: {error}") from error


def _names(columns: list[str], row: tuple[str, ...]) -> set[str]:
    held = dict(zip(columns, row, strict=True))
    found = {held[name] for name in _IDENTIFYING if held.get(name)}
    found |= {number for name in found if (number := participant(name))}
    first, last = (next((held[name] for name in kind if held.get(name)), "") for kind in (_FIRST, _LAST))
    if first and last:
        found |= {f"{first} {last}", f"{last} {first}", f"{last}, {first}"}
    for name in [*found]:
        before, comma, after = name.partition(",")
        if comma:
            found.add(f"{after} {before}")
    return found


def without_ending(name: str) -> str:
    """The name of a submission without the ending of its file or archive.

    >>> without_ending("ada.zip")
    'ada'
    """
    ending = next((ending for ending in _ENDINGS if name.casefold().endswith(ending)), "")
    return name[: len(name) - len(ending)]


def _plain(name: str) -> str:
    """A name without differences that do not matter: case, composition, spaces, marks of the direction of writing, the
    ending of a file."""
    name = "".join(" " if unicodedata.category(letter) == "Cf" else letter for letter in without_ending(name))
    return " ".join(unicodedata.normalize("NFKC", name).casefold().replace("_", " ").split())


def _refuse_doubles(rows: tuple[tuple[str, ...], ...], names: tuple[frozenset[str], ...], path: Path) -> None:
    seen: dict[frozenset[str], int] = {}
    for number, known in enumerate(names):
        if known and known in seen:
            told = next(cell for cell in rows[number] if cell.strip())
            problem = f"stands twice, in rows {seen[known] + 2} and {number + 2}"
            raise InputError("roster", told, "leave each in once", str(path), problem=problem)
        seen[known] = number
