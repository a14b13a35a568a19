"""What goes on beside a training and looks like a parameter: in doubt where it may be a slip, else right."""

from __future__ import annotations

from pathlib import Path

from tests.workbook.graph.small import Cells, errors, judged


def unit(total: str = "A{r}*C{r}+D{r}", bias: str = "D{p}-$H$1*F{p}", target: int = 0) -> Cells:
    """One weight and one bias, one example a row; `target`: how many rows below its own the target is read."""
    cells: Cells = {"H1": 0.1, "A3": "x", "B3": "y", "C3": "w", "D3": "b", "E3": "out", "F3": "gap"}
    for i in range(8):
        r, p = 4 + i, 3 + i
        cells |= {f"A{r}": 0.5 + 0.31 * i, f"B{r}": 1.2 - 0.2 * i}
        cells |= {
            f"C{r}": 0.4 if i == 0 else f"=C{p}-$H$1*F{p}*A{p}",
            f"D{r}": 0.2 if i == 0 else "=" + bias.format(p=p),
        }
        cells |= {f"E{r}": "=" + total.format(r=r), f"F{r}": f"=E{r}-B{r + target}"}
    return cells


def single(start: str = "") -> Cells:
    """One weight alone; `start`: a cell in the middle that holds a number."""
    cells: Cells = {"H1": 0.1, "A3": "x", "B3": "y", "C3": "w", "E3": "out", "F3": "gap"}
    for i in range(9):
        r, p = 4 + i, 3 + i
        cells |= {f"A{r}": 0.5 + 0.31 * i, f"B{r}": 1.2 - 0.2 * i, f"C{r}": 0.4 if i == 0 else f"=C{p}-$H$1*F{p}*A{p}"}
        cells |= {f"E{r}": f"=A{r}*C{r}", f"F{r}": f"=E{r}-B{r}"}
    return cells | ({start: 0.37} if start else {})


def test_the_plain_sheets_are_right(tmp_path: Path) -> None:
    for cells in (unit(), single()):
        report = judged(tmp_path, cells)
        assert report.status == "right", report.problem


def test_a_bias_that_a_typed_number_moves_is_in_doubt(tmp_path: Path) -> None:
    report = judged(tmp_path, unit(bias="D{p}-0.05"))
    assert (report.status, errors(report)) == ("undecided", [])
    assert "whatever the error is" in report.problem
    assert "D5" in report.problem


def test_an_input_that_grows_by_a_number_and_a_counter_are_no_biases(tmp_path: Path) -> None:
    grown: Cells = {f"A{r}": f"=A{r - 1}+0.3" for r in range(5, 12)}
    counted: Cells = {"K4": 1.0} | {f"K{r}": f"=K{r - 1}+1" for r in range(5, 12)}
    report = judged(tmp_path, unit() | grown | counted)
    assert report.status == "right", report.problem


def test_a_bias_that_is_moved_and_that_no_unit_reads_is_in_doubt(tmp_path: Path) -> None:
    report = judged(tmp_path, unit(total="A{r}*C{r}"))
    assert (report.status, errors(report)) == ("undecided", [])
    assert "no unit reads it" in report.problem


def test_running_totals_of_errors_and_of_squares_are_no_biases(tmp_path: Path) -> None:
    totals: Cells = {"J4": "=F4", "L4": "=F4^2"}
    totals |= {f"J{r}": f"=J{r - 1}+F{r}" for r in range(5, 12)} | {f"L{r}": f"=L{r - 1}+F{r}^2" for r in range(5, 12)}
    report = judged(tmp_path, unit() | totals)
    assert report.status == "right", (report.problem, errors(report))


def test_one_start_in_the_middle_of_the_only_weight_is_in_doubt(tmp_path: Path) -> None:
    report = judged(tmp_path, single("C8"))
    assert (report.status, errors(report)) == ("undecided", [])
    assert "start anew" in report.problem


def test_several_weights_that_start_anew_together_are_a_second_run(tmp_path: Path) -> None:
    report = judged(tmp_path, unit() | {"C8": 0.4, "D8": 0.2})
    assert report.status == "right", report.problem


def test_targets_that_all_stand_a_row_too_low_are_in_doubt(tmp_path: Path) -> None:
    report = judged(tmp_path, unit(target=1))
    assert (report.status, errors(report)) == ("undecided", [])
    assert "against another number" in report.problem


def test_the_next_value_of_a_series_is_a_target_of_its_own(tmp_path: Path) -> None:
    """Each value is held against the one that comes after it in the same column."""
    cells = unit() | {f"F{r}": f"=E{r}-A{r + 1}" for r in range(4, 12)} | {"A12": 3.1}
    report = judged(tmp_path, {place: held for place, held in cells.items() if not place.startswith("B")})
    assert report.status == "right", report.problem


def test_a_weight_that_a_computed_number_moves_through_a_velocity_is_in_doubt(tmp_path: Path) -> None:
    cells = unit() | {"J3": "velocity", "J4": "=COUNT(A4,B4)"} | {f"J{r}": f"=0.9*J{r - 1}+2" for r in range(5, 12)}
    cells |= {f"D{r}": f"=D{r - 1}-J{r - 1}" for r in range(5, 12)}
    report = judged(tmp_path, cells)
    assert (report.status, errors(report)) == ("undecided", [])
    assert "whatever the error is" in report.problem
