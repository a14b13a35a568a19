"""Whether the runs of a proof are runs of their own: two seeds do not end with the same weights or the same answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tinyproof.core.errors import TinyproofError
from tinyproof.prove.verify.lines import Case, Line, listed
from tinyproof.train import store
from tinyproof.train.run_record import Predictions, Run

# Losses that all agree to this share (and to a loss that says nothing) are equal but for rounding.
_NEAR_SHARE, _NEAR_LOSS = 1e-4, 1e-6
# Answers that are certain of everything are equal by nature: they do not tell runs apart.
_SAYS_SOMETHING = 1e-3
_NEIGHBOURS = 3


@dataclass(frozen=True, eq=False)
class _Ended:
    name: str
    run: Run
    answers: Predictions

    def same(self, other: _Ended) -> bool:
        """Whether both ended with the same weights, or with the same answers to the last bit."""
        weights = self.run.weights_digest
        answers = self.run.predictions_digest == other.run.predictions_digest and self._says_something()
        return answers or bool(weights and weights == other.run.weights_digest)

    def near(self, other: _Ended) -> bool:
        """Whether the answers of both are equal but for rounding."""
        mine, theirs = self.answers.losses, other.answers.losses
        alike = mine.shape == theirs.shape and np.allclose(mine, theirs, rtol=_NEAR_SHARE, atol=_NEAR_LOSS)
        return alike and self._says_something()

    def _says_something(self) -> bool:
        return bool(self.answers.losses.max(initial=0.0) > _SAYS_SOMETHING)


def line(case: Case, folder: Path, places: Sequence[Path], what: str) -> list[Line]:
    """Whether no two of these runs are one; nothing where one of them cannot be read (its own lines say so).

    Under two seeds equal runs are a replay. Answers that are equal but for rounding are told: training that ends in
    the one minimum there is gives them honestly. So are equal runs of one seed, the two sides of a comparison: a change
    without any effect gives them.
    """
    try:
        ended = [_Ended(case.name(place), store.load(place), store.load_predictions(place)) for place in places]
    except TinyproofError:
        return []
    if len(ended) < 2:
        return []
    same, alike, near = list[str](), list[str](), list[str]()
    for one, other in _pairs(ended):
        pair = f"{one.name} and {other.name}"
        if not one.same(other):
            near.append(f"{pair} answer alike but for rounding")
        elif one.run.identity.seed == other.run.identity.seed:
            alike.append(f"{pair} are equal: the change has no effect, or one stands for both")
        else:
            same.append(f"{pair} are one run")
    holds = False if same else None if alike or near else True
    return [case.line(folder, what, holds, listed([*same, *alike, *near], 2))]


def _pairs(ended: Sequence[_Ended]) -> Iterator[tuple[_Ended, _Ended]]:
    """The pairs that are equal or nearly so: of equal weights, or neighbours in the order of the mean losses."""
    told = set[tuple[str, str]]()
    first: dict[str, _Ended] = {}
    for one in ended:
        digest = one.run.weights_digest
        if digest and first.setdefault(digest, one) is not one:
            told.add((first[digest].name, one.name))
            yield first[digest], one
    ordered = sorted(ended, key=lambda one: one.answers.loss)
    for k, one in enumerate(ordered):
        for other in ordered[k + 1 : k + 1 + _NEIGHBOURS]:
            known = {(one.name, other.name), (other.name, one.name)} & told
            if not known and (one.same(other) or one.near(other)):
                yield one, other
