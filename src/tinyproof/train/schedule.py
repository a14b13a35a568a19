"""Schedule to rates: one number for every training step, known before training starts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tinyproof.train.recipe import Recipe, Schedule


def rates(recipe: Recipe, steps_per_epoch: int) -> NDArray[np.float64]:
    """The learning rate of every step, float64 [epochs * steps_per_epoch], peak at most `recipe.rate`.

    The kinds agree with torch's StepLR, MultiStepLR, ExponentialLR, CosineAnnealingLR, LinearLR (to zero) and
    OneCycleLR (cosine, two phases). Source of one-cycle: Smith and Topin, arXiv 1708.07120.

    >>> rates(Recipe("flat", rate=0.5, epochs=2), 3).tolist()
    [0.5, 0.5, 0.5, 0.5, 0.5, 0.5]
    """
    schedule = recipe.schedule
    steps = np.arange(recipe.epochs * steps_per_epoch, dtype=np.float64)
    total = len(steps)
    if schedule.kind == "one-cycle":
        return recipe.rate * _one_cycle(schedule, steps, total)
    # Warm-up climbs to the peak at step `rising`; what follows has the remaining steps to itself.
    rising = min(round(schedule.warmup * total), total - 1)
    after, rest = steps - rising, max(1, total - rising)
    epochs_done = np.floor(steps / steps_per_epoch)
    if schedule.kind == "linear":
        shape = 1.0 - after / rest
    elif schedule.kind == "cosine":
        shape = 0.5 * (1.0 + np.cos(np.pi * after / rest))
    elif schedule.kind == "exponential":
        shape = schedule.gamma**epochs_done
    elif schedule.kind == "step":
        shape = schedule.gamma ** _drops(schedule, epochs_done)
    else:
        shape = np.ones(total)
    if rising:
        shape = np.where(steps < rising, (steps + 1) / rising * shape[rising], shape)
    return np.asarray(recipe.rate * shape, dtype=np.float64)


def _drops(schedule: Schedule, epochs_done: NDArray[np.float64]) -> NDArray[np.float64]:
    drops = np.zeros_like(epochs_done)
    if schedule.every_epochs:
        drops += np.floor(epochs_done / schedule.every_epochs)
    for epoch in schedule.at_epochs:
        drops += epochs_done >= epoch
    return drops


def _one_cycle(schedule: Schedule, steps: NDArray[np.float64], total: int) -> NDArray[np.float64]:
    start = 1.0 / schedule.start_divisor
    end = start / schedule.end_divisor
    # The peak falls on step warmup * total - 1, as in torch, and may lie between two steps.
    peak = max(schedule.warmup * total - 1.0, 0.0)
    up = steps / peak if peak > 0 else np.ones(total)
    down = (steps - peak) / max(total - 1.0 - peak, 1.0)
    rising = start + (1.0 - start) * 0.5 * (1.0 - np.cos(np.pi * np.clip(up, 0, 1)))
    falling = end + (1.0 - end) * 0.5 * (1.0 + np.cos(np.pi * np.clip(down, 0, 1)))
    return np.where(steps <= peak, rising, falling)
