"""What a long job of many runs shows in the terminal: a bar for each run that is on, a line as each ends."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import Any


@contextlib.contextmanager
def bars(quiet: bool = False) -> Iterator[tuple[Callable[[str], None], Callable[[list[Any]], None]]]:
    """Give `say(line)` and `progress(states)`; a state has seed, epoch, epochs, share (0 to 1) and loss.

    Bars are drawn only where standard error is a terminal; lines go to standard error in any case, unless `quiet`.
    """
    if quiet:
        yield (lambda line: None), (lambda states: None)
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True, highlight=False, soft_wrap=True)
    share = TextColumn("{task.percentage:>3.0f} %")
    columns = (TextColumn("{task.description}"), BarColumn(24), share, TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not sys.stderr.isatty(), transient=True) as drawn:
        known: dict[int, Any] = {}

        def progress(states: list[Any]) -> None:
            for state in states:
                if state.seed not in known:
                    known[state.seed] = drawn.add_task("", total=1.0)
                text = f"seed {state.seed}  epoch {state.epoch}/{state.epochs}  loss {state.loss:.4f}"
                drawn.update(known[state.seed], completed=state.share, description=text)
            for seed in set(known) - {state.seed for state in states}:
                drawn.remove_task(known.pop(seed))

        yield (lambda line: console.print(line, markup=False)), progress
