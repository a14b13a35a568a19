"""The charts of a table: the loss and the weights to its right, and the loss once more above it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tinyproof.backprop.descriptions import heading
from tinyproof.backprop.notation import number
from tinyproof.backprop.sheet import Chart, Series
from tinyproof.backprop.trace import Trace

MOST_CURVES = 40  # lines of the weights' chart; more could not be told apart
WIDE, HIGH = 560, 340  # of a chart, in pixels: two of them on one printed page
SEEN_FROM, SEEN_WIDE, SEEN_HIGH = 5, 620, 132  # the loss above a table: beside its title


def charts(trace: Trace, sheet: str, top: int, left: int, at: tuple[int, int], rows: int) -> tuple[Chart, ...]:
    """The loss and the weights over the iterations; `top`, `left`: the table's first cell; `at`: where they stand."""

    def line(name: str) -> Series:
        column = left + trace.columns.index(name)
        return Series(heading(name), sheet, top, top + rows - 1, 0, column)

    title = f"E_total, learning rate {number(trace.rate)}"
    loss = Chart(*at, title, "iteration", "E_total", (line("E_total"),), width=WIDE, height=HIGH)
    shown = trace.net.trained[:MOST_CURVES]
    few = "" if len(shown) == len(trace.net.trained) else f" (the first {MOST_CURVES})"
    weights = Chart(
        at[0] + 19, at[1], f"Weights{few}", "iteration", "value", tuple(map(line, shown)), width=WIDE, height=HIGH
    )
    return loss, weights


def first_seen(loss: Chart, widths: Sequence[tuple[int, int, float]]) -> Chart:
    """The loss once more, flat, above the table and no wider: in sight on the first screen, and, as the rows above a
    table stay, beside every row of it. `widths`: of the table's columns, in characters."""
    table = sum(int(7 * width) + 5 for column, _, width in widths if column >= SEEN_FROM)
    return replace(loss, row=0, column=SEEN_FROM, title="", x_title="", width=min(SEEN_WIDE, table), height=SEEN_HIGH)
