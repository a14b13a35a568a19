"""Mistakes of the forward pass are named there, and not where the way back seems to be wrong because of them."""

from __future__ import annotations

from pathlib import Path

from tests.workbook.graph.small import Cells, blocks, errors, judged


def two_layers(rows: int = 6) -> Cells:
    """Two inputs, two sigmoid units, one linear output, without biases; one example a row, the next row goes on."""
    cells: Cells = {"A1": "rate", "B1": 0.2}
    heads = ["x1", "x2", "t", "w1", "w2", "w3", "w4", "v1", "v2", "z1", "z2", "a1", "a2", "y", "e", "d1", "d2"]
    cells |= {f"{chr(65 + i)}2": head for i, head in enumerate(heads)}
    for i in range(rows):
        r, b = 3 + i, 2 + i
        cells |= {f"A{r}": 0.3 + 0.21 * i, f"B{r}": 0.9 - 0.17 * i, f"C{r}": 0.5 - 0.3 * (i % 2)}
        slopes = {"D": f"P{b}*A{b}", "E": f"P{b}*B{b}", "F": f"Q{b}*A{b}", "G": f"Q{b}*B{b}", "H": f"O{b}*L{b}"}
        slopes["I"] = f"O{b}*M{b}"
        for col, start in zip("DEFGHI", (0.3, -0.5, 0.7, 0.2, -0.4, 0.6), strict=True):
            cells[f"{col}{r}"] = start if i == 0 else f"={col}{b}-$B$1*{slopes[col]}"
        cells |= {f"J{r}": f"=D{r}*A{r}+E{r}*B{r}", f"K{r}": f"=F{r}*A{r}+G{r}*B{r}"}
        cells |= {f"L{r}": f"=1/(1+EXP(-J{r}))", f"M{r}": f"=1/(1+EXP(-K{r}))", f"N{r}": f"=H{r}*L{r}+I{r}*M{r}"}
        cells |= {f"O{r}": f"=N{r}-C{r}", f"P{r}": f"=O{r}*H{r}*L{r}*(1-L{r})", f"Q{r}": f"=O{r}*I{r}*M{r}*(1-M{r})"}
    return cells


def test_two_layers_are_right(tmp_path: Path) -> None:
    report = judged(tmp_path, two_layers())
    assert report.status == "right", report.problem


def test_a_weight_that_is_used_twice_is_named_in_the_sum(tmp_path: Path) -> None:
    report = judged(tmp_path, two_layers() | {f"N{r}": f"=H{r}*L{r}+H{r}*M{r}" for r in range(3, 9)})
    assert (report.status, errors(report)) == ("wrong", ["N3:N8"])
    assert [finding.fix for finding in report.findings] == ["=H3*L3+I3*M3"]


def test_an_input_that_is_used_twice_is_named_in_the_sum(tmp_path: Path) -> None:
    report = judged(tmp_path, two_layers() | {f"K{r}": f"=F{r}*A{r}+G{r}*A{r}" for r in range(3, 9)})
    assert (report.status, errors(report)) == ("wrong", ["K3:K8"])


def test_a_slip_of_the_way_back_is_named_there(tmp_path: Path) -> None:
    """A delta with the weight of the other unit: several changes are wrong by it, and no sum is."""
    report = judged(tmp_path, two_layers() | {f"Q{r}": f"=O{r}*H{r}*M{r}*(1-M{r})" for r in range(3, 9)})
    assert (report.status, errors(report)) == ("wrong", ["Q3:Q7"])


def test_a_lost_slope_is_no_other_activation(tmp_path: Path) -> None:
    report = judged(tmp_path, two_layers() | {f"Q{r}": f"=O{r}*I{r}" for r in range(3, 9)})
    assert (report.status, errors(report)) == ("wrong", ["Q3:Q7"])


def test_a_gradient_with_the_input_of_another_weight_is_named_there(tmp_path: Path) -> None:
    report = judged(tmp_path, two_layers() | {f"G{r}": f"=G{r - 1}-$B$1*Q{r - 1}*A{r - 1}" for r in range(4, 9)})
    assert (report.status, errors(report)) == ("wrong", ["G4:G8"])


