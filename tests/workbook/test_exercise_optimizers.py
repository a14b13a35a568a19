"""Exercises with an optimiser: its states are asked for with the weights, and judged like them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from tests.backprop.recalculate import differences, zeroed_and_recalculated
from tests.workbook.test_exercise import accused, handed_in

from tinyproof.backprop.exercise_book import PARTS, TOP, Asked, Exercise
from tinyproof.backprop.presets import preset
from tinyproof.backprop.sheet import letters
from tinyproof.backprop.xlsx import write_book
from tinyproof.check.workbook import audit_workbook

KINDS = ("momentum", "rmsprop", "adam")
ROWS = 45  # more than the cells that may stand one behind another


def of(kind: str, asked: Asked = "update", name: str = "course", rows: int = 8) -> Exercise:
    return Exercise(preset(name).with_rate(0.05).with_optimizer(kind), asked, rows)


@pytest.mark.parametrize("asked", PARTS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["course", "relu"])
def test_filled_in_rightly_it_is_right(name: str, kind: str, asked: Asked, tmp_path: Path) -> None:
    one = of(kind, asked, name)
    report = audit_workbook(handed_in(tmp_path / "a.xlsx", one))
    assert report.status == "right", report
    asks_states = asked in ("update", "all")
    assert all((name in one.empty_from) == asks_states for name in one.net.states)
    assert not any(finding.severity == "error" for finding in report.findings)


def test_what_blank_cells_make_of_the_rest_is_as_libreoffice_computes_it(libreoffice: str, tmp_path: Path) -> None:
    files = [write_book(of(kind, asked).book(), tmp_path / f"{kind}-{asked}.xlsx") for kind in KINDS for asked in PARTS]
    for ours, theirs in zip(files, zeroed_and_recalculated(libreoffice, files, tmp_path), strict=True):
        count, wrong = differences(ours, theirs)
        assert count > 32
        assert not wrong, (ours.name, wrong[:3])


def written(one: Exercise, name: str, formula: Callable[[int], str]) -> Callable[[openpyxl.Workbook], None]:
    def change(book: openpyxl.Workbook) -> None:
        for row in range(1, one.rows):
            book[one.sheet].cell(TOP + row + 1, one.column(name) + 1).value = formula(TOP + row + 1)

    return change


SLIPS: dict[str, tuple[str, str, Callable[[str], str]]] = {
    "a lost momentum": ("momentum", "m_w3", lambda formula: formula.replace("$B$3*", "")),
    "the square": ("rmsprop", "v_w3", lambda formula: formula.replace("^2", "")),
    "the root": ("adam", "w3", lambda formula: formula.replace("SQRT", "")),
    "the count": ("adam", "n", lambda formula: formula.replace("+1", "+2")),
}


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_is_named_in_its_column(slip: str, tmp_path: Path) -> None:
    kind, name, change = SLIPS[slip]
    one = of(kind)
    wrong = written(one, name, lambda row: "=" + change(one.formula(name, row - TOP - 1)))
    report = audit_workbook(handed_in(tmp_path / "a.xlsx", one, change=wrong))
    assert report.status == "wrong"
    assert accused(report) == {name}
    assert {finding.rule for finding in report.findings if finding.severity == "error"} == {"wrong-update"}


def test_a_right_formula_is_right_however_it_is_written(tmp_path: Path) -> None:
    """With the state's formula in place of the state, the names of the givens, and the iteration less 1 for n."""
    one = of("adam", rows=ROWS)
    at = {name: letters(one.column(name)) for name in one.trace.columns}

    def w3(row: int) -> str:
        m = f"(beta1*{at['m_w3']}{row - 1}+(1-beta1)*{at['dE/dw3']}{row - 1})"
        root = f"SQRT({at['v_w3']}{row}/(1-beta2^{at['n']}{row}))"
        return f"={at['w3']}{row - 1}-B2*{m}/(1-beta1^{at['n']}{row})/({root}+eps)".replace("B2", "$B$2")

    def change(book: openpyxl.Workbook) -> None:
        written(one, "w3", w3)(book)
        written(one, "n", lambda row: f"=A{row}-1")(book)

    report = audit_workbook(handed_in(tmp_path / "a.xlsx", one, change=change))
    assert not accused(report), report
    assert report.status == "right", report


@pytest.mark.parametrize("asked", PARTS)
def test_batches_in_turn_are_judged_too(asked: Asked, tmp_path: Path) -> None:
    one = Exercise(preset("xor").with_batch(2), asked, 8)
    report = audit_workbook(handed_in(tmp_path / "a.xlsx", one))
    assert report.status == "right", report
    if asked != "forward":
        return
    swapped = written(one, "h1[1]", lambda row: "=" + one.formula("h1[2]", row - TOP - 1))
    report = audit_workbook(handed_in(tmp_path / "b.xlsx", one, change=swapped))
    assert accused(report) == {"h1[1]"}
