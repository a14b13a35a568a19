"""Whether gradients stand in the order of their parameters: by what they are called, and by where they stand.

A gradient that is the derivative by another number than its place or name says may have been swapped with it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from tinyproof.check.workbook.graph.sheetgraph import SheetGraph
from tinyproof.check.workbook.graph.wording import heading
from tinyproof.check.workbook.understand.grid import Place

Spot = tuple[int, int]
LEAST_OFTEN = 3  # gradients as far from their leaves


def out_of_order(graph: SheetGraph, pairs: dict[int, tuple[int, float]]) -> list[int]:
    """The gradients of gradient -> (leaf, times) that belong to another leaf by name or place, are more or less of the
    derivative than the others, or, more than one, go another way."""
    common = Counter(abs(times) for _, times in pairs.values()).most_common(1)[0][0]
    uneven = [cell for cell, (_, times) in pairs.items() if abs(times) != common]
    ways = [[cell for cell, (_, times) in pairs.items() if way * times > 0] for way in (1, -1)]
    other = min(ways, key=len)
    if uneven or len(other) > 1:
        return uneven or other
    leaf_of = {cell: leaf for cell, (leaf, _) in pairs.items()}
    own = _by_name(graph, leaf_of)
    wrong = [cell for cell, fits in own.items() if not fits]
    for block in _blocks(graph, list(leaf_of)):
        if not all(own.get(cell, False) for cell in block) and not _in_place(graph, {c: leaf_of[c] for c in block}):
            wrong += block
    return sorted(wrong)


def by_name_or_place(
    graph: SheetGraph, left: list[int], rest: list[int], pairs: dict[int, tuple[int, float]]
) -> dict[int, int]:
    """Gradient -> leaf for cells that are called as a leaf without gradient is, or stand as far from it as most do."""
    away = Counter(_apart(graph, cell, leaf) for cell, (leaf, _) in pairs.items())
    usual, often = max(away.items(), key=lambda one: one[1], default=((0, 0, 0), 0))
    found = dict[int, int]()
    for cell in left:
        words = _plain(graph, cell)
        own = [leaf for leaf in rest if (name := _plain(graph, leaf)) and words.endswith(name) and words != name]
        if not own and often >= LEAST_OFTEN:
            own = [leaf for leaf in rest if _apart(graph, cell, leaf) == usual]
        if len(own) == 1 and own[0] not in found.values():
            found[cell] = own[0]
    return found


def _apart(graph: SheetGraph, cell: int, leaf: int) -> tuple[int, int, int]:
    one, other = graph.places[cell], graph.places[leaf]
    return other.sheet - one.sheet, other.row - one.row, other.col - one.col


def _plain(graph: SheetGraph, cell: int) -> str:
    return heading(graph, cell).casefold().replace(" ", "")


def _by_name(graph: SheetGraph, leaf_of: dict[int, int]) -> dict[int, bool]:
    """Gradients whose name ends in that of a leaf, `dE/dw1`: is it that of their own?"""
    called: dict[str, set[int]] = {}
    for leaf in leaf_of.values():
        name = _plain(graph, leaf)
        if name:
            called.setdefault(name, set()).add(leaf)
    fits = dict[int, bool]()
    for cell, leaf in leaf_of.items():
        words = _plain(graph, cell)
        ends = [name for name in called if words.endswith(name) and words != name]
        if ends:
            fits[cell] = leaf in called[max(ends, key=len)]
    return fits


def _blocks(graph: SheetGraph, cells: list[int]) -> Iterator[list[int]]:
    """Cells that touch."""
    left = {graph.places[cell]: cell for cell in cells}
    while left:
        place, cell = left.popitem()
        block, todo = [cell], [place]
        while todo:
            sheet, row, col = todo.pop()
            for r, c in ((1, 0), (-1, 0), (0, 1), (0, -1)):
                beside = Place(sheet, row + r, col + c)
                if beside in left:
                    block.append(left.pop(beside))
                    todo.append(beside)
        yield block


def _in_place(graph: SheetGraph, leaf_of: dict[int, int]) -> bool:
    """Whether a block of gradients lies as its leaves do, straight or turned, where these form the same block."""
    here = _shape([graph.places[cell] for cell in leaf_of])
    there = _shape([graph.places[leaf] for leaf in leaf_of.values()])
    turned = [(col, row) for row, col in there]
    if sorted(here) != sorted(there):
        return sorted(here) != sorted(turned) or here == turned
    return here in (there, turned)


def _shape(places: list[Place]) -> list[Spot]:
    row, col = min(p.row for p in places), min(p.col for p in places)
    return [(p.row - row, p.col - col) for p in places]
