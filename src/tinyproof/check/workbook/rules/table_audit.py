"""What was found in one table: what the rules leave, and what the later ones read."""

from __future__ import annotations

from dataclasses import dataclass, field

from tinyproof.check.workbook.rules.judge import Judge
from tinyproof.check.workbook.rules.mistake import Mistake
from tinyproof.check.workbook.rules.rates import RateCell, Update
from tinyproof.check.workbook.understand.network_values import Network
from tinyproof.check.workbook.understand.tables import Table


@dataclass
class TableAudit:
    """What was found in one table. `problem`: what could not be told, "" where everything could.

    `wholly`: the table was understood wholly, so that it can be called right or wrong; `judge` is None otherwise.
    `compared`: the columns that were compared with something.
    """

    table: Table
    network: Network
    mistakes: list[Mistake] = field(default_factory=list)
    rate: RateCell | None = None
    updates: list[Update] = field(default_factory=list)
    problem: str = ""
    judge: Judge | None = None
    wholly: bool = False
    compared: frozenset[int] = frozenset()

    @property
    def undecided(self) -> bool:
        return bool(self.problem) or any(mistake.undecided for mistake in self.mistakes)
