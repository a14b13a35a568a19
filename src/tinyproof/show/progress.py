"""Progress of a training run in the terminal: a bar that moves, one line for each epoch that stays."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

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
