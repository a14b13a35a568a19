"""`summary`: one network layer by layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tinyproof.core.printed import Part, Printed
from tinyproof.core.table import Table
from tinyproof.train.environment import need_torch


@dataclass(frozen=True, repr=False)
class SummaryResult(Printed):
    """A network's layers as a table, in the order of the calls, and its totals in words."""

    layers: Table
    totals: str

    def parts(self) -> Sequence[Part]:
        """The layers, the totals."""
        return [self.layers, self.totals]

    def table(self) -> Table:
        """One row a layer, in the order of the calls."""
        return self.layers

    def words(self) -> str:
        """Totals: parameters, multiply-adds, memory."""
        return self.totals


def summary(model: str) -> SummaryResult:
    """The layers of a network: output shape, parameters, multiply-adds, receptive field (pixels), jump, memory.

    `model`: a name (see `models`), or `path/to/model.py:Class`. Raises InputError for an unknown network, DataError for
    a file that cannot be used, MissingDependency without torch.

    >>> import tinyproof
    >>> tinyproof.summary("s7-8k").layers.footer[0][3]
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
    return SummaryResult(found.table(), totals)
