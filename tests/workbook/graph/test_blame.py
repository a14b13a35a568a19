"""The cell that is wrong is named: not what it reads, nor what reads it, nor a copy before or after it."""

from __future__ import annotations

from pathlib import Path

from tests.workbook.graph.small import Cells, errors, judged


def two_units(rows: int = 6) -> Cells:
    """Two sigmoid units one after the other, everything in cells of its own: error, delta, gradient, step, new."""
    cells: Cells = {"A1": "rate", "B1": 0.3, "A2": "x", "B2": 0.8, "A3": "goal", "B3": 0.35}
    heads = ["v", "c", "w", "b", "net", "hidden", "sum", "out", "gap", "delta o", "back", "delta h"]
    heads += ["dv", "dc", "dw", "db", "step v", "step c", "step w", "step b"]
    for column, head in zip("CDEFGHIJKLMNOPQRSTUV", heads, strict=True):
        cells[f"{column}5"] = head
    for i in range(rows):
        r, b = 6 + i, 5 + i
        for weight, by, start in (("C", "S", 0.5), ("D", "T", -0.1), ("E", "U", 0.7), ("F", "V", 0.2)):
            cells[f"{weight}{r}"] = start if i == 0 else f"={weight}{b}-{by}{b}"
        cells |= {f"G{r}": f"=C{r}*$B$2+D{r}", f"H{r}": f"=1/(1+EXP(-G{r}))"}
        cells |= {f"I{r}": f"=E{r}*H{r}+F{r}", f"J{r}": f"=1/(1+EXP(-I{r}))", f"K{r}": f"=J{r}-$B$3"}
        cells |= {f"L{r}": f"=K{r}*J{r}*(1-J{r})", f"M{r}": f"=L{r}*E{r}", f"N{r}": f"=M{r}*H{r}*(1-H{r})"}
        cells |= {f"O{r}": f"=N{r}*$B$2", f"P{r}": f"=N{r}", f"Q{r}": f"=L{r}*H{r}", f"R{r}": f"=L{r}"}
        cells |= {f"{step}{r}": f"=$B$1*{slope}{r}" for step, slope in zip("STUV", "OPQR", strict=True)}
    return cells


def columns(cells: list[str]) -> set[str]:
    """The columns that are named."""
    return {letter for place in cells for letter in place if letter.isalpha()}


def all_rows(column: str, text: str) -> Cells:
    return {f"{column}{r}": text.format(r=r) for r in range(6, 12)}


def named(folder: Path, changed: Cells) -> set[str]:
    report = judged(folder, two_units() | changed)
    assert report.status == "wrong", report.problem
    return columns(errors(report))


def test_as_it_is_it_is_right(tmp_path: Path) -> None:
    report = judged(tmp_path, two_units())
    assert report.status == "right", (report.problem, errors(report))


def test_a_lost_rate_is_the_steps_affair_not_the_gradients(tmp_path: Path) -> None:
    assert named(tmp_path, all_rows("U", "=Q{r}")) == {"U"}


def test_a_lost_slope_is_named_where_the_error_was_only_copied(tmp_path: Path) -> None:
    assert named(tmp_path, all_rows("N", "=M{r}")) == {"N"}


def test_a_derivative_of_another_unit_is_named_where_it_is_taken(tmp_path: Path) -> None:
    assert named(tmp_path, all_rows("R", "=N{r}")) == {"R"}


def examples(rows: int = 4, steps: int = 4) -> Cells:
    """A plane through points, a block a step: products beside each example, summed up below the block."""
    cells: Cells = {"A1": "rate", "B1": 0.05}
    for step in range(steps):
        top = 4 + 8 * step
        for weight, product, start in (("D", "H", 0.2), ("E", "I", -0.5)):
            before = f"={weight}{top - 8}-$B$1*{product}{top - 4}"
            cells |= {f"{weight}{top}": start if step == 0 else before}
            cells[f"{product}{top + 4}"] = f"=SUM({product}{top}:{product}{top + 3})"
        for i in range(rows):
            r = top + i
            cells |= {f"A{r}": 0.4 * i - 0.5, f"B{r}": 0.9 - 0.7 * i * i / 3, f"C{r}": 0.3 + 0.2 * i}
            cells |= {f"F{r}": f"=A{r}*$D${top}+B{r}*$E${top}", f"G{r}": f"=F{r}-C{r}"}
            cells |= {f"H{r}": f"=G{r}*A{r}", f"I{r}": f"=G{r}*B{r}"}
    return cells


def test_products_with_the_other_input_are_named_not_their_sum(tmp_path: Path) -> None:
    assert judged(tmp_path, examples()).status == "right"
    changed = {
        f"I{4 + 8 * step + i}": f"=G{4 + 8 * step + i}*A{4 + 8 * step + i}" for step in range(4) for i in range(4)
    }
    report = judged(tmp_path, examples() | changed)
    assert report.status == "wrong", report.problem
    assert any("I4:I7" in cells for cells in errors(report)), errors(report)


def test_one_slip_in_a_descent_names_no_cell_of_another_step(tmp_path: Path) -> None:
    cells: Cells = {"A1": "rate", "B1": 0.05, "D3": 1.5, "D4": -0.5}
    for column, before in zip("DEFGHIJ", " DEFGHI", strict=True):
        if column != "D":
            cells |= {f"{column}3": f"={before}3-$B$1*{before}6", f"{column}4": f"={before}4-$B$1*{before}7"}
        cells[f"{column}5"] = f"=2*({column}3+2)^2+4*({column}4+1)^2+{column}3*{column}4"
        cells |= {f"{column}6": f"=4*({column}3+2)+1*{column}4", f"{column}7": f"=8*({column}4+1)+1*{column}3"}
    assert judged(tmp_path, cells).status == "right"
    report = judged(tmp_path, cells | {"H6": "=4*(H4+2)+1*H4"})
    assert report.status != "right"
    assert columns(errors(report)) <= {"H"}, errors(report)
