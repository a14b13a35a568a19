"""The page of a proof: the verdict first, then what it stands on, picture by picture, then the evidence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from tinyproof.core.table import Column, Table
from tinyproof.data.dataset import Dataset, shared_words
from tinyproof.network.budget import table as budget_table
from tinyproof.prove import analysis, more_answers
from tinyproof.prove.proof import Proof
from tinyproof.show import commands, judged_rows, plots, prove_plots
from tinyproof.show.html import data_uri, render, safe

_HARDEST = 24
_TRAINING = (
    "On the training images, while the weights move: changed images, dropout on. The test images were looked at once, "
    "at the end."
)


def page(found: Proof, dataset: Dataset | None = None, given: str | None = None, drawing: str = "") -> str:
    """One self-contained HTML page. `dataset`: for the pictures of the hardest images; without it they are listed.
    `given`: the path of data of somebody's own. `drawing`: the network as SVG.
    """
    declared, verdict = found.declaration, found.verdict
    return render(
        "prove.html.j2",
        title=f"{declared.model}, {declared.recipe.name}: {verdict.word}",
        declared=declared,
        verdict=verdict,
        headline=headline(found),
        again=commands.verify_proof(found, given),
        panel=panel(found),
        summary=safe(summary_table(found).html()),
        beside=beside_words(found),
        judged=judged_rows.words(found),
        runs=safe(runs_table(found).html()),
        budget=safe(budget_table(found.checks).html()) if found.checks else "",
        recipe=safe(recipe_table(declared.recipe.to_dict()).html()),
        evidence=safe(proof_evidence(found).html()),
        drawing=safe(drawing),
        pictures=_pictures(found, dataset) if found.results else [],
    )


def panel(found: Proof) -> str:
    """The colour of the answer: `good` only where the accuracy is proved and the whole budget is known to be kept."""
    if found.verdict.word == "refuted" or found.kept is False:
        return "bad"
    return "good" if found.proved else "warn"


def headline(found: Proof) -> str:
    """The word of the verdict, and what is to be said of the budget beside it."""
    budget = {True: "", False: ", but the budget is broken", None: ", but whether the budget is kept is not known"}
    return found.verdict.word + budget[found.kept]


def summary_table(found: Proof) -> Table:
    """The statistics of the verdict, one a line."""
    v = found.verdict
    if v.mean is None:
        rows: list[tuple[str, str]] = [("runs ended", f"{len(v.scores)} of {v.declared}")]
    else:
        rows = [("runs", f"{len(v.scores)} of {v.declared} declared"), ("mean", f"{v.mean:.3f} %")]
    if v.sd is not None and v.interval is not None and v.p_value is not None:
        rows += [
            ("standard deviation", f"{v.sd:.3f} points"),
            ("worst and best run", f"{v.minimum:.2f} % and {v.maximum:.2f} %"),
            ("95 % interval of the mean", f"{v.interval.low:.3f} to {v.interval.high:.3f} %"),
            ("one-sided 95 % bounds of the mean", f"at least {v.lower:.3f} %; at most {v.upper:.3f} %"),
            (f"p-value of “the mean is below {v.target:g} %”", f"{v.p_value:.2g}"),
        ]
    rows += judged_rows.network_rows(found)
    return Table(
        "", (Column(f"test accuracy after the last epoch{judged_rows.words(found)}"), Column("", "right")), tuple(rows)
    )


def beside_words(found: Proof) -> list[str]:
    """A line for each further set of images that the weights have answered."""
    return [one.words("the networks" if found.exports else "") for one in more_answers.every(found.folder)]


def verdict_line(found: Proof) -> str:
    """The verdict in one line: the word, whether the budget is kept, the reason."""
    return f"{headline(found)}: {found.verdict.reason}"


def proof_parts(found: Proof, page: Path) -> list[str | Table]:
    """A proof as it is printed: what was asked, every run, the statistics, the budget, warnings, the verdict."""
    declared = found.declaration
    head = f"{declared.model}, recipe {declared.recipe.name}, on {declared.data.name}{judged_rows.words(found)}"
    budget = [budget_table(found.checks)] if found.checks else []
    warning = shared_words(declared.data.overlap, declared.data.name)
    beside = beside_words(found)
    last = "\n".join([*([warning] if warning else []), verdict_line(found), *beside, f"report: {page}"])
    return [head, runs_table(found), summary_table(found), *budget, last]


def runs_table(found: Proof) -> Table:
    """Every declared run: accuracy with its own interval, loss, time; failed and missing ones too."""
    columns = (
        Column("seed"), Column("right", "right", ","), Column("test accuracy, %", "right", ".2f"),
        Column("95 % interval of this one run", "right"), Column("test loss", "right", ".4f"),
        Column("seconds", "right", ".1f"), *judged_rows.columns(found),
    )  # fmt: skip
    scores = {score.seed: score for score in found.verdict.scores}
    results = {result.run.identity.seed: result for result in found.results}
    failed = dict(found.verdict.failed)
    rows: list[tuple[Any, ...]] = []
    for seed in found.declaration.seeds:
        if seed in scores:
            score, result = scores[seed], results[seed]
            interval = f"{score.interval.low:.2f} to {score.interval.high:.2f}"
            own = (str(seed), score.correct, score.percent, interval, result.judged.loss, result.run.seconds)
            rows.append((*own, *judged_rows.of_run(found, result)))
        else:
            rows.append((str(seed), None, None, failed.get(seed, judged_rows.not_yet(found, seed)), None, None))
    rows = [row + (None,) * (len(columns) - len(row)) for row in rows]
    return Table("", columns, tuple(rows))


def recipe_table(recipe: dict[str, Any], prefix: str = "") -> Table:
    """The recipe, one value a line; those of its parts under `schedule.` and `augment.`."""
    rows: list[tuple[str, str]] = []
    for name, value in recipe.items():
        if isinstance(value, dict):
            rows += [(f"{name}.{part}", _value(inner)) for part, inner in value.items()]
        else:
            rows.append((name, _value(value)))
    return Table("", (Column("recipe"), Column("", "right")), tuple(rows))


def _value(value: Any) -> str:
    return "as the network says" if value is None else str(value)


def proof_evidence(found: Proof) -> Table:
    """What the result was made with, so that somebody else can make it again."""
    declared = found.declaration
    data = declared.data
    rows = [
        ("declared", f"{declared.declared_at}, {len(declared.seeds)} seeds, before the first run"),
        ("earlier attempts at this question beside this one", str(len(declared.earlier))),
        (
            "data",
            f"{data.name}: {data.training_images:,} training images, {data.test_images:,} test images",
        ),
        ("test images that are also training images", f"{declared.data.overlap:,}"),
        *judged_rows.evidence(found),
        ("engine", f"{declared.engine} on {declared.device}, {declared.threads} thread(s) a run"),
    ]
    if found.results:
        run = found.results[0].run
        rows += [(name, str(value)) for name, value in run.hardware.items()]
        rows += [(name, str(value)) for name, value in run.versions.items()]
        rows.append(("seconds of training, all runs together", f"{sum(r.run.seconds for r in found.results):,.0f}"))
    rows += [
        ("declaration, SHA-256", declared.digest),
        ("code that computes, SHA-256", declared.code_digest),
        ("data, SHA-256", declared.data.digest),
        ("test labels, SHA-256", declared.data.labels_sha256),
    ]
    for result in found.results:
        seed, one = result.run.identity.seed, result.export
        rows.append((f"predictions of seed {seed}, SHA-256", result.judged.digest))
        if one is not None:
            rows += [(f"{name} of seed {seed}, SHA-256", digest) for name, digest in one.record.files.items()]
    return Table("", (Column("evidence"), Column("")), tuple(rows))


def _pictures(found: Proof, dataset: Dataset | None) -> list[dict[str, str]]:
    """Title, picture and caption of every figure of the page."""
    labels, predictions, runs = found.results[0].predictions.labels, found.predictions, len(found.results)
    highest = int(max(labels.max(), predictions.max()))
    named = found.results[0].run.classes
    classes = named if highest < len(named) else tuple(map(str, range(highest + 1)))
    counts = analysis.confusion(predictions, labels, len(classes))
    confidence = np.stack([r.judged.confidence for r in found.results])
    bins = analysis.calibration(confidence, predictions == labels)
    logs = [r.run.epochs for r in found.results]
    losses, percents = [[e.train_loss for e in log] for log in logs], [[e.train_percent for e in log] for log in logs]
    accuracy = analysis.by_class(counts)
    worst = classes[int(np.nanargmin(accuracy))]
    figures = [
        (
            "Every run",
            prove_plots.strip(found.verdict),
            "Each dot is a declared seed after its last epoch; none is left out.",
        ),
        ("Training", prove_plots.curves(losses, percents), _TRAINING),
        (
            "What is taken for what",
            plots.confusion(counts, classes),
            f"{runs} runs together; colours show errors only.",
        ),
        ("Errors by class", prove_plots.by_class(accuracy, classes), f"The hardest class is {worst}."),
        (
            "Does it know what it knows?",
            prove_plots.calibration(bins),
            f"Expected calibration error {100 * bins.error:.2f} %; the dots' sizes follow the numbers of images.",
        ),
    ]
    shown = [{"title": title, "png": data_uri(png), "caption": caption} for title, png, caption in figures]
    return shown + _hardest(found, dataset, classes)


def _hardest(found: Proof, dataset: Dataset | None, classes: tuple[str, ...]) -> list[dict[str, str]]:
    truth = np.stack([np.exp(-r.judged.losses) for r in found.results])
    hard = analysis.hardest(found.predictions, found.results[0].predictions.labels, _HARDEST, truth)
    if not hard:
        return []
    every = sum(image.wrong == len(found.results) for image in hard)
    runs = len(found.results)
    caption = f"True class → what most runs said, and how many of {runs} erred; {every} of these defeat every run."
    if dataset is None:
        listed = ", ".join(f"{image.row} ({classes[image.truth]} → {classes[image.said]})" for image in hard)
        return [{"title": "The hardest images", "png": "", "caption": f"{caption} Rows of the test set: {listed}."}]
    png = prove_plots.hardest(dataset.test_images, hard, classes, len(found.results))
    return [{"title": "The hardest images", "png": data_uri(png), "caption": caption}]
