"""An accuracy that sticks at the share of one class: every class of MNIST's test images, and no other level."""

from __future__ import annotations

from pathlib import Path

import pytest

from tinyproof.check.notebook import audit_notebook

from .books import style, write

# How many of MNIST's 10,000 test images show each digit, 0 to 9.
COUNTS = (980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009)
LOGGED = ("9779/10000 (97.79%)", "9841/10000 (98.41%)", "9893/10000 (98.93%)", "9885/10000 (98.85%)")


def rules(count: int, folder: Path) -> set[str]:
    """What the audit finds where every epoch ends with so many right answers."""
    text = style("functions").replace("Result: 98.85 % test accuracy after the last epoch. ", "")
    for line in LOGGED:
        assert text.count(line) == 1
        text = text.replace(line, f"{count}/10000 ({count / 100:.2f}%)")
    return {finding.rule for finding in audit_notebook(write(text, folder)).findings}


def test_the_counts_are_those_of_all_test_images() -> None:
    assert sum(COUNTS) == 10_000


@pytest.mark.parametrize("count", [*COUNTS, 1000])
def test_the_share_of_one_class_is_named(count: int, tmp_path: Path) -> None:
    assert "accuracy-plateau" in rules(count, tmp_path)


@pytest.mark.parametrize("count", [900, 1050, 1200, 2018, 4000, 9100])
def test_another_level_is_not(count: int, tmp_path: Path) -> None:
    assert "accuracy-plateau" not in rules(count, tmp_path)
