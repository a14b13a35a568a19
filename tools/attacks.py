"""Forge a proof in every way that is known here, and say what sees it.

    python tools/attacks.py

A small proof is made on the digits; each forgery edits a copy of it, as carefully as a forger can: where it helps,
all digests, counts and figures are adapted, the declaration's digest is written into every record and the verdict is
made again. Then `verify` looks, first at the records alone (--no-weights), then with the weights, then with --retrain
1, then with the receipt that was printed before the first run. Shown is the first of these that sees the forgery.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

import tinyproof
from tinyproof.core.errors import TinyproofError
from tinyproof.core.files import sha256
from tinyproof.core.table import Column, Table
from tinyproof.prove import declaration, proof, receipts
from tinyproof.train import store
from tinyproof.train.schedule import rates

Forgery = Callable[[Path], None]


def edit(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change plain data in a file."""
    data = json.loads(path.read_text(encoding="utf-8"))
    change(data)
    path.write_text(json.dumps(data), encoding="utf-8")


def seeds(folder: Path) -> list[int]:
    """The declared seeds."""
    return list(json.loads((folder / declaration.FILE).read_text(encoding="utf-8"))["seeds"])


def rebind(folder: Path) -> None:
    """The declaration's digest into every record, the verdict anew: as the program itself would."""
    digest = declaration.read(folder).digest
    for seed in seeds(folder):
        edit(folder / f"seed-{seed}" / store.RECORD, lambda run: run.update(declaration=digest))
    proof.write_verdict(proof.load(folder))


def declare_again(
    folder: Path,
    change: Callable[[dict[str, Any]], object],
    count: int = 3,
    also: Callable[[Path], object] = lambda place: None,
) -> None:
    """A declaration written after the runs: its seeds follow from it, the best runs get their names."""
    old = sorted(seeds(folder), key=lambda seed: -store.load(folder / f"seed-{seed}").correct)
    edit(folder / declaration.FILE, change)
    question = declaration.read(folder).question
    new = declaration.seeds_for(count, question, 1)
    edit(folder / declaration.FILE, lambda declared: declared.update(seeds=list(new), seeds_from=question))
    recipe = json.loads((folder / declaration.FILE).read_text(encoding="utf-8"))["recipe"]
    for before, after in zip(old, new, strict=False):
        place = (folder / f"seed-{before}").rename(folder / f"seed-{after}")
        edit(place / store.RECORD, lambda run, seed=after: run["identity"].update(seed=seed, recipe=recipe))
        also(place)
    for dropped in old[count:]:
        shutil.rmtree(folder / f"seed-{dropped}")
    rebind(folder)


def replay(folder: Path) -> None:
    """The best run in the place of all."""
    best = max(seeds(folder), key=lambda seed: store.load(folder / f"seed-{seed}").correct)
    for seed in seeds(folder):
        if seed != best:
            shutil.rmtree(folder / f"seed-{seed}")
            shutil.copytree(folder / f"seed-{best}", folder / f"seed-{seed}")
            edit(folder / f"seed-{seed}" / store.RECORD, lambda run, seed=seed: run["identity"].update(seed=seed))
    rebind(folder)


def answers_right(count: int, weights: bool = True) -> Forgery:
    """The narrowest misses of every run put right."""

    def forge(folder: Path) -> None:
        for seed in seeds(folder):
            place = folder / f"seed-{seed}"
            answers, run, kept = store.load_predictions(place), store.load(place), store.load_weights(place)
            wrong = np.flatnonzero(answers.predicted != answers.labels)
            chosen = wrong[np.argsort(answers.losses[wrong])][:count]
            predicted, sure, losses = answers.predicted.copy(), answers.confidence.copy(), answers.losses.copy()
            predicted[chosen] = answers.labels[chosen]
            sure[chosen] = np.maximum(np.exp(-losses[chosen]), 0.51)
            losses[chosen] = -np.log(sure[chosen])
            forged = replace(answers, predicted=predicted, confidence=sure, losses=losses)
            percent = 100 * forged.correct / len(predicted)
            last = replace(run.epochs[-1], test_percent=percent, test_loss=forged.loss)
            run = replace(
                run, epochs=(*run.epochs[:-1], last), predictions_digest=forged.digest, correct=forged.correct,
                test_loss=forged.loss, weights_digest=run.weights_digest if weights else "",
            )  # fmt: skip
            (place / store.WEIGHTS).unlink()
            store.save(place, run, forged, kept if weights else None)
        rebind(folder)

    return forge


def weights_are(content: bytes) -> Forgery:
    """Another content in the place of the weights, its digest adapted."""

    def forge(folder: Path) -> None:
        for seed in seeds(folder):
            path = folder / f"seed-{seed}" / store.WEIGHTS
            path.write_bytes(content)
            edit(path.with_name(store.RECORD), lambda run: run.update(weights_digest=sha256(content)))

    return forge


def names(data: str) -> Forgery:
    """Another name of the data, everywhere."""

    def forge(folder: Path) -> None:
        edit(folder / declaration.FILE, lambda declared: declared["data"].update(name=data))
        for seed in seeds(folder):
            edit(folder / f"seed-{seed}" / store.RECORD, lambda run: run["identity"].update(dataset=data))
        rebind(folder)

    return forge


