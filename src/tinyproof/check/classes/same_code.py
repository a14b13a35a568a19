"""Which submissions have the same code under other names, and where it stands in each. It is no accusation.

What half of the class has was given to them; what a library's tutorial shows is too little to be told.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass

from tinyproof.check.classes.submissions import Submission
from tinyproof.check.finding import CodeBlock

# Parts of a program's syntax. A block of fewer is everybody's: `net = Net().to(device)` and an optimiser have 20.
LEAST_BLOCK = 30
# The loops train() and test() of PyTorch's own MNIST example have some 140 each: who took both from there shares less.
LEAST_SHARED = 300
LEAST_WHOLE = 100  # where it is all the code that each of them has
# What half of those who hand in code have, four at least, is taken for code that was given to them.
GIVEN_SUBMISSIONS, GIVEN_SHARE = 4, 0.5
_MOST_GROUPS, _MOST_PLACES = 400, 4


@dataclass(frozen=True)
class CodePlaces:
    """Where the shared code stands in one submission: the file, and the blocks in it."""

    submission: str
    file: str
    blocks: tuple[CodeBlock, ...]

    @property
    def lines(self) -> int:
        return sum(block.last - block.first + 1 for block in self.blocks)

    def where(self) -> str:
        """`cell 3, lines 1 to 20; cell 5, lines 2 to 9`."""
        told = [_place(block) for block in self.blocks[:_MOST_PLACES]]
        more = len(self.blocks) - _MOST_PLACES
        return "; ".join(told) + (f" and {more} more" if more > 0 else "")


@dataclass(frozen=True)
class SameCode:
    """Code that several submissions have under other names; `places`: in each."""

    places: tuple[CodePlaces, ...]

    @property
    def across(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(place.submission for place in self.places))


@dataclass(frozen=True)
class SharedCode:
    """What is told, the most shared first; `given`: how many blocks were left out as given to the class."""

    groups: tuple[SameCode, ...]
    given: int


Holders = dict[str, list[tuple[str, CodeBlock]]]  # submission -> the blocks of one print, with their files


def same_code(found: Iterable[Submission], handed_out: Container[str] = ()) -> SharedCode:
    """The groups of submissions that share code, explained block by block. `handed_out`: prints of code that the
    class was given."""
    held = _by_print(found)
    writers = len({name for holders in held.values() for name in holders})
    most = max(GIVEN_SUBMISSIONS, GIVEN_SHARE * writers)
    given = {same for same, holders in held.items() if same in handed_out or len(holders) >= most}
    own = {same: holders for same, holders in held.items() if same not in given}
    groups: dict[frozenset[str], list[str]] = {}
    for same, holders in own.items():
        if len(holders) > 1:
            groups.setdefault(frozenset(holders), []).append(same)
    sizes = {same: next(iter(holders.values()))[0][1].size for same, holders in own.items()}
    whole = {name: sum(sizes[s] for s, holders in own.items() if name in holders) for name in _names(groups)}
    told = _told(groups, sizes, whole)
    return SharedCode(tuple(_group(names, prints, own) for names, prints in told), len(given))


def _by_print(found: Iterable[Submission]) -> dict[str, Holders]:
    held: dict[str, Holders] = {}
    for one in found:
        for file in one.files:
            for block in file.blocks:
                if block.size >= LEAST_BLOCK:
                    held.setdefault(block.same, {}).setdefault(one.name, []).append((file.file, block))
    return held


def _names(groups: Iterable[frozenset[str]]) -> set[str]:
    return {name for names in groups for name in names}


def _told(
    groups: dict[frozenset[str], list[str]], sizes: dict[str, int], whole: dict[str, int]
) -> list[tuple[frozenset[str], list[str]]]:
    """The groups that share enough, with all prints that they share, also with others."""
    largest = sorted(groups, key=lambda names: -sum(sizes[same] for same in groups[names]))[:_MOST_GROUPS]
    told: list[tuple[int, frozenset[str], list[str]]] = []
    for names in sorted(largest, key=len, reverse=True):
        prints = [same for other in largest if names <= other for same in groups[other]]
        size, alone = sum(sizes[same] for same in prints), sum(sizes[same] for same in groups[names])
        all_of_it = size >= LEAST_WHOLE and all(whole[name] == size for name in names)
        besides = any(names < other for _, other, _ in told)
        if (size >= LEAST_SHARED or all_of_it) and (alone >= LEAST_WHOLE or not besides):
            told.append((size, names, prints))
    return [(names, prints) for _, names, prints in sorted(told, key=lambda each: (-each[0], sorted(each[1])))]


def _group(names: frozenset[str], prints: Sequence[str], held: dict[str, Holders]) -> SameCode:
    places: dict[tuple[str, str], list[CodeBlock]] = {}
    for name in sorted(names):
        for same in prints:
            file, block = held[same][name][0]
            places.setdefault((name, file), []).append(block)
    return SameCode(
        tuple(
            CodePlaces(name, file, tuple(sorted(blocks, key=lambda block: (block.cell or 0, block.first))))
            for (name, file), blocks in places.items()
        )
    )


def _place(block: CodeBlock) -> str:
    lines = f"line {block.first}" if block.first == block.last else f"lines {block.first} to {block.last}"
    return lines if block.cell is None else f"cell {block.cell}, {lines}"
