"""Summaries of losses, numbers that many formulas share, and mends that would go round in a circle."""

from __future__ import annotations

from pathlib import Path

from tests.workbook.graph.small import Cells, errors, judged, momentum, write

from tinyproof.check.workbook.graph.edits import filled_into
from tinyproof.check.workbook.graph.found_training import Study
from tinyproof.check.workbook.graph.judged import judged as judged_graph
from tinyproof.check.workbook.graph.odd_cells import wrong_after
from tinyproof.check.workbook.graph.sheetgraph import read_graph
from tinyproof.check.workbook.graph.suspects import Suspects
from tinyproof.check.workbook.read.open_book import open_book
from tinyproof.check.workbook.understand.grid import Grid, Place


def studied(path: Path) -> tuple[Study, Suspects]:
    answer = judged_graph(read_graph(Grid(open_book(path))))
    assert answer is not None
    return answer


def test_a_mend_that_reads_itself_is_none(tmp_path: Path) -> None:
    """The first row of a velocity, said as the rows below say it, would read the heading above it; with `$`, itself:
    what cannot be computed is not right."""
    cells = momentum() | {f"J{r}": f"=D{r}-M{r}" for r in range(9, 12)}
    cells |= {f"L{r}": f"=0.9*$L${r - 1}+0.1*F{r}" for r in range(5, 12)}
    found, suspects = studied(write(tmp_path / "a.xlsx", cells))
    graph = found.net.graph
    first, second = (graph.number[Place(0, row, 12)] for row in (4, 5))
    round_about = filled_into(graph, second, first)
    assert round_about is not None
    assert first in round_about.refs.values()
    assert suspects.wrong
    assert wrong_after(found, {first: round_about}, set(suspects.wrong), suspects) is None


def losses(last: str) -> Cells:
    """A logistic unit in blocks of three; `last` sums losses at the end."""
    cells: Cells = {"A1": 0.3, "B1": 0.5}
    for step in range(4):
        top = 4 + 5 * step
        for weight, start in (("D", 0.2), ("E", -0.4)):
            slope = f"$B$1*SUM({'HI'['DE'.index(weight)]}{top - 5}:{'HI'['DE'.index(weight)]}{top - 3})"
            cells[f"{weight}{top}"] = start if step == 0 else f"={weight}{top - 5}-{slope}"
        for row, (x, y) in enumerate(((0.4, 1.0), (1.2, 0.0), (-0.7, 1.0)), start=top):
            cells |= {f"A{row}": x, f"B{row}": y, f"F{row}": f"=1/(1+EXP(-(D${top}*A{row}+E${top})))"}
            cells |= {f"G{row}": f"=F{row}-B{row}", f"H{row}": f"=G{row}*A{row}", f"I{row}": f"=G{row}"}
            cells[f"J{row}"] = f"=-(B{row}*LN(F{row})+(1-B{row})*LN(1-F{row}))"
        cells[f"J{top + 3}"] = f"=SUM(J{top}:J{top + 2})"
    return cells | {"L1": last}


def test_an_average_of_a_whole_column_leaves_nothing_out(tmp_path: Path) -> None:
    report = judged(tmp_path, losses("=AVERAGE(J4:J17)"))
    assert report.status == "right", (report.problem, errors(report))


def test_a_sum_that_stops_before_the_last_loss_is_in_doubt(tmp_path: Path) -> None:
    report = judged(tmp_path, losses("=SUM(J4:J5)") | {"J7": "=AVERAGE(J4:J5)"})
    assert (report.status, errors(report)) == ("undecided", [])
