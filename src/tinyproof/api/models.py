"""`models`: the networks by name."""

from __future__ import annotations

from tinyproof.core.table import Cell, Column, Table
from tinyproof.train.environment import need_torch


def models() -> Table:
    """The networks by name: parameters, multiply-adds, receptive field (pixels), budget.

    Returns a Table, a row a network. Raises MissingDependency without torch.

    >>> import tinyproof
    >>> [row["model"] for row in tinyproof.models().records()][:2]
    ['s5-593k', 's6-16k']
    """
    need_torch("describing networks")
    from tinyproof.network import anatomy, nets

    columns = (
        Column("model"), Column("parameters", "right", ","), Column("MACs", "right", ","),
        Column("receptive field", "right"), Column("budget: parameters", "right"), Column("budget: epochs", "right"),
        Column("what it is"),
    )  # fmt: skip
    rows: list[tuple[Cell, ...]] = []
    for name, make in nets.NETS.items():
        found, budget = anatomy.summary(nets.build(name)), nets.budget_of(name)
        field = max(layer.receptive_field or 0 for layer in found.layers)
        limits = [f"below {x:,}" if x else "none" for x in (budget.parameters_below, budget.epochs_below)]
        words = (make.__doc__ or "").partition("\n")[0].rpartition(":")[0]
        rows.append((name, found.parameters, found.macs, field, *limits, words))
    return Table("", columns, tuple(rows))
