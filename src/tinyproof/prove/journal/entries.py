"""One entry of the journal: a run, a proof, a comparison or a published claim, with Target and Result. No torch."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from tinyproof.core.errors import TinyproofError
from tinyproof.core.files import reason
from tinyproof.network import budget, model_name, own_files
from tinyproof.network.budget import Budget
from tinyproof.prove import comparison, declaration, evaluations, proof, reproduction
from tinyproof.prove.comparison import Comparison
from tinyproof.prove.declaration import Declaration
from tinyproof.prove.journal import changes
from tinyproof.prove.journal.changes import Effect
from tinyproof.prove.proof import Proof
from tinyproof.prove.published_claims import CLAIMS, Claim
from tinyproof.prove.reproduction import Reproduction
from tinyproof.prove.verdict import Verdict
from tinyproof.train import store

Kind = Literal["run", "proof", "comparison", "claim", "unreadable"]


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One run, one proof of many, one comparison, one published claim, or what cannot be read.

    `target`: what was asked; `aim`: its accuracy alone; `result`: what came out; `answer`: that in a word or two.
    `percents`: last-epoch test accuracies, one a run, each on `images` test images (none for a comparison, which has
    two sides). `settings`: everything that may change between entries, by name. `since`: the entry against which
    `changed` and `effect` are meant; empty for a comparison, where they are the second side against the first. `texts`:
    the kept files of a network of your own; `diff`: what changed in them, line by line.
    """

    kind: Kind
    name: str
    folder: Path = field(compare=False)
    started: str = ""
    target: str = ""
    aim: str = ""
    result: str = ""
    answer: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    seeds: tuple[int, ...] = ()
    percents: tuple[float, ...] = ()
    images: int = 1
    analysis: str = ""
    since: str = ""
    changed: tuple[str, ...] = ()
    effect: Effect = changes.UNKNOWN
    texts: dict[str, str] = field(default_factory=dict)
    diff: str = ""

    @property
    def percent(self) -> float | None:
        """The mean of the accuracies; None where no run has ended."""
        return sum(self.percents) / len(self.percents) if self.percents else None

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        values = {name: value for name, value in vars(self).items() if name not in ("folder", "effect", "texts")}
        effect = {"difference": self.effect.difference, "chance": self.effect.chance, "did": self.effect.words}
        return {**values, "percent": self.percent, **effect}


def is_entry(folder: Path) -> bool:
    """Whether the folder holds an entry; the runs of a proof and the sides of a comparison belong to it."""
    return any((folder / name).is_file() for name in (comparison.FILE, declaration.FILE, store.RECORD))


def read(folder: Path, name: str) -> Entry:
    """The entry in a folder. What cannot be read becomes an entry that says why: it must not hide the others."""
    try:
        if (folder / comparison.FILE).is_file():
            return _of_comparison(comparison.load(folder), name)
        if (folder / declaration.FILE).is_file():
            claim = _claim(folder)
            if claim is not None:
                return _of_claim(reproduction.load(folder, claim), name)
            return _of_proof(proof.load(folder), name)
        return _of_run(folder, name)
    except (TinyproofError, OSError) as error:
        why = reason(error) if isinstance(error, OSError) else str(error)
        return Entry(kind="unreadable", name=name, folder=folder, result=f"unreadable: {why}", answer="unreadable")


def _of_run(folder: Path, name: str) -> Entry:
    run = store.load(folder)
    who, percent = run.identity, run.accuracy_percent
    limits = store.load_budget(folder, run)
    accuracy = limits.accuracy_percent
    checks = budget.check(limits, run.facts)
    broken = [check.name for check in checks if check.kept is False]
    told = "target reached" if not broken else "missed: " + ", ".join(broken)
    return Entry(
        kind="run",
        name=name,
        folder=folder,
        started=run.started,
        target=_target(limits, accuracy),
        aim=_aim(accuracy),
        result=f"{percent:.2f} % ({run.correct:,} of {run.test_count:,}), one run: {told}",
        answer="missed" if broken else "reached",
        settings=changes.of_run(run, accuracy, limits),
        seeds=(who.seed,),
        percents=(percent,),
        images=run.test_count,
        texts=own_files.kept(folder, run.files),
    )


def _of_proof(found: Proof, name: str) -> Entry:
    declared, verdict = found.declaration, found.verdict
    broken = [f"{c.name} ({c.required}; measured {c.measured})" for c in found.checks if c.kept is False]
    judged = f"as {declared.judged_as}: " if declared.judged_as else ""
    result = f"{judged}{_mean(verdict)}: {verdict.word}{_missing(verdict)}"
    if found.beside:
        result += f"; the networks themselves: mean {found.beside.mean:.2f} %"
    percents, images = _scores(verdict)
    return Entry(
        kind="proof",
        name=name,
        folder=found.folder,
        started=declared.declared_at,
        target=_target(declared.budget, declared.target),
        aim=_aim(declared.target),
        result=result + (f"; the budget is broken: {', '.join(broken)}" if broken else ""),
        answer=verdict.word + (", budget broken" if broken else ""),
        settings={**_settings(found), **changes.asked(declared.target, declared.budget)},
        seeds=declared.seeds,
        percents=percents,
        images=images,
        texts=own_files.kept(found.folder, declared.files),
    )


