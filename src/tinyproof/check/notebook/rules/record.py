"""The log as a record: does it fit the code, does it begin where a run begins, does it stick where classes die."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator

from tinyproof.check.finding import CodePlace, Finding
from tinyproof.check.logs import Run
from tinyproof.check.notebook.interpreter.events import Pass, epoch_loops
from tinyproof.check.notebook.interpreter.optimisers import is_optimiser, is_scheduler
from tinyproof.check.notebook.interpreter.values import Made, number, options
from tinyproof.check.notebook.library.loaders import argument
from tinyproof.check.notebook.library.parameters import parameter_count
from tinyproof.check.notebook.rules import thresholds as limits
from tinyproof.check.notebook.rules.plateaus import about_mnist
from tinyproof.check.notebook.rules.rule import Rule, percent
from tinyproof.check.notebook.study import Study


def warm_start(study: Study) -> Iterator[Finding]:
    """A run whose first epoch is better than a first epoch can be."""
    if not about_mnist(study):
        return
    for run in study.runs:
        if len(run.epochs) < limits.FEWEST_EPOCHS_OF_A_RUN:
            continue
        first = run.epochs[0]
        tested = first.test_accuracy if _measures_test(study) else None
        started = first.number in (None, 0, 1)
        # A progress bar shows the accuracy while training; other figures may be measured after the epoch.
        in_a_bar = first.batches is not None
        too_high = limits.FIRST_TRAINING_TOO_HIGH_IN_A_BAR if in_a_bar else limits.FIRST_TRAINING_TOO_HIGH
        trained_high = (first.train_accuracy or 0) >= too_high
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
    models = [(seen.model, _cell(turn)) for turn in study.trainings for seen in turn.seen]
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


def _cell(turn: Pass) -> int | None:
    return turn.frames[0].place.cell if turn.frames else turn.place.cell


def cells_out_of_order(study: Study) -> Iterator[Finding]:
    """Execution counts that fall from cell to cell; equal ones are a cell that was split after it ran."""
    counts = [(cell.number, cell.count) for cell in study.document.code if cell.count and _does_something(cell.source)]
    for (before, earlier), (number_, later) in itertools.pairwise(counts):
        if later < earlier:
            yield RULES["cells-out-of-order"].finding(
                CodePlace(study.document.name, number_),
                f"this cell ran as number {later}, cell {before} above it as number {earlier}",
                effect="a hint, no fault: what is printed may come from another state than the one shown",
            )
            return


def _does_something(source: str) -> bool:
    """Whether a cell can change what others see: not where it is empty, remarks, magics or shell lines."""
    return any(line.strip() and not line.lstrip().startswith(("#", "%", "!")) for line in source.split("\n"))


def log_not_from_this_code(study: Study) -> Iterator[Finding]:
    """A log that the code cannot have printed."""
    if study.events.unread or study.events.exhausted:
        return
    for check in (_without_source, _refused_calls, _wrong_total, _too_many_epochs, _wrong_batches, _impossible_rate):
        yield from check(study)


def _without_source(study: Study) -> Iterator[Finding]:
    """A cell that shows a run's figures and has no source any more."""
    for run in study.runs:
        cell = next((c for c in study.document.code if c.number == run.cell), None)
        if cell is not None and run.last is not None and not _does_something(cell.source):
            yield _finding(study, run.cell, "this cell shows a run's figures and has no code", run.epochs[-1].line, "")
            return


def _refused_calls(study: Study) -> Iterator[Finding]:
    """A call that raises as it stands, in a notebook that printed figures: they are another version's."""
    if not any(run.last is not None for run in study.runs):
        return
    for call in study.events.impossible[:1]:
        yield RULES["log-not-from-this-code"].finding(
            call.place,
            f"this call raises as it stands: {call.reason}",
            says=study.line(call.place),
            effect="the figures in the log belong to another version of the code",
        )


def _finding(study: Study, cell: int | None, message: str, says: str, evidence: str) -> Finding:
    return RULES["log-not-from-this-code"].finding(
        CodePlace(study.document.name, cell),
        message,
        says=says,
        effect="the figures in this cell belong to another version of the code, or to another notebook",
        evidence=(evidence,),
    )


def _wrong_total(study: Study) -> Iterator[Finding]:
    """The number of images in the log is not that of the set which the code measures on."""
    splits = [study.split(turn.loader) for turn in study.evaluations]
    sizes = {split.size for split in splits}
    if not splits or None in sizes or len(sizes) != 1 or len({split.kind for split in splits}) != 1:
        return
    size = sizes.pop()
    for run in study.runs:
        totals = {epoch.total for epoch in run.epochs if epoch.total is not None and epoch.test_accuracy is not None}
        highest = max((epoch.correct or 0 for epoch in run.epochs), default=0)
        if len(totals) == 1 and totals != {size} and len(run.epochs) >= 2:
            total = totals.pop()
            if total not in (10_000, 50_000, 60_000) or (size == 10_000 and highest <= 10_000):
                continue
            place = study.evaluations[0].place
            yield _finding(
                study,
                run.cell,
                f"the log counts {total:,} test images, the code measures on {size:,}",
                run.epochs[-1].line,
                f"{study.line(place)} ({place})",
            )
            return


