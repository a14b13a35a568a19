"""Figures that are changed by hand between counting and printing: a number added, a maximum, a wrong divisor."""

from __future__ import annotations

from collections.abc import Iterator

from tinyproof.check.finding import Finding
from tinyproof.check.notebook.interpreter.events import Pass, Tampered
from tinyproof.check.notebook.interpreter.rows import Rows
from tinyproof.check.notebook.interpreter.values import Made, Value, number
from tinyproof.check.notebook.library.loaders import argument
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
    if event.how == "counted":
        return _miscounted(study, event)
    size = _size(study, event.figure.loader)
    number = event.number or 0
    if size is None or number < SMALLEST_COUNT_OF_IMAGES or number in (size, size / 100):
        return ""
    return f"the right answers are divided by {number:,.0f}, the set has {size:,} images"


def _size(study: Study, loader: Value | None) -> int | None:
    """How many images a loader, or a whole array, has; None where that is not known."""
    if isinstance(loader, Rows):
        whole = loader.paths[0] if len(loader.paths) == 1 and not loader.paths[0].cuts else None
        return whole.root.size if whole is not None else None
    return study.split(loader).size if loader is not None else None


def _miscounted(study: Study, event: Tampered) -> str:
    """What is wrong with the count that right answers are divided by: another set's, batches, all for one batch."""
    figure, count = event.figure, event.count
    if figure.loader is None or count is None or figure.scale == "mean":
        return ""
    size, batch = study.split(figure.loader).size, _images_of_a_batch(figure.loader)
    if figure.reach == "batch":
        one_of_many = size is not None and 0 < batch < size and isinstance(figure.turn, Pass)
        return (
            "only the last batch's right answers are counted, and divided by the number of all" if one_of_many else ""
        )
    if count.kind == "batches" and batch > 1:
        return "the right answers are divided by the number of batches"
    other = study.split(count.loader).size if count.kind == "images" and count.loader is not None else None
    if size is None or other is None or other == size:
        return ""
    return f"the right answers are divided by {other:,}, the number of images of another set; this one has {size:,}"


def _images_of_a_batch(loader: Value) -> int:
    """How many images a loader gives at once; 0 where that is not known."""
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
