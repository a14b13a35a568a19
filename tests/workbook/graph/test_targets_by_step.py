"""The same output of the same inputs, held against other targets in some steps."""

from __future__ import annotations

from pathlib import Path

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
