"""With which instructions the workers of a cluster compute: said where one has others than those before it."""

from __future__ import annotations

from collections.abc import Callable

from tinyproof.core.plain_data import parse_json

_MOST_FACTS = 100_000


class Instructions:
    """Those of every worker that has introduced itself."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say, self._of = say, dict[str, str]()

    def welcome(self, worker: str, answer: bytes) -> None:
        """Note what a worker's machine is (`train.environment.hardware` as JSON). The record of each run says so, too.

        Raises DataError for what is no JSON.
        """
        told = parse_json(answer[:_MOST_FACTS], worker)
        here = str(told.get("instructions", "")) if isinstance(told, dict) else ""
        if self._of and here not in self._of.values():
            other = next(iter(self._of))
            words = "its runs may have other bits, and each record says with which it was made"
            self._say(f"worker {worker} computes with other instructions than {other}: {words}")
        self._of[worker] = here
