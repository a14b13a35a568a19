"""An exercise that was handed back: of each column that was asked for, whether it is empty, right or wrong.

`exercise_answers` judges each cell by itself. Everything else in the sheet is judged like any other, on a copy in which
the cells that are not right are: whatever is found there is somebody's own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from tinyproof.backprop.equations import RATE, forward, gradients, updates
from tinyproof.backprop.exercise_book import COVER, GIVENS, KEPT, LEFT, NAME, TOP, Exercise, kept_exercise
from tinyproof.backprop.notation import equation_text
from tinyproof.backprop.table_sheet import all_givens
from tinyproof.check.finding import SEVERITIES, FileReport, Finding, Severity, SheetPlace, status_of
from tinyproof.check.workbook.exercise_answers import Answer, Answers, is_empty
from tinyproof.check.workbook.read.cells import Book, Cell, ReadSheet
from tinyproof.check.workbook.read.worksheet_functions import NotUnderstood
from tinyproof.check.workbook.rules.mistake import stretches
from tinyproof.check.workbook.understand.grid import address, formula_at
from tinyproof.core.errors import DataError, InputError, one_line

# Of more findings, and of networks of several examples (for which it takes long), a mistake is named without the reason
# that the audit of any workbook knows.
_MOST_EXPLAINED = 8
_MOST_LINES = 2_000
Cells = Mapping[tuple[int, int], Cell]
Column = Mapping[int, Answer]  # row of the sheet (from 1) -> what is said of the cell
Told = Mapping[str, Column]


@dataclass(frozen=True)
class HandedBack:
    """An exercise as it came back, in which workbook, and whose."""

    exercise: Exercise
    book: Book
    student: str

    @cached_property
    def begun(self) -> bool:
        """Whether something stands in a cell that was left empty."""
        table = _sheet(self.book, self.exercise.sheet)
        return table is not None and any(
            not is_empty(table.cells, TOP + row + 1, self.exercise.column(name) + 1)
            for name, first in self.exercise.empty_from.items()
            for row in range(first, self.exercise.rows)
        )


def handed_back(book: Book) -> HandedBack | str:
    """What a workbook holds of an exercise; "" where it is none, and else why it cannot be judged as one."""
    kept = _sheet(book, KEPT)
    if kept is None:
        return ""
    try:
        exercise = kept_exercise(_lines(kept.cells))
        if exercise is None:
            return ""
        exercise.trace  # noqa: B018  # raises where the numbers overflow
    except (InputError, DataError) as error:
        return (
            f"an exercise whose hidden sheet was changed ({one_line(str(error), 120)}); judged like any other workbook"
        )
    table = _sheet(book, exercise.sheet)
    if table is None or not _in_place(exercise, table.cells):
        return (
            f'an exercise whose table does not stand where it stood (sheet "{exercise.sheet}", headings in row {TOP}); '
            "judged like any other workbook"
        )
    cover = _sheet(book, COVER)
    student = cover.cells.get((NAME[0] + 1, NAME[1] + 1)) if cover else None
    name = str(student.value).strip() if student and student.value is not None else ""
    return HandedBack(exercise, book, one_line(name, 60))


def judge_exercise(held: HandedBack, audit: Callable[[Book], FileReport]) -> FileReport:
    """What the audit says of an exercise; `audit` judges a workbook like any other."""
    exercise = held.exercise
    try:
        answers = Answers(exercise, held.book)
        told = {name: answers.column(name) for name in exercise.trace.columns}
    except NotUnderstood as problem:
        return audit(
            replace(held.book, remarks=(*held.book.remarks, f"an exercise that cannot be followed: {problem}"))
        )
    report = audit(_mended(held, told))
    findings = [one for one in report.findings if one.severity != "error" or _column(one, held) is None]
    findings += _changed_givens(held)
    for name, cells in told.items():
        explained = len(exercise.net.examples) == 1 and len(findings) < _MOST_EXPLAINED
        findings += _findings(held, name, cells, audit if explained else None, told)
    wrong = {_column(one, held) for one in findings if one.severity == "error"}
    problems = [f"{name}: {why}" for name, why in answers.why.items()]
    open_ = [name for name in exercise.empty_from if "empty" in told[name].values()]
    if open_:
        begun = [_cells(held, name, told[name]) for name in open_ if set(told[name].values()) != {"empty"}]
        still = f" (begun: {_listed(begun)})" if begun else ""
        problems.append(
            f"{len(open_)} of {len(exercise.empty_from)} columns that were asked for are not filled in{still}"
        )
    ordered = sorted(findings, key=lambda one: SEVERITIES.index(one.severity))
    return replace(
        report,
        status=status_of(ordered, undecided=bool(problems)),
        findings=tuple(ordered),
        checked=(_told(held, told, wrong), *held.book.remarks),
        problem="; ".join(problems),
    )


def _column(finding: Finding, held: HandedBack) -> str | None:
    """The column of the exercise's table that a finding speaks of; None where it speaks of something else."""
    place = finding.place
    if not isinstance(place, SheetPlace) or place.sheet != held.exercise.sheet:
        return None
    return place.column if place.column in held.exercise.trace.columns else None


