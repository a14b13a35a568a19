"""A folder of declared runs, read back and judged: what the declaration promised against what the runs hold.

Nothing here needs torch or the data set: labels and predictions lie with each run. Layout of a folder:

    declared.json          written before the first run
    seed-17/run.json       one folder a seed: record, predictions, weights (if kept), failed.json if it cannot end
    seed-17/export-c/      where exports are what is judged: the files, their record and their answers
    verdict.json           a copy of the answer for people and programs; never read back as evidence
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyproof.core.errors import DataError
from tinyproof.core.files import sha256, write_atomic
from tinyproof.core.plain_data import read_json
from tinyproof.network import budget
from tinyproof.network.budget import Budget
from tinyproof.prove import declaration, judged_export, one_network
from tinyproof.prove.declaration import Declaration
from tinyproof.prove.judged_export import Beside, Judged
from tinyproof.prove.verdict import Verdict, judge, score
from tinyproof.train import store
from tinyproof.train.run_record import Predictions, Run

FAILED, VERDICT = "failed.json", "verdict.json"
_SMALL = 1_000_000


@dataclass(frozen=True, eq=False)
class Result:
    """One finished run of a declared seed: its folder, record and answers; `export`: what is judged in its place."""

    folder: Path
    run: Run
    predictions: Predictions
    export: Judged | None = None

    @property
    def judged(self) -> Predictions:
        """The answers that count: those of the export, where one is judged, else the network's."""
        return self.export.answers if self.export else self.predictions


@dataclass(frozen=True, eq=False)
class Proof:
    """A declaration, its finished runs in the declared order, and what follows from them."""

    folder: Path
    declaration: Declaration
    results: tuple[Result, ...]
    verdict: Verdict
    checks: tuple[budget.Check, ...]

    @property
    def kept(self) -> bool | None:
        """Whether the budget is kept; None while something of it is not known."""
        answers = [check.kept for check in self.checks]
        return False if False in answers else None if None in answers else True

    @property
    def proved(self) -> bool:
        """The accuracy is proved and the budget is kept."""
        return self.verdict.word == "proved" and self.kept is True

    @property
    def predictions(self) -> NDArray[np.uint8 | np.uint16]:
        """Predicted classes of all runs, uint8 [runs, N] (uint16 where there are more than 256 classes): those that
        are judged."""
        return np.stack([result.judged.predicted for result in self.results])

    @property
    def exports(self) -> list[Judged]:
        """What is judged in the place of the networks; nothing in a proof of the networks themselves."""
        return [result.export for result in self.results if result.export]

    @property
    def beside(self) -> Beside | None:
        """What the networks themselves say, where their exports are judged."""
        if not self.exports:
            return None
        return judged_export.beside([result.predictions for result in self.results], self.exports)

    def to_json(self) -> dict[str, Any]:
        """The verdict with the declaration's digest and the budget's lines, as plain data."""
        lines = [{"check": c.name, "required": c.required, "measured": c.measured, "kept": c.kept} for c in self.checks]
        return {
            "declaration": self.declaration.digest,
            "model": self.declaration.model,
            "recipe": self.declaration.recipe.name,
            "dataset": self.declaration.data.name,
            **self.verdict.to_json(),
            "budget": lines,
            **self._judged(),
        }

    def _judged(self) -> dict[str, Any]:
        """What a proof of exported networks says more."""
        if not self.declaration.judged_as:
            return {}
        networks = self.beside.to_json() if self.beside else None
        sizes = [[one.flash, one.ram] for one in self.exports]
        counts = [one.instructions for one in self.exports]
        told = {"judged_as": self.declaration.judged_as, "networks": networks, "flash_and_ram": sizes}
        asked = self.declaration.budget.instructions_below is not None or any(count is not None for count in counts)
        return {**told, **({"instructions": counts} if asked else {})}


def seed_folder(folder: Path, seed: int) -> Path:
    """Where the run of a seed lies."""
    return folder / f"seed-{seed}"


def load(folder: Path) -> Proof:
    """Read a folder and judge it. Raises DataError or InputError for a record that is broken or not as declared."""
    declared = declaration.read(folder)
    results, failed = [], []
    for seed in declared.seeds:
        place = seed_folder(folder, seed)
        why = failure(place)
        if ended(declared, place):
            results.append(read_result(declared, place, seed))
        elif why:
            failed.append((seed, why))
    problem = one_network.disagreement([result.run for result in results])
    if problem:
        raise DataError(str(folder), problem)
    problem = judged_export.unlike([(r.run.identity.seed, r.export.record) for r in results if r.export])
    if problem:
        remedy = judged_export.remedy([result.folder for result in results], declared.judged_as)
        raise DataError(str(folder), f"its exports were not made alike: {problem}", remedy)
    return assemble(folder, declared, results, failed)


