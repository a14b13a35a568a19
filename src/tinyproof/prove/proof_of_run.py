"""The proof that a run lies in: what its export may say of it."""

from __future__ import annotations

from pathlib import Path

from tinyproof.core import stats
from tinyproof.core.errors import TinyproofError
from tinyproof.prove import declaration, proof
from tinyproof.prove.proof import Proof
from tinyproof.ship.claim import Proved
from tinyproof.train.run_record import Run


def proved(folder: Path, run: Run) -> Proved | None:
    """The verdict of the proof in the folder above, where the run is one of its declared ones; else None."""
    place = _place(folder, run)
    if place is None:
        return None
    try:
        found = proof.load(place.parent)
    except TinyproofError:
        return None
    return of(found) if found.declaration.digest == run.declaration else None


def counts(folder: Path, run: Run, to: str) -> bool:
    """Whether the run in a folder is one of a proof that judges such exports under a limit of instructions."""
    place = _place(folder, run)
    if place is None:
        return False
    try:
        declared = declaration.read(place.parent)
    except TinyproofError:
        return False
    limited = declared.judged_as == to and declared.budget.instructions_below is not None
    return limited and declared.digest == run.declaration


def _place(folder: Path, run: Run) -> Path | None:
    """The run's folder, where it is one in the folder of a proof."""
    place = folder.resolve()
    return place if run.declaration and place == proof.seed_folder(place.parent, run.identity.seed) else None


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