def _told(held: HandedBack, told: Told, wrong: set[str | None]) -> str:
    """One line: of the columns asked for those that are right, wrong and empty."""
    by = f" by {held.student}" if held.student else ""
    states: dict[str, list[str]] = {"right": [], "wrong": [], "not read": [], "not filled in": []}
    for name in held.exercise.empty_from:
        said = set(told[name].values())
        state = "wrong" if name in wrong else "not filled in" if "empty" in said else "right"
        states["not read" if state != "wrong" and "not read" in said else state].append(name)
    words = "; ".join(f"{word}: {_listed(names)}" for word, names in states.items() if names)
    return f"exercise ({held.exercise.asked}){by}, {len(held.exercise.empty_from)} columns asked for: {words}"


def _findings(
    held: HandedBack, name: str, cells: Column, audit: Callable[[Book], FileReport] | None, told: Told
) -> list[Finding]:
    """What is to be said of a column: the cells that are wrong, or hold numbers in place of formulas."""
    given = name not in held.exercise.empty_from
    bad: tuple[Answer, ...] = ("wrong", "in a circle", "empty") if given else ("wrong", "in a circle")
    wrong = [row for row, answer in cells.items() if answer in bad]
    typed = [row for row, answer in cells.items() if answer == "typed"]
    found = [_finding(held, name, typed, "pasted-values", "warning")] if typed else []
    if not wrong:
        return found
    if any(cells[row] == "in a circle" for row in wrong):
        return [*found, _finding(held, name, wrong, "circular", "error")]
    alone = audit(_mended(held, {**told, name: dict.fromkeys(cells, "right")})) if audit else None
    for one in alone.findings if alone else ():
        if one.severity == "error" and _column(one, held) == name:
            return [*found, one]
    return [*found, _finding(held, name, wrong, _rule(name, held), "error")]


_MESSAGES = {
    "circular": "{name} reads itself",
    "pasted-values": "{name} holds numbers in place of a formula: they are right for these givens only",
}


def _finding(held: HandedBack, name: str, rows: list[int], rule: str, severity: Severity) -> Finding:
    exercise, column = held.exercise, held.exercise.column(name) + 1
    cell = next(sheet for sheet in held.book.sheets if sheet.name == exercise.sheet).cells.get((rows[0], column))
    says = (
        "(empty)"
        if cell is None
        else _text(cell.value or 0.0)
        if cell.formula is None
        else formula_at(cell, rows[0], column)
    )
    should = f"={exercise.formula(name, rows[0] - TOP - 1)}"
    return Finding(
        rule,
        severity,
        SheetPlace(exercise.sheet, name, stretches(rows, column)),
        _MESSAGES.get(rule, "{name} does not give what it should").format(name=name),
        says=one_line(says, 500),
        should_say=equations(exercise).get(name, should),
        fix=f"write in {address(rows[0], column)}: {should}" + (" and fill down" if len(rows) > 1 else ""),
    )


