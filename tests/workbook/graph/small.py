"""Small workbooks that learn, as cells; each written to a file and judged."""

from __future__ import annotations

from pathlib import Path

import xlsxwriter

from tinyproof.check.finding import FileReport
from tinyproof.check.workbook import audit_workbook

Cells = dict[str, float | str]


def write(path: Path, *sheets: Cells, names: tuple[str, ...] = ()) -> Path:
    """A workbook of these sheets; a text that begins with `{=` is an array formula, its key a range."""
    book = xlsxwriter.Workbook(str(path))
    for number, cells in enumerate(sheets):
        sheet = book.add_worksheet(names[number] if names else f"S{number + 1}")
        for place, held in cells.items():
            if isinstance(held, str) and held.startswith("{="):
                sheet.write_array_formula(place, held)
            elif isinstance(held, str) and held.startswith("="):
                sheet.write_formula(place, held)
            else:
                sheet.write(place, held)
    book.close()
    return path


def judged(folder: Path, *sheets: Cells) -> FileReport:
    return audit_workbook(write(folder / "small.xlsx", *sheets))


def errors(report: FileReport) -> list[str]:
    """The cells that are called wrong."""
    return [finding.place.cells for finding in report.findings if finding.severity == "error"]  # type: ignore[union-attr]


def line(slope: str = "2*(E{r}-B{r})*A{r}", rows: int = 8, rate: str = "$H$1") -> Cells:
    """A line through points, one point a step: the new weights stand in columns that the next row copies."""
    cells: Cells = {"G1": "rate", "H1": 0.02, "C1": 0.3, "D1": -0.4}
    cells |= {
        "A3": "x",
        "B3": "y",
        "C3": "m",
        "D3": "b",
        "E3": "guess",
        "F3": "dm",
        "G3": "db",
        "I3": "next m",
        "J3": "next b",
    }
    for i in range(rows):
        r = 4 + i
        cells |= {f"A{r}": 0.5 + 0.37 * i, f"B{r}": 1.1 - 0.23 * i}
        cells |= {f"C{r}": "=C1" if i == 0 else f"=I{r - 1}", f"D{r}": "=D1" if i == 0 else f"=J{r - 1}"}
        cells |= {f"E{r}": f"=C{r}*A{r}+D{r}", f"F{r}": "=" + slope.format(r=r), f"G{r}": f"=2*(E{r}-B{r})"}
        cells |= {f"I{r}": f"=C{r}-{rate}*F{r}", f"J{r}": f"=D{r}-{rate}*G{r}"}
    return cells


def momentum() -> Cells:
    """The same line with a velocity for each weight."""
    cells = line()
    for r in range(4, 12):
        for velocity, slope, weight, new in (("L", "F", "C", "I"), ("M", "G", "D", "J")):
            carried = f"0.9*{velocity}{r - 1}+" if r > 4 else ""
            cells |= {f"{velocity}{r}": f"={carried}0.1*{slope}{r}", f"{new}{r}": f"={weight}{r}-$H$1*{velocity}{r}"}
    return cells


def blocks(bias: str = "SUM", factor: str = "B") -> Cells:
    """A logistic unit, a block of four examples a step downwards; the weights stand once a block."""
    cells: Cells = {"A1": "rate", "B1": 0.4}
    for step in range(4):
        top = 4 + 6 * step
        new = {"D": 0.2, "E": -0.5, "F": 0.1}
        for weight, start in new.items():
            before = top - 6
            grad = {"D": f"SUMPRODUCT(A{before}:A{before + 3},I{before}:I{before + 3})"}
            grad["E"] = f"SUMPRODUCT({factor}{before}:{factor}{before + 3},I{before}:I{before + 3})"
            grad["F"] = f"{bias}(I{before}:I{before + 3})"
            cells[f"{weight}{top}"] = start if step == 0 else f"={weight}{before}-$B$1*{grad[weight]}"
        for i, (x, z, t) in enumerate([(0.3, -0.7, 1), (-1.2, 0.4, 0), (0.9, 1.1, 1), (0.1, 0.6, 0)]):
            r = top + i
            cells |= {f"A{r}": x, f"B{r}": z, f"C{r}": t, f"G{r}": f"=A{r}*$D${top}+B{r}*$E${top}+$F${top}"}
            cells |= {f"H{r}": f"=1/(1+EXP(-G{r}))", f"I{r}": f"=H{r}-C{r}"}
    return cells


