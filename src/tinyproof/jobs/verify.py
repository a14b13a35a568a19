"""Verify: is a stored result what its own answers say? Every figure is counted again; weights are evaluated again.

What this finds: an edited figure, a swapped or missing run, other labels, answers that its weights do not give. What
it cannot find is listed in docs/prove.md.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from tinyproof.cnn import comparison, declaration, mnist, proof, store
from tinyproof.cnn.declaration import Declaration
from tinyproof.cnn.run import Predictions, Run
from tinyproof.core.errors import DataError, InputError, TinyproofError
from tinyproof.core.files import sha256
from tinyproof.core.table import Column, Table

# Other processors and engines round differently: this share of the images may fall on the other side of a tie.
_ROUNDING_SHARE = 0.0005


@dataclass(frozen=True)
class Line:
    """One check: where, what, whether it holds (None: it could not be checked), and what was found."""

    place: str
    what: str
    holds: bool | None
    found: str = ""


@dataclass(frozen=True)
class Verified:
    """All checks of a folder. `exit_code`: 1 where one does not hold or nothing could be checked."""

    folder: Path
    lines: tuple[Line, ...]

    @property
    def broken(self) -> tuple[Line, ...]:
        """The checks that do not hold."""
        return tuple(line for line in self.lines if line.holds is False)

    @property
    def exit_code(self) -> int:
        """0 when something was checked and all of it holds."""
        return int(bool(self.broken) or not any(line.holds for line in self.lines))

    def table(self) -> Table:
        """The checks as a table."""
        words = {True: "holds", False: "BROKEN", None: "not checked"}
        columns = (Column("where"), Column("what"), Column("answer"), Column("found"))
        return Table("", columns, tuple((x.place, x.what, words[x.holds], x.found) for x in self.lines))

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {"folder": str(self.folder), "exit_code": self.exit_code, "checks": [vars(line) for line in self.lines]}


@dataclass(frozen=True)
class Means:
    """How far a verification may go: `weights` (evaluate them again), where the data lies, the network's own file."""

    weights: bool = True
    dataset: str | None = None
    data: str | None = None
    model: str | None = None


def verify(folder: str | Path, means: Means | None = None) -> Verified:
    """Check a proof, a comparison (both its proofs) or one run by its folder. Raises InputError where there is none."""
    folder, means = Path(folder), means or Means()
    if (folder / declaration.FILE).is_file():
        return Verified(folder, tuple(_proof(folder, means)))
    if (folder / comparison.FILE).is_file():
        return Verified(folder, tuple(_comparison(folder, means)))
    inside = sorted(path.parent for path in folder.glob(f"*/{declaration.FILE}"))
    if inside:
        return Verified(folder, tuple(line for place in inside for line in _proof(place, means)))
    if store.finished(folder):
        return Verified(folder, tuple(_run(folder, None, means)))
    raise InputError("folder", str(folder), "a folder that holds a proof, a comparison or a run")


def _comparison(folder: Path, means: Means) -> list[Line]:
    what = "both sides are the ones that were declared, with the seeds that follow from both"
    try:
        sides = [declaration.read(folder / side) for side in comparison.SIDES]
        bond = comparison.read(folder)
    except TinyproofError as error:
        return [Line(folder.name, what, False, str(error))]
    same = bond.declarations == (sides[0].digest, sides[1].digest)
    source = comparison.source(sides[0].question, sides[1].question, bond.within)
    lines = [Line(folder.name, what, same and sides[0].seeds == sides[1].seeds)]
    return lines + [line for side in comparison.SIDES for line in _proof(folder / side, means, source)]


def _proof(folder: Path, means: Means, source: str | None = None) -> list[Line]:
    """All checks of one proof; its seeds must follow from `source` (None: from its own question)."""
    name = folder.name
    try:
        declared = declaration.read(folder)
    except TinyproofError as error:
        return [Line(name, "the declaration can be read", False, str(error))]
    lines = [Line(name, "the declaration can be read", True, f"{len(declared.seeds)} seeds, {declared.declared_at}")]
    if declared.data.name == "mnist":
        known = declared.data.labels_sha256 == mnist.FILES[3].digest
        lines.append(Line(name, "the test labels are MNIST's", known, declared.data.labels_sha256[:16]))
    lines.append(_seeds(name, declared, source or declared.question))
    for seed in declared.seeds:
        place = proof.seed_folder(folder, seed)
        if store.finished(place):
            lines += _run(place, (declared, seed), means)
        else:
            why = proof.failure(place)
            lines.append(Line(place.name, "the declared run is there", bool(why), why or "it is missing"))
    extra = {p.name for p in folder.glob("seed-*")} - {proof.seed_folder(folder, seed).name for seed in declared.seeds}
    lines.append(Line(name, "there is no run that was not declared", not extra, ", ".join(sorted(extra))))
    return [*lines, _same_verdict(folder)]


def _seeds(name: str, declared: Declaration, source: str) -> Line:
    what = "the seeds follow from the question"
    if not declared.seeds_from:
        return Line(name, what, None, "somebody named them")
    return Line(name, what, declared.seeds_follow and declared.seeds_from == source)


def _same_verdict(folder: Path) -> Line:
    what = "the stored verdict is what the answers give"
    path = folder / proof.VERDICT
    if not path.is_file():
        return Line(folder.name, what, None, f"there is no {proof.VERDICT}")
    try:
        counted, stored = proof.load(folder).to_json(), declaration.load_json(path, 10_000_000)
    except TinyproofError as error:
        return Line(folder.name, what, False, str(error))
    if not isinstance(stored, dict):
        return Line(folder.name, what, False, "it is not a table of values")
    wrong = [key for key in counted if not _equal(counted[key], stored.get(key))] + [
        k for k in stored if k not in counted
    ]
    return Line(folder.name, what, not wrong, f"differs in: {', '.join(wrong)}" if wrong else str(counted["verdict"]))


