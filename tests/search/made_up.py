"""A search that was never trained: its question, two candidates and invented scores, with hostile words where asked."""

from __future__ import annotations

from pathlib import Path

from tinyproof.network.budget import Budget
from tinyproof.prove.declaration import DataFacts
from tinyproof.search.contender import Contender, digest
from tinyproof.search.decisions import follow
from tinyproof.search.family import CHAINS
from tinyproof.search.question import Fold, Question
from tinyproof.search.searched import RunsThere, Searched, known_of
from tinyproof.train.recipe import DIGITS

_SHA = "0" * 64


def made_up(folder: Path, words: str = "8k3", target: float = 90.0) -> Searched:
    """Two candidates on three seeds; the second is the larger and the better one."""
    contenders = tuple(
        Contender(
            name=f"c{number}", words=words, model=f"{words}.py:Net", recipe=DIGITS, parameters=100 * number, macs=None,
            bytes=400, engine="torch", code_digest=_SHA, computes=str(number),
        )
        for number in (1, 2)
    )  # fmt: skip
    facts = DataFacts(name="digits", digest=_SHA, labels_sha256=_SHA, training_images=24, test_images=8, overlap=0)
    question = Question(
        family=words, choices=CHAINS.to_dict(), recipe=DIGITS, limits=Budget(parameters_below=500), target=target,
        candidates=2, draw=0, seeds=3, confirm=0, by="parameters", data=facts, folds=(Fold(_SHA, _SHA, 100),) * 2,
        engine="torch", device="cpu", threads=1, candidates_sha256=digest(contenders),
        declared_at="2026-01-02T03:04:05+00:00",
    )  # fmt: skip
    scores = {"c1": {0: 91.0, 1: 93.0, 2: 92.0}, "c2": {0: 95.0, 1: 97.0, 2: 95.0}}
    seconds = {name: dict.fromkeys(one, 1.0) for name, one in scores.items()}
    there = RunsThere(scores, seconds, {"c1": {}, "c2": {}})
    return Searched(folder, question, contenders, there, follow(known_of(question, contenders, there)), None)
