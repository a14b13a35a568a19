"""`sweep`: the learning-rate experiment, written down as tables and a picture."""

from __future__ import annotations

from pathlib import Path

from tinyproof.backprop.sweep import Sweep
from tinyproof.core.files import output_folder, write_atomic
from tinyproof.show.backprop_plots import loss_curves


def write_sweep(found: Sweep, folder: Path | str) -> tuple[Path, ...]:
    """Write rates.csv (a row a rate), loss.csv (a column a rate) and loss.png into a folder. Returns their paths."""
    folder = output_folder(folder)
    return (
        write_atomic(folder / "rates.csv", found.table().csv()),
        write_atomic(folder / "loss.csv", found.curves().csv()),
        write_atomic(folder / "loss.png", loss_curves(found)),
    )
