"""Random numbers: the generator PCG64 seeded as numpy seeds it, so that the same seed draws the same numbers.

Sources: O'Neill, PCG (2014), XSL-RR 128/64; numpy's `SeedSequence` with its constants; Lemire (2019) for whole numbers
below a bound.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import cycle
from typing import Any

from tinyproof.core.arrays.plain_array import asarray, made

_32, _64, _128 = (1 << 32) - 1, (1 << 64) - 1, (1 << 128) - 1
_STEP = 0x2360ED051FC65DA44385DF649FCCF645


class _Hash:
    """A hash of 32 bits whose constant moves on with every word."""

    def __init__(self, constant: int, times: int) -> None:
        self.constant, self.times = constant, times

    def __call__(self, word: int) -> int:
        word ^= self.constant
        self.constant = self.constant * self.times & _32
        word = word * self.constant & _32
        return word ^ word >> 16


def _mixed(a: int, b: int) -> int:
    word = (0xCA01F9DD * a - 0x4973F715 * b) & _32
    return word ^ word >> 16


def seeded(seed: int) -> tuple[int, int]:
    """Two numbers of 128 bits from a seed below 2^128."""
    spread, drawn = _Hash(0x43B0D7E5, 0x931E8875), _Hash(0x8B51F9DD, 0x58F38DED)
    pool = [spread(seed >> 32 * i & _32) for i in range(4)]
    for source in range(4):
        for target in range(4):
            if source != target:
                pool[target] = _mixed(pool[target], spread(pool[source]))
    words = [drawn(word) for word, _ in zip(cycle(pool), range(8), strict=False)]
    high, low, *rest = (words[i] | words[i + 1] << 32 for i in range(0, 8, 2))
    return high << 64 | low, rest[0] << 64 | rest[1]


class PCG64:
    """Words of 64 bits from a seed."""

    def __init__(self, seed: int) -> None:
        start, stream = seeded(seed)
        self.by, self.state = (stream << 1 | 1) & _128, 0
        self.half: int | None = None
        self._move()
        self.state = self.state + start & _128
        self._move()

    def _move(self) -> None:
        self.state = (self.state * _STEP + self.by) & _128

    def word(self) -> int:
        """The next 64 bits."""
        return self.words(1)[0]

    def words(self, count: int) -> list[int]:
        """The next so many times 64 bits."""
        state, by, found = self.state, self.by, []
        for _ in range(count):
            state = (state * _STEP + by) & _128
            word, turn = (state >> 64 ^ state) & _64, state >> 122
            found.append((word >> turn | word << (64 - turn)) & _64)
        self.state = state
        return found

    def short_words(self, count: int) -> list[int]:
        """The next so many times 32 bits."""
        held = [] if self.half is None or not count else [self.half]
        whole = self.words((count - len(held) + 1) // 2)
        found = [*held, *(half for word in whole for half in (word & _32, word >> 32))]
        if count:
            self.half = found.pop() if len(found) > count else None
        return found

    def short_word(self) -> int:
        """The next 32 bits: the lower half of a word, then its upper half."""
        if self.half is not None:
            held, self.half = self.half, None
            return held
        word = self.word()
        self.half = word >> 32
        return word & _32


class Generator:
    """What an audit draws."""

    def __init__(self, bits: PCG64) -> None:
        self.bits = bits

    def uniform(self, low: float = 0.0, high: float = 1.0, size: Any = None) -> Any:
        """Numbers from `low` to below `high`."""
        shape = size if isinstance(size, tuple) else () if size is None else (int(size),)
        wide = high - low
        return made([low + wide * ((w >> 11) * 2.0**-53) for w in self.bits.words(math.prod(shape))], shape, "f")

    def integers(self, below: int) -> int:
        """A whole number from 0 to below a bound of at most 2^32 - 1."""
        if below == 1:
            return 0
        product = self.bits.short_word() * below
        if product & _32 < below:
            least = (_32 + 1 - below) % below
            while product & _32 < least:
                product = self.bits.short_word() * below
        return product >> 32

    def choice(self, values: Sequence[float], size: Any) -> Any:
        """Of these values one for each place, each as likely as the others."""
        shape, given = size if isinstance(size, tuple) else (int(size),), asarray(values)
        count, below, before = math.prod(shape), len(given), (self.bits.state, self.bits.half)
        products = [half * below for half in self.bits.short_words(count)] if below > 1 else [0] * count
        if below > 1 and any(product & _32 < below for product in products):  # a word may have to be refused
            self.bits.state, self.bits.half = before
            products = [self.integers(below) << 32 for _ in range(count)]
        picked = (product >> 32 for product in products)
        return made([given.flat[i] for i in picked], shape, given.kind)


def default_rng(seed: int) -> Generator:
    """A generator from a seed."""
    return Generator(PCG64(seed))
