"""`trace`: the table of numbers as text that is read on a screen, or as CSV, JSON, Markdown and HTML."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from tinyproof.backprop.descriptions import heading, named
from tinyproof.backprop.trace import OVERFLOWS, Trace
from tinyproof.core.errors import InputError
from tinyproof.core.table import Cell, Column, Table

Format = Literal["text", "csv", "json", "markdown", "html"]


def trace_text(
    found: Trace, format: Format, names: Sequence[str] = (), iterations: Sequence[int] = (), digits: int = 8
) -> str:
    """The trace in one of the formats. In text, quantities go down and iterations across: 31 columns fit no screen.

    Raises InputError for a quantity or an iteration that is not there.
    """
    for iteration in iterations:
        found.row(iteration)
    if format == "csv":
        return found.table(names, iterations).csv()
    if format == "json":
        table = found.table(names, iterations)
        head: dict[str, object] = {"network": found.net.name, "learning_rate": found.rate, "diverged": found.diverged}
        if found.net.states:
            head |= {"optimizer": found.net.optimizer.kind, **found.net.optimizer.values()}
        return json.dumps(head | {"rows": table.records()}, indent=1) + "\n"
    table = sideways(found, names, iterations or landmarks(len(found)), digits)
    if format == "markdown":
        return table.markdown() + "\n"
    if format == "html":
        return table.html() + "\n"
    return f"{table.title}\n\n{table.text()}\n\n{found.summary()}\n"


def parts(found: Trace) -> list[str | Table]:
    """What `trace_text` writes as text, in parts; one whose first iteration overflows has no table."""
    if not len(found):
        return [title(found), found.summary()]
    table = sideways(found, (), landmarks(len(found)), 8)
    return [title(found), replace(table, title=""), found.summary()]


def title(found: Trace) -> str:
    """The network and the rate."""
    return f"{found.net.title or found.net.name}, learning rate {found.rate:g}{named(found.net)}"


def landmarks(count: int) -> list[int]:
    """The iterations worth a look: 1, 2, 3, then 10, 100, .. and the last.

    >>> landmarks(250)
    [1, 2, 3, 10, 100, 250]
    """
    tens = [10**k for k in range(1, len(str(count))) if 10**k < count]
    return sorted({k for k in (1, 2, 3, *tens, count) if 1 <= k <= count})


def sideways(found: Trace, names: Sequence[str], iterations: Sequence[int], digits: int) -> Table:
    """One row a quantity, one column an iteration."""
    if not len(found):
        raise InputError("network", found.net.name, "make the givens smaller", found.net.source, problem=OVERFLOWS)
    columns = [Column("iteration"), *(Column(str(k), "right", f".{digits}g") for k in iterations)]
    rows: list[tuple[Cell, ...]] = []
    for name in names or found.columns:
        values = found.column(name)
        rows.append((heading(name), *(float(values[k - 1]) for k in iterations)))
    return Table(title(found), tuple(columns), tuple(rows))
