"""Numbers and empty cells where the steps before and after have a formula; a training that starts anew is meant."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.workbook.graph.small import Cells, blocks, errors, judged, line, momentum, sheets


@pytest.mark.parametrize("held", [None, 0.001])
def test_an_error_of_one_example_that_lacks_its_formula_is_named(held: float | None, tmp_path: Path) -> None:
    cells = {place: one for place, one in blocks().items() if place != "I11"}
    report = judged(tmp_path, cells | ({} if held is None else {"I11": held}))
    assert (report.status, errors(report)) == ("wrong", ["I11"])
    assert report.findings[0].fix == "=H11-C11"


def test_a_zero_typed_for_an_error_is_in_doubt_as_it_may_leave_the_example_out(tmp_path: Path) -> None:
    report = judged(tmp_path, blocks() | {"I11": 0})
    assert (report.status, errors(report)) == ("undecided", [])
    assert "I11" in report.problem


def test_a_slope_that_is_empty_on_one_sheet_is_named_there(tmp_path: Path) -> None:
    first, second, third = sheets("")
    del second["B11"]
    report = judged(tmp_path, first, second, third)
    assert report.status == "wrong", report.problem
    assert [(f.place.sheet, f.place.cells, f.fix) for f in report.findings] == [("S2", "B11", "=B9*B3")]


def two_weights() -> Cells:
    """A logistic unit without a bias, a block of four examples a step."""
    cells = {place: held for place, held in blocks().items() if not place.startswith("F")}
    return {
        p: held.split("+$F")[0] if isinstance(held, str) and p.startswith("G") else held for p, held in cells.items()
    }


def test_two_weights_are_right(tmp_path: Path) -> None:
    assert judged(tmp_path, two_weights()).status == "right"


def test_one_of_two_weights_that_is_typed_anew_is_named(tmp_path: Path) -> None:
    report = judged(tmp_path, two_weights() | {"D10": 0.3})
    assert (report.status, errors(report)) == ("wrong", ["D10"])
    assert report.findings[0].fix.startswith("=D4-$B$1*SUMPRODUCT(")


def test_a_training_that_starts_anew_is_not_accused(tmp_path: Path) -> None:
    assert errors(judged(tmp_path, two_weights() | {"D16": 0.3, "E16": -0.1})) == []


def test_a_velocity_that_starts_anew_with_the_weights_is_not_accused(tmp_path: Path) -> None:
    anew: Cells = {"C8": 0.3, "D8": -0.4, "L8": 0, "M8": 0}
    assert errors(judged(tmp_path, momentum() | anew)) == []


AS_AT_FIRST: Cells = {"L8": "=0.1*F8", "M8": "=0.1*G8"}  # the first row has no velocity to carry on either


def test_a_second_training_below_with_its_velocities_begun_as_in_the_first_is_not_accused(tmp_path: Path) -> None:
    assert errors(judged(tmp_path, momentum() | AS_AT_FIRST | {"C8": 0.7, "D8": 0.2})) == []


def test_one_weight_typed_beside_another_that_goes_on_is_named_although_its_velocity_begins(tmp_path: Path) -> None:
    report = judged(tmp_path, momentum() | {"L8": "=0.1*F8", "C8": 0.7})
    assert report.status == "wrong", report.problem
    assert "C8" in errors(report)


def test_a_velocity_that_is_typed_in_one_row_is_named(tmp_path: Path) -> None:
    report = judged(tmp_path, momentum() | {"L8": 0.05})
    assert (report.status, errors(report)) == ("wrong", ["L8"])


def test_a_bias_that_the_sums_of_all_examples_lack_is_asked_for(tmp_path: Path) -> None:
    cells = blocks()
    bare = {p: held.split("+$F")[0] for p, held in cells.items() if isinstance(held, str) and p.startswith("G")}
    report = judged(tmp_path, cells | bare)
    assert (report.status, errors(report)) == ("undecided", [])
    assert "no unit reads it" in report.problem


@pytest.mark.parametrize("held", [-0.4, 0])
def test_a_bias_that_is_held_in_the_first_rows_and_trained_later_is_not_accused(held: float, tmp_path: Path) -> None:
    """The same number stands in each row until then, and nobody makes another."""
    cells = {place: one for place, one in line().items() if place not in ("G4", "G5", "G6", "J4", "J5", "J6")}
    assert errors(judged(tmp_path, cells | {f"D{r}": held for r in (4, 5, 6, 7)})) == []


def test_a_weight_that_joins_later_is_not_accused(tmp_path: Path) -> None:
    cells = {place: one for place, one in blocks().items() if place not in ("E4", "E10")}
    alone = {f"G{r}": f"=A{r}*$D${top}+$F${top}" for top in (4, 10) for r in range(top, top + 4)}
    assert errors(judged(tmp_path, cells | alone | {"E16": 0})) == []


def test_two_of_three_parameters_that_are_typed_anew_are_asked_for(tmp_path: Path) -> None:
    report = judged(tmp_path, blocks() | {"D16": 0.5, "E16": 0.5})
    assert (report.status, errors(report)) == ("undecided", [])
    assert "D16 is a typed number in the middle of the training, like most parameters" in report.problem


def test_two_of_three_parameters_that_are_held_until_then_are_not_accused(tmp_path: Path) -> None:
    held = {f"{weight}{top}": 0.2 if weight == "D" else -0.5 for weight in "DE" for top in (10, 16)}
    report = judged(tmp_path, blocks() | held)
    assert report.status == "right", report.problem
