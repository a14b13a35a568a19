"""What the comparison of learning rates says, in live sentences: which rate is best and how much sooner, and from
which rate on the loss grows."""

from __future__ import annotations

from collections.abc import Sequence

from tinyproof.backprop.notation import number
from tinyproof.backprop.program import Floats
from tinyproof.backprop.sheet import Cell, Formula, letters


def end_rows(top: int, most: int, turn: int) -> tuple[int, int]:
    """The rows (from 0) with what each rate starts and ends with, of a table of `most` rows from row `top` on.

    They are the table's first and last, or, where `turn` rows are one round of the examples, two below it with means:
    losses of different examples are never held against each other.
    """
    return (top + most + 1, top + most + 2) if turn > 1 else (top, top + most - 1)


def mean_cells(losses: Sequence[Floats], top: int, turn: int) -> list[Cell]:
    """The two rows of means below the table; no end for a rate whose losses stop before the others'."""
    if turn < 2:
        return []
    most = max(map(len, losses))
    first, last = end_rows(top, most, turn)
    cells = [Cell(first, 0, "first round", "label"), Cell(last, 0, "last round", "label")]
    for k, loss in enumerate(losses):
        place = letters(1 + k)
        begin = f"AVERAGE({place}{top + 1}:{place}{top + turn})"
        cells.append(Cell(first, 1 + k, Formula(begin, float(loss[:turn].mean())), "small"))
        if len(loss) == most:
            end = f"AVERAGE({place}{top + most - turn + 1}:{place}{top + most})"
            cells.append(Cell(last, 1 + k, Formula(end, float(loss[-turn:].mean())), "small"))
    return cells


def conclusion(
    rates: Sequence[float], losses: Sequence[Floats], row: int, column: int, head: int, turn: int = 1
) -> list[Cell]:
    """Two or three cells below each other, from (`row`, `column`) on, about a table whose headings are the rates, in
    row `head` from column 1 on, and whose columns are their losses: shorter where a rate ends early.

    The best is the one with the lowest loss among those that reach the end, in the mean of its last `turn` rows. It is
    held against the smallest rate: how many iterations it is above what that one ends with (not where a row is one
    example of several).
    """
    most = max(map(len, losses))
    whole = [k for k, loss in enumerate(losses) if len(loss) == most]
    starts, ends = ([float(loss[part].mean()) for loss in losses] for part in (slice(turn), slice(-turn, None)))
    best = min(whole, key=lambda k: (ends[k], k))
    right, (begin, end) = letters(len(rates)), end_rows(head + 1, most, turn)
    heads, first, last, table = (
        f"$B${top}:${right}${bottom}"
        for top, bottom in ((head + 1,) * 2, (begin + 1,) * 2, (end + 1,) * 2, (head + 2, head + 1 + most))
    )
    lowest = f"MATCH(MIN({last}),{last},0)"
    slow = min(range(len(rates)), key=lambda k: rates[k])
    sooner, said = "", ""
    if turn < 2 and slow in whole and slow != best:
        above = f"SUMPRODUCT(--(INDEX({table},0,{lowest})>INDEX({last},1,MATCH(MIN({heads}),{heads},0))))"
        count = int((losses[best] > losses[slow][-1]).sum())
        times = number(round(most / max(1, count), 1))
        said = f"It is below what {number(rates[slow])} ends with after {count}: {times} times as fast."
        sooner = f'"It is below what "&MIN({heads})&" ends with after "&{above}'
        sooner += f'&": "&ROUND({most}/MAX(1,{above}),1)&" times as fast."'
    what = "the lowest loss" if turn < 2 else f"the lowest mean loss of the last {turn} rows"
    text = f'"Learning rate "&INDEX({heads},{lowest})&" has {what} after {most} iterations."'
    shown = f"Learning rate {number(rates[best])} has {what} after {most} iterations."
    grows = [rate for k, rate in enumerate(rates) if k not in whole or not ends[k] <= starts[k]]
    inverse = f"SUMPRODUCT(MAX((1-ISNUMBER({last})*({last}<={first}))/{heads}))"
    none = "At no rate does the loss end higher than it starts."
    some = "The smallest rate at which the loss ends higher than it starts, or overflows: "
    over = f'IF({inverse}=0,"{none}","{some}"&ROUND(1/{inverse},9)&".")'
    ended = f"{some}{number(min(grows))}." if grows else none
    lines = [Formula(text, shown), *([Formula(sooner, said)] if said else []), Formula(over, ended)]
    return [Cell(row + k, column, line, "conclusion") for k, line in enumerate(lines)]
