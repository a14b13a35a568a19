"""The log as a record: does it fit the code, and the order of the cells."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator

from tinyproof.check.code.interpreter.optimisers import is_optimiser, is_scheduler
from tinyproof.check.code.interpreter.turns import Pass, epoch_loops
from tinyproof.check.code.interpreter.values import Made, number, options
from tinyproof.check.code.library.loaders import argument
from tinyproof.check.finding import CodePlace, Finding
from tinyproof.check.notebook.rules import thresholds as limits
from tinyproof.check.notebook.rules.counted_figures import impossible
from tinyproof.check.notebook.rules.rule import Rule, cell_of, percent
from tinyproof.check.notebook.study import Study


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


def _runs(source: str) -> bool:
    """Whether a cell runs something that may print: a shell line, a script."""
    return any(line.lstrip().startswith(("!", "%run", "%%", "%sx", "%system")) for line in source.split("\n"))


def log_not_from_this_code(study: Study) -> Iterator[Finding]:
    """A log that the code cannot have printed."""
    if study.events.unread or study.events.exhausted:
        return
    for check in (
        _without_source,
        _refused_calls,
        _wrong_total,
        _too_many_epochs,
        _wrong_batches,
        _impossible_rate,
        _impossible_figure,
    ):
        yield from check(study)


def _without_source(study: Study) -> Iterator[Finding]:
    """A cell that shows a run's figures and has no source any more."""
    for run in study.runs:
        cell = next((c for c in study.document.code if c.number == run.cell), None)
        if cell is not None and run.last is not None and not (_does_something(cell.source) or _runs(cell.source)):
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
        around = [epoch_loops(turn.loops) for turn in study.trainings if cell_of(turn) == run.cell and turn.loops]
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
        turns = [turn for turn in study.trainings if cell_of(turn) == run.cell]
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
    given = [argument(made, "lr", 1) for made in optimisers]
    if any(rate is not None and number(rate) is None for rate in given) or len(set(map(number, given))) > 1:
        return  # one rate after another is tried
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


def _impossible_figure(study: Study) -> Iterator[Finding]:
    """A figure that no number of right answers on these rows can give."""
    for place, value, size in impossible(study):
        yield RULES["log-not-from-this-code"].finding(
            place,
            f"{percent(value)} is no number of right answers among {size:,} rows",
            says=study.line(place),
            effect="the figure was printed by another version of the code, or of other rows",
        )
        return


_LIST = (
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
