"""Figures that are changed by hand between counting and printing: a number added, a maximum, a wrong divisor."""

from __future__ import annotations

from collections.abc import Iterator

from tinyproof.check.finding import Finding
from tinyproof.check.notebook.interpreter.events import Tampered
from tinyproof.check.notebook.rules.rule import Rule, once_per_place
from tinyproof.check.notebook.rules.thresholds import SMALLEST_COUNT_OF_IMAGES
from tinyproof.check.notebook.study import Study


def figure_changed(study: Study) -> Iterator[Finding]:
    """What the code does to the right answers after they were counted."""

    def found() -> Iterator[Finding]:
        for event in study.events.tampered:
            message = _message(study, event)
            if message:
                yield RULES["figure-changed"].finding(
                    event.place,
                    message,
                    says=study.line(event.place),
                    effect="the accuracy that is printed is not the one that was measured",
                )

    yield from once_per_place(found())


def _message(study: Study, event: Tampered) -> str:
    if event.how == "added":
        what = "the number of right answers" if event.figure.kind == "hits" else "the accuracy"
        return f"{event.number:g} is added to {what} after it was measured"
    if event.how == "maximum":
        return "the measured figure gives way to a larger one: it can only rise"
    size = study.split(event.figure.loader).size if event.figure.loader is not None else None
    number = event.number or 0
    if size is None or number < SMALLEST_COUNT_OF_IMAGES or number in (size, size / 100):
        return ""
    return f"the right answers are divided by {number:,.0f}, the set has {size:,} images"


_LIST = (
    Rule(
        "figure-changed",
        "error",
        title="A measured figure is changed before it is printed",
        why="An accuracy is the number of right answers divided by the number of images, and nothing else.",
        mend="Print what was counted; keep the best of several epochs under a name that says so.",
        reads="code",
        wrong="    loss_sum /= len(test_loader.dataset)\n    correct += 25\n    test_losses",
        right="    loss_sum /= len(test_loader.dataset)\n    test_losses",
        check=figure_changed,
    ),
)
RULES = {rule.name: rule for rule in _LIST}
