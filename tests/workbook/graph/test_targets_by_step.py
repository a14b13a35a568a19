"""The same output of the same inputs, held against other targets in some steps."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.workbook.graph.small import Cells, blocks, errors, judged


def held_against(*others: tuple[int, int, int]) -> Cells:
    """A unit over four examples that stand once, a block a step; in a step an example has the target of another."""
    cells: Cells = {}
    for place, held in blocks().items():
        again = place[0] in "ABC" and int(place[1:]) > 9
        cells[place] = f"={place[0]}{int(place[1:]) - 6}" if again else held
    cells |= {f"C{4 + i}": target for i, target in enumerate((0.9, 0.2, 0.7, 0.4))}
    for step, i, other in others:
        row = 4 + 6 * step + i
        assert f"I{row}" in cells
        cells[f"I{row}"] = f"=H{row}-$C${4 + other}"
    return cells


def test_a_target_of_its_own_in_every_step_is_right(tmp_path: Path) -> None:
    assert judged(tmp_path, held_against()).status == "right"


def test_targets_that_two_examples_share_in_the_last_steps_are_named(tmp_path: Path) -> None:
    report = judged(tmp_path, held_against((2, 1, 2), (3, 1, 2)))
    assert errors(report) == ["I17, I23"]


def test_exchanged_targets_in_half_of_the_steps_are_undecided(tmp_path: Path) -> None:
    """Either half may be meant."""
    exchanged = [(step, i, other) for step in (2, 3) for i, other in ((1, 2), (2, 1))]
    report = judged(tmp_path, held_against(*exchanged))
    assert report.status == "undecided"


def one_unit(target: str, inputs: bool = True) -> Cells:
    """A unit of the same inputs in every step, or a number that is moved towards what is seen."""
    cells: Cells = {"A1": "rate", "B1": 0.2, "A2": "x", "B2": 0.7, "D1": "first", "E1": 0.9, "D2": "then", "E2": 0.2}
    cells |= {f"{c}4": text for c, text in zip("ABCDEF", ("step", "seen", "w", "b", "out", "error"), strict=True)}
    for i in range(9):
        r, p = 5 + i, 4 + i
        seen = target.format(r=r, which=1 + i // 5)
        cells |= {f"A{r}": i, f"B{r}": seen if seen else 0.9 - 0.07 * i * i, f"F{r}": f"=E{r}-B{r}"}
        cells |= {f"C{r}": f"=C{p}-$B$1*F{p}" + "*$B$2" * inputs if i else 0.3}
        cells |= {f"D{r}": f"=D{p}-$B$1*F{p}" if i else -0.1, f"E{r}": f"=C{r}*$B$2+D{r}" if inputs else f"=C{r}"}
        if not inputs:
            del cells[f"D{r}"]
    return cells


@pytest.mark.parametrize("target", ["", "=$E${which}", "=$E$1*(1-0.5^A{r})"])
@pytest.mark.parametrize("inputs", [True, False])
def test_a_target_that_is_followed_from_step_to_step_is_right(target: str, inputs: bool, tmp_path: Path) -> None:
    report = judged(tmp_path, one_unit(target, inputs))
    assert (report.status, errors(report)) == ("right", []), report.problem


def test_an_input_in_place_of_the_target_in_half_of_the_steps_is_undecided(tmp_path: Path) -> None:
    cells = one_unit("=$E$1") | {f"F{r}": f"=E{r}-$B$2" for r in range(9, 14)}
    assert judged(tmp_path, cells).status == "undecided"
