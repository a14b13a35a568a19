"""One thing that was asked, held against a submission: met, not met, or not checked, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

from tinyproof.check.finding import NOT_CHECKED, CodePlace, FileReport, Finding, SheetPlace


@dataclass(frozen=True)
class Answer:
    """`met`: None where it could not be checked, and `found` then says why. `file`: what it is said of."""

    file: FileReport
    rule: str
    asked: str
    found: str
    met: bool | None
    place: SheetPlace | CodePlace | None = None

    def finding(self) -> Finding:
        """What was asked and is not there."""
        place = self.place or whole_file(self.file)
        return Finding(self.rule, "error", place, f"asked: {self.asked}; found: {self.found}")

    def line(self) -> str:
        """In a line, what was met."""
        return f"asked: {self.asked}; found: {self.found}"


def not_checked(answers: Sequence[Answer]) -> list[str]:
    """A line for each reason, with everything that is not checked for it."""
    by_reason: dict[str, list[str]] = {}
    for answer in answers:
        if answer.met is None:
            by_reason.setdefault(answer.found, []).append(answer.asked)
    return [f"{NOT_CHECKED} ({'; '.join(asked)}): {reason}" for reason, asked in by_reason.items()]


def whole_file(file: FileReport) -> CodePlace:
    """The file itself, by its name."""
    return CodePlace(PurePath(file.file).name)


def listed(numbers: tuple[float, ...] | list[float]) -> str:
    """Numbers in a sentence.

    >>> listed([0.1, 0.5, 2.0])
    '0.1, 0.5 and 2'
    """
    words = [f"{number:.10g}" for number in numbers]
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
