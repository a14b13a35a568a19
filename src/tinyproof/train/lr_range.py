"""The learning-rate range test: raise the rate a little every step and watch the loss fall, and then explode.

Source: Smith, "Cyclical Learning Rates for Training Neural Networks", arXiv 1506.01186.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tinyproof.core.errors import InputError
from tinyproof.core.fields import number, whole
from tinyproof.data.dataset import Dataset
from tinyproof.train.augment import draw
from tinyproof.train.engine import Batch, Engine
from tinyproof.train.recipe import Recipe

_MEMORY = 0.9
_EXPLODED = 4.0
# A smoothed loss wobbles by a few percent of itself from batch to batch; less than that is no fall.
_LEAST_FALL = 0.05
_EDGE = 0.1  # of the range, in the logarithm


@dataclass(frozen=True)
class RangeTest:
    """Rate and smoothed training loss of every step; the rate of the steepest fall, and of the lowest loss.

    Both are None where the loss never falls below its first values by more than
    the batches differ anyway. `exploded`: the loss left four times its lowest value, or was no number.
    """

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    steepest: float | None
    lowest: float | None
    exploded: bool

    @property
    def suggested(self) -> float | None:
        """A peak rate to try first: a tenth of the rate of the lowest loss, as is usual; docs/prove.md measures it."""
        return None if self.lowest is None else self.lowest / 10

    @property
    def edge(self) -> Literal["", "low", "high"]:
        """The end of the range where the answer lies, so that it may lie beyond: in the first or the last tenth."""
        if self.steepest is None or self.lowest is None:
            return ""
        first, last = math.log(self.rates[0]), math.log(self.rates[-1])
        if not self.exploded and math.log(self.lowest) > last - _EDGE * (last - first):
            return "high"
        return "low" if math.log(self.steepest) < first + _EDGE * (last - first) else ""


def range_test(
    engine: Engine,
    recipe: Recipe,
    dataset: Dataset,
    *,
    steps: int = 200,
    low: float = 1e-5,
    high: float = 10.0,
    seed: int = 0,
) -> RangeTest:
    """Train at most `steps` batches while the rate grows evenly (in its logarithm) from `low` to `high`.

    Stops where the loss explodes. Raises InputError for a range that is none.
    """
    whole("steps", steps, 10, 100_000)
    number("low", low, 0, 1000, above=True)
    number("high", high, 0, 1000, above=True)
    if high <= low:
        raise InputError("high", high, f"a rate above the lowest, {low:g}")
    generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence((seed, steps))))
    rates = np.geomspace(low, high, steps)
    count = len(dataset.train_labels)
    losses: list[float] = []
    average = 0.0
    for index, rate in enumerate(rates):
        rows = generator.choice(count, min(recipe.batch_size, count), replace=False)
        transforms = draw(recipe.augment, len(rows), generator, 0.0, dataset.shape[1:])
        engine.step(Batch(rows, transforms, int(generator.integers(2**31))), float(rate))
        tally = engine.tally()
        if not math.isfinite(tally.loss_sum):
            break
        average = _MEMORY * average + (1 - _MEMORY) * tally.loss_sum / tally.count
        losses.append(average / (1 - _MEMORY ** (index + 1)))
        if losses[-1] > _EXPLODED * min(losses):
            break
    return _found(rates[: len(losses)], losses, len(losses) < steps or losses[-1] > _EXPLODED * min(losses))


def _found(rates: NDArray[np.float64], losses: list[float], exploded: bool) -> RangeTest:
    if len(losses) < 5:
        raise InputError(
            "low", float(rates[0]) if len(rates) else "this rate", "a rate at which the loss does not explode"
        )
    bottom = int(np.argmin(losses))
    slopes = np.gradient(np.array(losses), np.log(rates))
    found: tuple[float | None, float | None] = None, None
    if losses[bottom] < (1 - _LEAST_FALL) * losses[0]:
        found = float(rates[int(np.argmin(slopes[: bottom + 1]))]), float(rates[bottom])
    return RangeTest(tuple(map(float, rates)), tuple(losses), *found, exploded)
