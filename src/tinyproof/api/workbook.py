"""`workbook`: from a network to its .xlsx, and beside it the table as CSV and the pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tinyproof.backprop import sweep as experiment
from tinyproof.backprop.book import workbook as book_of
from tinyproof.backprop.equations import Style
from tinyproof.backprop.net import Net
from tinyproof.backprop.presets import find_net
from tinyproof.backprop.trace import Trace, traces
from tinyproof.backprop.xlsx import write_book
from tinyproof.core.files import output_folder, write_atomic
from tinyproof.show.diagram import draw, png

COURSE_RATES = experiment.COURSE_RATES


def workbook(
    net: Net | Path | str = "course",
    out: Path | str = "backprop.xlsx",
    *,
    rates: Sequence[float] = COURSE_RATES,
    iterations: int = 100,
    style: Style = "course",
    picture: bool = True,
) -> Path:
    """Write the workbook: live formulas with cached values, one sheet a learning rate. Returns its path.

    `net`: a Net, a preset's name, a TOML file or `random:2-3-1:7`. `picture`: draw the network on the overview sheet.
    Raises InputError for what cannot be, OutputError where the file cannot be written.
    """
    chosen = find_net(net)
    drawing = png(draw(chosen)) if picture else None
    return write_book(book_of(chosen, rates, iterations, style, drawing), out)


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
    """Write backprop.xlsx, backprop.csv, backprop-loss.png and backprop-network.png into a folder."""
    from tinyproof.show.backprop_plots import loss_curves

    folder, chosen = output_folder(folder), find_net(net)
    found = traces(chosen, rates, iterations, style)
    swept = experiment.sweep(chosen, rates, iterations)
    drawing = png(draw(chosen))
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
