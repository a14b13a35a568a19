"""Who is told what during training: functions that do nothing unless they are given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tinyproof.train.engine import Engine, Tally
from tinyproof.train.run_record import EpochLog


@dataclass(frozen=True)
class Watch:
    """`step(epoch from 1, step from 1, steps an epoch, tally of the epoch so far)` after each step (on an accelerator
    less often), `epoch(log)` after each epoch, `say(line)` about choices; `look(epoch, engine)` may evaluate more
    after an epoch, before its checkpoint.
    """

    step: Callable[[int, int, int, Tally], None] = lambda epoch, step, steps, tally: None
    epoch: Callable[[EpochLog], None] = lambda log: None
    say: Callable[[str], None] = lambda line: None
    look: Callable[[int, Engine], None] = lambda epoch, engine: None
