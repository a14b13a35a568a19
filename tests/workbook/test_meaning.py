"""Two formulas are the same only where they agree to rounding: nine digits, not three."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from tests.workbook.sheets import Plan, make, write

from tinyproof.backprop.expr import Expr, Num, Var
from tinyproof.check.finding import SheetPlace
from tinyproof.check.workbook import audit_workbook
from tinyproof.check.workbook.understand.meaning import same
from tinyproof.check.workbook.understand.patterns import ColumnPatterns, Pattern, is_constant

NUMBERS = np.array([-1.3, 0.2, 0.7, 1.1])


@pytest.mark.parametrize(("off", "equal"), [(0.0, True), (1e-12, True), (1e-10, True), (1e-8, False), (1e-4, False)])
def test_same_is_nine_digits(off: float, equal: bool) -> None:
    assert same(NUMBERS, NUMBERS * (1 + off)) == same(NUMBERS * (1 + off), NUMBERS) == equal


def test_one_sample_that_differs_is_enough() -> None:
    other = NUMBERS.copy()
    other[2] += 1e-6
    assert not same(NUMBERS, other)


def test_what_is_finite_on_one_side_only_is_not_the_same() -> None:
    other = NUMBERS.copy()
    other[1] = np.nan
    assert not same(NUMBERS, other)
    assert same(other, other)


def test_one_finite_sample_decides_nothing() -> None:
    few = np.array([np.nan, np.inf, np.nan, 1.0])
    assert not same(few, few)


@pytest.mark.parametrize("factor", ["1.000001", "0.9999"])
def test_a_gradient_that_is_off_by_a_little_is_named(factor: str, tmp_path: Path) -> None:
    sheet = make(Plan(row=5, rows=8), random.Random(5))
    cells, col = dict(sheet.cells), sheet.at["dE/dw6"]
    for row in range(sheet.first, sheet.last + 1):
        cells[row, col] = f"={factor}*({str(cells[row, col])[1:]})"
    report = audit_workbook(write(tmp_path / "sheet.xlsx", {"S": cells}))
    named = {(f.rule, f.place.column) for f in report.findings if isinstance(f.place, SheetPlace)}
    assert ("wrong-gradient", "dE/dw6") in named


def test_a_column_is_constant_where_it_holds_one_number_from_top_to_bottom() -> None:
    def column(*exprs: Expr, **typed: float) -> ColumnPatterns:
        patterns = tuple(Pattern((row,), expr, {}) for row, expr in enumerate(exprs, 1))
        return ColumnPatterns(1, patterns, {int(row[1:]): value for row, value in typed.items()})

    assert is_constant(column(r1=0.5, r2=0.5))
    assert is_constant(column(Num(0.5), r2=0.5))
    assert is_constant(column(Var("above"), r9=0.5))
    assert not is_constant(column(r1=0.5, r2=0.6))
    assert not is_constant(column(Var("x") * Var("w")))
    assert not is_constant(column(Var("x") * Var("w"), r9=0.5))
