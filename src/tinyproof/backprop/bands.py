"""The bands of a table: what is given, what goes forward, what goes back, and what the update moves.

Each band has a colour, a line of its own under its headings (for print without colours, and for those who see them
otherwise), and its name in the row above the headings, again every few columns: every page and every screen has one.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import groupby

from tinyproof.backprop.equations import forward
from tinyproof.backprop.net import Net
from tinyproof.backprop.sheet import Cell, Style

EVERY = 4  # columns after which a band's name stands again
MEANS = {
    "given": "given: targets, inputs, constants",
    "update": "update: what each row moves",
    "forward": "forward: from the inputs to E_total",
    "backward": "backward: the gradients",
}
BANDS: dict[str, Style] = {
    "given": "band given",
    "update": "band update",
    "forward": "band forward",
    "backward": "band backward",
}


def band_of(net: Net, columns: Sequence[str]) -> tuple[str, ...]:
    """The band of each column of a table.

    >>> from tinyproof.backprop.presets import preset
    >>> band_of(preset("course"), ("t1", "w1", "a_h1", "dE/dw1"))
    ('given', 'update', 'forward', 'backward')
    """
    ahead = {equation.name for equation in forward(net)}
    still = {f"{name}{tag}" for name in net.data(0) for tag in ("", *net.tags)} | {*net.parameters} - {*net.trained}

    def band(name: str) -> str:
        if name in still:
            return "given"
        return "backward" if name.startswith("dE/") else "forward" if name in ahead else "update"

    return tuple(map(band, columns))


def band_row(bands: Sequence[str], row: int, left: int, taken: Collection[int] = ()) -> list[Cell]:
    """The row of a table's bands, from column `left` on; columns that are `taken` keep what they hold."""
    cells, column = [], left
    for band, run in groupby(bands):
        count = 0
        for _ in run:
            if column not in taken:
                cells.append(Cell(row, column, band if count % EVERY == 0 else "", BANDS[band]))
                count += 1
            column += 1
    return cells


def legend(bands: Collection[str], row: int, column: int) -> list[Cell]:
    """What each band of a table means, side by side, each over the three columns that its words take."""
    found = [band for band in MEANS if band in bands]
    return [
        Cell(row, column + 4 * k + j, MEANS[band] if j == 0 else "", BANDS[band])
        for k, band in enumerate(found)
        for j in range(3)
    ]
