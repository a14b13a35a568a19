"""The work of the audit grows as the sheet does: formulas that all differ are evaluated a few times each."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.workbook.sheets import Cells, write

import tinyproof.check.workbook.understand.meaning as meaning
from tinyproof.check.workbook import audit_workbook


def block(rows: int) -> Cells:
    """A step in a block of rows: all read the weights of its first row, so no two rows are alike."""
    heads = ["i1", "i2", "t1", "w1", "w2", "b1", "o1", "a_o1", "E1", "dE/dw1", "dE/dw2"]
    cells: Cells = {(1, 1): "eta", (1, 2): 0.1, **{(3, col): head for col, head in enumerate(heads, 1)}}
    cells |= {(4, 4): 0.2, (4, 5): 0.4, (4, 6): 0.1}
    for row in range(4, 4 + rows):
        up = row - 4
        weights = [f"{letters}{row - up}" for letters in "DEF"]
        cells |= {(row, 1): row / 9, (row, 2): 1 / row, (row, 3): row % 2}
        cells[row, 7] = f"=A{row}*{weights[0]}+B{row}*{weights[1]}+{weights[2]}"
        cells |= {(row, 8): f"=1/(1+EXP(-G{row}))", (row, 9): f"=(H{row}-C{row})^2"}
        cells |= {
            (row, 10): f"=(H{row}-C{row})*A{row}*{weights[0]}",
            (row, 11): f"=(H{row}-C{row})*B{row}*{weights[1]}",
        }
    return cells


def evaluations(rows: int, folder: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    path = write(folder / f"{rows}.xlsx", {"S": block(rows)}, values={"S": {}})
    count = 0
    original = meaning.evaluate

    def counting(*args: object) -> object:
        nonlocal count
        count += 1
        return original(*args)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(meaning, "evaluate", counting)
        assert audit_workbook(path).status == "undecided"
    return count


def test_twice_the_rows_are_twice_the_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small, large = (evaluations(rows, tmp_path, monkeypatch) for rows in (40, 160))
    assert small > 40
    assert large < 4.6 * small
