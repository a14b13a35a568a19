"""The number of Adam's step, typed or read off another column, and what only looks like an optimiser's state."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from tests.workbook.test_optimizers import ROWS, SHEET, column, errors, slipped, write

from tinyproof.backprop.net import Net
from tinyproof.backprop.presets import preset
from tinyproof.backprop.random_net import drawn
from tinyproof.check.finding import FileReport
from tinyproof.check.workbook import audit_workbook

COUNTS: dict[str, tuple[Callable[[int], int], range, str]] = {
    "one number": (lambda step: 1, range(5, 17), "n is 1 in every row: it does not count the steps"),
    "one number after the start": (lambda step: min(step, 1), range(7, 17), "n stands still at 1 from here on"),
    "held from some row on": (lambda step: min(step, 5), range(11, 17), "n stands still at 5 from here on"),
    "one too many": (lambda step: step + 1, range(5, 6), "n starts at 1, not at 0"),
    "one too few": (lambda step: max(step - 1, 0), range(6, 7), "n does not count the steps"),
}


def with_counts(folder: Path, count: Callable[[int], int | str | None]) -> FileReport:
    """Our own workbook with Adam, and other contents of the cells of n; None leaves one as it is."""
    net = preset("course").with_optimizer("adam")
    book = openpyxl.load_workbook(write(net, folder / "right.xlsx"))
    for step in range(ROWS):
        typed = count(step)
        if typed is not None:
            book[SHEET][f"{column(net, 'n')}{5 + step}"].value = typed
    book.save(folder / "typed.xlsx")
    return audit_workbook(folder / "typed.xlsx")


@pytest.mark.parametrize("slip", COUNTS)
def test_a_typed_number_of_the_step_that_does_not_count_on(tmp_path: Path, slip: str) -> None:
    count, rows, message = COUNTS[slip]
    report = with_counts(tmp_path, count)
    letter = column(preset("course").with_optimizer("adam"), "n")
    cells = f"{letter}{rows[0]}" + (f":{letter}{rows[-1]}" if len(rows) > 1 else "")
    assert errors(report) == [(SHEET, "n", cells)]
    (found,) = (finding for finding in report.findings if finding.severity == "error")
    assert found.message.startswith(message)
    assert ("loss after" in found.effect) == (slip != "one too few")  # that divides by 0


def test_a_number_of_the_step_that_is_typed_and_counts_on_is_right(tmp_path: Path) -> None:
    report = with_counts(tmp_path, lambda step: step)
    assert (report.status, report.findings) == ("right", ())


@pytest.mark.parametrize("held", ["=1", 5])
def test_a_number_of_the_step_that_a_formula_holds_or_that_is_typed_below(tmp_path: Path, held: int | str) -> None:
    first = 1 if held == "=1" else 6
    report = with_counts(tmp_path, lambda step: held if step >= first else None)
    letter = column(preset("course").with_optimizer("adam"), "n")
    assert errors(report) == [(SHEET, "n", f"{letter}{5 + first}:{letter}16")]


def iterations(start: int, by: int) -> Callable[[int], int]:
    return lambda step: start + by * step


# What stands in the column of iterations (typed; None: our formulas), and the formula of n with that cell as {}.
READ_OFF: dict[str, tuple[Callable[[int], int] | None, str, bool]] = {
    "iteration less 1": (None, "={}-1", True),
    "typed iterations less 1": (iterations(1, 1), "={}-1", True),
    "iterations from 0": (iterations(0, 1), "={}", True),
    "the iteration itself": (None, "={}", False),
    "iterations that count by two": (iterations(1, 2), "={}-1", False),
}


@pytest.mark.parametrize("case", READ_OFF)
def test_a_number_of_the_step_that_is_read_off_the_iterations(tmp_path: Path, case: str) -> None:
    typed, formula, right = READ_OFF[case]
    net = preset("course").with_optimizer("adam")
    book = openpyxl.load_workbook(write(net, tmp_path / "right.xlsx"))
    for step in range(ROWS):
        row = 5 + step
        if typed is not None:
            book[SHEET][f"A{row}"].value = typed(step)
        book[SHEET][f"{column(net, 'n')}{row}"].value = formula.format(f"A{row}")
    book.save(tmp_path / "read.xlsx")
    report = audit_workbook(tmp_path / "read.xlsx")
    assert report.status == ("right" if right else "wrong")
    assert [name for _, name, _ in errors(report)] == ([] if right else ["n"])


def test_a_typed_start_of_n_that_no_formula_reads_is_no_slip(tmp_path: Path) -> None:
    report = with_counts(tmp_path, lambda step: max(step, 1))
    assert (report.status, report.findings) == ("right", ())


def test_the_1_of_1_less_alpha_is_no_alpha(tmp_path: Path) -> None:
    """A mean that never falls is another method: with 1 for alpha, nothing would tell it from RMSprop's."""
    net: Net = drawn([2, 2, 1], 3).with_optimizer("rmsprop")

    def kept(formula: str) -> str:
        return f"MAX({formula.split('*')[1].split('+')[0]},{formula})"

    report = slipped(net, tmp_path, net.states, kept, range(6, 17))
    assert errors(report) == []
    assert report.status == "undecided"
