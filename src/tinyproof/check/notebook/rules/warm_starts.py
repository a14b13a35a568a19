"""A run that begins where none can begin: the network was trained before."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tinyproof.check.code.library.parameters import parameter_count
from tinyproof.check.finding import CodePlace, Finding
from tinyproof.check.logs import Run
from tinyproof.check.notebook.rules import thresholds as limits
from tinyproof.check.notebook.rules.plateaus import about_mnist
from tinyproof.check.notebook.rules.rule import Rule, cell_of, percent
from tinyproof.check.notebook.study import Study

_LAST = re.compile(r"\bfinal", re.IGNORECASE)  # what is printed when a training has ended


def warm_start(study: Study) -> Iterator[Finding]:
    """A run whose first epoch is better than a first epoch can be."""
    if not about_mnist(study):
        return
    for run in study.runs:
        if len(run.epochs) < limits.FEWEST_EPOCHS_OF_A_RUN:
            continue
        first = run.epochs[0]
        tested = first.test_accuracy if _measures_test(study) else None
        started = first.number in (None, 0, 1) and not _LAST.search(first.line)
        # A progress bar shows the accuracy while training; other figures may be measured after the epoch.
        in_a_bar = first.batches is not None
        too_high = limits.FIRST_TRAINING_TOO_HIGH_IN_A_BAR if in_a_bar else limits.FIRST_TRAINING_TOO_HIGH
        trained_high = too_high <= (first.train_accuracy or 0) < 100  # all of them is the figure of one batch
        tested_high = (tested or 0) >= limits.FIRST_TEST_TOO_HIGH
        if not started or not (trained_high or tested_high):
            continue
        figure = percent(first.train_accuracy or 0) + " in training" if trained_high else percent(tested or 0)
        loads = bool(study.events.loaded) or not (trained_high or _is_small(study) or _earlier(study, run))
        yield RULES["warm-start"].finding(
            CodePlace(study.document.name, run.cell),
            f"the run starts where none can start: {figure} in its first epoch",
            severity="note" if loads else "warning",
            says=first.line,
            effect="the network was trained before: the number of epochs is more than the run shows",
            evidence=("the code loads saved weights" if study.events.loaded else _again(study, run),),
        )


def _measures_test(study: Study) -> bool:
    return all(study.split(turn.loader).kind != "train" for turn in study.evaluations)


def _is_small(study: Study) -> bool:
    """Whether every network has so few weights that one epoch from random ones cannot bring it there."""
    counts = [count for _, count in study.log.parameters]
    counts += [count for count in (parameter_count(network) for network in study.networks) if count]
    return bool(counts) and max(counts) < limits.SMALL_NETWORK


def _earlier(study: Study, run: Run) -> int | None:
    """The earlier cell in which the same network is trained already, where the code shows that."""
    models = [(seen.model, cell_of(turn)) for turn in study.trainings for seen in turn.seen]
    here = [model for model, cell in models if cell == run.cell]
    earlier = [
        cell for model, cell in models if any(model is m for m in here) and cell != run.cell and cell is not None
    ]
    return min(earlier) if earlier and run.cell is not None and min(earlier) < run.cell else None


def _again(study: Study, run: Run) -> str:
    cell = _earlier(study, run)
    if cell is not None:
        return f"the same network is trained in cell {cell} already"
    return "the cell was run again without building the network anew, or the weights came from elsewhere"


_LIST = (
    Rule(
        "warm-start",
        "warning",
        title="The run continues a trained network",
        why="A first epoch from random weights reaches about 95 to 99 % on MNIST, and less in training mode.",
        mend="Build the network and the optimiser anew in the cell that trains, and run it once.",
        reads="log; execution counts and code",
        wrong="Loss=0.01 Batch_id=937 Accuracy=99.02: 100%|##########| 938/938",
        right="Loss=0.09 Batch_id=937 Accuracy=93.10: 100%|##########| 938/938",
        check=warm_start,
    ),
)
RULES = {rule.name: rule for rule in _LIST}
