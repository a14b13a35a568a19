"""Two proofs on the same seeds, compared pair by pair: which is better, are they equivalent, or is it undecided?

Layout of a folder: `first/` and `second/`, each the folder of a proof, and `comparison.json`, which names both
declarations, and the margin of an equivalence where one is asked for, and was written before the first run. No torch.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from tinyproof.core import stats
from tinyproof.core.errors import DataError, InputError
from tinyproof.core.fields import number
from tinyproof.core.files import write_atomic
from tinyproof.core.plain_data import read_json
from tinyproof.core.stats import Paired
from tinyproof.prove import declaration, proof
from tinyproof.prove.declaration import digest_of
from tinyproof.prove.proof import Proof

FILE = "comparison.json"
RESULT = "result.json"
FORMAT = "tinyproof-comparison/1"
SIDES = ("first", "second")
CONFIDENCE = 0.95
# Two one-sided tests at 5 % each: their interval is the 90 % one (Schuirmann, J. Pharmacokinet. Biopharm. 15, 1987).
EQUIVALENCE_CONFIDENCE = 0.90

Word = Literal["equivalent", "the first is better", "the second is better", "undecided"]


@dataclass(frozen=True)
class Bond:
    """What `comparison.json` binds a folder to: both declarations' digests, and the margin in points of accuracy
    within which the sides are to be shown equivalent (None: which is better?)."""

    declarations: tuple[str, str]
    within: float | None = None

    def __post_init__(self) -> None:
        if self.within is not None:
            number("within", self.within, 0, 100, above=True)


@dataclass(frozen=True, eq=False)
class Comparison:
    """Both proofs, the paired test of `first - second` (points of accuracy; None below two pairs), and the word.

    `within`: the margin of the equivalence in points; then the interval of `paired` is the 90 % one, else the 95 % one.
    """

    folder: Path
    first: Proof
    second: Proof
    paired: Paired | None
    word: Word
    reason: str
    within: float | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain data, every figure at full precision."""
        pairs = None if self.paired is None else _plain(self.paired)
        sides = {"first": self.first.to_json(), "second": self.second.to_json()}
        margin = {} if self.within is None else {"within": self.within}
        return {"answer": self.word, "reason": self.reason, **margin, "paired": pairs, **sides}


def _plain(paired: Paired) -> dict[str, Any]:
    low, high, confidence = paired.interval.low, paired.interval.high, paired.interval.confidence
    interval = {f"interval_{100 * confidence:.0f}": [low, high]}
    return {"mean_difference": paired.mean, **interval, "p_value": paired.p_value, "n": paired.n}


def source(first: str, second: str, within: float | None = None) -> str:
    """The digest from which both sides take their seeds; `first` and `second` are digests of their questions.

    The margin goes into it: whoever widens it afterwards has seeds that do not follow.
    """
    return digest_of(["comparison", first, second, *([] if within is None else [within])])


def write(folder: Path, bond: Bond) -> None:
    """Bind the folder to two declarations. Raises InputError where it is bound to others."""
    if (folder / FILE).is_file() and read(folder) != bond:
        raise InputError("out", str(folder), "name another folder", problem="holds another comparison")
    data: dict[str, Any] = {"format": FORMAT, "declarations": list(bond.declarations)}
    if bond.within is not None:
        data["within"] = bond.within
    write_atomic(folder / FILE, json.dumps(data, indent=1) + "\n")


def read(folder: Path) -> Bond:
    """What the folder is bound to. Raises DataError, or InputError for a margin that is none."""
    data = read_json(folder / FILE, 100_000)
    digests = data.get("declarations") if isinstance(data, dict) and data.get("format") == FORMAT else None
    if not isinstance(digests, list) or len(digests) != len(SIDES):
        raise DataError(str(folder / FILE), "does not name the declarations of a comparison")
    return Bond((str(digests[0]), str(digests[1])), data.get("within"))


def load(folder: Path) -> Comparison:
    """Read both proofs and compare them. Raises DataError when they are not the ones that the comparison names."""
    bond = read(folder)
    if bond.declarations != tuple(declaration.read(folder / side).digest for side in SIDES):
        raise DataError(str(folder / FILE), "names other declarations than those beside it")
    first, second = (proof.load(folder / side) for side in SIDES)
    if first.declaration.seeds != second.declaration.seeds:
        raise DataError(str(folder), "holds two proofs with different seeds, which cannot be paired")
    return judge(folder, first, second, bond.within)


def judge(folder: Path, first: Proof, second: Proof, within: float | None = None) -> Comparison:
    """Pair the runs by seed: better is what the 95 % interval of the mean difference leaves no doubt about.

    With `within`, a margin in points: equivalent when the 90 % interval lies inside it, either way.
    """
    for side, found in (("first", first), ("second", second)):
        verdict = found.verdict
        if len(verdict.scores) < verdict.declared:
            reason = f"of the {side}, {len(verdict.scores)} of {verdict.declared} declared runs have ended well"
            return Comparison(folder, first, second, None, "undecided", reason, within)
    if len(first.verdict.scores) < 2:
        reason = "one pair says nothing about the spread"
        return Comparison(folder, first, second, None, "undecided", reason, within)
    step = 100 / first.verdict.scores[0].images
    mine, theirs = ([score.percent for score in found.verdict.scores] for found in (first, second))
    level = CONFIDENCE if within is None else EQUIVALENCE_CONFIDENCE
    paired = stats.paired(mine, theirs, level, step)
    return Comparison(folder, first, second, paired, *answer(paired, within), within)


def answer(paired: Paired, within: float | None) -> tuple[Word, str]:
    """The word, and the figures it follows from; see `judge`."""
    low, high = paired.interval.low, paired.interval.high
    level = f"{100 * paired.interval.confidence:.0f} %"
    where = f"the mean difference is {paired.mean:+.3f} points, its {level} interval {low:+.3f} to {high:+.3f}"
    if within is None:
        return "the first is better" if low > 0 else "the second is better" if high < 0 else "undecided", where
    if -within < low and high < within:
        return "equivalent", f"{where}, inside the margin of {within:g} points"
    if low > within or high < -within:
        return "the first is better" if low > within else "the second is better", f"{where}, outside {within:g} points"
    return "undecided", f"{where}, not wholly inside the margin of {within:g} points"