def _of_claim(found: Reproduction, name: str) -> Entry:
    """A claim is held against what was published, not against the target of its declaration: nobody set that."""
    declared, verdict = found.proof.declaration, found.proof.verdict
    truly = f"truly {_mean(verdict)}{_missing(verdict)}"
    percents, images = _scores(verdict)
    return Entry(
        kind="claim",
        name=name,
        folder=found.proof.folder,
        started=declared.declared_at,
        target=f"the published claim: {found.claim.said}",
        aim=f"claim {found.claim.figures[-1].percent:g} %",
        result=f"evaluated as published {found.as_published}; {truly}; what was wrong: {found.wrong}",
        settings=_settings(found.proof),
        seeds=declared.seeds,
        percents=percents,
        images=images,
    )


def _of_comparison(found: Comparison, name: str) -> Entry:
    sides = (found.first, found.second)
    one, two = (f"{_who(side.declaration)}, {_mean(side.verdict)}" for side in sides)
    target, aim, effect = "which side is better?", "which is better", changes.UNKNOWN
    if found.within is not None:
        aim = f"within {found.within:g} points"
        target = f"are the sides equivalent {aim}?"
    if found.paired is not None:
        # The 90 % interval of an equivalence does not say what chance does.
        half = None if found.within is not None else (found.paired.interval.high - found.paired.interval.low) / 2
        effect = Effect(found.paired.mean, half, "")
    changed = changes.words(_settings(found.first), _settings(found.second), " against ") or (
        "nothing: both sides are the same",
    )
    return Entry(
        kind="comparison",
        name=name,
        folder=found.folder,
        started=min(side.declaration.declared_at for side in sides),
        target=target,
        aim=aim,
        result=f"{found.word}: {found.reason}; the first: {one}; the second: {two}",
        answer=found.word,
        seeds=found.first.declaration.seeds,
        changed=changed,
        effect=effect,
        diff=own_files.diff(*(own_files.kept(side.folder, side.declaration.files) for side in sides)),
    )


def _claim(folder: Path) -> Claim | None:
    """The published claim whose runs a folder holds: called like it, with the looks that only `reproduce` takes."""
    claim = CLAIMS.get(folder.resolve().name)
    return claim if claim is not None and any(folder.glob(f"seed-*/{evaluations.FILE}")) else None


def _settings(found: Proof) -> dict[str, Any]:
    return changes.of_declaration(found.declaration, found.results[0].run if found.results else None)


def _scores(verdict: Verdict) -> tuple[tuple[float, ...], int]:
    scores = verdict.scores
    return tuple(score.percent for score in scores), scores[0].images if scores else 1


def _who(declared: Declaration) -> str:
    return f"{model_name.short(declared.model)}, recipe {declared.recipe.name}, {declared.engine} engine"


def _mean(verdict: Verdict) -> str:
    count = len(verdict.scores)
    if verdict.mean is None:
        return "no run has ended"
    if verdict.interval is None:
        return f"{verdict.mean:.2f} % of one seed"
    return f"mean {verdict.mean:.2f} % [{verdict.interval.low:.2f}, {verdict.interval.high:.2f}] of {count} seeds"


def _missing(verdict: Verdict) -> str:
    return f" ({verdict.reason})" if len(verdict.scores) < verdict.declared else ""


def _aim(accuracy: float | None) -> str:
    return "none" if accuracy is None else f"{accuracy:g} %"


def _target(limits: Budget, accuracy: float | None) -> str:
    parts = [] if accuracy is None else [_aim(accuracy)]
    if limits.parameters_below is not None:
        parts.append(f"fewer than {limits.parameters_below:,} parameters")
    if limits.epochs_below is not None:
        parts.append(f"fewer than {limits.epochs_below} epochs")
    if limits.bytes_below is not None:
        parts.append(f"less than {limits.bytes_below:,} bytes")
    if limits.macs_below is not None:
        parts.append(f"fewer than {limits.macs_below:,} multiply-adds")
    for below, what in ((limits.flash_below, "flash"), (limits.ram_below, "RAM")):
        if below is not None:
            parts.append(f"less than {below:,} bytes of {what}")
    if limits.instructions_below is not None:
        parts.append(f"fewer than {limits.instructions_below:,} instructions, most of the first 10 test images")
    return ", ".join([*parts, *(budget.RULES[rule] for rule in limits.rules)]) or "none"
