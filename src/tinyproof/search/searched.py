"""A folder of a search, read back and judged: what follows from its runs, with the proof of its winner. No torch.

Layout of a folder:

    search.json            what is asked, written before the first run
    candidates.json        every candidate, with its recipe and what it costs
    networks/c01.py        each drawn network in plain PyTorch
    runs/c01/seed-17/      one folder a run: record and held-out answers, failed.json where it cannot end
    decisions.json         what every rung decided
    winner/                the proof of the winner, as `tinyproof prove` writes it
    result.json            a copy of the answer for people and programs; never read back as evidence
    report.html            the page
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinyproof.core.errors import DataError
from tinyproof.core.files import write_atomic
from tinyproof.core.plain_data import read_json
from tinyproof.prove import declaration, proof
from tinyproof.prove.proof import Proof
from tinyproof.prove.verify.lines import differences
from tinyproof.search import contender, fold_runs
from tinyproof.search import question as questions
from tinyproof.search.contender import Contender
from tinyproof.search.decisions import Course, Known, Missing, follow
from tinyproof.search.halving import Goal, rungs, runs
from tinyproof.search.question import Question
from tinyproof.train import store

DECISIONS, RESULT, WINNER, RUNS = "decisions.json", "result.json", "winner", "runs"
_MOST_BYTES = 50_000_000

Plan = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class RunsThere:
    """Every finished run of a search: percent and seconds by candidate and place of the seed; what failed, and why."""

    scores: dict[str, dict[int, float]]
    seconds: dict[str, dict[int, float]]
    failed: dict[str, dict[int, str]]

    @property
    def count(self) -> int:
        """How many have ended, well or not."""
        return sum(map(len, self.scores.values())) + sum(map(len, self.failed.values()))


@dataclass(frozen=True, eq=False)
class Searched:
    """A question, its candidates, their runs, what follows from them, and the proof of the winner (None: not yet)."""

    folder: Path
    question: Question
    contenders: tuple[Contender, ...]
    runs: RunsThere
    course: Course
    proof: Proof | None

    @property
    def word(self) -> str:
        """`proved`, `refuted` or `undecided`: the proof's, or that of the rungs where nobody can reach the target."""
        if self.course.refuted:
            return "refuted"
        return self.proof.verdict.word if self.proof else "undecided"

    @property
    def reason(self) -> str:
        """What the word follows from."""
        if self.course.refuted:
            return self.course.refuted
        if self.proof:
            return self.proof.verdict.reason
        left = len(self.course.missing)
        return f"{left} runs of the next decision are missing" if left else "the winner is not proved yet"

    @property
    def proved(self) -> bool:
        """The winner is proved, and keeps its budget."""
        return self.proof is not None and self.proof.proved

    @property
    def winner(self) -> Contender | None:
        """The chosen one, or None while that is open."""
        return next((one for one in self.contenders if one.name == self.course.winner), None)

    @property
    def seconds(self) -> float:
        """Seconds of training until now, the winner's proof included."""
        own = sum(sum(one.values()) for one in self.runs.seconds.values())
        return own + (sum(result.run.seconds for result in self.proof.results) if self.proof else 0.0)

    @property
    def to_come(self) -> int:
        """How many runs are to come at most, those that confirm the front once it is known; none once the target is
        refuted."""
        if self.course.refuted:
            return 0
        proving = self.question.seeds - (len(self.proof.results) if self.proof else 0)
        if self.course.winner:
            return len(self.course.missing) + proving
        return runs(rungs(len(self.contenders))) - sum(map(len, self.runs.scores.values())) + proving

    def to_json(self) -> dict[str, Any]:
        """Plain data, every figure at full precision."""
        return {
            "verdict": self.word,
            "reason": self.reason,
            "target_percent": self.question.target,
            "search": self.question.digest,
            "dataset": self.question.data.name,
            "candidates": len(self.contenders),
            "runs": self.runs.count,
            "seconds": self.seconds,
            "chosen_on": "held-out training images",
            **self.course.to_json(),
            "network": self.winner.to_dict() if self.winner else None,
            "proof": self.proof.to_json() if self.proof else None,
        }


def run_folder(folder: Path, name: str, seed: int) -> Path:
    """Where a run of a candidate lies."""
    return proof.seed_folder(folder / RUNS / name, seed)


def plan_of(question: Question, contenders: Sequence[Contender]) -> Plan:
    """Every seed that a run may have, in its order, each with the fold that is held out for it."""
    return question.plan(rungs(len(contenders))[-1].seeds + question.confirm)


