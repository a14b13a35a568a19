"""Where the values of a tensor lie in the image: for each dimension, which side of the image it runs along."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tinyproof.network.receptive_field import NotKnown, Reach


@dataclass(frozen=True)
class Part:
    """A dimension, or what is flattened into one: its size, and its reach where it runs along a side of the image."""

    size: int
    reach: Reach | None = None


Dim = tuple[Part, ...]


@dataclass(frozen=True)
class Layout:
    """The parts of every dimension; `seen`: the most pixels seen along a side that is no dimension any more;
    `everything`: a fully connected layer was passed, after which each value sees the whole image.
    """

    dims: tuple[Dim, ...]
    seen: int = 0
    everything: bool = False

    @staticmethod
    def of_image(shape: Sequence[int]) -> Layout:
        """An image [1, C, H, W]: its last two dimensions are its sides."""
        sides = len(shape) - 2
        return Layout(tuple((Part(n, Reach() if i >= len(shape) - sides else None),) for i, n in enumerate(shape)))

    @property
    def shape(self) -> tuple[int, ...]:
        """The size of each dimension."""
        return tuple(math.prod(part.size for part in dim) for dim in self.dims)

    @property
    def sides(self) -> list[Part]:
        """The parts that run along a side of the image."""
        return [part for dim in self.dims for part in dim if part.reach is not None]

    @property
    def field(self) -> int | None:
        """The receptive field along the side where it is larger; None where everything is seen."""
        fields = [part.reach.field for part in self.sides if part.reach]
        return None if self.everything else max([self.seen, *fields])

    @property
    def jump(self) -> int | float | None:
        """The jump along the side where it is larger; None where no dimension is a side of its own."""
        return max((side(dim).jump for dim in self.dims if alone(dim)), default=None)

    def taking(self, index: int, dim: Dim) -> Layout:
        """The same with another dimension in place of one; the sides of the image that go with it were seen."""
        kept = [part.reach for part in dim if part.reach]
        gone = [] if kept else [_whole(part) for part in self.dims[index] if part.reach]
        dims = (*self.dims[:index], dim, *self.dims[index + 1 :])
        return replace(self, dims=dims, seen=max([self.seen, *gone]))

    def without(self, index: int) -> Layout:
        """One dimension less: reduced over, or one position of it taken."""
        less = self.taking(index, ())
        return replace(less, dims=(*less.dims[:index], *less.dims[index + 1 :]))

    def resized(self, index: int, size: int) -> Layout:
        """Another size of a dimension that is no side of the image. Raises NotKnown."""
        if any(part.reach and part.size > 1 for part in self.dims[index]):
            raise NotKnown
        return self.taking(index, (Part(size),))

    def moved(self, index: int, size: int, change: Callable[[Reach], Reach]) -> Layout:
        """The reach of one dimension changed, where it runs along a side at all."""
        dim = self.dims[index]
        if not any(part.reach for part in dim):
            return self.taking(index, (Part(size),))
        if not alone(dim):
            raise NotKnown
        return self.taking(index, (Part(size, change(side(dim))),))

    def permuted(self, order: Iterable[int]) -> Layout:
        """The dimensions in another order."""
        return replace(self, dims=tuple(self.dims[i] for i in order))

    def inserted(self, index: int, size: int) -> Layout:
        """A new dimension that is no side of the image."""
        return replace(self, dims=(*self.dims[:index], (Part(size),), *self.dims[index:]))

    def expanded(self, shape: Sequence[int]) -> Layout:
        """Stretched to a shape as arithmetic does it. Raises NotKnown for a side of the image that is stretched."""
        missing = len(shape) - len(self.dims)
        if missing < 0:
            raise NotKnown
        found = replace(self, dims=((),) * missing + self.dims)
        for index, (old, new) in enumerate(zip(found.shape, shape, strict=True)):
            if old != new:
                if any(part.reach for part in found.dims[index]):
                    raise NotKnown
                found = found.taking(index, (Part(new),))
        return found

    def joined(self, other: Layout) -> Layout:
        """What a sum of both sees."""
        dims = tuple(_joined(a, b) for a, b in zip(self.dims, other.dims, strict=True))
        return Layout(dims, max(self.seen, other.seen), self.everything or other.everything)

    def viewed(self, shape: Sequence[int]) -> Layout:
        """The same values in the same order under another shape: flattened, squeezed, split."""
        if tuple(shape) == self.shape:
            return self
        left = [part for dim in self.dims for part in dim]
        dims = [_taken(left, size) for size in shape]
        if any(part.size > 1 for part in left):
            raise NotKnown
        if dims:
            dims[-1] = (*dims[-1], *left)
        return replace(self, dims=tuple(dims))


def alone(dim: Dim) -> bool:
    """Whether a dimension is one side of the image and nothing else."""
    sides = [part for part in dim if part.reach]
    return len(sides) == 1 and all(part.size == 1 for part in dim if not part.reach)


def side(dim: Dim) -> Reach:
    """The reach of a dimension that is `alone`."""
    return next(part.reach for part in dim if part.reach)


def _whole(part: Part) -> int:
    return part.reach.window(part.size, max(part.size, 1)).field if part.reach else 0


def _joined(a: Dim, b: Dim) -> Dim:
    if not any(part.reach for part in b):
        return a
    if not any(part.reach for part in a):
        return b
    a, b = (tuple(part for part in dim if part.size > 1 or part.reach) for dim in (a, b))
    if [part.size for part in a] != [part.size for part in b]:
        raise NotKnown
    return tuple(Part(x.size, _both(x.reach, y.reach)) for x, y in zip(a, b, strict=True))


def _both(a: Reach | None, b: Reach | None) -> Reach | None:
    return a.joined(b) if a and b else a or b


def _taken(left: list[Part], size: int) -> Dim:
    """Take the parts of one dimension of `size` from the front."""
    if size == 1:
        return (left.pop(0),) if left and left[0].size == 1 else ()
    got: list[Part] = []
    done: Any = 1
    while done < size:
        if not left:
            raise NotKnown
        part = left.pop(0)
        if size % (done * part.size):
            # Only channels are split: of a side of the image, no part is a side.
            share = size // done
            if part.reach or part.size % share:
                raise NotKnown
            left.insert(0, Part(part.size // share))
            part = Part(share)
        got.append(part)
        done *= part.size
    if size == 0:
        raise NotKnown
    return tuple(got)
