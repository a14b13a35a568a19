"""The reports of a class, held against what was asked: what is not met is a finding, what is not checked is open."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import PurePath

from tinyproof.check.classes.asked_answers import Answer, not_checked
from tinyproof.check.classes.assignment import Assignment
from tinyproof.check.classes.notebook_asked import notebook_answers
from tinyproof.check.classes.submissions import Submission, submissions
from tinyproof.check.classes.workbook_asked import workbook_answers
from tinyproof.check.finding import BESIDE, FileReport, LeftOut, Status


def held_against(files: Sequence[FileReport], left_out: Iterable[LeftOut], asked: Assignment) -> tuple[FileReport, ...]:
    """The files in their order; right is then what was asked, and not only what agrees with itself."""
    new: dict[int, FileReport] = {}
    for one in submissions(files, left_out):
        answers = list(answers_of(one, asked))
        new.update((id(file), _with(file, [a for a in answers if a.file is file])) for file in one.files)
    return tuple(new[id(file)] for file in files)


def answers_of(one: Submission, asked: Assignment) -> Iterator[Answer]:
    """Everything that was asked, answered of one submission."""
    if not one.files:
        return
    unread = next((f"{PurePath(left.file).name}: {left.why}" for left in one.left_out if left.asked), "")
    beside = next((left.why for left in one.left_out if left.why.startswith(BESIDE)), "")
    books = [file for file in one.files if file.kind == "workbook"]
    notebooks = [file for file in one.files if file.kind == "notebook"]
    notebooks = notebooks or [file for file in one.files if file.kind == "script"]
    half = _is_one_file(one) and asked.workbook is not None and asked.notebook is not None and bool(books or notebooks)
    if asked.workbook is not None and books:
        yield from workbook_answers(books, asked.workbook, unread)
    elif asked.workbook is not None and not half:
        yield _none(one, "workbook", unread or beside)
    if asked.notebook is not None and notebooks:
        yield from notebook_answers(notebooks, asked.notebook, unread)
    elif asked.notebook is not None and not half:
        yield _none(one, "notebook", unread or beside)


def _is_one_file(one: Submission) -> bool:
    """Whether it is a loose file by itself: of a workbook nobody can say that the notebook is missing."""
    return len(one.files) == 1 and not one.left_out and PurePath(one.files[0].file).name == PurePath(one.name).name


def _none(one: Submission, what: str, unread: str) -> Answer:
    """It is missing, unless it may be what was not read."""
    return Answer(one.files[0], f"asked-{what}", f"a {what}", unread or "none", None if unread else False)


def _with(file: FileReport, answers: Sequence[Answer]) -> FileReport:
    if not answers:
        return file
    return replace(
        file,
        status=_status(file.status, [answer.met for answer in answers]),
        findings=(*file.findings, *(answer.finding() for answer in answers if answer.met is False)),
        checked=(*file.checked, *(answer.line() for answer in answers if answer.met)),
        problem="; ".join([*([file.problem] if file.problem else []), *not_checked(answers)]),
    )


def _status(status: Status, met: Sequence[bool | None]) -> Status:
    if False in met:
        return "wrong"
    return "undecided" if None in met and status in ("right", "nothing to judge") else status