def one_step(output: str, factor: str) -> Cells:
    """One step in a row: three sigmoid units, an output that weighs them; only its weights are moved."""
    cells: Cells = {"A3": 0.4, "B3": -0.7, "P3": 0.3, "Y3": 0.2}
    cells |= {f"{column}3": w for column, w in zip("CDEFGH", (0.2, -0.4, 0.65, 0.15, -0.3, 0.5), strict=True)}
    for number, (column, w) in enumerate(zip("IJK", (0.25, -0.35, 0.45), strict=True)):
        net, unit = "LMN"[number], "QRS"[number]
        cells |= {f"{column}3": w, f"{net}3": f"=A3*{'CDE'[number]}3+B3*{'FGH'[number]}3"}
        cells |= {f"{unit}3": f"=1/(1+EXP(-{net}3))"}
        own = net if factor == "sums" else unit
        cells |= {f"{column}5": f"={column}3+$Y$3*W3*{own}3"}
    weighed = "LMN" if output == "sums" else "QRS"
    cells |= {"T3": "=" + "+".join(f"{h}3*{w}3" for h, w in zip(weighed, "IJK", strict=True))}
    return cells | {"U3": "=1/(1+EXP(-T3))", "V3": "=P3-U3", "W3": "=V3*U3*(1-U3)"}


def test_an_output_that_weighs_sums_is_named_where_the_changes_take_the_activations(tmp_path: Path) -> None:
    assert judged(tmp_path, one_step("units", "units")).status == "right"
    assert judged(tmp_path, one_step("sums", "sums")).status == "right"  # the units are only for show
    report = judged(tmp_path, one_step("sums", "units"))
    assert (report.status, errors(report)) == ("wrong", ["T3"])
    assert report.findings[0].fix == "=SUMPRODUCT(Q3:S3,I3:K3)"


def test_changes_that_take_the_sums_are_not_mended_by_the_output(tmp_path: Path) -> None:
    report = judged(tmp_path, one_step("units", "sums"))
    assert "T3" not in errors(report)
    assert report.status != "right"


def with_loss(cells: Cells, rows: range = range(3, 9)) -> Cells:
    """The same with its loss shown, which no change reads."""
    return {f"R{r}": f"=(N{r}-C{r})^2/2" for r in rows} | cells


def test_a_sum_is_named_where_the_loss_is_shown_too(tmp_path: Path) -> None:
    assert judged(tmp_path, with_loss(two_layers())).status == "right"
    for wrong, place in (("=H{r}*L{r}+H{r}*M{r}", "N"), ("=F{r}*A{r}+G{r}*A{r}", "K")):
        report = judged(tmp_path, with_loss(two_layers()) | {f"{place}{r}": wrong.format(r=r) for r in range(3, 9)})
        assert (report.status, errors(report)) == ("wrong", [f"{place}3:{place}8"])


def test_a_gradient_is_named_where_the_loss_is_shown_too(tmp_path: Path) -> None:
    slip = {f"G{r}": f"=G{r - 1}-$B$1*Q{r - 1}*A{r - 1}" for r in range(4, 9)}
    report = judged(tmp_path, with_loss(two_layers()) | slip)
    assert (report.status, errors(report)) == ("wrong", ["G4:G8"])


def test_an_input_that_is_used_twice_is_named_in_every_example_of_every_step(tmp_path: Path) -> None:
    """One parameter is wrong by it, as by a slip of its gradient; but no right sum reads an input twice."""
    cells = blocks()
    twice = {p: held.replace("B", "A") for p, held in cells.items() if isinstance(held, str) and p.startswith("G")}
    report = judged(tmp_path, cells | twice)
    assert (report.status, errors(report)) == ("wrong", ["G4:G7, G10:G13, G16:G19, G22:G25"])
    assert report.findings[0].fix == "=A4*$D$4+B4*$E$4+$F$4"
    slip = judged(tmp_path, blocks(factor="A"))
    assert (slip.status, errors(slip)) == ("wrong", ["E10, E16, E22"])


def test_one_odd_sum_is_named_although_an_update_goes_on_from_what_only_it_reads(tmp_path: Path) -> None:
    report = judged(tmp_path, with_loss(two_layers()) | {"K7": "=F7*A7+G7*A7"})
    assert (report.status, errors(report)) == ("wrong", ["K7"])


def test_a_slope_as_a_number_less_its_square_is_no_update(tmp_path: Path) -> None:
    cells: Cells = {"A1": 0.4, "A2": 0.7, "A3": -0.6, "A4": 0.3, "A5": 0.2, "B1": "=1/(1+EXP(-A1*A2))", "B2": "=B1*A3"}
    cells |= {"B3": "=B2-A4", "B4": "=B1-B1^2", "B5": "=B3*A3", "B6": "=B5*B4", "B7": "=B3*B1", "B8": "=B6*A1"}
    cells |= {"C2": "=A2-A5*B8", "C3": "=A3-A5*B7"}
    report = judged(tmp_path, cells)
    assert report.status == "right", report.problem
