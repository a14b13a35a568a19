"""What a long job shows in the terminal: a bar that moves for each piece of work that is on, and lines that stay."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence

from tinyproof.core.errors import Stopped
from tinyproof.core.listener import SILENT, Listener, Progress

# A bar that moves at every step of a fast engine would cost more than the step.
_SECONDS_BETWEEN_REDRAWS = 0.1


@contextlib.contextmanager
def terminal(*, quiet: bool = False, errors: bool = False) -> Iterator[Listener]:
    """A Listener that prints the lines and draws the bars; only lines where no terminal is; nothing when `quiet`.

    `errors`: on standard error, where standard output is the answer's. Words are printed as they are, without markup,
    and not cut in the middle of a path. Ctrl-C is Stopped, which says that the same call starts again.
    """
    with _stopped():
        if quiet:
            yield SILENT
        else:
            with _shown(errors) as listener:
                yield listener


@contextlib.contextmanager
def _stopped() -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        raise Stopped("stopped; the same command starts again") from None


@contextlib.contextmanager
def _shown(errors: bool) -> Iterator[Listener]:
    from rich.console import Console
    from rich.progress import BarColumn, TaskID, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    console = Console(stderr=errors, markup=False, highlight=False, soft_wrap=True)
    share, words = TextColumn("{task.percentage:>3.0f} %"), TextColumn("{task.fields[words]}")
    columns = (TextColumn("{task.description}"), BarColumn(24), share, words, TimeRemainingColumn())
    with Bars(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
        shown: dict[str, TaskID] = {}
        last = 0.0

        def progress(pieces: Sequence[Progress]) -> None:
            nonlocal last
            if bars.disable or time.monotonic() - last < _SECONDS_BETWEEN_REDRAWS:
                return
            last = time.monotonic()
            for piece in pieces:
                if piece.name not in shown:
                    shown[piece.name] = bars.add_task(piece.name, words="")
                bars.update(shown[piece.name], completed=piece.done, total=piece.of, words=piece.words)
            for name in set(shown) - {piece.name for piece in pieces}:
                bars.remove_task(shown.pop(name))

        yield Listener(say=console.print, progress=progress)
