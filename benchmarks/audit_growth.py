"""How the workbook audit grows with the sheet: seconds of processor and memory, over the number of formulas.

    python benchmarks/audit_growth.py                                    a table, up to 170,000 formulas
    python benchmarks/audit_growth.py --picture docs/images/growth.png   and its picture
    python benchmarks/audit_growth.py --sizes 300,3000

Three right layouts, and one of them with a wrong gradient (a mend is looked for, and tried). Each file is judged in a
process of its own; what Python itself takes to start is left out.
"""

from __future__ import annotations

import argparse
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from tests.workbook.sheets import Cells, Plan, make, write  # noqa: E402

SIZES = (300, 1_000, 3_000, 12_000, 40_000, 113_000, 170_000)
EXAMPLES = 8  # of a block


def in_rows(formulas: int) -> Cells:
    """The course's table: one row an iteration."""
    small = make(Plan(rows=3), random.Random(1))
    a_row = sum(str(held).startswith("=") for held in small.cells.values()) // 3
    return make(Plan(rows=max(3, formulas // a_row)), random.Random(1)).cells


def beside(formulas: int) -> Cells:
    """The new weights stand beside the old ones, and the next row copies them."""
    heads = ["x", "y", "slope", "offset", "guess", "error", "d slope", "d offset", "next slope", "next offset"]
    cells: Cells = {(1, 1): "step", (1, 2): 0.001, **{(3, col): head for col, head in enumerate(heads, 1)}}
    for row in range(4, 4 + max(3, formulas // 8)):
        cells |= {(row, 1): 0.3 + row % 7 / 5, (row, 2): 0.8 + row % 7 / 2}
        cells |= {(row, 3): f"=I{row - 1}", (row, 4): f"=J{row - 1}"} if row > 4 else {(4, 3): 0.2, (4, 4): 0.1}
        texts = ["C{r}*A{r}+D{r}", "(E{r}-B{r})^2", "2*(E{r}-B{r})*A{r}", "2*(E{r}-B{r})"]
        texts += ["C{r}-$B$1*G{r}", "D{r}-$B$1*H{r}"]
        cells |= {(row, 5 + k): "=" + text.format(r=row) for k, text in enumerate(texts)}
    return cells


def in_blocks(formulas: int, factor: str = "*A{r}") -> Cells:
    """A block of examples a step; the weights and the summed gradients stand on its first row."""
    cells: Cells = {(1, 1): "step", (1, 2): 0.01}
    for block in range(max(3, formulas // (EXAMPLES * 5 + 4))):
        top = 3 + block * (EXAMPLES + 1)
        rows = range(top, top + EXAMPLES)
        for row in rows:
            x = (row - top) / 4
            cells |= {(row, 1): x, (row, 2): float(x > 0.9)}
            texts = [
                "$C${t}*A{r}+$D${t}",
                "1/(1+EXP(-E{r}))",
                "0.5*(F{r}-B{r})^2",
                "(F{r}-B{r})*F{r}*(1-F{r})" + factor,
            ]
            texts.append("(F{r}-B{r})*F{r}*(1-F{r})")
            cells |= {(row, 5 + k): "=" + text.format(r=row, t=top) for k, text in enumerate(texts)}
        cells |= {(top, 10): "=" + "+".join(f"H{r}" for r in rows), (top, 11): "=" + "+".join(f"I{r}" for r in rows)}
        up = top - EXAMPLES - 1
        cells |= {(top, col): f"={w}{up}-$B$1*{g}{up}" for col, w, g in ((3, "C", "J"), (4, "D", "K")) if block}
        cells |= {} if block else {(top, 3): 0.3, (top, 4): -0.2}
    return cells


LAYOUTS: dict[str, Callable[[int], Cells]] = {
    "a row an iteration": in_rows,
    "new weights beside": beside,
    "a block of examples a step": in_blocks,
    "… with a wrong gradient": lambda formulas: in_blocks(formulas, factor=""),
}


def judged(path: Path) -> tuple[float, float, str]:
    """Seconds of processor, MB and the verdict, in a process of its own."""
    command = [sys.executable, __file__, "--one", str(path)]
    seconds, megabytes, status = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return float(seconds), float(megabytes), status


def judge_here(path: str) -> None:
    from tinyproof.check.workbook import audit_workbook

    start = time.process_time()
    report = audit_workbook(path)
    print(time.process_time() - start, memory(), report.status)


def memory() -> float:
    """The largest memory of this process in MB; what `getrusage` says counts its parent's before the start too."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM")) / 1024


def picture(found: dict[str, list[tuple[int, float, float]]], path: Path) -> None:
    """Seconds over formulas, and memory over formulas, both axes logarithmic; growth in proportion is a grey line."""
    from tinyproof.show.plots import ACCENT, BAD, GOOD, OTHER, QUIET, figure, png

    drawn, axes = figure(9, 3.8, columns=2)
    for axis, part, unit in ((axes[0], 1, "seconds of processor"), (axes[1], 2, "memory, MB")):
        for (name, points), colour in zip(found.items(), (ACCENT, GOOD, OTHER, BAD), strict=False):
            axis.plot([p[0] for p in points], [p[part] for p in points], "o-", color=colour, ms=4, lw=1.5, label=name)
        axis.set(xscale="log", yscale="log", xlabel="formulas", ylabel=unit)
        axis.yaxis.set_major_formatter("{x:g}")
        axis.yaxis.set_minor_formatter("{x:g}" if part == 2 else "")
    first, last = min(p[0] for own in found.values() for p in own), max(p[0] for own in found.values() for p in own)
    top = max(p[1] for own in found.values() for p in own)
    axes[0].plot([first, last], [top * first / last, top], ":", color=QUIET, lw=1.2, label="in proportion")
    axes[0].legend(fontsize=8, frameon=False)
    path.write_bytes(png(drawn))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)))
    parser.add_argument("--picture", type=Path)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        return judge_here(options.one)
    found: dict[str, list[tuple[int, float, float]]] = {name: [] for name in LAYOUTS}
    print("| layout | formulas | seconds | MB | verdict |\n| --- | ---: | ---: | ---: | --- |")
    with tempfile.TemporaryDirectory() as folder:
        for name, layout in LAYOUTS.items():
            for size in map(int, options.sizes.split(",")):
                cells = layout(size)
                path = write(Path(folder) / "sheet.xlsx", {"Sheet1": cells})
                formulas = sum(str(held).startswith("=") for held in cells.values())
                seconds, megabytes, status = judged(path)
                found[name].append((formulas, seconds, megabytes))
                print(f"| {name} | {formulas:,} | {seconds:.2f} | {megabytes:.0f} | {status} |", flush=True)
    if options.picture:
        picture(found, options.picture)
    return None


if __name__ == "__main__":
    main()