def known_of(question: Question, contenders: Sequence[Contender], there: RunsThere) -> Known:
    """What the decisions follow from."""
    return Known(
        costs={one.name: one.cost(question.by) for one in contenders},
        scores=there.scores,
        failed=there.failed,
        goal=Goal(question.target, question.seeds),
        confirm=question.confirm,
        step=100.0 / min(one.images for one in question.folds),
    )


def read_run(folder: Path, question: Question, one: Contender, seed: tuple[int, int]) -> tuple[float, float] | str:
    """Percent and seconds of a run (its seed, and the fold held out), or why it failed; "" where it has not ended."""
    place = run_folder(folder, one.name, seed[0])
    if not store.finished(place):
        return proof.failure(place)
    return fold_runs.percent(question, one, place, *seed), store.load(place).seconds


def read_runs(folder: Path, question: Question, contenders: Sequence[Contender]) -> RunsThere:
    """Every run that has ended. Raises DataError for one that is broken, or not as declared."""
    names = [one.name for one in contenders]
    found = RunsThere({name: {} for name in names}, {name: {} for name in names}, {name: {} for name in names})
    plan = plan_of(question, contenders)
    for one in contenders:
        if (folder / RUNS / one.name).is_dir():
            for place, seed in enumerate(plan):
                keep(found, (one.name, place), read_run(folder, question, one, seed))
    return found


def keep(there: RunsThere, run: Missing, ended: tuple[float, float] | str) -> None:
    """Note what became of a run."""
    name, place = run
    if isinstance(ended, tuple):
        there.scores[name][place], there.seconds[name][place] = ended
    elif ended:
        there.failed[name][place] = ended


def read_list(folder: Path) -> tuple[Question, tuple[Contender, ...]]:
    """The question and its candidates. Raises DataError where the list is not the one that the question names."""
    question, found = questions.read(folder), contender.read(folder)
    if contender.digest(found) != question.candidates_sha256:
        raise DataError(str(folder / contender.FILE), "is not the list of candidates that the search was declared with")
    return question, found


def load(folder: Path) -> Searched:
    """Read a folder and judge it. Raises DataError or InputError for what is broken, or not as it was declared."""
    question, contenders = read_list(folder)
    there = read_runs(folder, question, contenders)
    course = follow(known_of(question, contenders, there))
    check_decisions(folder, course)
    found = Searched(folder, question, contenders, there, course, None)
    place = folder / WINNER
    if not (place / declaration.FILE).is_file():
        return found
    proved = proof.load(place)
    if problem := another(found, proved):
        raise DataError(str(place / declaration.FILE), problem)
    return Searched(folder, question, contenders, there, course, proved)


def another(found: Searched, proved: Proof) -> str:
    """In what the proof is not that of the winner, in one line; empty where it is."""
    declared, one, question = proved.declaration, found.winner, found.question
    if one is None:
        return "declares a winner where the runs have chosen none"
    wanted = {
        "network": (declared.model, one.model),
        "recipe": (declared.recipe.digest, one.recipe.digest),
        "target": (declared.target, question.target),
        "number of seeds": (len(declared.seeds), question.seeds),
        "data set": (declared.data.digest, question.data.digest),
        "budget": (declared.budget, question.limits),
        "file of the network": (dict(declared.model_files), dict(one.files)),
    }
    different = [name for name, (is_there, should) in wanted.items() if is_there != should]
    used = {seed for seed, _ in plan_of(question, found.contenders)}
    different += ["seeds, not fresh"] if used & set(declared.seeds) else []
    return f"is not the declaration of the winner: another {', '.join(different)}" if different else ""


def check_decisions(folder: Path, course: Course) -> None:
    """Raise DataError where a stored decision is not the one that follows from the runs."""
    stored, now = stored_decisions(folder), [one.to_json() for one in course.decisions]
    for number, one in enumerate(stored):
        wrong = ["it has not come yet"] if number >= len(now) else differences(now[number], one)
        if wrong:
            told = f"does not hold the decision of rung {number + 1} that its runs give ({', '.join(wrong[:3])})"
            raise DataError(str(folder / DECISIONS), told)


def stored_decisions(folder: Path) -> list[Any]:
    """The decisions as they were stored; none where there is no file."""
    path = folder / DECISIONS
    stored = read_json(path, _MOST_BYTES) if path.is_file() else []
    if not isinstance(stored, list):
        raise DataError(str(path), "is no list of decisions")
    return stored


def write_decisions(folder: Path, course: Course) -> None:
    """Store every decision that has been made. Raises OutputError."""
    text = json.dumps([one.to_json() for one in course.decisions], indent=1) + "\n"
    write_atomic(folder / DECISIONS, text)


def write_result(found: Searched) -> Path:
    """Write the copy of the answer. Raises OutputError."""
    return write_atomic(found.folder / RESULT, json.dumps(found.to_json(), indent=1, ensure_ascii=False) + "\n")
