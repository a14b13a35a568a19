"""Two proofs on the same seeds, compared pair by pair: which is better, or is it undecided? No torch.

Layout of a folder: `first/` and `second/`, each the folder of a proof, and `comparison.json`, which names both
declarations and was written before the first run.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from tinyproof.cnn import proof
from tinyproof.cnn.declaration import Declaration, digest_of, load_json
from tinyproof.cnn.proof import Proof
from tinyproof.core import stats
from tinyproof.core.errors import DataError, InputError
from tinyproof.core.files import write_atomic
from tinyproof.core.stats import Paired

FILE = "comparison.json"
FORMAT = "tinyproof-comparison/1"
SIDES = ("first", "second")
CONFIDENCE = 0.95

Word = Literal["the first is better", "the second is better", "undecided"]


@dataclass(frozen=True, eq=False)
class Comparison:
    """Both proofs, the paired test of `first - second` (points of accuracy; None below two pairs), and the word."""

    folder: Path
    first: Proof
    second: Proof
    paired: Paired | None
    word: Word
    reason: str

    def to_json(self) -> dict[str, Any]:
        """Plain data, every figure at full precision."""
        pairs = None if self.paired is None else {
            "mean_difference": self.paired.mean,
            "interval_95": [self.paired.interval.low, self.paired.interval.high],
            "p_value": self.paired.p_value,
            "n": self.paired.n,
        }  # fmt: skip
        sides = {"first": self.first.to_json(), "second": self.second.to_json()}
        return {"answer": self.word, "reason": self.reason, "paired": pairs, **sides}


def source(first: str, second: str) -> str:
    """The digest from which both sides take their seeds; `first` and `second` are digests of their questions."""
    return digest_of(["comparison", first, second])


def write(folder: Path, first: Declaration, second: Declaration) -> None:
    """Bind the folder to two declarations. Raises InputError where it is bound to others."""
    digests = [first.digest, second.digest]
    if (folder / FILE).is_file() and read(folder) != digests:
        raise InputError("out", str(folder), "a folder without another comparison in it")
    text = json.dumps({"format": FORMAT, "declarations": digests}, indent=1)
    write_atomic(folder / FILE, text + "\n")


def read(folder: Path) -> list[str]:
    """The digests of both declarations. Raises DataError."""
    data = load_json(folder / FILE, 100_000)
    if not isinstance(data, dict) or data.get("format") != FORMAT or not isinstance(data.get("declarations"), list):
        raise DataError(str(folder / FILE), "does not name the declarations of a comparison")
    return [str(digest) for digest in data["declarations"]]


def load(folder: Path) -> Comparison:
    """Read both proofs and compare them. Raises DataError when they are not the ones that the comparison names."""
    first, second = (proof.load(folder / side) for side in SIDES)
    if read(folder) != [first.declaration.digest, second.declaration.digest]:
        raise DataError(str(folder / FILE), "names other declarations than those beside it")
    if first.declaration.seeds != second.declaration.seeds:
        raise DataError(str(folder), "holds two proofs with different seeds, which cannot be paired")
    return judge(folder, first, second)


def judge(folder: Path, first: Proof, second: Proof) -> Comparison:
    """Pair the runs by seed: better is what the 95 % interval of the mean difference leaves no doubt about."""
    for side, found in (("first", first), ("second", second)):
        verdict = found.verdict
        if len(verdict.scores) < verdict.declared:
            reason = f"of the {side}, {len(verdict.scores)} of {verdict.declared} declared runs have ended well"
            return Comparison(folder, first, second, None, "undecided", reason)
    if len(first.verdict.scores) < 2:
        return Comparison(folder, first, second, None, "undecided", "one pair says nothing about the spread")
    step = 100 / first.verdict.scores[0].images
    mine, theirs = ([score.percent for score in found.verdict.scores] for found in (first, second))
    paired = stats.paired(mine, theirs, CONFIDENCE, step)
    low, high = paired.interval.low, paired.interval.high
    where = f"the mean difference is {paired.mean:+.3f} points, its 95 % interval {low:+.3f} to {high:+.3f}"
    word: Word = "the first is better" if low > 0 else "the second is better" if high < 0 else "undecided"
    return Comparison(folder, first, second, paired, word, where)
