"""Recipes, data sets and runs in words and tables for people."""

from __future__ import annotations

from tinyproof.core.table import Column, Table
from tinyproof.data.dataset import Dataset, shared_words
from tinyproof.train.recipe import Augment, Recipe, Schedule
from tinyproof.train.run_record import Run


def recipe_words(recipe: Recipe) -> str:
    """A recipe in one line.

    >>> from tinyproof.train.recipe import named
    >>> recipe_words(named("s6-17k"))
    's6-17k: SGD, momentum 0.9, rate 0.01, times 0.1 after epoch 12, batch 128, 19 epochs, images unchanged'
    """
    parts = [f"{recipe.name}: {'AdamW' if recipe.optimizer == 'adamw' else 'SGD'}"]
    if recipe.optimizer == "sgd":
        parts.append(f"{'Nesterov ' if recipe.nesterov else ''}momentum {recipe.momentum:g}")
    parts.append(f"rate {recipe.rate:g}")
    parts += [_schedule(recipe.schedule)] if _schedule(recipe.schedule) else []
    parts.append(f"batch {recipe.batch_size:,}")
    parts.append(f"{recipe.epochs} epoch{'s' if recipe.epochs > 1 else ''}")
    if recipe.weight_decay:
        parts.append(f"weight decay {recipe.weight_decay:g}")
    if recipe.dropout is not None:
        parts.append(f"dropout {recipe.dropout:g}" if recipe.dropout else "no dropout")
    if recipe.label_smoothing:
        parts.append(f"label smoothing {recipe.label_smoothing:g}")
    if recipe.ema is not None:
        parts.append(f"weights averaged (decay {recipe.ema:g})")
    return ", ".join([*parts, _augment(recipe.augment)])


def _schedule(schedule: Schedule) -> str:
    words = {
        "constant": "",
        "linear": "linear to zero",
        "cosine": "cosine to zero",
        "one-cycle": "one cycle",
        "exponential": f"times {schedule.gamma:g} every epoch",
        "step": f"times {schedule.gamma:g} every {schedule.every_epochs} epochs",
    }[schedule.kind]
    if schedule.kind == "step" and schedule.at_epochs:
        words = f"times {schedule.gamma:g} after epoch {' and '.join(map(str, schedule.at_epochs))}"
    if schedule.warmup:
        words = f"{words} with {100 * schedule.warmup:g} % warm-up".strip()
    return words


def _augment(augment: Augment) -> str:
    if augment.nothing:
        return "images unchanged"
    parts = []
    if augment.max_degrees:
        parts.append(f"turned up to {augment.max_degrees:g}°")
    if augment.max_shift_pixels:
        parts.append(f"shifted up to {augment.max_shift_pixels:g} px")
    if augment.max_scale:
        parts.append(f"scaled up to {100 * augment.max_scale:g} %")
    if augment.max_shear_degrees:
        parts.append(f"sheared up to {augment.max_shear_degrees:g}°")
    if augment.crop_probability:
        parts.append(f"centre {augment.crop_to} px enlarged with p {augment.crop_probability:g}")
    if augment.erase_probability:
        parts.append(f"a box erased with p {augment.erase_probability:g}")
    if augment.anneal_from < 1:
        parts.append(f"fading to {100 * augment.anneal_to:g} % from {100 * augment.anneal_from:g} % of training on")
    return "images " + ", ".join(parts)


def dataset_words(dataset: Dataset) -> str:
    """A data set in one line."""
    counts = f"{len(dataset.train_labels):,} training and {len(dataset.test_labels):,} test images"
    return f"{dataset.title}, {counts} from {dataset.source}"


def overlap_words(pairs: list[tuple[int, int]], title: str) -> str:
    """What was found of images that are in both sets."""
    if not pairs:
        return "no test image is among the training images"
    train, test = pairs[0]
    return f"{shared_words(len(pairs), title)} (the first: test {test} is training {train})"


def epochs_table(run: Run) -> Table:
    """The log of every epoch."""
    columns = (
        Column("epoch", "right"), Column("train loss", "right", ".4f"), Column("train %", "right", ".2f"),
        Column("test loss", "right", ".4f"), Column("test %", "right", ".2f"), Column("rate", "right", ".3g"),
        Column("seconds", "right", ".1f"),
    )  # fmt: skip
    rows = tuple(
        (x.epoch, x.train_loss, x.train_percent, x.test_loss, x.test_percent, x.rate, x.seconds) for x in run.epochs
    )
    return Table("", columns, rows)


def run_evidence(run: Run) -> Table:
    """What a claim needs to be checked: recipe, seed, digests, versions, machine."""
    who = run.identity
    rows: list[tuple[str, str]] = [
        ("network", f"{who.model}, {run.parameters:,} parameters"),
        ("recipe", recipe_words(who.recipe)),
        ("seed", str(who.seed)),
        ("data", f"{who.dataset}, {run.train_count:,} training and {run.test_count:,} test images"),
        ("SHA-256 of the data", who.data_digest),
        ("SHA-256 of the code", run.code_digest),
        ("SHA-256 of the predictions", run.predictions_digest),
        ("SHA-256 of the weights", run.weights_digest or "not kept"),
        ("engine", f"{who.engine} on {who.device}, {who.threads} thread{'s' if who.threads > 1 else ''}"),
        ("machine", f"{run.hardware.get('processor', '?')}, {run.hardware.get('system', '?')}"),
        ("versions", ", ".join(f"{name} {version}" for name, version in run.versions.items())),
        ("started", run.started),
        ("took", f"{run.seconds:.1f} s"),
    ]
    return Table("", (Column("what"), Column("value")), tuple(rows))
