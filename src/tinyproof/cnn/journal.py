"""The journal: runs and proofs in the order in which they were made, each with Target, Result and Analysis.

The target is the budget, the result is filled in by the run, the analysis is the user's own (`analysis.txt`). Between
two entries stands what changed, and what it did, beside what chance alone does. No torch.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tinyproof.cnn import budget, declaration, proof, store
from tinyproof.cnn.budget import Budget
from tinyproof.cnn.data import TARGETS
from tinyproof.core.errors import DataError, InputError
from tinyproof.core.files import read_bounded, write_atomic

ANALYSIS = "analysis.txt"
_MAX_ANALYSIS = 20_000
_DEEPEST = 4


@dataclass(frozen=True)
class Entry:
    """One run, or one proof of many. `percent`: last-epoch test accuracy (the mean of a proof); `error`: its standard
    error in points, from the seeds, or for a single run from the number of test images alone. `settings`: everything
    that may change between entries, by name. `changed` and `did`: against the entry before.
    """

    name: str
    started: str
    settings: dict[str, Any]
    target: str
    result: str
    percent: float | None
    error: float | None
    analysis: str = ""
    changed: tuple[str, ...] = ()
    did: str = ""
    folder: Path = field(default=Path(), compare=False)

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        values = {k: v for k, v in vars(self).items() if k != "folder"}
        return values | {"changed": list(self.changed)}


def read(root: Path) -> list[Entry]:
    """Every run and proof in `root` and below, in the order of their start. Raises DataError where there is none."""
    found = sorted(
        (_entry(folder, root) for folder in _folders(root, 0)), key=lambda entry: (entry.started, entry.name)
    )
    if not found:
        raise DataError(str(root), "holds no finished run and no proof", "train one: tinyproof train s7-8k")
    return [_compared(entry, before) for before, entry in zip([None, *found], found, strict=False)]


def write_analysis(root: Path, name: str, text: str) -> Path:
    """Keep the user's analysis of the entry called `name`. Raises InputError for another name or too long a text."""
    names = {entry.name: entry.folder for entry in read(root)}
    if name not in names:
        raise InputError("entry", name, ", ".join(names), str(root))
    if len(text.encode()) > _MAX_ANALYSIS:
        raise InputError("analysis", f"{len(text.encode()):,} bytes", f"at most {_MAX_ANALYSIS:,} bytes")
    return write_atomic(names[name] / ANALYSIS, text.strip() + "\n")


def _folders(root: Path, depth: int) -> Iterator[Path]:
    """Folders that hold a proof or a run; the runs of a proof belong to it and are not entries of their own."""
    if (root / declaration.FILE).is_file() or store.finished(root):
        yield root
    elif root.is_dir() and depth < _DEEPEST:
        for child in sorted(path for path in root.iterdir() if path.is_dir() and not path.is_symlink()):
            yield from _folders(child, depth + 1)


def _entry(folder: Path, root: Path) -> Entry:
    name = folder.name if folder == root else folder.relative_to(root).as_posix()
    return _of_proof(folder, name) if (folder / declaration.FILE).is_file() else _of_run(folder, name)


def _of_proof(folder: Path, name: str) -> Entry:
    found = proof.load(folder)
    declared, verdict = found.declaration, found.verdict
    error = None if verdict.sd is None else verdict.sd / math.sqrt(len(verdict.scores))
    interval = "" if verdict.interval is None else f" [{verdict.interval.low:.2f}, {verdict.interval.high:.2f}]"
    mean = "" if verdict.mean is None else f"mean {verdict.mean:.2f} %{interval} of {len(verdict.scores)} seeds: "
    settings = _settings(declared.model, declared.recipe.to_dict(), declared.data.name, False)
    target = _target(declared.budget, declared.target)
    result = f"{mean}{verdict.word}"
    return Entry(
        name, declared.declared_at, settings, target, result, verdict.mean, error, _analysis(folder), folder=folder
    )


def _of_run(folder: Path, name: str) -> Entry:
    run = store.load(folder)
    identity, percent = run.identity, run.accuracy_percent
    share = percent / 100
    error = 100 * math.sqrt(share * (1 - share) / run.test_count)
    settings = _settings(identity.model, run.recipe.to_dict(), identity.dataset, identity.held_out)
    limits, accuracy = budget.course(identity.model), TARGETS.get(identity.dataset)
    checks = budget.check(Budget(**{**vars(limits), "accuracy_percent": accuracy}), run.facts)
    broken = [check.name for check in checks if check.kept is False]
    told = "target reached" if not broken else "missed: " + ", ".join(broken)
    result = f"{percent:.2f} % ({run.correct:,} of {run.test_count:,}), one run: {told}"
    target = _target(limits, accuracy)
    return Entry(name, run.started, settings, target, result, percent, error, _analysis(folder), folder=folder)


def _settings(model: str, recipe: dict[str, Any], dataset: str, held_out: bool) -> dict[str, Any]:
    flat: dict[str, Any] = {"model": model, "data": dataset + (", held-out part" if held_out else "")}
    for key, value in recipe.items():
        if isinstance(value, dict):
            flat |= {f"{key}.{inner}": entry for inner, entry in value.items()}
        elif key != "name":
            flat[key] = value
    return flat


def _target(limits: Budget, accuracy: float | None) -> str:
    parts = [] if accuracy is None else [f"{accuracy:g} %"]
    if limits.parameters_below is not None:
        parts.append(f"fewer than {limits.parameters_below:,} parameters")
    if limits.epochs_below is not None:
        parts.append(f"fewer than {limits.epochs_below} epochs")
    if limits.bytes_below is not None:
        parts.append(f"less than {limits.bytes_below:,} bytes")
    if limits.macs_below is not None:
        parts.append(f"fewer than {limits.macs_below:,} multiply-adds")
    return ", ".join([*parts, *(budget.RULES[rule] for rule in limits.rules)]) or "none"


def _analysis(folder: Path) -> str:
    path = folder / ANALYSIS
    return read_bounded(path, _MAX_ANALYSIS).decode("utf-8", errors="replace").strip() if path.is_file() else ""


def _compared(entry: Entry, before: Entry | None) -> Entry:
    if before is None:
        return entry
    names = [
        name for name in {**before.settings, **entry.settings} if before.settings.get(name) != entry.settings.get(name)
    ]
    changed = tuple(f"{name} {_show(before.settings.get(name))} → {_show(entry.settings.get(name))}" for name in names)
    return Entry(**{**vars(entry), "changed": changed or ("nothing but the seed",), "did": _did(entry, before)})


def _did(entry: Entry, before: Entry) -> str:
    """The difference in accuracy, and whether chance alone would do as much."""
    if entry.settings["data"] != before.settings["data"]:
        return "other data: not comparable"
    if entry.percent is None or before.percent is None:
        return ""
    difference = entry.percent - before.percent
    if entry.error is None or before.error is None:
        return f"{difference:+.2f} points"
    # The two errors are independent; 1.96 of the combined one covers 95 of 100 differences that are only chance.
    chance = 1.96 * math.hypot(entry.error, before.error)
    word = "no more than" if abs(difference) <= chance else "more than"
    return f"{difference:+.2f} points, {word} chance does (±{chance:.2f})"


def _show(value: Any) -> str:
    return "—" if value is None else str(value)
