"""What a log says of the run itself: that it was stopped, that its loss is none, or a likelihood that cannot be."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from itertools import chain

from tinyproof.check.code.interpreter.events import LossCall
from tinyproof.check.code.interpreter.optimisers import is_scheduler
from tinyproof.check.code.interpreter.turns import epoch_loops
from tinyproof.check.code.library.modules import tail_of
from tinyproof.check.finding import CodePlace, Finding
from tinyproof.check.logs import Epoch, Run
from tinyproof.check.notebook.rules.keras_losses import scores_for_probabilities
from tinyproof.check.notebook.rules.rule import Rule, once_per_place
from tinyproof.check.notebook.rules.schedules import first_change
from tinyproof.check.notebook.rules.thresholds import FEWEST_EPOCHS_OF_A_WHOLE_LOG
from tinyproof.check.notebook.study import Study


def run_stopped(study: Study) -> Iterator[Finding]:
    """A log that ends before its loop does."""
    for run in study.runs:
        cell = next((c for c in study.document.code if c.number == run.cell), None)
        count = _planned(study, run)
        if cell is None or count is None or len(run.epochs) >= count:
            continue
        interrupted = cell.error == "KeyboardInterrupt"
        if len(run.epochs) < (2 if interrupted else FEWEST_EPOCHS_OF_A_WHOLE_LOG):
            continue
        if not interrupted and (not _prints_each_epoch(cell.source, cell.output) or not _alone(study, run)):
            continue
        done = len(run.epochs)
        if not interrupted and not _not_yet(study, done):
            continue  # perhaps only the log is shortened
        yield RULES["run-stopped"].finding(
            CodePlace(study.document.name, run.cell),
            f"the run stopped after {done} of {count} epochs" + (": it was interrupted" if interrupted else ""),
            says=next((e.line for e in reversed(run.epochs) if e.line), ""),
            effect=_not_yet(study, done) or "the figures are those of a run that was not finished",
        )


def _planned(study: Study, run: Run) -> int | None:
    """How many epochs the loop of a run's cell has, where that is known."""
    counts = set()
    for turn in study.trainings:
        cell = turn.frames[0].place.cell if turn.frames else turn.place.cell
        around = epoch_loops(turn.loops)
        if cell == run.cell:
            counts.add(around[0].count if len(around) == 1 else None)
    return counts.pop() if len(counts) == 1 else None


def _prints_each_epoch(source: str, output: str) -> bool:
    """Whether nothing in a cell ends the loop early or prints only now and then."""
    early = re.search(r"\bbreak\b|\breturn\b|\braise\b|patience|early|if[^\n]*(?:%|epoch)|fit\(|sys\.exit", source)
    return not early and "truncated" not in output[:400]


def _alone(study: Study, run: Run) -> bool:
    return len([other for other in study.runs if other.cell == run.cell]) == 1


def _not_yet(study: Study, done: int) -> str:
    for made in study.events.made:
        if is_scheduler(made):
            first, words = first_change(made)
            if first is not None and first >= done and words and first != math.inf:
                return f"the scheduler ({words}) had not changed the rate yet"
    return ""


def loss_not_a_number(study: Study) -> Iterator[Finding]:
    """A loss that became nan."""
    for run in study.runs:
        for position, epoch in enumerate(run.epochs, start=1):
            losses = (epoch.train_loss, epoch.test_loss, epoch.other_loss)
            if any(loss is not None and math.isnan(loss) for loss in losses):
                yield RULES["loss-not-a-number"].finding(
                    CodePlace(study.document.name, run.cell),
                    f"the loss is not a number from epoch {epoch.number if epoch.number is not None else position} on",
                    says=epoch.line,
                    effect="weights that are not numbers answer one class only, and learn nothing any more",
                )
                break


def likelihood_of_scores(study: Study) -> Iterator[Finding]:
    """nll_loss of what is no logarithm of a probability; by the log where the code leaves it open."""
    rule = RULES["likelihood-of-scores"]
    found = list(once_per_place(chain(_raw_likelihoods(study), scores_for_probabilities(rule, study))))
    yield from found
    text = "\n".join("\n".join(lines) for lines in study.sources.values())
    if found or not re.search(r"nll_loss|NLLLoss", text) or re.search(r"GaussianNLL|ELBO|elbo|kl_div|density", text):
        return
    for run in study.runs:
        below = [epoch for epoch in run.epochs if _negative(epoch) and epoch.test_accuracy is not None]
        if len(below) >= 2:
            yield RULES["likelihood-of-scores"].finding(
                CodePlace(study.document.name, run.cell),
                "the log shows negative losses: a negative log-likelihood cannot be below zero",
                says=below[-1].line,
                effect="the loss is taken of raw scores: it falls without end, whatever is learned",
            )
            return


