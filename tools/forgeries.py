"""Forgeries of a proof, each an edit of a copy of an honest one, as careful as a forger can be.

Where it helps, digests, counts and figures are adapted, the declaration's digest is written into every record and the
verdict is made again.
"""

from __future__ import annotations

import json
import shutil
import warnings
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tinyproof.core.files import sha256
from tinyproof.data.load import load_digits
from tinyproof.network import nets
from tinyproof.prove import declaration, proof
from tinyproof.train import store
from tinyproof.train.engine.torch_engine import TorchEngine
from tinyproof.train.run_record import Predictions
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


def member_twice(folder: Path) -> None:
    """Answers that are all right, before those that the record counts, under the same name in the archive."""
    for seed in seeds(folder):
        path = folder / f"seed-{seed}" / store.PREDICTIONS
        with zipfile.ZipFile(path) as archive:
            parts = [(name, archive.read(name)) for name in archive.namelist()]
        right = dict(parts)["labels.npy"]
        with warnings.catch_warnings(action="ignore"), zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, part in [("predicted.npy", right), *parts]:
                archive.writestr(name, part)


def weight_twice(folder: Path) -> None:
    """A name that stands twice in the header of the weights; digests adapted."""
    for seed in seeds(folder):
        path = folder / f"seed-{seed}" / store.WEIGHTS
        content = path.read_bytes()
        size = int.from_bytes(content[:8], "little")
        header = json.loads(content[8 : 8 + size])
        name = next(name for name in header if name != "__metadata__")
        text = f"{{{json.dumps(name)}:{json.dumps(header[name])},{json.dumps(header)[1:]}".encode()
        path.write_bytes(len(text).to_bytes(8, "little") + text + content[8 + size :])
        digest = sha256(path.read_bytes())
        edit(path.with_name(store.RECORD), lambda run, digest=digest: run.update(weights_digest=digest))
    rebind(folder)


def noisy(folder: Path) -> None:
    """The best run's weights, a little changed, for every other run; answers, losses and figures are truly theirs."""
    best = max(seeds(folder), key=lambda seed: store.load(folder / f"seed-{seed}").correct)
    draw, digits = np.random.default_rng(1), load_digits()
    for seed in seeds(folder):
        place = folder / f"seed-{seed}"
        if seed == best:
            continue
        shutil.rmtree(place)
        shutil.copytree(folder / f"seed-{best}", place)
        run, kept = store.load(place), store.load_weights(place)
        changed = {
            name: value + draw.normal(0, 2e-3, value.shape).astype(value.dtype) if value.dtype.kind == "f" else value
            for name, value in kept.items()
            if "running" not in name
        } | {name: value for name, value in kept.items() if "running" in name}
        module = nets.build(run.identity.model)
        module.load_state_dict({name: torch.from_numpy(value.copy()) for name, value in changed.items()})
        seen = TorchEngine(module, replace(run.recipe, ema=None), digits).evaluate(
            digits.test_images, digits.test_labels
        )
        answers = Predictions.of(seen.log_probabilities, digits.test_labels)
        last = replace(run.epochs[-1], test_percent=100 * answers.correct / len(answers.labels), test_loss=answers.loss)
        (place / store.WEIGHTS).unlink()
        digest = sha256(store.weight_bytes(changed))
        run = replace(
            run, identity=replace(run.identity, seed=seed), epochs=(*run.epochs[:-1], last), weights_digest=digest,
            predictions_digest=answers.digest, correct=answers.correct, test_loss=answers.loss,
        )  # fmt: skip
        store.save(place, run, answers, changed)
    rebind(folder)


def fewer_images(folder: Path) -> None:
    """A record and a declaration of fewer training images than there were."""
    for seed in seeds(folder):
        edit(folder / f"seed-{seed}" / store.RECORD, lambda run: run.update(train_count=100))
    edit(folder / declaration.FILE, lambda declared: declared["data"].update(training_images=100))
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
    "the best run with a little noise, as every other run": noisy,
    "a budget declared after the runs": lambda folder: declare_again(
        folder, lambda declared: declared["budget"].update(parameters_below=30_000)
    ),
    "fewer training images than there were": fewer_images,
    "a name twice in the archive of answers": member_twice,
    "a name twice in the header of the weights": weight_twice,
    "declared a year earlier": lambda folder: (
        edit(folder / declaration.FILE, lambda declared: declared.update(declared_at="2025-01-01T00:00:00+00:00")),
        rebind(folder),
    )[1],
}  # fmt: skip