def ended(declared: Declaration, place: Path) -> bool:
    """Whether a declared run is trained, and exported where exports are judged."""
    return store.finished(place) and (not declared.judged_as or judged_export.there(place, declared.judged_as))


def read_result(declared: Declaration, place: Path, seed: int) -> Result:
    """One finished run. Raises DataError when it is not the run that was declared for this seed."""
    run, predictions = store.load(place), store.load_predictions(place)
    problem = mismatch(declared, run, seed)
    if problem:
        raise DataError(str(place / store.RECORD), problem)
    if labels_sha256(predictions.labels) != declared.data.labels_sha256:
        raise DataError(str(place / store.PREDICTIONS), "holds other labels than the declared test images have")
    highest = int(predictions.predicted.max())
    if highest >= len(run.classes):
        raise DataError(str(place / store.PREDICTIONS), f"answers class {highest} where there are {len(run.classes)}")
    to = declared.judged_as
    return Result(place, run, predictions, judged_export.read(place, to, run, predictions) if to else None)


def mismatch(declared: Declaration, run: Run, seed: int) -> str:
    """In what a run is not the declared one, in one line; empty where it is."""
    identity = run.identity
    wanted = replace(
        identity,
        model=declared.model,
        model_digest=declared.model_sha256,
        recipe=declared.recipe,
        seed=seed,
        dataset=declared.data.name,
        held_out=False,
        data_digest=declared.data.digest,
        engine=declared.engine,
        device=declared.device,
        threads=declared.threads,
    )
    different = wanted.differences(identity)
    if run.code_digest != declared.code_digest:
        different.append("code digest")
    # Records of the first version name no declaration.
    if run.declaration not in ("", declared.digest):
        different.append("declaration")
    if len(run.epochs) != declared.recipe.epochs:
        different.append("number of epochs")
    return f"is not the declared run: another {', '.join(different)}" if different else ""


def assemble(
    folder: Path, declared: Declaration, results: Sequence[Result], failed: Sequence[tuple[int, str]] = ()
) -> Proof:
    """Count, judge and check: everything that a proof says, from the answers of its runs."""
    scores = [score(r.run.identity.seed, r.judged.predicted, r.judged.labels) for r in results]
    verdict = judge(scores, declared.target, len(declared.seeds), failed)
    exports = [result.export for result in results if result.export]
    checks = budget.check(declared.budget, _facts(results[0].run, declared.budget, exports)) if results else ()
    return Proof(folder, declared, tuple(results), verdict, checks)


def _facts(run: Run, limits: Budget, exports: Sequence[Judged]) -> budget.Facts:
    return budget.Facts(
        parameters=run.parameters,
        bytes=run.weight_bytes,
        macs=run.macs,
        epochs=len(run.epochs),
        accuracy_percent=None,
        kinds=run.kinds,
        dropout_active=run.dropout_active,
        global_average_pooling=run.global_average_pooling,
        flash=judged_export.largest([one.flash for one in exports], limits.flash_below),
        ram=judged_export.largest([one.ram for one in exports], limits.ram_below),
        instructions=judged_export.largest([one.instructions for one in exports], limits.instructions_below),
    )


def write_verdict(proof: Proof) -> Path:
    """Write the copy of the verdict beside the runs."""
    return write_atomic(proof.folder / VERDICT, _verdict(proof))


def verdict_changed(proof: Proof) -> bool:
    """Whether the copy of the verdict beside the runs is there, and is not what follows from them now."""
    path, now = proof.folder / VERDICT, _verdict(proof).encode()
    return path.is_file() and sha256(path) != sha256(now)


def _verdict(proof: Proof) -> str:
    return json.dumps(proof.to_json(), indent=1, ensure_ascii=False) + "\n"


def write_failure(place: Path, reason: str) -> None:
    """Keep why a run cannot end: it would end so again, and a failed run is never left out."""
    write_atomic(place / FAILED, json.dumps({"reason": reason}) + "\n")


def failure(place: Path) -> str:
    """Why the run in a folder cannot end, or nothing."""
    if not (place / FAILED).is_file():
        return ""
    data = read_json(place / FAILED, _SMALL)
    return str(data.get("reason") or "unknown") if isinstance(data, dict) else "unknown"


def labels_sha256(labels: NDArray[np.integer]) -> str:
    """SHA-256 of the labels as an uncompressed IDX file, so that MNIST's is the one that everybody knows: a byte each,
    or two where a label is above 255.

    >>> labels_sha256(np.array([7, 2, 1]))[:8]
    'e10ef624'
    """
    kind, number = (">u1", 0x08) if labels.max(initial=0) <= 255 else (">i2", 0x0B)
    return sha256(struct.pack(">2xBBI", number, 1, len(labels)) + labels.astype(kind).tobytes())
