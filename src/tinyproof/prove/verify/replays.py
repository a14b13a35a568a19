"""Whether the runs of a proof are runs of their own: two seeds never end with the same weights or the same answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinyproof.core.errors import TinyproofError
from tinyproof.prove.verify.lines import Case, Line, listed
from tinyproof.train import store
from tinyproof.train.run_record import Predictions, Run

# Answers whose losses all agree to this share (and to a loss that says nothing) are one run's, digits changed or not:
# it is what rounding leaves at most, and two seeds differ on most images by a factor.
_SAME_SHARE, _SAME_LOSS = 1e-4, 1e-6
# Answers that are certain of everything are equal by nature: they do not tell runs apart.
_SAYS_SOMETHING = 1e-3
_NEIGHBOURS = 3


@dataclass(frozen=True, eq=False)
class _Ended:
    name: str
    run: Run
    answers: Predictions

    def replays(self, other: _Ended) -> bool:
        """Whether both are one and the same run, by their weights or by their answers."""
        if self.run.weights_digest and self.run.weights_digest == other.run.weights_digest:
            return True
        mine, theirs = self.answers, other.answers
        return mine.losses.max(initial=0.0) > _SAYS_SOMETHING and _equal(mine.losses, theirs.losses)


def _equal(mine: NDArray[np.float32], theirs: NDArray[np.float32]) -> bool:
    return mine.shape == theirs.shape and np.allclose(mine, theirs, rtol=_SAME_SHARE, atol=_SAME_LOSS)


def line(case: Case, folder: Path, places: Sequence[Path], what: str) -> list[Line]:
    """Whether no two of these runs are one; nothing where one of them cannot be read (its own lines say so)."""
    try:
        ended = [_Ended(case.name(place), store.load(place), store.load_predictions(place)) for place in places]
    except TinyproofError:
        return []
    if len(ended) < 2:
        return []
    twice = [f"{one.name} and {other.name} are one run" for one, other in _pairs(ended)]
    return [case.line(folder, what, not twice, listed(twice, 2))]


def _pairs(ended: Sequence[_Ended]) -> Iterator[tuple[_Ended, _Ended]]:
    """The pairs that are one run. Equal runs have equal mean losses, so only neighbours in that order are compared."""
    seen: dict[str, _Ended] = {}
    for one in ended:
        digest = one.run.weights_digest
        if digest and digest in seen:
            yield seen[digest], one
        seen.setdefault(digest, one)
    ordered = sorted(ended, key=lambda one: one.answers.loss)
    for k, one in enumerate(ordered):
        for other in ordered[k + 1 : k + 1 + _NEIGHBOURS]:
            both = one.run.weights_digest, other.run.weights_digest
            if (not both[0] or both[0] != both[1]) and one.replays(other):
                yield one, other
