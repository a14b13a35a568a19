"""A published claim beside what its runs gave: evaluated as it was published, and as it truly is. No torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tinyproof.core import stats
from tinyproof.core.errors import DataError
from tinyproof.core.table import Column, Table
from tinyproof.prove import evaluations, proof
from tinyproof.prove.evaluations import Look
from tinyproof.prove.proof import Proof
from tinyproof.prove.published_claims import Claim, misprinted


@dataclass(frozen=True, eq=False)
class Reproduction:
    """A claim and its proof folder; `seen`: accuracies in percent, one a run, by the look's name."""

    claim: Claim
    proof: Proof
    seen: dict[str, tuple[float, ...]]

    @property
    def as_published(self) -> str:
        """The figures as they come out when they are evaluated as they were published: means over the seeds."""
        parts = [f"{_mean(self.seen[look.name])} (epoch {look.epoch})" for look in self._looks]
        losses = self.losses
        if losses is not None:
            parts.append(f"average loss {losses[0]:.4f} (truly {losses[1]:.4f})")
        return ", ".join(parts)

    @property
    def _looks(self) -> list[Look]:
        return clipped([figure.look for figure in self.claim.figures], self.proof.declaration.recipe.epochs)

    @property
    def truly(self) -> str:
        """The last epoch on the test images: mean over the seeds with its 95 % interval."""
        v = self.proof.verdict
        if v.mean is None:
            return v.reason
        interval = "" if v.interval is None else f" [{v.interval.low:.2f}, {v.interval.high:.2f}]"
        return f"{v.mean:.2f} %{interval}, n = {len(v.scores)}"

    @property
    def wrong(self) -> str:
        """What was wrong, and how far the last published accuracy lies from the true mean."""
        mean = self.proof.verdict.mean
        if mean is None:
            return self.claim.wrong
        gap = self.claim.figures[-1].percent - mean
        return f"{self.claim.wrong}; {abs(gap):.2f} points {'above' if gap > 0 else 'below'} the mean"

    @property
    def losses(self) -> tuple[float, float] | None:
        """The average test loss as it was misprinted, and as it is; None where the claim has no loss."""
        if self.claim.loss is None or not self.proof.results:
            return None
        every = [result.predictions.losses for result in self.proof.results]
        wrong = float(np.mean([misprinted(losses, self.claim.loss_batch) for losses in every]))
        return wrong, float(np.mean([losses.astype(np.float64).mean() for losses in every]))

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "claim": self.claim.name,
            "published": self.claim.said,
            "as_published_measured": self.as_published,
            "truly": self.truly,
            "what_was_wrong": self.wrong,
            "every_look": {name: list(values) for name, values in self.seen.items()},
            "losses": self.losses,
            "proof": self.proof.to_json(),
        }


def clipped(wanted: list[Look] | tuple[Look, ...], epochs: int) -> list[Look]:
    """The looks of a run that has only `epochs` epochs: what came later moves to its last one."""
    return [Look(min(look.epoch, epochs), look.images, look.augmented) for look in wanted]


def load(folder: Path, claim: Claim) -> Reproduction:
    """Read the runs of a claim. Raises DataError where a run lacks an evaluation that the claim needs."""
    found = proof.load(folder)
    wanted = clipped(claim.looks, found.declaration.recipe.epochs)
    seen: dict[str, tuple[float, ...]] = {}
    stored = [(result.folder, evaluations.load(result.folder)) for result in found.results]
    for look in wanted:
        for place, by_name in stored:
            if look.name not in by_name:
                raise DataError(str(place / evaluations.FILE), f"lacks the evaluation {look.name}")
        seen[look.name] = tuple(by_name[look.name].percent for _, by_name in stored)
    return Reproduction(claim, found, seen)


def words(one: Reproduction) -> str:
    """A claim in four lines below its name."""
    return (
        f"{one.claim.name}\n  published                 {one.claim.said}\n"
        f"  as published, measured    {one.as_published}\n"
        f"  last epoch, test images   {one.truly}\n  what was wrong            {one.wrong}"
    )


def table(found: list[Reproduction]) -> Table:
    """Published, as published but measured, and as it truly is; and what was wrong."""
    columns = (
        Column("network"), Column("published"), Column("as published, measured"),
        Column("last epoch on test images, mean [95 % interval]"), Column("what was wrong"),
    )  # fmt: skip
    rows = tuple((r.claim.name, r.claim.said, r.as_published, r.truly, r.wrong) for r in found)
    return Table("", columns, rows)


def looks_table(found: list[Reproduction]) -> Table:
    """Every evaluation of every claim: mean over the seeds, lowest and highest."""
    columns = (
        Column("network"), Column("evaluated on"), Column("mean, %", "right", ".2f"), Column("lowest", "right", ".2f"),
        Column("highest", "right", ".2f"), Column("published, %", "right", ".2f"),
    )  # fmt: skip
    rows: list[tuple[Any, ...]] = []
    for r in found:
        figures = clipped([f.look for f in r.claim.figures], r.proof.declaration.recipe.epochs)
        said = {look.name: f.percent for look, f in zip(figures, r.claim.figures, strict=True)}
        for look in dict.fromkeys(clipped(r.claim.looks, r.proof.declaration.recipe.epochs)):
            values = r.seen[look.name]
            what = f"{look.images} images, epoch {look.epoch}" + (
                ", with training augmentation" if look.augmented else ""
            )
            if values:
                rows.append((r.claim.name, what, stats.mean(values), min(values), max(values), said.get(look.name)))
        v = r.proof.verdict
        rows.append((r.claim.name, "test images, last epoch", v.mean, v.minimum, v.maximum, None))
    return Table("", columns, tuple(rows))


def _mean(values: tuple[float, ...]) -> str:
    return f"{stats.mean(values):.2f} %" if values else "not run yet"
