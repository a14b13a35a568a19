"""What a mistake costs is what LibreOffice computes: the loss of the workbook with it, less that of the right one."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import openpyxl
import pytest
from tests.backprop.recalculate import zeroed_and_recalculated
from tests.workbook.test_optimizers import ROWS, SHEET, SLIPS, Slip, column, slipped, swap

from tinyproof.backprop.presets import preset
from tinyproof.check.finding import FileReport

OFF = re.compile(rf"loss after {ROWS} rows (?:is off )?by ([-+.e\d]+)")
PLAIN = {"plain: the gradient": ("sgd", "dE/dw3", swap("*M", "*K")), "plain: uphill": ("sgd", "w3", swap("-$B", "+$B"))}
EVERY: dict[str, tuple[str, str, Slip]] = PLAIN | SLIPS
DIVIDED_BY_0 = "adam: corrected by the step before"  # in the first step, where n is 0
COLUMN, CELL = range(6, 17), range(10, 11)
TOLD = (
    ("plain: the gradient", CELL), ("momentum: it is lost", COLUMN), ("momentum: old state", CELL),
    ("adam: the square", CELL), ("adam: the count", COLUMN), ("adam: no correction at all", COLUMN),
)  # fmt: skip


def broken(folder: Path, slip: str, rows: range) -> FileReport:
    """The audit of the workbook with the slip; it stands beside the right one in the folder."""
    folder.mkdir()
    kind, name, change = EVERY[slip]
    return slipped(preset("course").with_optimizer(kind), folder, name, change, rows)


def effects(report: FileReport) -> list[str]:
    return [finding.effect for finding in report.findings if finding.severity == "error"]


def last_loss(path: Path, kind: str) -> float:
    sheet = openpyxl.load_workbook(path, data_only=True)[SHEET]
    found = sheet[f"{column(preset('course').with_optimizer(kind), 'E_total')}{4 + ROWS}"].value
    assert isinstance(found, float)
    return found


@pytest.mark.oracle("LibreOffice")
def test_the_loss_is_off_by_what_libreoffice_computes(tmp_path: Path, libreoffice: str) -> None:
    said: list[float] = []
    files: list[Path] = []
    for number, (slip, rows) in enumerate(TOLD):
        (effect,) = effects(broken(tmp_path / str(number), slip, rows))
        found = OFF.search(effect)
        assert found, (slip, effect)
        said.append(float(found[1]))
        files.append(Path(shutil.copy(tmp_path / str(number) / "broken.xlsx", tmp_path / f"{number}.xlsx")))
    for number, fresh in enumerate(zeroed_and_recalculated(libreoffice, files, tmp_path)):
        kind = EVERY[TOLD[number][0]][0]
        difference = abs(last_loss(fresh, kind) - last_loss(tmp_path / str(number) / "right.xlsx", kind))
        assert said[number] == pytest.approx(difference, rel=0.5), TOLD[number]  # one digit is said


def test_every_slip_has_an_effect_but_one_that_ends_in_no_number(tmp_path: Path) -> None:
    for number, slip in enumerate(SLIPS):
        found = effects(broken(tmp_path / str(number), slip, COLUMN))
        circular = slip == "momentum: this row's gradient"
        assert all(bool(OFF.search(effect)) != (circular or slip == DIVIDED_BY_0) for effect in found), (slip, found)


@pytest.mark.parametrize("slip", ["plain: the gradient", "adam: the gradient"])
def test_one_cell_costs_less_than_its_column(tmp_path: Path, slip: str) -> None:
    costs = []
    for name, rows in (("column", COLUMN), ("cell", CELL)):
        (effect,) = effects(broken(tmp_path / name, slip, rows))
        assert effect.startswith("the gradient is off by 0.7")
        found = OFF.search(effect)
        assert found
        costs.append(float(found[1]))
    assert costs[1] < 0.5 * costs[0]


def test_a_start_of_adam_has_its_effect(tmp_path: Path) -> None:
    net = preset("course").with_optimizer("adam")
    (effect,) = effects(slipped(net, tmp_path, "m_w1", lambda _: "1", range(5, 6)))
    assert OFF.search(effect)
