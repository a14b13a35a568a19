"""Which pixels of the input one value sees along one side: exact under strides, dilation, up-sampling and branches.

Followed as intervals, in the way of Araujo, Norris, Sim, "Computing receptive fields of convolutional neural
networks", Distill (2019), but for every position of one period: behind an up-sampling, neighbours see differently much.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

# Up-sampling by odd ratios again and again has ever longer periods: beyond this, what is seen is called not known.
_LONGEST_PERIOD = 4096


class NotKnown(Exception):
    """What a value sees is not defined, or not known here."""


@dataclass(frozen=True)
class Reach:
    """The first and the last pixel that position p sees, for every whole p; padding counts as pixels.

    Both repeat: position p + period sees what p sees, `step` pixels further on. The period is the tuples' length.

    >>> Reach().window(size=3, stride=2).window(size=3).field
    7
    """

    step: int = 1
    firsts: tuple[int, ...] = (0,)
    lasts: tuple[int, ...] = (0,)

    @property
    def field(self) -> int:
        """How many pixels from the first to the last one seen; of the position that sees most."""
        return max(0, *(last - first + 1 for first, last in zip(self.firsts, self.lasts, strict=True)))

    @property
    def jump(self) -> int | float:
        """Pixels of the input from one position to the next, on average; below 1 behind an up-sampling."""
        share = Fraction(self.step, len(self.firsts))
        return int(share) if share.denominator == 1 else float(share)

    def window(self, size: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> Reach:
        """What a convolution or a pooling sees."""
        return self._through(1, stride, lambda p: (p * stride - padding, p * stride - padding + (size - 1) * dilation))

    def transposed(self, size: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> Reach:
        """What a transposed convolution sees."""

        def ends(p: int) -> tuple[int, int]:
            hits = [(p + padding - tap * dilation) // stride for tap in range(size)
                    if (p + padding - tap * dilation) % stride == 0]  # fmt: skip
            if hits:
                return min(hits), max(hits)
            # Nothing is seen here: the first one lies behind the last one.
            return -((dilation * (size - 1) - p - padding) // stride), (p + padding) // stride

        return self._through(stride, 1, ends)

    def nearest(self, ratio: Fraction, exact: bool = False) -> Reach:
        """What up-sampling by copies sees; `ratio`: old positions for one new one."""

        def ends(p: int) -> tuple[int, int]:
            at = math.floor((p + Fraction(1, 2)) * ratio if exact else p * ratio)
            return at, at

        return self._through(ratio.denominator, ratio.numerator, ends)

    def between(self, ratio: Fraction, neighbours: int = 1, corners: bool = False) -> Reach:
        """What interpolation sees, between `neighbours` on either side: linear 1, cubic 2."""

        def ends(p: int) -> tuple[int, int]:
            at = p * ratio if corners else (p + Fraction(1, 2)) * ratio - Fraction(1, 2)
            low = math.floor(at)
            return (low, low) if at == low else (low - neighbours + 1, low + neighbours)

        return self._through(ratio.denominator, ratio.numerator, ends)

    def parts(self, ratio: Fraction) -> Reach:
        """What adaptive pooling sees: the side divided into equal parts, each rounded outwards."""
        return self._through(
            ratio.denominator, ratio.numerator, lambda p: (math.floor(p * ratio), math.ceil((p + 1) * ratio) - 1)
        )

    def joined(self, other: Reach) -> Reach:
        """What a sum of both sees. Raises NotKnown when they move over the image at different speeds."""
        period = math.lcm(len(self.firsts), len(other.firsts))
        step = self.step * (period // len(self.firsts))
        if step != other.step * (period // len(other.firsts)) or period > _LONGEST_PERIOD:
            raise NotKnown
        ends = [(self._at(p), other._at(p)) for p in range(period)]
        return Reach(
            step, tuple(min(a[0], b[0]) for a, b in ends), tuple(max(a[1], b[1]) for a, b in ends)
        )  # fmt: skip

    def _at(self, p: int) -> tuple[int, int]:
        turns, phase = divmod(p, len(self.firsts))
        return self.firsts[phase] + turns * self.step, self.lasts[phase] + turns * self.step

    def _through(self, period: int, move: int, ends: Callable[[int], tuple[int, int]]) -> Reach:
        """New positions p see our positions ends(p), where ends(p + period) lies `move` further on."""
        repeat = len(self.firsts) // math.gcd(len(self.firsts), move)
        if period * repeat > _LONGEST_PERIOD:
            raise NotKnown
        seen = [ends(p) for p in range(period * repeat)]
        return Reach(
            self.step * (move * repeat // len(self.firsts)),
            tuple(self._at(first)[0] for first, _ in seen),
            tuple(self._at(last)[1] for _, last in seen),
        )