def perceptron(second: str = "B", sign: str = "+") -> Cells:
    """A threshold unit and its own rule, one example a row."""
    cells: Cells = {"K1": "rate", "K2": 0.1, "A1": "p", "B1": "q", "C1": "goal", "D1": "w p", "E1": "w q", "F1": "bias"}
    for i in range(12):
        r = 2 + i
        cells |= {f"A{r}": [0.5, -1, 0.25, 1][i % 4], f"B{r}": [1, 0.5, -0.75, -1][i % 4], f"C{r}": [1, 0, 0, 1][i % 4]}
        if i == 0:
            cells |= {"D2": 0, "E2": 0, "F2": 0}
        else:
            b = r - 1
            for weight, with_what in (("D", f"*A{b}"), ("E", f"*{second}{b}"), ("F", "")):
                cells[f"{weight}{r}"] = f"={weight}{b}{sign}$K$2*(H{b}{with_what})"
        cells |= {f"G{r}": f"=IF(A{r}*D{r}+B{r}*E{r}+F{r}>0,1,0)", f"H{r}": f"=C{r}-G{r}"}
    return cells


def matrices(gate: bool = True) -> Cells:
    """Two layers as matrices, three steps downwards: ReLU, then a linear output; four examples in rows."""
    cells: Cells = {"A1": "rate", "B1": 0.05}
    for i in range(4):
        cells |= {f"A{3 + i}": 0.4 * i - 0.7, f"B{3 + i}": 0.9 - 0.5 * i, f"C{3 + i}": 0.3 * i * i - 0.6}
    for step in range(4):
        t = 10 + 20 * step
        w1, w2, z, a = f"A{t}:C{t + 1}", f"E{t}:E{t + 2}", f"G{t}:I{t + 3}", f"K{t}:M{t + 3}"
        y, d, e, g2, g1 = f"O{t}:O{t + 3}", f"Q{t}:Q{t + 3}", f"S{t}:U{t + 3}", f"W{t}:W{t + 2}", f"Y{t}:AA{t + 1}"
        if step == 0:
            first = {"A10": 0.3, "B10": -0.6, "C10": 0.8, "A11": 0.5, "B11": 0.2, "C11": -0.4}
            for place, number in (first | {"E10": 0.7, "E11": -0.3, "E12": 0.6}).items():
                cells[place] = number
        else:
            b = t - 20
            cells[w1] = f"{{=A{b}:C{b + 1}-$B$1*Y{b}:AA{b + 1}}}"
            cells[w2] = f"{{=E{b}:E{b + 2}-$B$1*W{b}:W{b + 2}}}"
        back = f"MMULT({d},TRANSPOSE({w2}))"
        cells |= {
            z: f"{{=MMULT($A$3:$B$6,{w1})}}",
            a: f"{{=IF({z}>0,{z},0)}}",
            y: f"{{=MMULT({a},{w2})}}",
            d: f"{{={y}-$C$3:$C$6}}",
        }
        cells |= {e: f"{{={back}*IF({z}>0,1,0)}}" if gate else f"{{={back}}}"}
        cells |= {g2: f"{{=MMULT(TRANSPOSE({a}),{d})}}", g1: f"{{=MMULT(TRANSPOSE($A$3:$B$6),{e})}}"}
    return cells


