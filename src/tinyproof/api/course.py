"""The back-propagation half of the main job: the course network's files, and its part of the report."""

from __future__ import annotations

from pathlib import Path

from tinyproof.api.page import page
from tinyproof.api.workbook import write_backprop
from tinyproof.backprop.presets import find_net
from tinyproof.backprop.sweep import COURSE_RATES, Sweep, sweep
from tinyproof.backprop.trace import Trace, trace
from tinyproof.show.backprop_plots import loss_curves
from tinyproof.show.drawing.fully_connected import net_picture
from tinyproof.show.drawing.shapes import png
from tinyproof.show.run_page import Backprop, Picture

NET = "course"
ITERATIONS = 100
FILES = (
    ("backprop.xlsx", "the workbook: live formulas, one sheet a learning rate, charts"),
    ("backprop.csv", "its tables, all rates"),
    ("backprop.html", "a page that steps through it: play it, change it, see where a gradient comes from"),
    ("backprop-loss.png", "the loss curves"),
    ("backprop-network.png", "the network with its weights"),
)
_SHOWN = ("w1", "w5", "a_h1", "a_h2", "a_o1", "a_o2", "E_total", "dE/dw1", "dE/dw3", "dE/dw5", "dE/dw8")
_SHOWN_ITERATIONS = (1, 2, 3, 50, 100)


def write_course(folder: Path) -> Backprop:
    """Write backprop.xlsx, .csv, .html and two pictures of the course network; returns its part of the report."""
    page(NET, folder / "backprop.html", iterations=ITERATIONS)
    made = write_backprop(folder, NET, rates=COURSE_RATES, iterations=ITERATIONS)
    return _part(made.sweep, made.traces[COURSE_RATES.index(1.0)], made.drawing.read_bytes(), made.curves.read_bytes())


def course_part(folder: Path) -> Backprop | None:
    """The part of the report again, for a folder that has the workbook; None where there is none."""
    if not (folder / FILES[0][0]).is_file():
        return None
    net = find_net(NET)
    experiment = sweep(net, COURSE_RATES, ITERATIONS)
    return _part(experiment, trace(net, ITERATIONS, rate=1.0), png(net_picture(net)), loss_curves(experiment))


def _part(experiment: Sweep, found: Trace, drawing: bytes, curves: bytes) -> Backprop:
    table = found.table(_SHOWN, _SHOWN_ITERATIONS, digits=6)
    rates = ", ".join(f"{rate:g}" for rate in experiment.rates)
    words = (
        f"The course network, {ITERATIONS} updates with each of the learning rates {rates}. {experiment.verdict()} "
        "backprop.xlsx holds every number as a live formula, one sheet a rate; backprop.html steps through it. "
        "Below, some of the numbers at rate 1."
    )
    pictures = (
        Picture(drawing, "The network with its weights", "The network with its initial weights."),
        Picture(curves, "Loss curves of six learning rates", "The loss after every update, one curve a learning rate."),
    )
    return Backprop(pictures, table, words)
