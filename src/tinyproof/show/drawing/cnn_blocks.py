"""A CNN as what a drawing of it shows: a block for each layer that changes the image, the rest as words beside it.

Blocks and joins are items, in the order of the calls; the image is item 0. An edge leads from item to item.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import prod

from tinyproof.network.called_layer import IMAGE, Join, Layer, Window

MOST = 60  # blocks; of more, those in the middle are counted
_NAMES = {
    "Linear": "fully connected", "BatchNorm1d": "batch norm", "BatchNorm2d": "batch norm", "BatchNorm3d": "batch norm",
    "LayerNorm": "layer norm", "GroupNorm": "group norm", "InstanceNorm2d": "instance norm", "Flatten": "flatten",
    "LogSoftmax": "log softmax", "Softmax": "softmax", "Sigmoid": "sigmoid", "Tanh": "tanh", "Upsample": "upsample",
    "mean": "mean", "Dropout": "dropout", "Dropout2d": "dropout", "Dropout1d": "dropout", "Dropout3d": "dropout",
}  # fmt: skip
_SYMBOLS = {"add": "+", "sub": "−", "mul": "×", "div": "÷", "cat": "concat", "stack": "stack"}


@dataclass(frozen=True)
class Block:
    """A layer with its output's shape (channels first), or a join where `shape` is empty and `words` its symbol."""

    words: str
    kind: str
    shape: tuple[int, ...] = ()
    beside: tuple[str, ...] = ()  # stride and its like, then what follows without changing the shape
    parameters: int = 0

    @property
    def is_join(self) -> bool:
        return self.kind == "join"

    def said(self) -> str:
        """The block in words, for those who cannot see it."""
        size = f": {sizes(self.shape)}" if self.shape else ""
        count = f", {self.parameters:,} parameters" if self.parameters else ""
        return ", ".join([self.words, *self.beside]) + size + count


Edge = tuple[int, int]


def sizes(shape: Sequence[int]) -> str:
    """Lengths as people write them.

    >>> sizes((32, 26, 26))
    '32 × 26 × 26'
    """
    return " × ".join(f"{side:,}" for side in shape)


def blocks(
    image: tuple[int, ...], layers: Sequence[Layer], joins: Sequence[Join], ends: Sequence[int]
) -> tuple[list[Block], list[Edge]]:
    """Items and edges of a network; of a very long one those in the middle are one item that counts them."""
    items, edges = [Block("image", "input", image)], list[Edge]()
    home = {IMAGE: 0}
    used = _used(layers, joins, ends)
    waiting = [(k, join) for k, join in enumerate(joins) if -2 - k in used]
    for number, layer in enumerate(layers):
        while waiting and waiting[0][1].place <= number:
            _joined(*waiting.pop(0), items, edges, home)
        after = [home[node] for node in layer.after if node in home] or [len(items) - 1]
        at = next((item for item in (after[0], len(items) - 1) if not items[item].is_join), len(items) - 1)
        before = next((b.shape for b in items[after[0] :: -1] if b.shape), image)
        if _beside(layer, before):
            home[number] = after[0]
            at = next(item for item in range(at, -1, -1) if not items[item].is_join)
            items[at] = _with(items[at], layer)
        else:
            edges += [(item, len(items)) for item in dict.fromkeys(after)]
            home[number] = len(items)
            items.append(_block(layer, before))
    for k, join in waiting:
        _joined(k, join, items, edges, home)
    return _shortened(items, edges)


def _used(layers: Sequence[Layer], joins: Sequence[Join], ends: Sequence[int]) -> set[int]:
    """The nodes that something is made of; joins inside of layers are none of them."""
    found = {node for layer in layers for node in layer.after} | set(ends)
    for k in range(len(joins) - 1, -1, -1):
        if -2 - k in found:
            found |= set(joins[k].after)
    return found


def _joined(k: int, join: Join, items: list[Block], edges: list[Edge], home: dict[int, int]) -> None:
    sources = dict.fromkeys(home[node] for node in join.after if node in home)
    if len(sources) > 1:
        edges += [(item, len(items)) for item in sources]
        home[-2 - k] = len(items)
        items.append(Block(_SYMBOLS.get(join.operator, join.operator), "join"))
    else:
        home[-2 - k] = next(iter(sources), len(items) - 1)


def _beside(layer: Layer, before: tuple[int, ...]) -> bool:
    """Whether a layer leaves the shape as it is, and is no convolution, product or pooling."""
    same = layer.output == before or (prod(layer.output) == prod(before) == max((*before, 0)))
    return same and not layer.macs and "Pool" not in layer.kind and not layer.kind.startswith(("Conv", "Linear"))


def _with(block: Block, layer: Layer) -> Block:
    words = _NAMES.get(layer.kind, layer.kind)
    beside = block.beside if words in (*block.beside, "Identity") else (*block.beside, words)
    return replace(block, beside=beside, parameters=block.parameters + layer.parameters)


def _block(layer: Layer, before: tuple[int, ...]) -> Block:
    kind = layer.kind
    whole = len(layer.output) > 1 and prod(layer.output[1:]) == 1 < prod(before[1:])
    if "Pool" in kind:
        name = "average pool" if "Avg" in kind else "max pool"
        words = f"global {name}" if whole else f"{name} {_kernel(layer.window)}".strip()
        return Block(words, "pool", layer.output, () if whole else tuple(_moves(layer.window, pool=True)))
    name = "conv" if kind.startswith("Conv") else _NAMES.get(kind, kind)
    name = name.replace("conv", "transposed conv") if "Transpose" in kind else name
    role = "hidden" if kind.startswith("Conv") else "output" if kind == "Linear" else "other"
    words = f"{name} {_kernel(layer.window)}".strip()
    return Block(words, role, layer.output, tuple(_moves(layer.window)), layer.parameters)


def _kernel(window: Window | None) -> str:
    if window is None:
        return ""
    return "×".join(map(str, window.kernel * 2 if len(window.kernel) == 1 else window.kernel))


def _moves(window: Window | None, pool: bool = False) -> Iterator[str]:
    """Stride, dilation and groups where they are not the usual ones; a pooling usually moves by its kernel."""
    if window is None:
        return
    usual = window.kernel if pool else (1,) * len(window.stride)
    if window.stride and window.stride != usual:
        yield f"stride {_one(window.stride)}"
    if any(side > 1 for side in window.dilation):
        yield f"dilation {_one(window.dilation)}"
    if window.groups > 1:
        yield "depthwise" if window.depthwise else f"{window.groups} groups"


def _one(sides: tuple[int, ...]) -> str:
    return str(sides[0]) if len(set(sides)) == 1 else "×".join(map(str, sides))


def _shortened(items: list[Block], edges: list[Edge]) -> tuple[list[Block], list[Edge]]:
    if len(items) <= MOST:
        return items, edges
    first, last = MOST - 12, len(items) - 11
    left = sum(not item.is_join for item in items[first:last])
    count = sum(item.parameters for item in items[first:last])
    short = [*items[:first], Block(f"{left} more", "gap", (), (), count), *items[last:]]

    def at(item: int) -> int:
        return item if item < first else first if item < last else item - last + first + 1

    moved = dict.fromkeys((at(a), at(b)) for a, b in edges)
    return short, [edge for edge in moved if edge[0] != edge[1]]
