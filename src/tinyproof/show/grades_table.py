"""The grades of a class as a table that a learning platform takes back."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

from tinyproof.check.classes.assignment import Assignment
from tinyproof.check.classes.class_rows import ClassRow, class_row
from tinyproof.check.classes.roster import Roster
from tinyproof.check.classes.submissions import Submission
from tinyproof.core.table import Cell, Column, Table
from tinyproof.show.class_table import FIGURES, plain_figures, points_of

_MOST, _WIDTH = 12, 80


def grades_table(found: Sequence[Submission], asked: Assignment, roster: Roster | None = None) -> Table:
    """A row a submission: name, points, status, what its files say of themselves, how the points come about.

    With a `roster` its own columns come first, as they are, and every row of it is there; points go into the column of
    the assignment's title where it has one. Submissions of nobody in it come last, as do those that fit one row
    together, without points.
    """
    rows = {one.name: class_row(one, asked.points) for one in found}
    if roster is None:
        columns = [Column("name"), Column(asked.title, "right"), Column("status"), *map(Column, FIGURES), Column("how")]
        return Table("grades", tuple(columns), tuple((name, *_cells(row)) for name, row in rows.items()))
    return _in_roster(roster, rows, _paths(found), asked.title)


def _paths(found: Sequence[Submission]) -> dict[str, list[str]]:
    return {one.name: [*(file.file for file in one.files), *(left.file for left in one.left_out)] for one in found}


def _whose(roster: Roster, paths: Mapping[str, list[str]]) -> tuple[dict[int, str], dict[str, list[int]], set[int]]:
    """Rows with the submission that is theirs; each of the others with the rows whose it may be; and all of these."""
    theirs, strange = roster.matched(paths)
    may_be = {name: roster.may_be(name, paths[name]) for name in strange}
    return theirs, may_be, {number for rows in may_be.values() for number in rows} - set(theirs)


def _cells(row: ClassRow) -> tuple[Cell, ...]:
    return points_of(row), row.status, *plain_figures(row), row.grade.words() if row.grade else ""


def _in_roster(roster: Roster, rows: Mapping[str, ClassRow], paths: Mapping[str, list[str]], title: str) -> Table:
    theirs, may_be, unsure = _whose(roster, paths)
    at = roster.column(title)
    if roster.is_canvas and at is not None:
        # A column that Canvas does not know would become a new assignment there, and a row a question.
        lines = [_filled(roster, number, rows.get(theirs.get(number, "")), at) for number in range(len(roster.rows))]
        return Table("grades", tuple(map(Column, roster.columns)), tuple(lines))
    added = [*([] if at is not None else [title]), "status", "how"]
    lines = [
        _row(roster, number, rows.get(theirs.get(number, "")), at, number in unsure)
        for number in range(len(roster.rows))
    ]
    blank = [""] * (len(roster.columns) - 1)
    for name in may_be:
        given, status, how = _of_nobody(rows[name], [roster.shown(number) for number in may_be[name]])
        own: list[Cell] = [name, *blank]
        if at is not None:
            own[at] = given if at else name
        lines.append((*own, *([] if at is not None else [given]), status, how))
    return Table("grades", tuple(Column(name) for name in (*roster.columns, *added)), tuple(lines))


def _of_nobody(row: ClassRow, may_be: Sequence[str]) -> tuple[Cell, str, str]:
    """Points, status and why, of a submission that has no row. One that may be somebody's gets no points here: under
    its name they could be read as that one's."""
    words, points = row.grade.words() if row.grade else "", points_of(row)
    if not may_be:
        return points, "not in the roster", words
    told = [
        f"it may be that of {', '.join(may_be)}",
        *([f"{points:g} points"] if isinstance(points, int | float) else []),
    ]
    return None, "not known", "; ".join([*told, *([words] if words else [])])


def who_text(found: Sequence[Submission], roster: Roster, most: int | None = _MOST) -> str:
    """Who of a roster is missing, which submissions are nobody's, and of which it is not known; at most `most` names of
    each kind."""
    theirs, may_be, unsure = _whose(roster, _paths(found))
    people = [number for number in range(len(roster.rows)) if not roster.is_heading(number)]
    missing = [roster.shown(number) for number in people if number not in theirs and number not in unsure]
    kinds = {
        "missing": missing,
        "whose it is, the names do not tell": [name for name, rows in may_be.items() if rows],
        "not in the roster": [name for name, rows in may_be.items() if not rows],
    }
    lines = [f"roster: a submission for {len(theirs)} of {len(people)} rows"]
    lines += [f"{kind}: {_listed(names, most)}" for kind, names in kinds.items() if names]
    return "\n".join(textwrap.fill(line, _WIDTH, subsequent_indent="  ") for line in lines)


def _listed(names: Sequence[str], most: int | None) -> str:
    more = f" and {len(names) - most} more" if most is not None and len(names) > most else ""
    return "; ".join(name.strip() for name in names[:most]) + more


def _filled(roster: Roster, number: int, row: ClassRow | None, at: int) -> tuple[Cell, ...]:
    """A row of the roster with its points; what stands there already stays where no points are given."""
    cells: list[Cell] = list(roster.rows[number])
    given = points_of(row) if row is not None else None
    cells[at] = cells[at] if given is None else given
    return tuple(cells)


def _row(roster: Roster, number: int, row: ClassRow | None, at: int | None, unsure: bool) -> tuple[Cell, ...]:
    """`unsure`: a submission may be this one's, and may be another's too."""
    status, how = ("missing", "to be looked at: nothing was handed in")
    if unsure:
        status, how = "not known", "to be looked at: whose submission is whose, the names do not tell"
    if roster.is_heading(number):
        status, how = "", ""
    elif row is not None:
        status, how = row.status, row.grade.words() if row.grade else ""
    if at is not None:
        return (*_filled(roster, number, row, at), status, how)
    return (*roster.rows[number], points_of(row) if row is not None else None, status, how)
