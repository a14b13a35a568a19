"""How many rows there are, where the source and every cut through it are known."""

from __future__ import annotations

import math

from tinyproof.check.code.interpreter.rows import Cut, Path, Rows

_USUAL_SHARE = 0.25  # what train_test_split holds out when it is not told


def size_of(rows: Rows) -> int | None:
    """The number of rows; None where it is not known."""
    sizes = [_of_path(path) for path in rows.paths]
    known = [size for size in sizes if size is not None]
    return sum(known) if known and len(known) == len(sizes) and len(rows.paths) == 1 else None


def _of_path(path: Path) -> int | None:
    size = path.root.size
    for cut in path.cuts:
        size = None if size is None else _after(cut, size)
    return size


def _after(cut: Cut, size: int) -> int | None:
    if cut.kind == "slice":
        low, high = cut.low, cut.high
        if isinstance(low, int | None) and isinstance(high, int | None):
            return len(range(size)[slice(low, high)])
        return None
    if cut.kind != "split" or cut.share is None:
        return None
    held_out = _held_out(cut.share, size)
    return None if held_out is None else held_out if cut.part == "held out" else size - held_out


def _held_out(share: object, size: int) -> int | None:
    """How many rows train_test_split holds out."""
    if isinstance(share, int) and not isinstance(share, bool):
        return share if 0 < share < size else None
    if isinstance(share, float) and 0 < share < 1:
        return math.ceil(share * size)
    return math.ceil(_USUAL_SHARE * size) if share == "usual" else None
