"""The archives of a class, one after the other in one process that is bounded; and all of them together."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tinyproof.core.unpack import MOST_BYTES_TOGETHER, Unpacking, unpack
from tinyproof.core.workers import Outcome, run_bounded


@dataclass
class Unpacker:
    """Unpacks into folders. `seconds`, `memory_bytes`: of an archive, as for `run_bounded`; `room`: the bytes that the
    archives to come may hold. An archive that holds more is not unpacked, and one after it may."""

    seconds: float
    memory_bytes: int
    room: int = MOST_BYTES_TOGETHER
    _asked: list[Unpacking] = field(default_factory=list)
    _answers: Iterator[Outcome] | None = None

    def unpack(self, archive: Path, into: Path) -> Outcome:
        """What was refused of it, as `core.unpack.unpack` says; or the problem, and nothing is there."""
        self._asked.append(Unpacking(str(archive), str(into), self.room))
        if self._answers is None:
            self._answers = run_bounded(
                unpack, self._asked, processes=1, seconds=self.seconds, memory_bytes=self.memory_bytes
            )
        outcome = next(self._answers)
        if outcome.value is None:
            shutil.rmtree(into, ignore_errors=True)
        else:
            self.room -= sum(file.lstat().st_size for file in into.rglob("*") if file.is_file())
        return outcome

    def close(self) -> None:
        """End the process; the next archive starts another."""
        if self._answers is not None:
            self._answers.close()  # type: ignore[attr-defined]
        self._answers, self._asked = None, []
