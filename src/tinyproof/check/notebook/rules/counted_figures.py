"""Figures that no count of right answers can give: 71 % of 54 rows lies between 38 and 39 of them."""

from __future__ import annotations

from collections.abc import Iterator

from tinyproof.check.code.interpreter.sizes import size_of
from tinyproof.check.code.interpreter.uses import Measured
from tinyproof.check.finding import CodePlace
from tinyproof.check.notebook.measured import measured, to_learned
from tinyproof.check.notebook.printed_figures import figure
from tinyproof.check.notebook.study import Study

_COUNTED = ("==", "accuracy_score")
_SINGLE = 2.0**-21  # eight times the half step of a number in single precision: a sum and a quotient are in between


def impossible(study: Study) -> Iterator[tuple[CodePlace, float, int]]:
    """The measurements whose printed figure is no number of right answers: where, the figure in percent, the rows."""
    for use in measured(study):
        size = size_of(use.rows) if use.name in _COUNTED and not _is_no_count(use) else None
        value = figure(study, use) if size else None
        if size and value is not None and not can_be(value, size):
            yield _shown_at(study, use), value, size


def _shown_at(study: Study, use: Measured) -> CodePlace:
    """The line that prints a measurement's figure: the one with the words beside it, else where it is taken."""
    lines = study.sources.get((use.at.file, use.at.cell), [])
    for label in use.labels:
        found = [number for number, line in enumerate(lines, start=1) if label in line and "print" in line]
        if len(found) == 1:
            return CodePlace(use.at.file, use.at.cell, found[0])
    return use.at


def _is_no_count(use: Measured) -> bool:
    if to_learned(use) in ("inside", "contains", "overlaps"):
        return True  # another fault, which comes first
    return use.crossed or any(step.kind in ("oversampled", "opaque") for step in use.rows.steps)


def can_be(percent: float, size: int) -> bool:
    """Whether some number of right answers among `size` gives a figure, rounded or cut off where it was printed.

    A mean in single precision is off in its eighth digit: `0.98219997` is 9,822 of 10,000.

    >>> can_be(70.37, 54), can_be(71.0, 54), can_be(90.0, 54), can_be(98.219997, 10_000), can_be(98.2193, 10_000)
    (True, False, True, True, False)
    """
    unit = max(_unit(percent), _SINGLE * percent)
    near = int(percent * size / 100)
    return any(
        abs(100 * right / size - percent) <= 0.5001 * unit or 0 <= 100 * right / size - percent < unit
        for right in range(max(0, near - 1), min(size, near + 2) + 1)
    )


def _unit(percent: float) -> float:
    """What the last digit stands for; an even figure may have been rounded to tens."""
    text = f"{percent:.10f}".rstrip("0")
    decimals = len(text.partition(".")[2])
    if decimals:
        return 10.0**-decimals
    return 10.0 if percent % 10 == 0 else 1.0