def _too_many_epochs(study: Study) -> Iterator[Finding]:
    """The log numbers its epochs beyond the end of the loop."""
    for run in study.runs:
        around = [epoch_loops(turn.loops) for turn in study.trainings if _cell(turn) == run.cell and turn.loops]
        loops = {id(some[0]): some[0] for some in around if len(some) == 1}
        if len(loops) != 1 or any(len(some) != 1 for some in around):
            continue
        count = next(iter(loops.values())).count
        numbers = [epoch.number for epoch in run.epochs if epoch.number is not None]
        runs_here = [other for other in study.runs if other.cell == run.cell]
        if count is None or len(numbers) < 3 or len(runs_here) != 1 or numbers[0] not in (0, 1):
            continue
        printed = len(numbers)
        if printed > count + 1 and len(set(numbers)) == printed and numbers == sorted(numbers):
            place = next(iter(loops.values())).place
            yield _finding(
                study,
                run.cell,
                f"the log shows {printed} epochs, the loop runs {count}",
                run.epochs[-1].line,
                f"{study.line(place)} ({place})",
            )
            return


def _wrong_batches(study: Study) -> Iterator[Finding]:
    """The progress bar counts another number of batches than the loader gives."""
    for run in study.runs:
        counted = {epoch.batches for epoch in run.epochs if epoch.batches is not None}
        turns = [turn for turn in study.trainings if _cell(turn) == run.cell]
        if len(counted) != 1 or len(turns) != 1:
            continue
        possible = _possible_batches(study, turns[0])
        batches = counted.pop()
        if possible and batches is not None and batches not in possible:
            place = turns[0].loader.place if isinstance(turns[0].loader, Made) else turns[0].place
            yield _finding(
                study,
                run.cell,
                f"the log counts {batches} batches an epoch, the code makes {' or '.join(map(str, sorted(possible)))}",
                next((e.line for e in run.epochs if e.line), ""),
                f"{study.line(place)} ({place})",
            )
            return


def _possible_batches(study: Study, turn: Pass) -> set[int]:
    split = study.split(turn.loader)
    if split.size is None or not isinstance(turn.loader, Made):
        return set()
    given = argument(turn.loader, "batch_size", 1)
    if given is None:
        return set()
    sizes = [number(option) for option in options(given)]
    if any(size is None or size < 1 for size in sizes):
        return set()
    return {f(split.size / size) for size in sizes if size for f in (math.ceil, math.floor)}


def _impossible_rate(study: Study) -> Iterator[Finding]:
    """The printed rate changes where nothing in the code can change it."""
    if any(is_scheduler(made) for made in study.events.made) or study.events.missing_modules:
        return
    optimisers = [made for made in study.events.made if is_optimiser(made)]
    text = "\n".join("\n".join(lines) for lines in study.sources.values())
    if not optimisers or re.search(r"param_groups|lr_scheduler|['\"]lr['\"]|\.lr\b|schedul", text):
        return
    for run in study.runs:
        rates = [epoch.rate for epoch in run.epochs if epoch.rate is not None]
        if len(rates) >= limits.FEWEST_EPOCHS_OF_A_RUN and max(rates) > limits.RATE_CHANGES_BY * min(rates) > 0:
            place = optimisers[0].place
            yield _finding(
                study,
                run.cell,
                f"the log prints learning rates from {max(rates):g} to {min(rates):g}, the code cannot change its rate",
                run.epochs[-1].line,
                f"{study.line(place)} ({place})",
            )
            return


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
    Rule(
        "cells-out-of-order",
        "note",
        title="Cells ran in another order",
        why="A notebook keeps the names of every cell that ever ran; what is printed may not come from what is shown.",
        mend="Restart the kernel and run all cells before handing in.",
        reads="execution counts",
        wrong="In [7]: model = Net()\nIn [3]: train(model)",
        right="In [3]: model = Net()\nIn [7]: train(model)",
        check=cells_out_of_order,
        needs_reader=True,
    ),
    Rule(
        "log-not-from-this-code",
        "warning",
        title="The log was not made by this code",
        why="What is printed contradicts what the code can print.",
        mend="Run the notebook as it stands and keep that log.",
        reads="log against code",
        wrong="EPOCHS = 2   # and the log below shows four",
        right="EPOCHS = 4",
        check=log_not_from_this_code,
    ),
)
RULES = {rule.name: rule for rule in _LIST}
