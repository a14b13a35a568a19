"""The ledger of proved means: of each tier of parameters the best proof, its bound corrected for all that were tried.

The best of several proofs on one set of test images promises too much. A tier of m proofs therefore has its bound at
a confidence of 1 - 0.05/m: the highest target at which Holm's correction of the m p-values still rejects "no network
here reaches it". Nothing here needs torch or the data.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from tinyproof.core import stats
from tinyproof.core.errors import InputError
from tinyproof.prove import known_figures
from tinyproof.prove.attempt import Attempt
from tinyproof.prove.published_claims import CLAIMS, Claim
from tinyproof.prove.verdict import CONFIDENCE

# Each tier holds the networks below it and not below the one before.
TIERS = (700, 1_000, 2_000, 4_000, 8_000, 20_000)
CURSE = (
    "the best of several proofs on one set of test images promises too much (the winner's curse): its mean is no "
    "estimate, but the bound holds for these images, corrected for every proof that was tried in its tier (Holm)"
)


@dataclass(frozen=True)
class Tier:
    """The networks with fewer than `below` parameters that are in no smaller tier, and every proof of one.

    `lost`: digests of declarations that an attempt names as tried before it, and that are not kept here.
    """

    below: int
    attempts: tuple[Attempt, ...]
    lost: tuple[str, ...] = ()

    @property
    def tried(self) -> int:
        """How many proofs were tried, those that are not kept among them."""
        return len(self.attempts) + len(self.lost)

    @property
    def confidence(self) -> float:
        """At which each bound is taken, so that all of them together hold with 95 %."""
        return 1 - (1 - CONFIDENCE) / max(1, self.tried)

    @property
    def best(self) -> Attempt | None:
        """The proof with the highest corrected bound; of equal ones that of the smallest network."""
        bounded = [one for one in self.attempts if one.complete]
        return max(bounded, key=lambda one: (self.bound_of(one) or 0.0, -one.parameters), default=None)

    @property
    def bound(self) -> float | None:
        """The corrected lower bound of the best in percent."""
        return None if self.best is None else self.bound_of(self.best)

    def bound_of(self, one: Attempt) -> float | None:
        """The corrected lower bound of the mean of one attempt, in percent."""
        return one.bound(self.confidence)

    @property
    def corrected(self) -> list[float]:
        """Of each attempt the p-value of "its mean is below its own target", corrected (Holm). What has none, or is not
        kept, counts as 1."""
        known = [1.0 if one.p_value is None else one.p_value for one in self.attempts]
        return stats.holm([*known, *[1.0] * len(self.lost)])[: len(known)]

    def to_json(self) -> dict[str, Any]:
        """Plain data, every figure at full precision."""
        rows = [
            {**one.to_json(), "corrected_p": p, "corrected_bound": self.bound_of(one)}
            for one, p in zip(self.attempts, self.corrected, strict=True)
        ]
        best = None if self.best is None else self.best.name
        told = {"below": self.below, "tried": self.tried, "not_kept": list(self.lost), "confidence": self.confidence}
        return {**told, "best": best, "corrected_bound": self.bound, "proofs": rows}


@dataclass(frozen=True)
class Ledger:
    """Every tier; `larger`: proofs of networks above the last one; `aside`: what was there and holds no proof."""

    tiers: tuple[Tier, ...]
    larger: tuple[Attempt, ...] = ()
    aside: tuple[str, ...] = ()

    @property
    def attempts(self) -> list[Attempt]:
        """Every proof."""
        return [*(one for tier in self.tiers for one in tier.attempts), *self.larger]

    @property
    def dataset(self) -> str:
        """The name of the data set of all of them."""
        return self.attempts[0].data.name

    @property
    def published(self) -> list[Claim]:
        """Claims of course write-ups about these images: single runs, as they were published; nothing of other data."""
        mnist = self.attempts[0].data.digest == known_figures.MNIST.facts.digest
        return [one for one in CLAIMS.values() if parameters_of(one) < TIERS[-1]] if mnist else []

    def beaten(self, tier: Tier) -> Tier | None:
        """The best smaller tier whose bound is as high as this one's, where there is one."""
        smaller = [one for one in self.tiers if one.below < tier.below and one.bound is not None]
        best = max(smaller, key=lambda one: one.bound or 0.0, default=None)
        return best if best and tier.bound is not None and (best.bound or 0.0) >= tier.bound else None

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        published = [
            {"network": one.model, "parameters": parameters_of(one), "published": one.said, "wrong": one.wrong}
            for one in self.published
        ]
        return {
            "dataset": self.dataset, "data": self.attempts[0].data.digest, "note": CURSE,
            "tiers": [tier.to_json() for tier in self.tiers], "larger": [one.to_json() for one in self.larger],
            "published_single_runs": published, "aside": list(self.aside),
        }  # fmt: skip


def parameters_of(claim: Claim) -> int:
    """How many parameters the network of a published claim has."""
    return known_figures.NETS[claim.model].parameters


def ledger(attempts: Sequence[Attempt], where: str = "", aside: Sequence[str] = ()) -> Ledger:
    """The attempts in their tiers, the earliest first. One that was packed twice counts once.

    Raises InputError, which names `where`, for none at all, and for proofs on several data sets.
    """
    if not attempts:
        remedy = "name a folder with packs of `tinyproof pack`, or with folders of `tinyproof prove`"
        raise InputError("records", where, remedy, problem="holds no proof of which a run has ended")
    first = attempts[0]
    for other in attempts:
        if (other.data.digest, other.data.labels_sha256) != (first.data.digest, first.data.labels_sha256):
            sets = f"{_data(first)} and on {_data(other)}"
            raise InputError("records", where, "keep a folder for each data set", problem=f"holds proofs on {sets}")
    once = {(one.declaration, one.answers): one for one in sorted(attempts, key=lambda one: one.name, reverse=True)}
    kept = sorted(once.values(), key=lambda one: (one.declared_at, one.name))
    there = {one.declaration for one in kept}
    tiers = []
    for low, below in pairwise((0, *TIERS)):
        inside = tuple(one for one in kept if low <= one.parameters < below)
        lost = {digest for one in inside for digest in one.earlier} - there
        tiers.append(Tier(below, inside, tuple(sorted(lost))))
    return Ledger(tuple(tiers), tuple(one for one in kept if one.parameters >= TIERS[-1]), tuple(aside))


def _data(one: Attempt) -> str:
    return f"{one.data.name}, digest {one.data.digest[:8]} ({one.name})"
