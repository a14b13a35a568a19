"""What five public course write-ups claim for their networks, as values: the figure, and how it was measured.

Each claim is run both ways: evaluated as it was published, and as it truly is (last epoch, test images, several seeds).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinyproof.core.fields import one_of
from tinyproof.prove.evaluations import Look


@dataclass(frozen=True)
class Figure:
    """A published accuracy: percent, the counts behind it where the notebook shows them, and how it was measured."""

    percent: float
    look: Look
    correct: int | None = None

    @property
    def of(self) -> int:
        """How many images the published accuracy stands on."""
        return 60_000 if self.look.images == "training" else 10_000


@dataclass(frozen=True)
class Claim:
    """A published claim. `recipe` and `model` are names; `figures` as published; `wrong`: what was wrong with it.

    `loss`: a published average test loss, with how many images a batch of that evaluation held, where the loss is
    part of what was wrong.
    """

    name: str
    model: str
    recipe: str
    figures: tuple[Figure, ...]
    wrong: str
    loss: float | None = None
    loss_batch: int = 0

    @property
    def said(self) -> str:
        """The published figures in one line."""
        parts = [f"{f.percent:.2f} % (epoch {f.look.epoch})" for f in self.figures]
        return ", ".join(parts) + ("" if self.loss is None else f", average loss {self.loss:g}")

    @property
    def looks(self) -> tuple[Look, ...]:
        """Every evaluation that reproducing the claim needs besides the last epoch on the test images."""
        looks = [figure.look for figure in self.figures]
        if any(look.images == "training" for look in looks):
            # Beside the images as they were: the same ones without (or with) the augmentation.
            looks += [Look(look.epoch, look.images, not look.augmented) for look in looks if look.images == "training"]
        return tuple(dict.fromkeys(looks))


CLAIMS: dict[str, Claim] = {
    claim.name: claim
    for claim in (
        Claim(
            "s5-593k",
            "s5-593k",
            "s5-593k",
            (Figure(93.28, Look(2, "training"), 55_966),),
            "evaluated on the training images and called test accuracy; a single run",
        ),
        Claim(
            "s6-16k",
            "s6-16k",
            "s6-16k",
            (Figure(99.64, Look(20, "training"), 59_784),),
            "evaluated on the training images and called test accuracy; 20 epochs where fewer than 20 were allowed; "
            "a single run",
        ),
        Claim(
            "s7-8k",
            "s7-8k",
            "s7-8k",
            (
                Figure(99.41, Look(13, "training", augmented=True), 59_643),
                Figure(99.47, Look(14, "training", augmented=True), 59_681),
            ),
            "evaluated on the training images, with the training augmentation, and called test accuracy; "
            "a schedule that never fires; a single run",
        ),
        Claim(
            "s6-17k",
            "s6-17k",
            "s6-17k",
            (Figure(99.55, Look(19, "test"), 9_955),),
            "the average loss is 128 times too small (batch means summed, divided by the number of images); "
            "a single run",
            loss=0.0001,
            loss_batch=128,
        ),
        Claim(
            "s6-19k",
            "s6-19k",
            "s6-19k",
            (Figure(99.23, Look(19, "test")),),
            "nothing in the evaluation; a single run, below its own target of 99.4 %",
        ),
        Claim(
            "s6-12k",
            "s6-12k",
            "s6-12k",
            (Figure(99.41, Look(16, "test"), 9_941),),
            "right figure, wrong epoch: 9941 of 10,000 is epoch 19, the last; epoch 16 logs 9940; a single run",
        ),
    )
}


def chosen(name: str) -> tuple[Claim, ...]:
    """One claim by name, or every one for `all`. Raises InputError.

    >>> [claim.name for claim in chosen("s6-12k")]
    ['s6-12k']
    """
    if name == "all":
        return tuple(CLAIMS.values())
    return (CLAIMS[one_of("claim", name, [*CLAIMS, "all"])],)


def misprinted(losses: NDArray[np.floating], batch: int) -> float:
    """The average of `losses` [N] as it comes out when batch *means* are summed and divided by the number of *images*.

    >>> misprinted(np.full(256, 2.0), 128) * 128
    2.0
    """
    means = [losses[start : start + batch].astype(np.float64).mean() for start in range(0, len(losses), batch)]
    return float(np.sum(means) / len(losses))
