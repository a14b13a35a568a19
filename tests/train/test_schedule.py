"""Rates of every step against torch's own schedulers."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.optim import lr_scheduler as torch_rates

from tinyproof.train.recipe import Recipe, Schedule
from tinyproof.train.schedule import rates

EPOCHS, STEPS = 7, 13
TOTAL = EPOCHS * STEPS


def of_torch(make, per_epoch: bool) -> list[float]:
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.3)
    scheduler = make(optimizer)
    seen = []
    for step in range(TOTAL):
        seen.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if not per_epoch or (step + 1) % STEPS == 0:
            if step + 1 < TOTAL:
                scheduler.step()
    return seen


CASES = {
    "constant": (Schedule(), lambda o: torch_rates.ConstantLR(o, 1.0), False),
    "step": (Schedule("step", every_epochs=3, gamma=0.2), lambda o: torch_rates.StepLR(o, 3, 0.2), True),
    "step that never fires": (Schedule("step", every_epochs=15), lambda o: torch_rates.StepLR(o, 15, 0.1), True),
    "milestones": (Schedule("step", at_epochs=(2, 5)), lambda o: torch_rates.MultiStepLR(o, [2, 5], 0.1), True),
    "exponential": (Schedule("exponential", gamma=0.7), lambda o: torch_rates.ExponentialLR(o, 0.7), True),
    "cosine": (Schedule("cosine"), lambda o: torch_rates.CosineAnnealingLR(o, TOTAL), False),
    "linear": (Schedule("linear"), lambda o: torch_rates.LinearLR(o, 1.0, 0.0, TOTAL), False),
    "one-cycle": (
        Schedule("one-cycle", warmup=0.2),
        lambda o: torch_rates.OneCycleLR(o, 0.3, TOTAL, pct_start=0.2),
        False,
    ),
    "one-cycle, other divisors": (
        Schedule("one-cycle", warmup=0.37, start_divisor=7, end_divisor=50),
        lambda o: torch_rates.OneCycleLR(o, 0.3, TOTAL, pct_start=0.37, div_factor=7, final_div_factor=50),
        False,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_rates_are_torchs(case: str) -> None:
    schedule, make, per_epoch = CASES[case]
    ours = rates(Recipe("r", rate=0.3, epochs=EPOCHS, schedule=schedule), STEPS)
    np.testing.assert_allclose(ours, of_torch(make, per_epoch), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("kind", ["constant", "cosine", "linear"])
def test_warmup_climbs_linearly_then_the_schedule_has_the_rest(kind: str) -> None:
    schedule = Schedule(kind, warmup=0.2)
    rising = round(0.2 * TOTAL)
    ours = rates(Recipe("r", rate=0.3, epochs=EPOCHS, schedule=schedule), STEPS)
    rest = {
        "constant": lambda o: torch_rates.ConstantLR(o, 1.0),
        "cosine": lambda o: torch_rates.CosineAnnealingLR(o, TOTAL - rising),
        "linear": lambda o: torch_rates.LinearLR(o, 1.0, 0.0, TOTAL - rising),
    }[kind]
    np.testing.assert_allclose(ours[:rising], 0.3 * np.arange(1, rising + 1) / rising)
    np.testing.assert_allclose(ours[rising:], of_torch(rest, False)[: TOTAL - rising], rtol=1e-9, atol=1e-12)
    assert ours.max() == pytest.approx(0.3)


@pytest.mark.parametrize("kind", ["constant", "step", "one-cycle", "cosine", "linear", "exponential"])
@pytest.mark.parametrize("warmup", [0.0, 0.3, 0.9])
def test_one_step_trainings_have_a_usable_rate(kind: str, warmup: float) -> None:
    ours = rates(Recipe("r", rate=0.3, epochs=1, schedule=Schedule(kind, warmup=warmup)), 1)
    assert ours.shape == (1,)
    assert 0 < ours[0] <= 0.3
