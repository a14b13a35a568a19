"""`summary`: one network layer by layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tinyproof.core.fields import whole
from tinyproof.core.printed import Part, Printed
from tinyproof.core.table import Table
from tinyproof.data.own_data import MAX_CLASSES
from tinyproof.data.reading import shape_of
from tinyproof.network import model_name, own_files
from tinyproof.train.environment import need_torch

if TYPE_CHECKING:
    from tinyproof.network.anatomy import Anatomy


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


def summary(
    model: str,
    *,
    settings: Sequence[str] | Mapping[str, object] = (),
    input: str | Sequence[int] | None = None,
    classes: int = 10,
) -> SummaryResult:
    """The layers of a network: output shape, parameters, multiply-adds, receptive field (pixels), jump, memory.

    `model`: a name (see `models`), or `path/to/model.py:Class` (or a function in it, or a notebook's class) with
    `settings` as its arguments. `input`: channels, height and width as "3,32,32"; None is MNIST's 1,28,28; a named
    network is made for it and for so many `classes`. Raises InputError for an unknown network, DataError for
    a file that cannot be used, MissingDependency without torch.

    >>> import tinyproof
    >>> tinyproof.summary("s7-8k").layers.footer[0][3]
    7904
    """
    need_torch("describing networks")
    from tinyproof.network import anatomy, nets

    named, shape = model_name.with_settings(model, settings), nets.MNIST_SHAPE if input is None else shape_of(input)
    found = anatomy.summary(nets.build(named, 0, shape, whole("classes", classes, 2, MAX_CLASSES)), shape)
    read = own_files.notebook_words(named)
    return SummaryResult(found.table(), _totals(found) + (f"\n{read}" if read else ""))


def _totals(found: Anatomy) -> str:
    kib = 1024
    lines = [
        f"parameters {found.parameters:,} (trainable {found.trainable:,}), {found.weight_bytes / kib:,.1f} KiB",
        f"multiply-adds an image {_number(found.macs)}",
    ]
    if found.ways:
        empty, noise = map(_number, found.ways)
        lines[-1] += f"; its way depends on the image: an empty one takes {empty},\none of noise {noise}"
    idle = [layer for layer in found.beside if "never" in layer.kind and layer.parameters]
    if idle:
        names = ", ".join(layer.name for layer in idle[:5]) + (", ..." if len(idle) > 5 else "")
        lines.append(f"never used: {sum(layer.parameters for layer in idle):,} parameters, in {names}")
    lines.append(
        f"memory an image: forward {found.forward_bytes / kib:,.1f} KiB, "
        f"with gradients {found.backward_bytes / kib:,.1f} KiB"
    )
    return "\n".join(lines)


def _number(macs: int | None) -> str:
    return "not known" if macs is None else f"{macs:,}"
