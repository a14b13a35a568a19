"""Faults put into notebooks of 33 hands by somebody who had not read the rules, and nothing said on the right ones."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from .injection import NAMES, accusations, judged, load

# What is reached, of all faults: found at their line at least, called right at most. Never to be loosened.
FOUND = 220
CALLED_RIGHT = 2


@pytest.mark.parametrize("name", NAMES)
def test_a_right_notebook_is_not_accused(name: str, tmp_path: Path) -> None:
    _, findings = accusations(load(name)[0], tmp_path)
    assert findings == []


def test_as_many_faults_are_found_as_before_and_no_more_called_right(tmp_path: Path) -> None:
    fates: Counter[str] = Counter()
    for name in NAMES:
        right, faults = load(name)
        for number, fault in enumerate(faults):
            fates[judged(fault, right, tmp_path / f"{name}-{number}")[0]] += 1
    assert len(NAMES) >= 20
    assert fates["found"] >= FOUND
    assert fates["passed"] <= CALLED_RIGHT


@pytest.mark.parametrize(
    ("name", "piece", "other"),
    [
        (
            "lightning_module",
            "ckpt_path='best')",
            "ckpt_path='best')\ntrainer.test(lit, train_loader, ckpt_path='best')",
        ),
        ("torch_validation", "    v = score", "    print('on what is learned', score(model, dl_fit))\n    v = score"),
        ("accelerated", "    model.train()\n", "    model.train()\n    torch.cuda.empty_cache()\n"),
    ],
)
def test_what_looks_like_a_fault_is_not_accused(name: str, piece: str, other: str, tmp_path: Path) -> None:
    right = load(name)[0]
    assert right.count(piece) == 1
    _, findings = accusations(right.replace(piece, other), tmp_path)
    assert findings == []
