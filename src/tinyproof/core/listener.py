"""Who is told what while a job runs: one listener for every job. It does nothing unless it is given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far one piece of work has come: `done` of `of` (files, bytes, epochs with their fraction), and words to it.

    `name` tells it from the other pieces that are on at the same time: `seed 17`, `files`.
    """

    name: str
    done: float
    of: float
    words: str = ""


@dataclass(frozen=True, kw_only=True)
class Listener:
    """`say(line)`: what was chosen, and what has ended, a line each. `progress(pieces)`: how far all the work that is
    on has come; a piece that is not among them any more has ended.

    >>> lines: list[str] = []
    >>> Listener(say=lines.append).say("declared 5 seeds")
    >>> lines
    ['declared 5 seeds']
    """

    say: Callable[[str], None] = lambda line: None
    progress: Callable[[Sequence[Progress]], None] = lambda pieces: None


SILENT = Listener()
