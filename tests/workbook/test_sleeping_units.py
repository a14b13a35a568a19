"""ReLUs that sleep on every value that is tried would hide every mistake behind them."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from tests.workbook.mutants import Mutant, difference, gradients_of, mutant
from tests.workbook.sheets import Plan, Sheet, make

from tinyproof.check.workbook import audit_workbook

STEEP = [(2, 2, 3), (3, 3, 1)]


def sheet_of(shape: tuple[int, int, int], act: str, seed: int) -> Sheet:
    inputs, hidden, outputs = shape
    plan = Plan(inputs=inputs, hidden=hidden, outputs=outputs, act_h=act, act_o="identity", loss="squared", rate=0.1)
    return make(plan, random.Random(seed))


def audited(sheet: Sheet, cells: dict[tuple[int, int], str | float], folder: Path) -> str:
    made = Mutant("wrong-gradient", "", cells, sheet, "")
    path = made.write(folder)
    return audit_workbook(str(path), path.name, False).status


@pytest.mark.parametrize("act", ["relu", "leaky"])
@pytest.mark.parametrize("shape", STEEP)
def test_a_gradient_that_is_doubled_is_seen_behind_every_relu(
    shape: tuple[int, int, int], act: str, tmp_path: Path
) -> None:
    sheet = sheet_of(shape, act, seed=1)
    assert audited(sheet, sheet.cells, tmp_path) == "right"
    for number, quantity in enumerate(gradients_of(sheet)):
        col = sheet.at[quantity]
        cells = {
            place: f"=2*({text[1:]})" if place[1] == col and isinstance(text, str) and text.startswith("=") else text
            for place, text in sheet.cells.items()
        }
        folder = tmp_path / str(number)
        folder.mkdir()
        assert audited(sheet, cells, folder) == "wrong", quantity


def test_the_wrong_input_of_a_steep_relu_that_was_called_right(tmp_path: Path) -> None:
    found = mutant("wrong-forward", 985)
    assert difference(found) > 1e-7
    path = found.write(tmp_path)
    assert audit_workbook(str(path), path.name, False).status == "wrong"
