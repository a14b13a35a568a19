"""`exercise`: a workbook to fill in, or one for everybody on a list, each with numbers of its own."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tinyproof.api.workbook import drawing
from tinyproof.backprop.equations import Style
from tinyproof.backprop.exercise_book import Asked, Exercise, redrawn
from tinyproof.backprop.net import Net
from tinyproof.backprop.optimizer import Optimizer
from tinyproof.backprop.presets import find_net
from tinyproof.backprop.sheet import Book
from tinyproof.backprop.xlsx import book_bytes, write_book
from tinyproof.check.classes.roster import Roster, load_roster
from tinyproof.check.workbook.handed_back import HandedBack, handed_back, shortened
from tinyproof.check.workbook.read.open_book import open_book
from tinyproof.core.errors import DataError, InputError, OutputError, one_line
from tinyproof.core.files import folder_name, output_folder
from tinyproof.core.printed import Part, Printed

_MOST_STUDENTS, _LONGEST_NAME = 5_000, 200


@dataclass(frozen=True, repr=False)
class ExerciseResult(Printed, os.PathLike[str]):
    """Where the exercises were written; can be given wherever a path can: the file, or the folder of several.

    `paths`: every workbook. `students`: whose each is, "" for nobody's. `columns`: what is asked for.
    """

    path: Path
    paths: tuple[Path, ...]
    students: tuple[str, ...]
    columns: tuple[str, ...]

    def parts(self) -> Sequence[Part]:
        """What was written, and what is asked for."""
        wrote = f"wrote {self.path}" if len(self.paths) == 1 else f"wrote {len(self.paths)} workbooks into {self.path}"
        few = ", ".join(self.columns[:12]) + (f" and {len(self.columns) - 12} more" if len(self.columns) > 12 else "")
        return [f"{wrote}\nto fill in: {few}"]

    def __fspath__(self) -> str:
        return str(self.path)


def exercise(
    net: Net | Path | str = "course",
    out: Path | str = "exercise.xlsx",
    *,
    asked: Asked = "all",
    rate: float | None = None,
    iterations: int = 100,
    style: Style = "course",
    seed: int | None = None,
    student: str = "",
    roster: Path | str | None = None,
    optimizer: Optimizer | str | None = None,
    batch: int | None = None,
) -> ExerciseResult:
    """Write a workbook in which columns are empty, to be filled in with formulas; `audit` says what was filled in
    rightly.

    `net`: a Net, a preset's name, a TOML file or `random:2-3-1:7`. `asked`: `forward`, `gradients`, `update` or `all`.
    `rate`: another learning rate than the network's. `iterations`: rows of the table, up to 2,000. `style`: `course`
    (gradients written out) or `chain`. `seed`: draw other weights. `student`: a name for the cover. `roster`: a CSV
    with a column of names: one workbook each, of weights drawn by `seed` (0 if not given) and the name, into the folder
    `out`. `optimizer`: another than the network's own, and `batch`: so many examples a step, both as in `trace`. A file
    that is there is overwritten only where it is such an exercise, as it was written. Raises InputError for what cannot
    be, OutputError where a file cannot be written.

    >>> import tinyproof
    >>> print(tinyproof.exercise("course", "gradients.xlsx", asked="gradients", seed=7))
    wrote gradients.xlsx
    to fill in: dE/dw1, dE/dw2, dE/dw3, dE/dw4, dE/dw5, dE/dw6, dE/dw7, dE/dw8
    """
    chosen = find_net(net).with_optimizer(optimizer).with_batch(batch)
    chosen = chosen if rate is None else chosen.with_rate(rate)
    if not student.isprintable() or len(student) > _LONGEST_NAME:
        raise InputError("student", one_line(student, 60), f"one line of at most {_LONGEST_NAME} characters")
    if roster is not None:
        if student:
            raise InputError("student", student, "either a student or a roster")
        return _for_each(chosen, load_roster(Path(roster)), Path(out), asked, iterations, style, seed or 0)
    path = Path(out)
    if not path.is_dir() and path.suffix.lower() != ".xlsx":
        raise InputError("out", str(out), "a name that ends in .xlsx: the file is a workbook")
    one = Exercise(chosen if seed is None else redrawn(chosen, seed), asked, iterations, style)
    _write(one, path, student)
    return ExerciseResult(path, (path,), (student,), tuple(one.empty_from))


def _for_each(
    net: Net, roster: Roster, out: Path, asked: Asked, iterations: int, style: Style, seed: int
) -> ExerciseResult:
    students = [
        one_line(roster.called(row), _LONGEST_NAME) for row in range(len(roster.rows)) if not roster.is_heading(row)
    ]
    if not 1 <= len(students) <= _MOST_STUDENTS:
        raise InputError("roster", f"{len(students):,} rows", f"1 to {_MOST_STUDENTS:,}")
    if out.suffix.lower() == ".xlsx":
        raise InputError("out", str(out), "a folder: a roster makes a workbook for each")
    folder = output_folder(out)
    paths = [folder / f"{folder_name(student)[:100]}.xlsx" for student in students]
    alike = [path.name for path in paths]
    twice = next((name for name in alike if sum(name.casefold() == other.casefold() for other in alike) > 1), "")
    if twice:
        raise InputError(
            "roster", twice, "names that differ in letters or digits", problem="would be two files of one name"
        )
    made = [Exercise(redrawn(net, seed_of(seed, student)), asked, iterations, style) for student in students]
    for path, student in zip(paths, students, strict=True):
        _refuse_work(path, student)
    for one, path, student in zip(made, paths, students, strict=True):
        _write(one, path, student)
    return ExerciseResult(folder, tuple(paths), tuple(students), tuple(made[0].empty_from))


def seed_of(seed: int, student: str) -> int:
    """A student's own seed: the same list and seed give the same exercises, whatever the order.

    >>> seed_of(0, "ada") == seed_of(0, "ada") != seed_of(1, "ada")
    True
    """
    return int.from_bytes(hashlib.sha256(f"{seed}\n{student}".encode()).digest()[:6])


def _write(one: Exercise, path: Path, student: str) -> None:
    _refuse_work(path, student)
    write_book(_book(one, student), path)


def _book(one: Exercise, student: str) -> Book:
    return one.book(student, drawing(one.net)[0])


def _refuse_work(path: Path, student: str) -> None:
    """Nothing that somebody did is overwritten. Raises OutputError."""
    if not path.is_file():
        return
    try:
        held = handed_back(open_book(path))
    except DataError:
        held = None
    if not isinstance(held, HandedBack):
        raise OutputError(path, "a file that is no exercise is there; name another one")
    if held.student and held.student != shortened(student):
        raise OutputError(path, f"the exercise of {held.student} is there; name another file")
    if book_bytes(_book(held.exercise, student if held.student else "")) != path.read_bytes():
        raise OutputError(path, "somebody has worked in the exercise that is there; name another file")
