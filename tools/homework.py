"""Write the example that the documentation audits: a hand-made sheet with the commonest mistake in it.

    python tools/homework.py homework.xlsx [--right]

31 columns, one row per iteration, as such sheets are made by hand. dE/dw3 and dE/dw4 pass through a_h1 where the chain
rule wants a_h2 (with --right they do not); every cell holds the value that its formula gives.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path

import xlsxwriter

WORDS = "t1 t2 i1 i2 w1 w2 w3 w4 h1 a_h1 h2 a_h2 w5 w6 w7 w8 o1 a_o1 o2 a_o2 E1 E2 E_total"
HEADINGS = [*WORDS.split(), *(f"∂E/∂w{n}" for n in range(1, 9))]
GIVEN = {"t1": 0.5, "t2": 0.5, "i1": 0.05, "i2": 0.1}
GIVEN |= {f"w{n}": (10 + 5 * n) / 100 for n in range(1, 5)} | {f"w{n}": (15 + 5 * n) / 100 for n in range(5, 9)}
LETTERS = [chr(65 + k) if k < 26 else "A" + chr(65 + k - 26) for k in range(len(HEADINGS))]
COLUMN = dict(zip(HEADINGS, LETTERS, strict=True))


def formulas(right: bool) -> dict[str, str]:
    """Every computed column in the textbook's names."""
    through = {name: f"(a_o{n}-t{n})*a_o{n}*(1-a_o{n})" for n, name in ((1, "first"), (2, "second"))}
    passed = "a_h2*(1-a_h2)" if right else "a_h1*(1-a_h1)"
    back = [f"({through['first']}*w{a}+{through['second']}*w{b})" for a, b in ((5, 7), (6, 8))]
    return {
        "h1": "w1*i1+w2*i2",
        "a_h1": "1/(1+EXP(-h1))",
        "h2": "w3*i1+w4*i2",
        "a_h2": "1/(1+EXP(-h2))",
        "o1": "w5*a_h1+w6*a_h2",
        "a_o1": "1/(1+EXP(-o1))",
        "o2": "w7*a_h1+w8*a_h2",
        "a_o2": "1/(1+EXP(-o2))",
        "E1": "0.5*(t1-a_o1)^2",
        "E2": "0.5*(t2-a_o2)^2",
        "E_total": "E1+E2",
        "∂E/∂w1": f"{back[0]}*a_h1*(1-a_h1)*i1",
        "∂E/∂w2": f"{back[0]}*a_h1*(1-a_h1)*i2",
        "∂E/∂w3": f"{back[1]}*{passed}*i1",
        "∂E/∂w4": f"{back[1]}*{passed}*i2",
        "∂E/∂w5": f"{through['first']}*a_h1",
        "∂E/∂w6": f"{through['first']}*a_h2",
        "∂E/∂w7": f"{through['second']}*a_h1",
        "∂E/∂w8": f"{through['second']}*a_h2",
    }


def in_cells(formula: str, row: int) -> str:
    """A formula in names as one in cells of `row` (counted from 1)."""
    for name in sorted(GIVEN.keys() | {n for n in HEADINGS if n[0] in "aho"}, key=len, reverse=True):
        formula = formula.replace(name, f"{COLUMN[name]}{row}" if name in COLUMN else name)
    return formula.replace("E1+E2", f"{COLUMN['E1']}{row}+{COLUMN['E2']}{row}")


def value(formula: str, known: dict[str, float]) -> float:
    """What one of the formulas above gives."""
    python = formula.replace("^", "**").replace("EXP", "exp")
    return float(eval(python, {"exp": math.exp, "__builtins__": {}}, known))  # noqa: S307 (our own formulas)


def write(path: Path, right: bool, iterations: int = 60, rate: float = 0.5) -> None:
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("LR=0.5")
        sheet.write_row(0, 6, ["η =", rate])
        sheet.write_row(2, 0, HEADINGS)
        known = dict(GIVEN)
        for k in range(iterations):
            row = 4 + k
            for name in ("t1", "t2", "i1", "i2"):
                sheet.write_number(f"{COLUMN[name]}{row}", known[name])
            for n in range(1, 9):
                cell, gradient = f"{COLUMN[f'w{n}']}{row}", COLUMN[f"∂E/∂w{n}"]
                if k == 0:
                    sheet.write_number(cell, known[f"w{n}"])
                else:
                    known[f"w{n}"] -= rate * known[f"∂E/∂w{n}"]
                    above = f"{COLUMN[f'w{n}']}{row - 1}"
                    sheet.write_formula(cell, f"={above}-$H$1*{gradient}{row - 1}", value=known[f"w{n}"])
            for name, formula in formulas(right).items():
                known[name] = value(formula, known)
                sheet.write_formula(f"{COLUMN[name]}{row}", "=" + in_cells(formula, row), value=known[name])
        chart = book.add_chart({"type": "line"})
        losses = f"='LR=0.5'!${COLUMN['E_total']}$4:${COLUMN['E_total']}${3 + iterations}"
        chart.add_series({"name": "E_total", "values": losses})
        sheet.insert_chart(f"A{6 + iterations}", chart)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("path", type=Path)
    parser.add_argument("--right", action="store_true", help="without the mistake")
    asked = parser.parse_args()
    write(asked.path, asked.right)
    print(f"written: {asked.path}" + ("" if asked.right else ", with a_h1 where a_h2 belongs in two columns"))


if __name__ == "__main__":
    main()