def _equal(one: Any, other: Any) -> bool:
    """Equal plain data; floats to 12 digits (another libm may round the last one differently)."""
    if isinstance(one, float) and isinstance(other, int | float):
        return math.isclose(one, other, rel_tol=1e-12, abs_tol=1e-15)
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_equal(value, other[key]) for key, value in one.items())
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(_equal, one, other))
    return bool(one == other)


# ------------------------------------------------------------------ one run


def _run(place: Path, declared: tuple[Declaration, int] | None, means: Means) -> list[Line]:
    try:
        run, answers = store.load(place), store.load_predictions(place)
    except TinyproofError as error:
        return [Line(place.name, "the record and the answers can be read", False, str(error))]
    lines = []
    if declared is not None:
        problem = proof.mismatch(declared[0], run, declared[1])
        lines.append(Line(place.name, "it is the declared run", not problem, problem))
        labels = proof.labels_sha256(answers.labels) == declared[0].data.labels_sha256
        lines.append(Line(place.name, "the labels are the declared ones", labels))
    lines += _figures(place, run, answers)
    return [*lines, *_weights(place, run, answers, means)]


def _figures(place: Path, run: Run, answers: Predictions) -> list[Line]:
    """The recorded figures against those counted from the answers."""
    counted = f"{answers.correct:,} of {len(answers.labels):,}"
    recorded = (run.correct, run.test_count) == (answers.correct, len(answers.labels))
    said = f"{counted}" if recorded else f"the record says {run.correct:,} of {run.test_count:,}, the answers {counted}"
    lines = [
        Line(place.name, "the recorded accuracy is what the answers give", recorded, said),
        Line(
            place.name,
            "the recorded loss is what the answers give",
            math.isclose(run.test_loss, answers.loss, rel_tol=1e-6, abs_tol=1e-9),
            f"{answers.loss:.6f}",
        ),
        Line(place.name, "the answers are the recorded ones", run.predictions_digest == answers.digest),
        Line(place.name, "classes, confidences and losses fit together", _consistent(answers)),
    ]
    last = run.epochs[-1] if run.epochs else None
    if last is not None and last.test_percent is not None:
        percent = 100 * answers.correct / max(1, len(answers.labels))
        lines.append(Line(place.name, "the last epoch logs that accuracy", abs(last.test_percent - percent) < 1e-6))
    return lines


def _consistent(answers: Predictions) -> bool:
    """Right answers carry the confidence that their loss says; wrong ones give the true class no more than that."""
    truth = np.exp(-answers.losses.astype(np.float64))
    right = answers.predicted == answers.labels
    exact = np.abs(truth - answers.confidence) <= 1e-4
    below = truth <= answers.confidence + 1e-4
    return bool(np.where(right, exact, below).all() and np.isfinite(answers.losses).all())


def _weights(place: Path, run: Run, answers: Predictions, means: Means) -> list[Line]:
    path = place / store.WEIGHTS
    if not run.weights_digest or not path.is_file():
        told = "they were not kept" if not run.weights_digest else "the recorded weights are missing"
        return [Line(place.name, "the weights give these answers", None, told)]
    same = sha256(path) == run.weights_digest
    lines = [Line(place.name, "the weights are the recorded ones", same)]
    if not means.weights:
        return lines
    what = "the weights give these answers"
    try:
        again = _evaluate(place, run, means)
    except TinyproofError as error:
        return [*lines, Line(place.name, what, None if not isinstance(error, _Wrong) else False, str(error))]
    differ = int((again != answers.predicted).sum())
    allowed = max(1, int(_ROUNDING_SHARE * len(again)))
    return [*lines, Line(place.name, what, differ <= allowed, f"{differ} of {len(again):,} answers differ")]


class _Wrong(DataError):
    """The weights do not fit the network or its recorded size."""


def _evaluate(place: Path, run: Run, means: Means) -> np.ndarray[Any, Any]:
    """The classes that the stored weights give for the test images."""
    from tinyproof.cnn import machine

    machine.need_torch("evaluating weights")
    import torch

    from tinyproof.cnn import nets
    from tinyproof.cnn.engine.torch import TorchEngine
    from tinyproof.jobs.one_run import load_data

    identity = run.identity
    if identity.model not in nets.NETS and means.model is None:
        # The record names a Python file; a record from a stranger must not decide what is run here.
        raise InputError("model", identity.model, "a network of this package", "name the file yourself with --model")
    dataset = load_data(means.dataset or identity.dataset, means.data)
    if dataset.digest != identity.data_digest:
        raise InputError("dataset", dataset.name, "the data of the record", "its digest differs")
    module = nets.build(means.model or identity.model)
    values = {name: torch.from_numpy(value.copy()) for name, value in store.load_weights(place).items()}
    try:
        module.load_state_dict(values)
    except RuntimeError as error:
        raise _Wrong(str(place / store.WEIGHTS), "do not fit the network") from error
    if sum(p.numel() for p in module.parameters()) != run.parameters:
        raise _Wrong(str(place / store.RECORD), f"records {run.parameters:,} parameters, which the network has not")
    # What is stored are the final weights: averaged already where the recipe averages.
    engine = TorchEngine(module, replace(run.recipe, ema=None), dataset)
    answers: np.ndarray[Any, Any] = engine.evaluate(dataset.test_images, dataset.test_labels).log_probabilities.argmax(
        1
    )
    return answers