def sheets(blamed: str = "B9") -> tuple[Cells, ...]:
    """One step a sheet, downwards: a unit with two inputs; the next sheet copies the new weights."""
    found = []
    for step in range(3):
        cells: Cells = {
            "A1": "rate",
            "B1": 0.3,
            "A2": "in 1",
            "B2": 0.6,
            "A3": "in 2",
            "B3": -0.8,
            "A4": "goal",
            "B4": 0.25,
        }
        before = f"=S{step}!"
        cells |= {
            "A5": "w1",
            "B5": 0.4 if step == 0 else f"{before}B12",
            "A6": "w2",
            "B6": 0.1 if step == 0 else f"{before}B13",
        }
        cells |= {
            "A7": "net",
            "B7": "=B5*B2+B6*B3",
            "A8": "out",
            "B8": "=TANH(B7)",
            "A9": "delta",
            "B9": "=(B8-B4)*(1-B8^2)",
        }
        cells |= {"A10": "d1", "B10": "=B9*B2", "A11": "d2", "B11": "=B9*B3", "B12": "=B5-B1*B10", "B13": "=B6-B1*B11"}
        if blamed == "B11":
            cells["B11"] = "=B9*B2"
        found.append(cells)
    return tuple(found)


def misread(rule: str = "{w}+$M$1*C{b}*{x}", level: str = "IF(G{r}<-$M$2,-1,IF(G{r}>$M$2,1,0))") -> Cells:
    """A threshold unit with three answers; what is misread moves by its target, the rest stays; a column counts."""
    cells: Cells = {"M1": 0.5, "M2": 0.2, "A1": "p", "B1": "q", "C1": "goal", "D1": "w p", "E1": "w q", "F1": "bias"}
    for i in range(12):
        r, b = 2 + i, 1 + i
        cells |= {f"A{r}": [1, 1, -1, -1][i % 4], f"B{r}": [1, -1, 1, -1][i % 4], f"C{r}": [1, -1, -1, -1][i % 4]}
        for weight, x in (("D", f"A{b}"), ("E", f"B{b}"), ("F", "1")):
            moved = rule.format(w=f"{weight}{b}", b=b, x=x)
            cells[f"{weight}{r}"] = 0 if i == 0 else f"=IF($H{b}<>$C{b},{moved},{weight}{b})"
        cells |= {f"G{r}": f"=A{r}*D{r}+B{r}*E{r}+F{r}", f"H{r}": "=" + level.format(r=r)}
        cells |= {f"I{r}": f"=IF($D$13*A{r}+$E$13*B{r}+$F$13>0,1,-1)=C{r}"}
    return cells


def looked_up(wrong: str = "") -> Cells:
    """A line, a block of three points a step; what a step reads is found by its row number."""
    cells: Cells = {"A1": "rate", "B1": 0.05}
    block = "3+INT((ROW()-3)/5)*5"
    for step in range(6):
        top = 3 + 5 * step
        for weight, sums, start in (("D", "H", 0.4), ("E", "I", -0.2)):
            found = f"=INDEX({weight}:{weight},{block}-5)-$B$1*INDEX({sums}:{sums},QUOTIENT(ROW(),5)*5+1)"
            cells[f"{weight}{top}"] = start if step == 0 else found
        for i in range(3):
            r = top + i
            cells |= {f"A{r}": 0.31 + 0.4 * i, f"B{r}": 1.27 - 0.5 * i}
            cells[f"F{r}"] = f"=INDEX(D:D,{block})*A{r}+INDEX($E:$E,{block},1)"
            cells |= {f"G{r}": f"=F{r}-INDEX(B$1:B$40,ROW(B{r}))", f"H{r}": f"=G{r}*A{r}", f"I{r}": f"=G{r}"}
        cells |= {f"H{top + 3}": f"=SUM(H{top}:H{top + 2})", f"I{top + 3}": f"=SUM(I{top}:I{top + 2})"}
    if wrong:
        cells[wrong] = str(cells[wrong]).replace("A", "B")
    return cells
