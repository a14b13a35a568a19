"""The proof that a run lies in: what its export may say of it."""

from __future__ import annotations

from pathlib import Path

from tinyproof.core import stats
from tinyproof.core.errors import TinyproofError
from tinyproof.prove import proof
from tinyproof.prove.proof import Proof
from tinyproof.ship.claim import Proved
from tinyproof.train.run_record import Run


def proved(folder: Path, run: Run) -> Proved | None:
    """The verdict of the proof in the folder above, where the run is one of its declared ones; else None."""
    place = folder.resolve()
    if not run.declaration or place != proof.seed_folder(place.parent, run.identity.seed):
        return None
    try:
        found = proof.load(place.parent)
    except TinyproofError:
        return None
    return of(found) if found.declaration.digest == run.declaration else None


def of(found: Proof) -> Proved | None:
    """What the exports of its runs may say of a proof; nothing while no run has ended."""
    verdict = found.verdict
    if not verdict.scores:
        return None
    between, percents = verdict.interval, [score.percent for score in verdict.scores]
    return Proved(
        word=verdict.word, target=verdict.target, declared=verdict.declared,
        seeds=tuple(score.seed for score in verdict.scores), declaration=found.declaration.digest,
        mean=stats.mean(percents), low=between.low if between else None, high=between.high if between else None,
        worst=min(percents), best=max(percents), judged_as=found.declaration.judged_as,
    )  # fmt: skip
