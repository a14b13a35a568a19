"""Where values lie in one array where a network branches: some are kept while others come and go.

What changes values in place shares their place, and they live as long as the last of them. Those that live at the same
time lie apart; but what a stage takes for the last time, it may write over, as far as its loop has read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tinyproof.ship.c_stages import Stage, last_uses

Gap = Callable[[Stage], int]


@dataclass
class _Block:
    """Values in one place: made first by stage `born`, taken last by stage `dies`."""

    born: int
    dies: int
    size: int
    at: int = -1


def placed(
    stages: Sequence[Stage], sizes: Sequence[int], takes: Sequence[tuple[int, ...]], gap: Gap | None
) -> tuple[int, list[int]]:
    """The length of the array and where each stage's values begin; `gap`: of `arena`, None where loops that take
    windows may write over nothing that they take. Of several orders the one that needs least."""
    orders: list[Callable[[_Block], tuple[int, ...]]] = [
        lambda block: (-block.size, block.born),
        lambda block: (block.born,),
        lambda block: (block.born - block.dies, -block.size),
    ]
    found = [_placed(stages, sizes, takes, gap, order) for order in orders]
    return min(found, key=lambda plan: plan[0])


def _placed(
    stages: Sequence[Stage], sizes: Sequence[int], takes: Sequence[tuple[int, ...]], gap: Gap | None,
    order: Callable[[_Block], tuple[int, ...]],
) -> tuple[int, list[int]]:  # fmt: skip
    of = _blocks(stages, sizes, takes)
    done = list[_Block]()
    for block in sorted({id(block): block for block in of}.values(), key=order):
        ends = [0, *(other.at + other.size for other in done)]
        starts = [other.at - _least(stages, other, block, gap) for other in done] + [other.at for other in done]
        block.at = min(
            at for at in [*ends, *starts] if at >= 0 and all(_fits(stages, block, at, other, gap) for other in done)
        )
        done.append(block)
    return max(block.at + block.size for block in of), [block.at for block in of]


def _blocks(stages: Sequence[Stage], sizes: Sequence[int], takes: Sequence[tuple[int, ...]]) -> list[_Block]:
    """The block of each stage's values."""
    dies, found = last_uses(takes), list[_Block]()
    for number, stage in enumerate(stages):
        if stage.in_place and takes[number]:
            found.append(found[takes[number][0]])
            found[-1].dies = dies[number]
        else:
            found.append(_Block(number, dies[number], sizes[number]))
    return found


def _fits(stages: Sequence[Stage], block: _Block, at: int, other: _Block, gap: Gap | None) -> bool:
    """Whether a block may begin at a place while another one has its own."""
    if at + block.size <= other.at or at >= other.at + other.size:
        return True
    first, last = (block, other) if block.born < other.born else (other, block)
    if last.born > first.dies:
        return True
    if last.born < first.dies:
        return False
    reads, writes = (at, other.at) if first is block else (other.at, at)
    stage = stages[last.born]
    if stage.kind == "add":
        return writes <= reads
    if gap is None or stage.kind == "concat":
        return False
    if stage.kind == "pad":  # from the end
        return writes >= reads
    return writes <= reads - gap(stage)


def _least(stages: Sequence[Stage], other: _Block, block: _Block, gap: Gap | None) -> int:
    """How far before another block one may begin that is written over it."""
    stage = stages[block.born]
    if block.born == other.dies and gap is not None and stage.kind not in ("add", "concat", "pad"):
        return min(block.size, gap(stage))
    return block.size
