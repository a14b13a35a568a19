"""What the comparison of learning rates says, in live sentences: which rate is best and how much sooner, and from
which rate on the loss grows."""

from __future__ import annotations

from collections.abc import Sequence

from tinyproof.backprop.notation import number
from tinyproof.backprop.program import Floats
from tinyproof.backprop.sheet import Cell, Formula, letters


def conclusion(rates: Sequence[float], losses: Sequence[Floats], row: int, column: int, head: int) -> list[Cell]:
    """Two or three cells below each other, from (`row`, `column`) on, about a table whose headings are the rates, in
    row `head` from column 1 on, and whose columns are their losses: shorter where a rate ends early.

    The best is the one with the lowest loss among those that reach the end. It is held against the smallest rate: how
    many iterations it is above what that one ends with.
    """
    most = max(map(len, losses))
    whole = [k for k, loss in enumerate(losses) if len(loss) == most]
    best = min(whole, key=lambda k: (losses[k][-1], k))
    right = letters(len(rates))
    heads, first, last, table = (
        f"$B${top}:${right}${bottom}"
        for top, bottom in ((head + 1,) * 2, (head + 2,) * 2, (head + 1 + most,) * 2, (head + 2, head + 1 + most))
    )
    lowest = f"MATCH(MIN({last}),{last},0)"
    slow = min(range(len(rates)), key=lambda k: rates[k])
    sooner, said = "", ""
    if slow in whole and slow != best:
        above = f"SUMPRODUCT(--(INDEX({table},0,{lowest})>INDEX({last},1,MATCH(MIN({heads}),{heads},0))))"
        count = int((losses[best] > losses[slow][-1]).sum())
        times = number(round(most / max(1, count), 1))
        said = f"It is below what {number(rates[slow])} ends with after {count}: {times} times as fast."
        sooner = f'"It is below what "&MIN({heads})&" ends with after "&{above}'
        sooner += f'&": "&ROUND({most}/MAX(1,{above}),1)&" times as fast."'
    text = f'"Learning rate "&INDEX({heads},{lowest})&" has the lowest loss after {most} iterations."'
    shown = f"Learning rate {number(rates[best])} has the lowest loss after {most} iterations."
    grows = [rate for rate, loss in zip(rates, losses, strict=True) if len(loss) < most or not loss[-1] <= loss[0]]
    inverse = f"SUMPRODUCT(MAX((1-ISNUMBER({last})*({last}<={first}))/{heads}))"
    none = "At no rate does the loss end higher than it starts."
    some = "The smallest rate at which the loss ends higher than it starts, or overflows: "
    over = f'IF({inverse}=0,"{none}","{some}"&ROUND(1/{inverse},9)&".")'
    ended = f"{some}{number(min(grows))}." if grows else none
    lines = [Formula(text, shown), *([Formula(sooner, said)] if said else []), Formula(over, ended)]
    return [Cell(row + k, column, line, "conclusion") for k, line in enumerate(lines)]