def _raw_likelihoods(study: Study) -> Iterator[Finding]:
    by_place: dict[CodePlace, list[LossCall]] = {}
    for event in study.events.losses:
        if event.path.endswith(("nll_loss", "NLLLoss")):
            by_place.setdefault(event.place, []).append(event)
    for place, events in by_place.items():
        given = [_ending(event) for event in events]
        if not all(given) or (given[0] != "raw scores" and _crossed(study)):
            continue
        line = study.line(place)
        logged = next((e for run in study.runs for e in run.epochs if _negative(e)), None)
        yield RULES["likelihood-of-scores"].finding(
            place,
            f"nll_loss is taken of {given[0]}",
            says=line,
            should_say=re.sub(r"\bnll_loss\b", "cross_entropy", re.sub(r"\bNLLLoss\b", "CrossEntropyLoss", line))
            if given[0] == "raw scores"
            else "",
            effect="the loss falls without end, whatever is learned",
            evidence=(f"the log shows it: {logged.line}" if logged is not None else "",),
        )


def _crossed(study: Study) -> bool:
    """Whether cross-entropy is taken as well: then the softmax in the network is told as that of a double softmax."""
    return any(event.path.endswith(("cross_entropy", "CrossEntropyLoss")) for event in study.events.losses)


def _ending(event: LossCall) -> str:
    """What a network ends with, where that is no log-softmax; empty where it is one or is not known."""
    tail = tail_of(event.scores)
    if tail is None:
        return ""
    if tail.softmax is None:
        return "raw scores"
    return "" if "log" in tail.softmax.name.lower() else "probabilities, not of their logarithms"


def _negative(epoch: Epoch) -> bool:
    return any(loss is not None and loss < 0 for loss in (epoch.train_loss, epoch.test_loss, epoch.other_loss))


_LIST = (
    Rule(
        "likelihood-of-scores",
        "error",
        title="A negative log-likelihood of raw scores",
        why="nll_loss expects the logarithms of probabilities; of raw scores it is no likelihood and falls below zero.",
        mend="End the network with log_softmax, or take cross_entropy of the raw scores.",
        reads="code, or the log alone",
        wrong="        return x",
        right="        return F.log_softmax(x, dim=1)",
        check=likelihood_of_scores,
    ),
    Rule(
        "loss-not-a-number",
        "warning",
        title="The loss is not a number",
        why="After an overflow weights and loss are nan for good.",
        mend="Lower the rate, clip the gradients or look for a division by zero; then train again.",
        reads="log",
        wrong="Test set: Average loss: nan, Accuracy: 9885/10000 (98.85%)",
        right="Test set: Average loss: 0.0361, Accuracy: 9885/10000 (98.85%)",
        check=loss_not_a_number,
    ),
    Rule(
        "run-stopped",
        "note",
        title="The run was stopped before its end",
        why="A schedule and a number of epochs are a plan; a run that ends before it was another one.",
        mend="Let the run end, or write down the number of epochs that it had.",
        reads="log against code",
        wrong="EPOCHS = 14   # and the log below ends before\nscheduler = StepLR(optimizer, step_size=8, gamma=0.1)\n"
        "Test set: Average loss: 0.0361, Accuracy: 9885/10000 (98.85%)\n"
        + "\n".join(f"EPOCH: {i}\nTest set: Average loss: 0.035{i}, Accuracy: 989{i}/10000 (98.9{i}%)" for i in (5, 6)),
        right="EPOCHS = 4\nscheduler = StepLR(optimizer, step_size=2, gamma=0.1)\n"
        "Test set: Average loss: 0.0361, Accuracy: 9885/10000 (98.85%)",
        check=run_stopped,
        needs_reader=True,
    ),
)
RULES = {rule.name: rule for rule in _LIST}
