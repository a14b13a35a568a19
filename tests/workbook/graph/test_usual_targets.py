"""Outputs that are held against a target of another example, while their own is read by nothing."""

from __future__ import annotations

from pathlib import Path

from tests.workbook.graph.small import Cells, blocks, errors, judged


def held(rows: dict[int, int]) -> Cells:
    """The blocks of a logistic unit; `rows`: cells of the error column -> the row of the target that they read."""
    return blocks() | {f"I{r}": f"=H{r}-C{t}" for r, t in rows.items()}


def test_targets_of_other_examples_in_later_steps_are_named(tmp_path: Path) -> None:
    steps = (10, 16, 22)  # the first says how it is meant
    report = judged(tmp_path, held({top + i: top + t for top in steps for i, t in ((0, 2), (1, 2))}))
    assert (report.status, errors(report)) == ("wrong", ["I10:I11, I16:I17, I22:I23"])
    assert report.findings[0].fix == "=H10-C10"


def test_the_mend_makes_it_right(tmp_path: Path) -> None:
    assert judged(tmp_path, held({10: 10, 11: 11})).status == "right"


def test_targets_that_all_stand_alike_are_right(tmp_path: Path) -> None:
    cells = blocks()
    for top in (4, 10, 16, 22):  # two examples exchanged, in every step
        cells |= {f"I{top}": f"=H{top}-C{top + 2}", f"I{top + 2}": f"=H{top + 2}-C{top}"}
    assert judged(tmp_path, cells).status == "right"


def test_targets_that_stand_once_for_all_steps_are_right(tmp_path: Path) -> None:
    rows = {top + i: 4 + i for top in (10, 16, 22) for i in range(4)}
    cells = held(rows)
    for top in (10, 16, 22):
        for i in range(4):
            del cells[f"C{top + i}"]
    assert judged(tmp_path, cells).status == "right"


def test_a_target_that_two_outputs_share_by_choice_accuses_nobody(tmp_path: Path) -> None:
    rows = {top + i: 4 for top in (4, 10, 16, 22) for i in range(4)}
    assert errors(judged(tmp_path, held(rows))) == []
