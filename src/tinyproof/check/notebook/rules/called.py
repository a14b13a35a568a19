"""What a loop's accuracy is called, by the words that are printed beside it, and where it is told its loader."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tinyproof.check.code.interpreter.turns import Pass
from tinyproof.check.code.interpreter.values import Made
from tinyproof.check.code.library.splits import overlap
from tinyproof.check.finding import CodePlace, Finding
from tinyproof.check.notebook.measured import words_of
from tinyproof.check.notebook.rules.rule import Rule
from tinyproof.check.notebook.study import Study


def labelled_test(study: Study, turn: Pass) -> bool:
    """Whether the words beside its accuracy call it a test; one function's words for several loaders say nothing.

    Nor does Lightning's test() of several loaders: there is no other way to see the figures of the best checkpoint.
    """
    if {words_of(text) for text in turn.labels} - {""} != {"test"}:
        return False
    return not any(
        (other.place == turn.place or (other.framework and turn.framework))
        and other.loader is not turn.loader
        and set(other.labels) & set(turn.labels)
        for other in study.events.passes
    )


def loops_called_test(rule: Rule, study: Study) -> Iterator[Finding]:
    """A part that was held out of the training set is called a test, and nothing measures on the test set."""
    measured = [study.split(turn.loader) for turn in study.evaluations]
    if not _test_set_made(study) or any(split.kind in ("test", "unknown", "mixed") for split in measured):
        return
    for turn, split in zip(study.evaluations, measured, strict=True):
        learned = any(overlap(study.split(other.loader), split) for other in study.trainings)
        if split.kind != "part" or split.of != "train" or learned or not labelled_test(study, turn):
            continue
        place = turn.frames[0].place if turn.frames else turn.place
        yield rule.finding(
            place,
            f"the accuracy over `{turn.text}` is called a test and measured on a part of the training set",
            says=study.line(place),
            effect="the test set is there, and nothing is measured on it",
        )


def _test_set_made(study: Study) -> bool:
    """Whether a test set of a library is there under a name of its own."""
    named = [value for value in study.scope.names.values() if isinstance(value, Made)]
    return any(study.split_of_data(value).kind == "test" for value in named)


def given_at(turn: Pass) -> CodePlace:
    """Where a loop is told which loader it goes over: its own line, or the call that hands the loader on."""
    place, text = turn.place, turn.text
    for frame in reversed(turn.frames):
        words = re.findall(r"(?<![\w.])[A-Za-z_]\w*", text)
        name = next((word for word in words if word != "self" and word in frame.arguments), None)
        if name is None:
            break
        place, text = frame.place, frame.arguments[name]
    return place


def taught_at(learning: Pass, turn: Pass) -> CodePlace:
    """Where a network is taught what is measured on: at the loop, or where its loader is made, if it has its own."""
    own = learning.loader is not turn.loader and isinstance(learning.loader, Made)
    return learning.loader.place if own else given_at(learning)  # type: ignore[attr-defined]
