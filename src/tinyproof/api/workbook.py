"""`workbook`: from a network to its .xlsx, and beside it the table as CSV and the pictures."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tinyproof.backprop import sweep as experiment
from tinyproof.backprop.book import workbook as book_of
from tinyproof.backprop.equations import Style
from tinyproof.backprop.net import Net
from tinyproof.backprop.optimizer import Optimizer
from tinyproof.backprop.presets import find_net
from tinyproof.backprop.trace import Trace, traces
from tinyproof.backprop.xlsx import write_book
from tinyproof.core.errors import InputError, MissingDependency
from tinyproof.core.files import distinct, output_folder, write_atomic
from tinyproof.core.printed import Part, Printed
from tinyproof.show.backprop_plots import loss_curves
from tinyproof.show.drawing.fully_connected import net_picture
from tinyproof.show.drawing.shapes import png
from tinyproof.show.matplotlib_door import need_charts

COURSE_RATES = experiment.COURSE_RATES


@dataclass(frozen=True, repr=False)
class WorkbookResult(Printed, os.PathLike[str]):
    """Where the workbook (and its CSV) was written, and its numbers; can be given wherever a path can.

    `traces`: one table of numbers for each learning rate. `undrawn`: why the network is not drawn in it.
    """

    path: Path
    traces: tuple[Trace, ...]
    csv: Path | None = None
    undrawn: str = ""

    def parts(self) -> Sequence[Part]:
        """What was written, and for each rate where the loss begins and ends."""
        wrote = [f"wrote {path}" for path in (self.path, self.csv) if path is not None]
        wrote += [f"the network is not drawn in it: {self.undrawn}"] if self.undrawn else []
        return ["\n".join([*wrote, *(trace.summary() for trace in self.traces)])]

    def __fspath__(self) -> str:
        return str(self.path)


def workbook(
    net: Net | Path | str = "course",
    out: Path | str = "backprop.xlsx",
    *,
    rates: Sequence[float] | str = COURSE_RATES,
    iterations: int = 100,
    style: Style = "course",
    csv: Path | str | None = None,
    picture: bool = True,
    optimizer: Optimizer | str | None = None,
    batch: int | None = None,
) -> WorkbookResult:
    """Write back-propagation as an .xlsx: live formulas with cached values, one sheet a learning rate, charts.

    `net`: a Net, a preset's name, a TOML file or `random:2-3-1:7`. `rates`: numbers, or their text as the command takes
    it (`0.1:2:0.1`). `iterations`: rows of each table. `style`: `course` (gradients written out) or `chain`. `csv`: a
    file for the tables of all rates. `picture`: draw the network on the overview sheet, where matplotlib is installed.
    `optimizer`: another than the network's own, and `batch`: so many examples a step, both as in `trace`. Raises
    InputError for what cannot be, OutputError where a file cannot be written.

    >>> import tinyproof
    >>> print(tinyproof.workbook("course", "course.xlsx", rates=[1.0], iterations=100))
    wrote course.xlsx
    learning rate 1: E_total 0.0141814 at iteration 1, 2.4094e-05 at 100
    """
    if not Path(out).is_dir() and Path(out).suffix.lower() != ".xlsx":
        raise InputError("out", str(out), "a name that ends in .xlsx: the file is a workbook")
    distinct(out=out, csv=csv)
    chosen = find_net(net).with_optimizer(optimizer).with_batch(batch)
    several = experiment.parse_rates(rates) if isinstance(rates, str) else rates
    picture_bytes, undrawn = drawing(chosen) if picture else (None, "")
    path = write_book(book_of(chosen, several, iterations, style, picture_bytes), out)
    found = tuple(traces(chosen, several, iterations, style))
    return WorkbookResult(path, found, None if csv is None else write_atomic(csv, table_csv(found)), undrawn)


def drawing(net: Net) -> tuple[bytes | None, str]:
    """The network drawn, as PNG bytes; or why it is not."""
    try:
        return png(net_picture(net)), ""
    except MissingDependency as error:
        return None, str(error)


@dataclass(frozen=True)
class BackpropFiles:
    """What `write_backprop` wrote, and the experiment behind it."""

    workbook: Path
    table: Path
    curves: Path
    drawing: Path
    traces: tuple[Trace, ...]
    sweep: experiment.Sweep


def write_backprop(
    folder: Path | str,
    net: Net | Path | str = "course",
    *,
    rates: Sequence[float] = COURSE_RATES,
    iterations: int = 100,
    style: Style = "course",
) -> BackpropFiles:
    """Write backprop.xlsx, backprop.csv, backprop-loss.png and backprop-network.png into a folder.

    Raises MissingDependency without matplotlib.
    """
    need_charts()
    folder, chosen = output_folder(folder), find_net(net)
    found = traces(chosen, rates, iterations, style)
    swept = experiment.sweep(chosen, rates, iterations)
    drawing = png(net_picture(chosen))
    return BackpropFiles(
        workbook=write_book(book_of(chosen, rates, iterations, style, drawing), folder / "backprop.xlsx"),
        table=write_atomic(folder / "backprop.csv", table_csv(found)),
        curves=write_atomic(folder / "backprop-loss.png", loss_curves(swept)),
        drawing=write_atomic(folder / "backprop-network.png", drawing),
        traces=tuple(found),
        sweep=swept,
    )


def table_csv(found: Sequence[Trace]) -> str:
    """The tables of several rates one under another, as CSV; `learning_rate` and `iteration` tell the rows apart."""
    first, *others = (trace.table().csv() for trace in found)
    return first + "".join(text.split("\r\n", 1)[1] for text in others)