def twice(file: str, key: str, value: str) -> Forgery:
    """A key that stands twice: a person reads the first value."""

    def forge(folder: Path) -> None:
        text = (folder / file).read_text(encoding="utf-8")
        (folder / file).write_text(text.replace(f'"{key}":', f'"{key}": {value}, "{key}":', 1), encoding="utf-8")

    return forge


def verdict_alone(folder: Path) -> None:
    """The stored mean raised, the declaration taken away."""
    edit(folder / proof.VERDICT, lambda verdict: verdict.update(mean=99.9))
    (folder / declaration.FILE).unlink()


def fewer_epochs(folder: Path) -> None:
    """Two epochs trained, one declared and recorded."""

    def last_alone(place: Path) -> None:
        run = store.load(place)
        steps = -(-run.train_count // run.recipe.batch_size)
        rate = float(rates(run.recipe, steps)[steps - 1])
        edit(
            place / store.RECORD,
            lambda data: data.update(epochs=[{**data["epochs"][-1], "epoch": 1, "rate": rate}]),
        )

    declare_again(folder, lambda declared: declared["recipe"].update(epochs=1), also=last_alone)


def left_out(folder: Path) -> None:
    """The worst run removed, the verdict made of the others."""
    worst = min(seeds(folder), key=lambda seed: store.load(folder / f"seed-{seed}").correct)
    shutil.rmtree(folder / f"seed-{worst}")
    edit(folder / declaration.FILE, lambda declared: declared["seeds"].remove(worst))
    rebind(folder)


FORGERIES: dict[str, Forgery] = {
    "the stored mean raised": lambda folder: edit(folder / proof.VERDICT, lambda verdict: verdict.update(mean=99.9)),
    "the same, and the declaration taken away": verdict_alone,
    "the target lowered in the declaration": lambda folder: edit(
        folder / declaration.FILE, lambda declared: declared.update(target=1.0)
    ),
    "a key twice in the declaration": twice(declaration.FILE, "target", "99.9"),
    "a key twice in the verdict": twice(proof.VERDICT, "mean", "99.9"),
    "the best run in the place of every seed": replay,
    "the worst run left out, its seed too": left_out,
    "one answer a run put right": answers_right(1),
    "every answer put right": answers_right(10_000),
    "every answer put right, the weights taken away": answers_right(10_000, weights=False),
    "an empty file for the weights": weights_are(b""),
    "a picture for the weights": weights_are(b"\x89PNG\r\n\x1a\n"),
    "the data's name with a letter of another script": names("d\u0456gits"),
    "the data's name with a space that is not seen": names("digits\u2009"),
    "a target declared after the runs, seeds computed anew": lambda folder: declare_again(
        folder, lambda declared: declared.update(target=2.0)
    ),
    "two seeds declared after the runs, the worst run dropped": lambda folder: declare_again(
        folder, lambda declared: None, 2
    ),
    "another recipe claimed after the runs": lambda folder: declare_again(
        folder, lambda declared: declared["recipe"].update(weight_decay=0.001)
    ),
    "two epochs trained, one recorded": fewer_epochs,
    "declared a year earlier": lambda folder: (
        edit(folder / declaration.FILE, lambda declared: declared.update(declared_at="2025-01-01T00:00:00+00:00")),
        rebind(folder),
    )[1],
}  # fmt: skip


def seen_by(folder: Path, receipt: str) -> str:
    """The first of the looks that sees something, and what it names."""
    looks: dict[str, dict[str, Any]] = {
        "the records": {"weights": False},
        "the weights": {},
        "training again": {"retrain": 1, "choice": 1},
        "the receipt": {"weights": False, "receipt": receipt},
    }
    for name, options in looks.items():
        try:
            broken = tinyproof.verify(folder, **options).broken
        except TinyproofError:
            continue
        if broken:
            return f"{name}: {broken[0].what}"
    return "nothing"


def main() -> int:
    """Print the table; 1 where something is seen by nothing."""
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        honest = Path(scratch) / "honest"
        tinyproof.prove(
            "s6-19k", "s6-19k,epochs=2", dataset="digits", seeds=3, target=3.0, out=honest, engine="torch",
            processes=1, threads=1, quiet=True,
        )  # fmt: skip
        receipt = receipts.of(declaration.read(honest))
        assert seen_by(honest, receipt) == "nothing", "an honest proof is broken"
        for name, forge in FORGERIES.items():
            copy = Path(shutil.copytree(honest, Path(scratch) / "copy"))
            forge(copy)
            rows.append((name, seen_by(copy, receipt)))
            shutil.rmtree(copy)
    print(Table("", (Column("forged"), Column("seen by")), tuple(rows)).text())
    unseen = sum(found == "nothing" for _, found in rows)
    print(f"{len(rows)} forgeries, {len(rows) - unseen} seen; an honest proof is not accused")
    return int(unseen > 0)


if __name__ == "__main__":
    sys.exit(main())
