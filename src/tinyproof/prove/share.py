"""A share of a proof: which of the declared seeds one of several machines trains that have nothing in common."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tinyproof.core.errors import InputError

_WRITTEN = re.compile(r"([1-9]\d{0,3})/([1-9]\d{0,3})")
# Clocks differ, but not by so much; a declaration from the future would be younger than its runs.
_AHEAD = timedelta(hours=1)


@dataclass(frozen=True)
class Share:
    """The `number`th of `of` parts, counted from 1."""

    number: int
    of: int

    def seeds(self, declared: Sequence[int]) -> tuple[int, ...]:
        """Its seeds: the parts have no seed in common, and together they have all. Raises InputError where there are
        more parts than seeds.

        >>> [Share(number, 3).seeds((11, 12, 13, 14)) for number in (1, 2, 3)]
        [(11, 14), (12,), (13,)]
        """
        if self.of > len(declared):
            allowed = f"at most as many parts as declared seeds, {len(declared)}"
            raise InputError("part", f"{self.number}/{self.of}", allowed)
        return tuple(declared[self.number - 1 :: self.of])


def parse(part: str) -> Share:
    """The share that is written as `3/10`. Raises InputError.

    >>> parse("3/10")
    Share(number=3, of=10)
    """
    match = _WRITTEN.fullmatch(part.strip()) if isinstance(part, str) else None
    if match is None or int(match[1]) > int(match[2]):
        raise InputError("part", part, "3/10: which part, from 1, and of how many")
    return Share(int(match[1]), int(match[2]))


def declared_time(written: str) -> str:
    """A time with its zone, as declarations write it. Raises InputError; also for one more than an hour ahead.

    >>> declared_time("2026-01-02T04:04:05+01:00")
    '2026-01-02T03:04:05+00:00'
    """
    try:
        time = datetime.fromisoformat(written)
    except (ValueError, TypeError):
        time = None
    if time is None or time.tzinfo is None:
        raise InputError("declared-at", written, "a time with its zone, as 2026-01-02T03:04:05Z")
    if time - datetime.now(UTC) > _AHEAD:
        raise InputError("declared-at", written, "a time that has come")
    return time.astimezone(UTC).isoformat(timespec="seconds")
