"""Figures that are changed by hand between counting and printing: a number added, a maximum, a wrong divisor."""

from __future__ import annotations

from collections.abc import Iterator

from tinyproof.check.code.interpreter.events import Tampered
from tinyproof.check.code.interpreter.relations import relation
from tinyproof.check.code.interpreter.rows import Rows
from tinyproof.check.code.interpreter.sizes import size_of
from tinyproof.check.code.interpreter.values import Made, Value, number
from tinyproof.check.code.library.loaders import argument, rows_behind
from tinyproof.check.code.library.row_words import described
from tinyproof.check.finding import Finding
from tinyproof.check.notebook.rules.rule import Rule, once_per_place
from tinyproof.check.notebook.rules.thresholds import SMALLEST_COUNT_OF_IMAGES
from tinyproof.check.notebook.study import Study

_FEWEST_ROWS = 20  # a smaller divisor is hardly meant as their number


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
    if event.how == "counted":
        return _miscounted(study, event)
    size = _size(study, event.figure.loader)
    number = event.number or 0
    if size is not None and isinstance(event.figure.loader, Rows):
        near = number >= _FEWEST_ROWS and size / 3 < number < 3 * size and number not in (size, size / 100)
        return f"the right answers are divided by {number:,.0f}, there are {size:,} rows" if near else ""
    if size is None or number < SMALLEST_COUNT_OF_IMAGES or number in (size, size / 100):
        return ""
    return f"the right answers are divided by {number:,.0f}, the set has {size:,} images"


def _size(study: Study, loader: Value | None) -> int | None:
    """How many images a loader, or a whole array, has; None where that is not known."""
    if isinstance(loader, Rows):
        return None if any(step.kind == "oversampled" for step in loader.steps) else size_of(loader)
    return study.split(loader).size if loader is not None else None


def _miscounted(study: Study, event: Tampered) -> str:
    """What is wrong with the count that right answers are divided by: another set's, batches, all for one batch."""
    figure, count = event.figure, event.count
    of_others = _of_other_rows(event)
    if of_others:
        return of_others
    if figure.loader is None or count is None or figure.scale == "mean":
        return ""
    size, batch = study.split(figure.loader).size, _images_of_a_batch(figure.loader)
    if figure.reach == "batch":
        added_up = count.kind == "images" and count.loader is None and batch > 1
        one_of_many = (size is not None and 0 < batch < size) or added_up
        return (
            "only the last batch's right answers are counted, and divided by the number of all" if one_of_many else ""
        )
    if count.kind == "batches" and batch > 1:
        return "the right answers are divided by the number of batches"
    other = study.split(count.loader).size if count.kind == "images" and count.loader is not None else None
    if size is None or other is None or other == size:
        return ""
    return f"the right answers are divided by {other:,}, the number of images of another set; this one has {size:,}"


def _of_other_rows(event: Tampered) -> str:
    """That right answers on some rows are divided by the number of others."""
    figure, count = event.figure, event.count
    if count is None or count.kind != "images" or count.loader is None or figure.loader is None:
        return ""
    answered, counted = rows_behind(figure.loader), rows_behind(count.loader)
    if answered is None or counted is None or figure.reach == "batch":
        return ""
    sizes = size_of(answered), size_of(counted)
    if relation(answered.paths, counted.paths) != "apart" or (sizes[0] is not None and sizes[0] == sizes[1]):
        return ""
    return f"the right answers on {described(answered)} are divided by the number of rows of {described(counted)}"


def _images_of_a_batch(loader: Value) -> int:
    """How many images a loader gives at once; 0 where that is not known."""
    if isinstance(loader, Rows):
        return loader.batch
    size = argument(loader, "batch_size", 1) if isinstance(loader, Made) and not loader.open_kwargs else None
    return int(number(size) or 0)


def other_answers(study: Study) -> Iterator[Finding]:
    """A loop that measures compares its labels with what the network said of another loader's last batch."""

    def found() -> Iterator[Finding]:
        for event in study.events.stale:
            if event.turn.trains:
                continue
            fresh = event.turn.seen[-1].place
            yield RULES["answers-of-another-batch"].finding(
                event.place,
                "the labels are compared with answers for another batch, left over from an earlier loop",
                says=study.line(event.place),
                effect="the accuracy that is printed is that of chance, whatever the network has learned",
                evidence=(f"the answers for this batch are not used: {study.line(fresh)} ({fresh})",),
            )

    yield from once_per_place(found())


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
    Rule(
        "answers-of-another-batch",
        "error",
        title="Answers for another batch are compared with the labels",
        why="A name keeps what an earlier loop gave it; a loop that measures has to use what it asked for itself.",
        mend="Take the largest score of the output of this loop, under the name that it has there.",
        reads="code",
        wrong="    global scores; processed = 0\n"
        "        train_acc.append(100 * correct / processed); scores = output\n"
        "            pred = scores.argmax(dim=1, keepdim=True)  # the most likely class",
        right="    processed = 0\n"
        "        train_acc.append(100 * correct / processed)\n"
        "            pred = output.argmax(dim=1, keepdim=True)  # the most likely class",
        check=other_answers,
    ),
)
RULES = {rule.name: rule for rule in _LIST}
