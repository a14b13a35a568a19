"""A mistake in a table, before it becomes a Finding: where, what it says, what it should say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from tinyproof.backprop.expr import Expr
from tinyproof.check.finding import Severity
from tinyproof.check.workbook.understand.grid import address

KINDS = (
    "wrong-forward", "wrong-loss", "wrong-gradient", "wrong-update", "wrong-rate-cell", "circular", "overwritten",
    "pasted-values", "pasted-loss", "typed-target", "stale-values", "rate-label", "chart-range", "inconsistent-rows",
    "header", "not-understood",
)  # fmt: skip


@dataclass(frozen=True)
class Mistake:
    """One column of one table is wrong (or fragile, or odd) in some rows.

    `col` 0: no particular column, `cells` says where. `wrong`: the formula as written, over column variables, where a
    training with it can be run; `mended`: one small change makes the formula right.
    """

    kind: str
    severity: Severity
    sheet: int
    column: str
    message: str
    col: int = 0
    rows: tuple[int, ...] = ()
    cells: str = ""
    says: str = ""
    should_say: str = ""
    why: str = ""
    fix: str = ""
    effect: str = ""
    wrong: Expr | None = field(default=None, compare=False)
    undecided: bool = False
    mended: bool = field(default=False, compare=False)

    def where(self) -> str:
        """`AA33:AA100`; several stretches are joined with commas."""
        return self.cells or stretches(self.rows, self.col)

    def order(self) -> tuple[int, int, int]:
        """By sheet, then from top to bottom, then from left to right."""
        return self.sheet, self.rows[0] if self.rows else 10**7, self.col


def stretches(rows: Sequence[int], col: int) -> str:
    """Rows of a column as cell ranges.

    >>> stretches([33, 34, 35, 40], 27)
    'AA33:AA35, AA40'
    """
    found: list[list[int]] = []
    for row in sorted(rows):
        if found and row == found[-1][1] + 1:
            found[-1][1] = row
        else:
            found.append([row, row])
    parts = [address(a, col) + (f":{address(b, col)}" if b != a else "") for a, b in found]
    return ", ".join(parts)
