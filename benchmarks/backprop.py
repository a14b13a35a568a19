"""How fast, how big: the back-propagation half. Prints one table; every ratio has both sides measured in this run.

python benchmarks/backprop.py            about three minutes
python benchmarks/backprop.py --quick    a tenth of the rows, to try it out
python benchmarks/backprop.py --optimizers   plain descent, momentum, RMSprop and Adam, in turns
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tinyproof.backprop.book import workbook
from tinyproof.backprop.optimizer import KINDS
from tinyproof.backprop.presets import preset
from tinyproof.backprop.sheet import ABOVE, THIS, Book
from tinyproof.backprop.sweep import COURSE_RATES, sweep
from tinyproof.backprop.trace import trace
from tinyproof.backprop.xlsx import book_bytes, write_book
from tinyproof.core.table import Column, Table


@dataclass(frozen=True)
class Took:
    """Wall seconds, and processor seconds, which other work on the machine does not stretch."""

    wall: float
    cpu: float

    def row(self, what: str, most: str = "") -> tuple[str, str, str, str]:
        return what, f"{self.wall:.2f} s", f"{self.cpu:.2f} s", most


def clock() -> float:
    """Processor seconds of this process and of those it has waited for."""
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def took(work: Callable[[], object], repeats: int = 1) -> Took:
    """The shortest of `repeats` runs."""
    runs = []
    for _ in range(repeats):
        began, cpu = time.perf_counter(), clock()
        work()
        runs.append(Took(time.perf_counter() - began, clock() - cpu))
    return Took(min(run.wall for run in runs), min(run.cpu for run in runs))


def bare(book: Book, path: Path) -> None:
    """The same formula cells with nothing but XlsxWriter: its constant-memory mode, formulas and values at hand."""
    import xlsxwriter

    plain = xlsxwriter.Workbook(str(path), {"constant_memory": True})
    style = plain.add_format({"num_format": "0.00000000"})
    for sheet in book.sheets:
        worksheet, block = plain.add_worksheet(sheet.name), sheet.block
        if block is None:
            continue
        columns = [("=" + column.rest[0], column.values.tolist()) for column in block.columns]
        for offset in range(block.rows):
            row = block.top + offset
            for position, (text, values) in enumerate(columns):
                formula = text.replace(THIS, str(row + 1)).replace(ABOVE, str(row))
                worksheet.write_formula(row, block.left + position, formula, style, values[offset])
    plain.close()


def ours(path: Path, iterations: int) -> None:
    """What `tinyproof workbook` does, without the picture."""
    write_book(workbook(preset("course"), COURSE_RATES, iterations), path)


def peak_megabytes(iterations: int, folder: Path) -> float:
    """Peak memory of a process of its own that writes the large workbook."""
    call = [sys.executable, __file__, "--write", str(folder / "m.xlsx"), "--iterations", str(iterations)]
    subprocess.run(call, check=True)
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


def command(*words: str) -> Took:
    """A command from its start to its end, the best of five."""
    call = [sys.executable, "-m", "tinyproof", *words]
    return took(lambda: subprocess.run(call, check=True, capture_output=True), 5)


def large(many: int, folder: Path) -> list[tuple[str, str, str, str]]:
    """The large workbook beside the same formulas written with bare XlsxWriter."""
    memory = peak_megabytes(many, folder)
    whole = took(lambda: ours(folder / "b.xlsx", many))
    book = workbook(preset("course"), COURSE_RATES, many)
    plain = took(lambda: bare(book, folder / "c.xlsx"))
    size = (folder / "b.xlsx").stat().st_size / 1e6
    return [
        whole.row(f"workbook, 6 rates x {many:,}"),
        plain.row("  bare XlsxWriter, the same formulas"),
        ("  ratio", f"{whole.wall / plain.wall:.2f}", f"{whole.cpu / plain.cpu:.2f}", "1.5"),
        ("  size of the file", f"{size:.0f} MB", "", ""),
        ("  peak memory", f"{memory:.0f} MB", "", "600 MB"),
    ]


def measure(many: int, folder: Path) -> list[tuple[str, str, str, str]]:
    """What, wall, processor, at most."""
    rates = np.linspace(0.01, 10, 1_000).tolist()
    return [
        took(lambda: ours(folder / "a.xlsx", 100), 3).row("workbook, 6 rates x 100", "2 s"),
        *large(many, folder),
        took(lambda: sweep("course", rates, many)).row(f"sweep, 1,000 rates x {many:,}", "5 s"),
        command("derive").row("command derive, with start-up", "0.5 s"),
        command("trace").row("command trace, with start-up", "0.5 s"),
    ]


def optimizers(rounds: int = 3) -> Table:
    """The course network by each optimiser: the shortest of several rounds, in which all have their turn."""
    rates = np.linspace(0.01, 1, 1_000).tolist()
    runs: dict[str, list[tuple[float, float, float]]] = {kind: [] for kind in KINDS}
    for _ in range(rounds):
        for kind in KINDS:
            net = preset("course").with_optimizer(kind)
            swept, traced = took(lambda net=net: sweep(net, rates, 1_000)), took(lambda net=net: trace(net, 3_000))
            made = took(lambda net=net: book_bytes(workbook(net, COURSE_RATES, 100)))
            runs[kind].append((made.cpu, traced.cpu, swept.cpu))
    best = {kind: [min(one[k] for one in found) for k in range(3)] for kind, found in runs.items()}
    rows = []
    for kind, seconds in best.items():
        cells = [f"{one:.2f} s ({one / plain:.2f})" for one, plain in zip(seconds, best["sgd"], strict=True)]
        rows.append((kind, str(len(trace(preset("course").with_optimizer(kind), 1).columns)), *cells))
    heads = ("columns", "workbook, 6 x 100", "trace, 3,000", "sweep, 1,000 x 1,000")
    return Table("", (Column("optimizer"), *(Column(head, "right") for head in heads)), tuple(rows))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--write", type=Path, help="only write the large workbook (for the memory)")
    parser.add_argument("--iterations", type=int, default=10_000)
    parser.add_argument("--optimizers", action="store_true")
    given = parser.parse_args()
    if given.optimizers:
        print(optimizers().text())
        return
    if given.write:
        ours(given.write, given.iterations)
        return
    with tempfile.TemporaryDirectory() as name:
        rows = measure(1_000 if given.quick else 10_000, Path(name))
    columns = (Column("what"), *(Column(name, "right") for name in ("wall", "processor", "at most")))
    print(Table("back-propagation", columns, tuple(rows)).text())


if __name__ == "__main__":
    main()
