"""What is divided by what, and what the loss is taken of."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tinyproof.check.code.interpreter.events import Average
from tinyproof.check.code.interpreter.quantities import crossed
from tinyproof.check.code.interpreter.turns import Pass
from tinyproof.check.finding import CodePlace, Finding, Severity
from tinyproof.check.logs import Epoch, Run
from tinyproof.check.notebook.rules import thresholds as limits
from tinyproof.check.notebook.rules.rule import Rule, once_per_place
from tinyproof.check.notebook.study import Study

_LIKELIHOOD = ("nll_loss", "cross_entropy", "NLLLoss", "CrossEntropyLoss")


def loss_misnormalised(study: Study) -> Iterator[Finding]:
    """Batch means divided by the number of images, or sums over images divided by the number of batches."""
    found = list(once_per_place(_crossed_averages(study)))
    yield from found
    if not found:
        yield from _impossible_loss(study)


def _crossed_averages(study: Study) -> Iterator[Finding]:
    for event in study.events.averages:
        direction = crossed(event.loss, event.count)
        if not direction or _left_over(event) or _running(event):
            continue
        small = direction == "small"
        made = "batch means" if small else "sums over images"
        by = "images" if small else "batches"
        impossible = _impossible(study.runs) if small else None
        source = event.loss.place
        yield RULES["loss-misnormalised"].finding(
            event.place,
            f"the average loss is wrong by the batch size: {made} are added up and divided by the number of {by}",
            severity=_severity(study, event),
            says=study.line(event.place),
            should_say=_right_division(small),
            effect=f"the printed loss is too {'small' if small else 'large'} by the number of images in a batch",
            evidence=(
                f"{study.line(source)} ({source})" if source is not None and source != event.place else "",
                _shown(impossible) if impossible else "",
            ),
        )


def _left_over(event: Average) -> bool:
    """Whether what is divided is a batch's loss, left over from a loop that has ended."""
    return event.loss.reach == "batch" and isinstance(event.loss.turn, Pass) and event.turn is not event.loss.turn


def _running(event: Average) -> bool:
    """Whether one batch's loss is divided by a count that still grows: whatever that is, no sum of batch means."""
    return event.loss.reach == "batch" and event.count.loader is None


def _right_division(small: bool) -> str:
    if small:
        return "divide by len(loader) instead, or take the loss with reduction='sum'"
    return "divide by len(loader.dataset) instead, or take the loss with reduction='mean'"


def _severity(study: Study, event: Average) -> Severity:
    turn = event.loss.turn or event.turn
    return "warning" if isinstance(turn, Pass) and turn.trains else "error"


def _impossible(runs: tuple[Run, ...]) -> Epoch | None:
    """An epoch of a run in which every test loss is below what its accuracy allows."""
    for run in runs:
        epochs = [e for e in run.epochs if e.test_loss is not None and e.test_accuracy is not None]
        if len(epochs) >= limits.FEWEST_EPOCHS_OF_A_RUN and all(_too_small(e) for e in epochs):
            return epochs[-1]
    return None


def _too_small(epoch: Epoch) -> bool:
    """Each wrong answer costs at least ln 2: the right class had a probability of at most one half."""
    assert epoch.test_accuracy is not None
    assert epoch.test_loss is not None
    wrong = 1 - epoch.test_accuracy / 100 - (0 if epoch.correct else limits.PRINTED_ROUNDING)
    least = wrong * limits.LEAST_COST_OF_A_WRONG_ANSWER * limits.TOLERANCE_OF_THE_LEAST_LOSS
    return epoch.test_loss + limits.PRINTED_ROUNDING < least


def _shown(epoch: Epoch) -> str:
    assert epoch.test_accuracy is not None
    least = (1 - epoch.test_accuracy / 100) * limits.LEAST_COST_OF_A_WRONG_ANSWER
    return (
        f"the log shows it: loss {epoch.test_loss:.4f} at {epoch.test_accuracy:.2f} %, where wrong answers alone cost "
        f"at least {least:.4f}"
    )


def _impossible_loss(study: Study) -> Iterator[Finding]:
    """From the log alone, where the code leaves it open which loss it is and what divides it."""
    known = [event for event in study.events.losses if event.turn is not None and not event.turn.trains]
    if study.events.learned:
        return  # the framework averages the loss itself
    if study.events.averages or any(not event.path.endswith(_LIKELIHOOD) for event in known):
        return
    text = "\n".join("\n".join(lines) for lines in study.sources.values())
    if not known and not re.search(r"nll_?loss|cross_entropy|CrossEntropyLoss|log_?softmax", text):
        return  # another loss, a squared error say, may well be this small
    epoch = _impossible(study.runs)
    # Only where right answers are counted image by image: in a masked or weighted mean the bound does not hold.
    if epoch is None or not epoch.correct or re.search(r"ignore_index|mask|pad_idx|weight=", text):
        return
    run = next(r for r in study.runs if epoch in r.epochs)
    yield RULES["loss-misnormalised"].finding(
        CodePlace(study.document.name, run.cell),
        "the printed test loss is impossible for the accuracy beside it: most likely batch means divided by images",
        says=epoch.line,
        effect="the printed loss is too small, most likely by the number of images in a batch",
        evidence=(_shown(epoch),),
    )


# In training a name like `loss` may well be the last batch's on purpose; one like these is meant to be a sum.
_SUM = re.compile(r"\s*[\w.]*(?:total|running|train|epoch|sum|avg|average|mean)\w*\s*=")


def loss_overwritten(study: Study) -> Iterator[Finding]:
    """`=` where `+=` belongs."""
    rule = RULES["loss-overwritten"]

    def found() -> Iterator[Finding]:
        left_over = [(e.loss.place, e.loss.turn) for e in study.events.averages if _left_over(e)]
        for place, turn in [*((e.place, e.turn) for e in study.events.overwritten), *left_over]:
            line = study.line(place)
            if not isinstance(turn, Pass) or place is None or (turn.trains and not _SUM.match(line)):
                continue
            if turn.sums_loss:
                continue  # every batch counts in another name: this one may be the last batch's on purpose
            yield rule.finding(
                place,
                "the loss of each batch replaces the one before: only the last batch counts",
                severity="warning" if turn.trains else "error",
                says=line,
                should_say=line.replace("=", "+=", 1) if "+=" not in line else "",
                effect="the printed loss is the last batch's, divided as if it were the sum of all",
            )

    yield from once_per_place(found())


_LIST = (
    Rule(
        "loss-misnormalised",
        "error",
        title="The average loss is wrong by the batch size",
        why="The loss functions of torch give a mean over the batch; a sum of means has to be divided by the number of "
        "batches, a sum over images by the number of images.",
        mend="Either take the loss with reduction='sum' and divide by len(loader.dataset), or keep "
        "the mean and divide by "
        "len(loader).",
        reads="code, or the log alone",
        wrong="            loss_sum += F.nll_loss(output, target).item()  # sum up batch loss",
        right="            loss_sum += F.nll_loss(output, target, reduction='sum').item()  # sum up batch loss",
        check=loss_misnormalised,
    ),
    Rule(
        "loss-overwritten",
        "error",
        title="Only the last batch's loss counts",
        why="An assignment in the loop forgets the batches before.",
        mend="Add the losses up: += in place of =.",
        reads="code",
        wrong="            loss_sum = F.nll_loss(output, target, reduction='sum').item()  # sum up batch loss",
        right="            loss_sum += F.nll_loss(output, target, reduction='sum').item()  # sum up batch loss",
        check=loss_overwritten,
    ),
)
RULES = {rule.name: rule for rule in _LIST}
