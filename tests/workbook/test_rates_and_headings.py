"""Rates that are read from one row of a column, and headings that stand on two lines."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.workbook.graph.small import judged, write
from tests.workbook.test_parts_of_tables import table

from tinyproof.check.workbook.read.open_book import open_book
from tinyproof.check.workbook.understand.grid import Grid
from tinyproof.check.workbook.understand.tables import find_tables


@pytest.mark.parametrize(("there", "severity"), [(0.5, "warning"), (0.3, "error")])
def test_a_rate_with_a_fixed_row_is_worth_what_stands_in_that_row(there: float, severity: str, tmp_path: Path) -> None:
    """The labelled rate is 0.5; the column holds another number in every other row."""
    cells = table(*range(6, 12)) | {"K5": "note"} | {f"K{r}": there if r == 7 else 0.4 for r in range(6, 12)}
    cells |= {f"C{r}": f"=C{r - 1}-$K$7*J{r - 1}" for r in range(7, 12)}
    (finding,) = [f for f in judged(tmp_path, cells).findings if f.rule == "wrong-rate-cell"]
    assert finding.severity == severity


def test_a_heading_of_two_lines_may_have_a_dozen_characters_above(tmp_path: Path) -> None:
    above = "∂loss_total/"
    assert len(above) == 12
    cells = table(*range(6, 12)) | {"I4": above, "I5": "∂w1"}
    (found,) = find_tables(Grid(open_book(write(tmp_path / "sheet.xlsx", cells))), 0)
    assert found.texts[9] == above + "∂w1"