def equations(exercise: Exercise) -> dict[str, str]:
    """Column -> its equation's right side, in the table's own names."""
    known = (*forward(exercise.net), *gradients(exercise.net, exercise.style), *updates(exercise.net))
    return {one.name: equation_text(one).partition(" = ")[2] for one in known}


def _rule(name: str, held: HandedBack) -> str:
    if name in held.exercise.net.parameters or name[0] in "ti":
        return "wrong-update" if name in held.exercise.net.trained else "changed-given"
    return "wrong-gradient" if name.startswith("dE") else "wrong-loss" if name.startswith("E") else "wrong-forward"


def _listed(names: list[str]) -> str:
    return ", ".join(names[:40]) + (f" and {len(names) - 40} more" if len(names) > 40 else "")


def _cells(held: HandedBack, name: str, cells: Column) -> str:
    rows = [row for row, answer in cells.items() if answer == "empty"]
    return f"{name}, {stretches(rows, held.exercise.column(name) + 1)}"


def _mended(held: HandedBack, told: Told) -> Book:
    """The workbook with the right formula in every cell that is not right. Stored numbers go then: they were calculated
    with what stood there."""
    exercise = held.exercise
    others = [(name, row) for name, cells in told.items() for row, answer in cells.items() if answer != "right"]
    if not others:
        return held.book
    sheets = []
    for sheet in held.book.sheets:
        if sheet.name == exercise.sheet:
            cells = {
                at: cell if cell.formula is None else cell._replace(value=None) for at, cell in sheet.cells.items()
            }
            for name, row in others:
                column = exercise.column(name) + 1
                cells[row, column] = Cell(None, "n", exercise.formula(name, row - TOP - 1), row, column)
            sheet = replace(sheet, cells=dict(sorted(cells.items())))
        sheets.append(sheet)
    return replace(held.book, sheets=tuple(sheets), recalculates=True)


def _changed_givens(held: HandedBack) -> list[Finding]:
    """Numbers that the exercise gave, and that say something else now."""
    net, table = held.exercise.net, held.exercise.sheet
    places = [(COVER, name, (GIVENS + k + 1, 2), value) for k, (name, value) in enumerate(all_givens(net).items())]
    places.append((table, RATE, (2, 2), net.learning_rate))
    found = []
    for sheet, name, (row, column), value in places:
        there = _sheet(held.book, sheet)
        cell = there.cells.get((row, column)) if there else None
        if cell is None or cell.formula is not None or cell.value != value:
            says = "(empty)" if cell is None or cell.value is None else one_line(_text(cell.value), 30)
            found.append(_changed(sheet, name, address(row, column), says, value))
    return found


def _changed(sheet: str, name: str, cells: str, says: str, value: float) -> Finding:
    return Finding(
        "changed-given",
        "error",
        SheetPlace(sheet, name, cells),
        f"{name} is not what the exercise gave",
        says=says,
        should_say=_text(value),
        why="every number that follows from it is another one than was asked for",
        fix=f"write in {cells}: {_text(value)}",
    )


def _sheet(book: Book, name: str) -> ReadSheet | None:
    return next((sheet for sheet in book.sheets if sheet.name == name), None)


def _lines(cells: Cells) -> list[str]:
    """The texts of the first column, from the top to the last that is filled; an empty row is an empty line."""
    last = min(max((row for row, column in cells if column == 1), default=0), _MOST_LINES)
    held = [cells.get((row, 1)) for row in range(1, last + 1)]
    return ["" if cell is None or cell.value is None else _text(cell.value) for cell in held]


def _text(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.15g}"


def _in_place(exercise: Exercise, cells: Cells) -> bool:
    """Whether the headings stand in the row and the columns in which they were."""
    for k, name in enumerate(exercise.trace.columns):
        cell = cells.get((TOP, LEFT + k + 1))
        if cell is None or not isinstance(cell.value, str) or cell.value.replace("\u2202", "d") != name:
            return False
    return True
