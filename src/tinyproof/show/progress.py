"""Progress in the terminal: of one run a bar that moves and a line for each epoch; of many runs a bar for each."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tinyproof.train.engine import Tally
from tinyproof.train.run_record import EpochLog
from tinyproof.train.watch import Watch

# A bar that moves at every step of a fast engine would cost more than the step.
_REDRAWS_PER_SECOND = 8


def console() -> Console:
    """Standard output; words are printed as they are, without markup, and not cut in the middle of a path."""
    return Console(markup=False, highlight=False, soft_wrap=True)


@contextlib.contextmanager
def training(epochs: int, quiet: bool = False) -> Iterator[Watch]:
    """A Watch that draws the bar and prints the lines; only lines where no terminal is; nothing when `quiet`."""
    if quiet:
        yield Watch()
        return
    out = console()
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[words]}"),
        TimeRemainingColumn(), console=out, transient=True, refresh_per_second=_REDRAWS_PER_SECOND,
        disable=not out.is_terminal,
    )  # fmt: skip
    with bar:
        task = bar.add_task("", words="")

        def step(epoch: int, step: int, steps: int, tally: Tally) -> None:
            if not bar.disable and (step % 8 == 0 or step == steps):
                words = f"loss {tally.loss_sum / tally.count:.4f} acc {100 * tally.correct / tally.count:.2f} %"
                bar.update(task, description=f"epoch {epoch}/{epochs}", total=steps, completed=step, words=words)
                if step == steps:
                    bar.update(task, words=words + ", testing")

        def epoch(log: EpochLog) -> None:
            bar.reset(task, words="")
            out.print(log.line(epochs))

        yield Watch(step, epoch, out.print)


@contextlib.contextmanager
def many_runs(quiet: bool = False) -> Iterator[tuple[Callable[[str], None], Callable[[list[Any]], None]]]:
    """Give `say(line)` and `progress(states)`; a state has seed, epoch, epochs, share (0 to 1) and loss.

    Bars are drawn only where standard error is a terminal; lines go to standard error in any case, unless `quiet`.
    """
    if quiet:
        yield (lambda line: None), (lambda states: None)
        return
    out = Console(stderr=True, markup=False, highlight=False, soft_wrap=True)
    share = TextColumn("{task.percentage:>3.0f} %")
    columns = (TextColumn("{task.description}"), BarColumn(24), share, TimeRemainingColumn())
    with Progress(*columns, console=out, disable=not sys.stderr.isatty(), transient=True) as drawn:
        known: dict[int, Any] = {}

        def progress(states: list[Any]) -> None:
            for state in states:
                if state.seed not in known:
                    known[state.seed] = drawn.add_task("", total=1.0)
                text = f"seed {state.seed}  epoch {state.epoch}/{state.epochs}  loss {state.loss:.4f}"
                drawn.update(known[state.seed], completed=state.share, description=text)
            for seed in set(known) - {state.seed for state in states}:
                drawn.remove_task(known.pop(seed))

        yield (lambda line: out.print(line)), progress
