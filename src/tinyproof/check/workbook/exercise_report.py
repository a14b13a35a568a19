"""What the audit says of an exercise: of each column that was asked for, whether it is empty, right or wrong.

The right formula of a column that was asked for is never told: whoever fills in an exercise may ask the audit too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from tinyproof.backprop.equations import RATE
from tinyproof.backprop.exercise_book import TOP
from tinyproof.backprop.table_sheet import all_givens
from tinyproof.backprop.toml import to_toml
from tinyproof.check.finding import SEVERITIES, FileReport, Finding, Severity, SheetPlace, status_of
from tinyproof.check.workbook.exercise_answers import Answer, Answers, is_empty
from tinyproof.check.workbook.handed_back import HandedBack, Unjudged, handed_back, shown
from tinyproof.check.workbook.read.cells import Book, Cell
from tinyproof.check.workbook.read.worksheet_functions import NotUnderstood
from tinyproof.check.workbook.rules.mistake import stretches
from tinyproof.check.workbook.understand.grid import Place, address, formula_at
from tinyproof.core.errors import one_line
from tinyproof.core.files import sha256

# Each reason that the audit of any workbook knows takes an audit of its own, and long with many examples or cells.
_MOST_EXPLAINED, _MOST_CELLS = 4, 2_000
Audit = Callable[[Book], FileReport]
KINDS_OF_EXERCISES = ("changed-given",)  # beside those of any workbook


def audit_exercise(book: Book, audit: Audit) -> FileReport | None:
    """The report of an exercise; None where the workbook is none. `audit` judges a workbook like any other."""
    held = handed_back(book)
    if held is None:
        return None
    if isinstance(held, HandedBack):
        try:
            return _Judged(held, audit).report()
        except NotUnderstood as problem:
            held = Unjudged(f"an exercise that cannot be followed ({problem})")
    report = audit(book)
    if report.status == "right":
        return replace(report, checked=(*report.checked, f"{held.why}; judged like any other workbook"))
    # What is left empty in it would be accused like a mistake.
    return replace(report, status="undecided", findings=(), problem=held.why, views=())


@dataclass
class _Judged:
    held: HandedBack
    audit: Audit

    @cached_property
    def answers(self) -> Answers:
        given = self.held.givens | {Place(self.held.table, 2, 2): RATE}
        return Answers(self.held.exercise, self.held.book, self.held.table, given)

    @cached_property
    def told(self) -> dict[str, dict[int, Answer]]:
        return self.answers.columns()

    def asked(self, name: str, row: int) -> bool:
        """Whether a cell (its row of the sheet) was to be filled in."""
        first = self.held.exercise.empty_from.get(name)
        return first is not None and row > TOP + first

    def report(self) -> FileReport:
        exercise, told, count = self.held.exercise, self.told, len(self.held.exercise.empty_from)
        findings = self.changed_givens()
        for name in told:
            findings += self.findings(name, explained=len(findings) < _MOST_EXPLAINED)
        ordered = tuple(sorted(findings, key=lambda one: SEVERITIES.index(one.severity)))
        states = self.states({one.place.column for one in ordered if isinstance(one.place, SheetPlace)
                              and one.severity == "error"})  # fmt: skip
        problems = [f"{name}: {why}" for name, why in self.answers.why.items()]
        if states["rounded"]:
            problems.append(f"rounded, and whether digits enough are left is not judged: {_listed(states['rounded'])}")
        if unfilled := [*states["not filled in"], *states["begun, right so far"]]:
            problems.append(f"{len(unfilled)} of {count} columns that were asked for are not filled in")
        words = "; ".join(f"{word}: {_listed(names)}" for word, names in states.items() if names)
        line = f"exercise ({exercise.asked}){self.whose()}, {exercise.rows} rows, {count} columns asked for: {words}"
        status = status_of(ordered, undecided=bool(problems))
        whole = self.audit(self.held.book) if status == "right" and self.small else None
        said = {one.rule for one in ordered}
        notes = (
            tuple(one for one in whole.findings if one.severity != "error" and one.rule not in said) if whole else ()
        )
        return FileReport(
            "",
            "workbook",
            status,
            (*ordered, *notes),
            (line, *self.held.book.remarks),
            "; ".join(problems),
            self.fingerprint(),
            views=whole.views if whole else (),
            facts=whole.facts if whole else None,
            formulas=whole.formulas if whole else (),
        )

    @property
    def small(self) -> bool:
        """Whether the audit of any workbook is quick with it."""
        exercise = self.held.exercise
        return len(exercise.net.examples) == 1 and exercise.rows * len(exercise.trace.columns) <= _MOST_CELLS

    def whose(self) -> str:
        made_for, by = self.held.made_for, self.held.student
        if made_for and made_for != by:
            return f" made for {made_for}, handed in by {by or 'nobody'}"
        return f" by {by}" if by else ""

    def states(self, wrong: set[str]) -> dict[str, list[str]]:
        """The columns asked for by what is said of them."""
        words = ("right", "wrong", "rounded", "not read", "begun, right so far", "not filled in")
        found: dict[str, list[str]] = {word: [] for word in words}
        for name in self.held.exercise.empty_from:
            said = {answer for row, answer in self.told[name].items() if self.asked(name, row)}
            state = "right"
            if name in wrong:
                state = "wrong"
            elif "empty" in said:
                state = "not filled in" if said == {"empty"} else "begun, right so far"
            elif said & {"not read", "rounded"}:
                state = "not read" if "not read" in said else "rounded"
            found[state].append(name)
        return found

    def findings(self, name: str, explained: bool) -> list[Finding]:
        """What is to be said of a column: the cells that are wrong, or hold something else than a formula."""
        cells, found = self.told[name], list[Finding]()
        for answer, (rule, severity, message) in _SAID.items():
            rows = [
                row
                for row, said in cells.items()
                if said == answer and (answer != "empty" or not self.asked(name, row))
            ]
            if rows:
                found.append(self.finding(name, rows, rule or _rule(name), severity, message))
        wrong = _SAID["wrong"][2].format(name=name)
        if explained and self.small:
            found = [self.explained(name, one) if one.message == wrong else one for one in found]
        return found

    def explained(self, name: str, found: Finding) -> Finding:
        """The same with the reason that the audit of any workbook gives, where it names the same column."""
        alone = self.audit(self.mended(name))
        for one in alone.findings:
            place = one.place
            if (
                one.severity == "error"
                and isinstance(place, SheetPlace)
                and (place.sheet, place.column) == (self.held.sheet, name)
            ):
                return replace(found, rule=one.rule, message=one.message, why=one.why)
        return found

    def finding(self, name: str, rows: list[int], rule: str, severity: Severity, message: str) -> Finding:
        exercise, column = self.held.exercise, self.held.exercise.column(name) + 1
        cell = self.held.book.sheets[self.held.table].cells.get((rows[0], column))
        asked = self.asked(name, rows[0])
        should = "" if asked else f"={exercise.formula(name, rows[0] - TOP - 1)}"
        fix = f"write in {address(rows[0], column)}: {should}" + (" and fill down" if len(rows) > 1 else "")
        return Finding(
            rule if asked or rule == "circular" else "changed-given",
            severity,
            SheetPlace(self.held.sheet, name, stretches(rows, column)),
            message.format(name=name),
            says=_says(cell, rows[0], column),
            should_say=should,
            fix=fix if should else "",
        )

    def mended(self, name: str) -> Book:
        """The workbook with the right formula in every cell of the table but those of one column. Stored numbers go:
        they were calculated with what stood there."""
        exercise, table = self.held.exercise, self.held.book.sheets[self.held.table]
        cells = {at: cell if cell.formula is None else cell._replace(value=None) for at, cell in table.cells.items()}
        for other, answers in self.told.items():
            column = exercise.column(other) + 1
            for row, answer in answers.items():
                if other != name and answer != "right":
                    cells[row, column] = Cell(None, "n", exercise.formula(other, row - TOP - 1), row, column)
        sheets = list(self.held.book.sheets)
        sheets[self.held.table] = replace(table, cells=dict(sorted(cells.items())))
        return replace(self.held.book, sheets=tuple(sheets), recalculates=True)

    def changed_givens(self) -> list[Finding]:
        """Numbers that the exercise gave, and that say something else now."""
        values = all_givens(self.held.exercise.net) | {RATE: self.held.exercise.net.learning_rate}
        found, seen = [], set()
        for place, name in self.answers.givens.items():
            seen.add(name)
            sheet = self.held.book.sheets[place.sheet]
            cell = sheet.cells.get((place.row, place.col))
            number = cell.value if cell is not None and cell.formula is None else None
            if not isinstance(number, float) or not math.isclose(number, values[name], rel_tol=1e-13):  # 15 digits
                found.append(
                    _changed(
                        sheet.name, name, address(place.row, place.col), _says(cell, place.row, place.col), values[name]
                    )
                )
        gone = [name for name in values if name not in seen]
        return found + [_changed(self.held.sheet, name, "", "(gone)", values[name]) for name in gone]

    def fingerprint(self) -> str:
        """Equal where the same drawn network was filled in with the same formulas; "" while nothing is filled in."""
        table = self.held.book.sheets[self.held.table].cells
        written = [
            f"{name} {row} {_says(cell, row, column)}"
            for name in self.held.exercise.empty_from
            for column in (self.held.exercise.column(name) + 1,)
            for row in self.told[name]
            if self.asked(name, row) and (cell := table.get((row, column))) is not None and not is_empty(cell)
        ]
        text = "\n".join([to_toml(self.held.exercise.net), *written])
        return sha256(text.encode())[:32] if written else ""


_SAID: Mapping[Answer, tuple[str, Severity, str]] = {
    "wrong": ("", "error", "{name} does not give what it should"),
    "in a circle": ("circular", "error", "{name} reads itself"),
    "empty": ("", "error", "{name} was given, and is gone"),
    "typed": ("pasted-values", "error", "{name} holds typed numbers where formulas are asked for"),
    "text": ("pasted-values", "error", "{name} holds a text where a formula is asked for"),
    "typed given": ("typed-target", "warning", "{name} is right for these givens only: one of them is typed into it"),
}


def _changed(sheet: str, name: str, cells: str, says: str, value: float) -> Finding:
    return Finding(
        "changed-given",
        "error",
        SheetPlace(sheet, name, cells),
        f"{name} is not what the exercise gave",
        says=says,
        should_say=shown(value),
        why="every number that follows from it is another one than was asked for",
        fix=f"write in {cells}: {shown(value)}" if cells else "",
    )


def _says(cell: Cell | None, row: int, column: int) -> str:
    if cell is None or (cell.formula is None and cell.value is None):
        return "(empty)"
    return one_line(formula_at(cell, row, column) if cell.formula is not None else shown(cell.value or 0.0), 500)


def _rule(name: str) -> str:
    if name.startswith("d"):
        return "wrong-gradient"
    return "wrong-loss" if name.startswith("E") else "wrong-update" if name[0] in "wbmvn" else "wrong-forward"


def _listed(names: list[str]) -> str:
    return ", ".join(names[:40]) + (f" and {len(names) - 40} more" if len(names) > 40 else "")
