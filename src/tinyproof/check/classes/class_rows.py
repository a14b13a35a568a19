"""One row a submission: what its files say of themselves, as the audit read it. What is not known is empty."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from tinyproof.check.classes.grades import Grade, Points, grade
from tinyproof.check.classes.submissions import GRAVEST_FIRST, Submission
from tinyproof.check.facts import NotebookFacts
from tinyproof.check.finding import Status


@dataclass(frozen=True)
class ClassRow:
    """`workbook`, `notebook`: how these stand, "" where there is none. `claimed`: the test accuracies that its text
    reports, `logged`: that of the last epoch of the last run of each notebook, in percent. `parameters` of its
    networks, `epochs` of those runs. Several numbers where there are several; none where none is known."""

    name: str
    workbook: Status | str
    notebook: Status | str
    claimed: tuple[float, ...]
    logged: tuple[float, ...]
    parameters: tuple[int, ...]
    epochs: tuple[int, ...]
    status: Status
    grade: Grade | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain data; `points` where there is a rubric."""
        held = asdict(self) | {key: list(getattr(self, key)) for key in ("claimed", "logged", "parameters", "epochs")}
        del held["grade"]
        if self.grade is not None:
            held |= {"points": self.grade.points, "how": self.grade.words()}
        return held


def class_row(one: Submission, points: Points | None = None) -> ClassRow:
    """The row of a submission; with a rubric, its points.

    >>> class_row(Submission("ada", ())).status
    'nothing to judge'
    """
    notebooks = [file.facts for file in one.files if isinstance(file.facts, NotebookFacts)]
    last = [(facts, facts.runs[-1]) for facts in notebooks if facts.runs]
    trained = [[run for run in facts.runs if run.numbered and len(run.accuracies) > 1] for facts in notebooks]
    return ClassRow(
        name=one.name,
        workbook=_gravest(file.status for file in one.files if file.kind == "workbook"),
        notebook=_gravest(file.status for file in one.files if file.kind in ("notebook", "script")),
        claimed=_each(figure.value for facts in notebooks for figure in facts.claimed),
        logged=_each(round(run.accuracies[-1], 4) for _, run in last),
        parameters=tuple(map(int, _each(size.value for facts in notebooks for size in facts.parameters))),
        epochs=tuple(map(int, _each(runs[-1].epochs for runs in trained if runs))),
        status=one.status,
        grade=grade(one, points) if points is not None else None,
    )


def _gravest(held: Iterable[Status]) -> Status | str:
    found = set(held)
    return next((status for status in GRAVEST_FIRST if status in found), "")


def _each(numbers: Iterable[float]) -> tuple[float, ...]:
    return tuple(sorted(set(numbers)))
