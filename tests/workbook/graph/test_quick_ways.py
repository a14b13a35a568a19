"""The quick ways say what the plain ones say, on random rows among which some follow."""

from __future__ import annotations

import numpy as np
import pytest

from tinyproof.check.workbook.graph.agree import follows, match
from tinyproof.check.workbook.graph.derivative_cells import SAME, along, directions


@pytest.mark.parametrize("seed", range(20))
def test_what_follows_a_gradient(seed: int) -> None:
    dice = np.random.default_rng(seed)
    gradient = dice.uniform(-1, 1, 12)
    rows = dice.uniform(-1, 1, (60, 12))
    rows[::5] = dice.uniform(-3, 3, (12, 1)) * gradient * (1 + 2e-7 * dice.uniform(-1, 1, (12, 12)))
    rows[3, 4], rows[7] = np.nan, 0.0
    rows[10, 2] = np.inf
    plain = match(rows, np.broadcast_to(gradient, rows.shape)).ok
    assert 8 <= plain.sum() < 60
    assert np.array_equal(follows(rows, gradient), plain)


@pytest.mark.parametrize("seed", range(20))
def test_what_lies_along_another(seed: int) -> None:
    dice = np.random.default_rng(seed)
    rows = directions(dice.uniform(-1, 1, (80, 12)))
    others = directions(np.concatenate([dice.uniform(-1, 1, (30, 12)), -2 * rows[::7], rows[::9] + 1e-7, 0 * rows[:2]]))
    plain = (np.abs(rows @ others.T) > 1 - SAME).any(axis=1)
    assert 12 <= plain.sum() < 80
    assert np.array_equal(along(rows, others), plain)
