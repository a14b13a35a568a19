"""Broken in every kind: found, in the right column, with the right kind; and no right workbook is accused.

A fixed sample of what `python tests/workbook/mutation.py --full` measures. The differences are computed by Python.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.workbook.mutants import BREAKERS, difference, mutant, right

from tinyproof.check.finding import SheetPlace
from tinyproof.check.workbook import KINDS, audit_workbook

SEEDS = range(1000, 1006)


def test_every_kind_of_the_catalogue_has_mutants() -> None:
    assert set(BREAKERS) == set(KINDS)


@pytest.mark.parametrize("kind", BREAKERS)
def test_mutants_of_this_kind_are_named_in_their_column(kind: str, tmp_path: Path) -> None:
    missed = []
    for seed in SEEDS:
        broken = mutant(kind, seed)
        assert broken.looks_only or difference(broken) > 1e-7
        report = audit_workbook(broken.write(tmp_path))
        places = {(f.rule, f.place.column) for f in report.findings if isinstance(f.place, SheetPlace)}
        if (kind, broken.column) not in places:
            missed.append((seed, broken.words, broken.column, places))
    assert not missed


@pytest.mark.parametrize("seed", range(2000, 2060))
def test_right_workbooks_get_no_finding_at_all(seed: int, tmp_path: Path) -> None:
    made = right(seed)
    report = audit_workbook(made.write(tmp_path))
    assert (report.status, report.findings) == ("right", ()), made.sheet.plan
