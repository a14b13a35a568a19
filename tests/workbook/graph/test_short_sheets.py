"""Sheets of a few iterations, as this package writes them: right, whatever the network and the way of writing."""

from __future__ import annotations

from pathlib import Path

import pytest

import tinyproof
from tinyproof.check.workbook import audit_workbook


@pytest.mark.parametrize("style", ["course", "chain"])
@pytest.mark.parametrize("net", ["course", "worked-example", "xor", "softmax", "relu"])
def test_a_short_sheet_of_ours_is_right(net: str, style: str, tmp_path: Path) -> None:
    for iterations in (1, 2, 3, 5):
        path = tmp_path / f"{iterations}.xlsx"
        tinyproof.workbook(net, rates=[0.5], iterations=iterations, style=style, out=path)  # type: ignore[arg-type]
        found = audit_workbook(path)
        assert found.status == "right", (iterations, found.problem, found.findings)
