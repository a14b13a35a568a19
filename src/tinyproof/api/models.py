"""`models` and `summary`: the networks by name, and one network layer by layer."""

from __future__ import annotations

from dataclasses import dataclass

from tinyproof.core.table import Cell, Column, Table
from tinyproof.train.environment import need_torch


@dataclass(frozen=True)
class Summary:
    """A network's layers as a table, and its totals in words."""

    layers: Table
    totals: str

    def table(self) -> Table:
        """One row a layer, in the order of the calls."""
        return self.layers

    def words(self) -> str:
        """Totals: parameters, multiply-adds, memory."""
        return self.totals


def models() -> Table:
    """The networks by name. Raises MissingDependency without torch."""
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


def summary(model: str) -> Summary:
    """The layers of a network: a name, or `path/to/model.py:Class`. Raises InputError, DataError.

    >>> summary("s7-8k").table().footer[0][3]
    7904
    """
    need_torch("describing networks")
    from tinyproof.network import anatomy, nets

    found = anatomy.summary(nets.build(model))
    kib = 1024
    totals = (
        f"parameters {found.parameters:,} (trainable {found.trainable:,}), {found.weight_bytes / kib:,.1f} KiB\n"
        f"multiply-adds an image {'not known' if found.macs is None else format(found.macs, ',')}\n"
        f"memory an image: forward {found.forward_bytes / kib:,.1f} KiB, "
        f"with gradients {found.backward_bytes / kib:,.1f} KiB"
    )
    return Summary(found.table(), totals)
