"""The model card beside every export: Markdown with the block of metadata that model hubs read (YAML)."""

from __future__ import annotations

import json
from collections.abc import Iterator

from tinyproof.core.markdown import plain
from tinyproof.ship import claim
from tinyproof.ship.exported import IN_WHOLE_NUMBERS, Exported
from tinyproof.train.run_record import Run

CARD = "README.md"
_FORMATS = {
    "onnx": "one ONNX file, float32", "onnx-int8": "one ONNX file in whole numbers (QDQ)",
    "c": "C in single precision", "c-int8": "C in whole numbers",
    "torch": "a Python file that needs PyTorch alone, and its weights",
    "xlsx": "a workbook with live formulas", "html": "one page that works offline",
}  # fmt: skip
_ALWAYS = (
    "pictures of other sources than these test images, and pictures that show none of the classes;",
    "whether its probabilities are as often right as they say;",
    "noise, turning, attacks; time and energy on other machines.",
)


def card(run: Run, record: Exported) -> str:
    """The text; `record` needs no `card` of its own."""
    return "\n".join([*_metadata(run, record), *_text(run, record)]) + "\n"


def _metadata(run: Run, record: Exported) -> Iterator[str]:
    """YAML; every value is written as JSON, which YAML holds: no text of a record can end it."""
    data = {"type": run.identity.dataset, "name": claim.data_title(run), "split": "test"}
    metrics = [{"type": "accuracy", "name": name, "value": value} for name, value in _accuracies(run, record).items()]
    if record.proved is not None:
        seeds = f"mean accuracy of {len(record.proved.seeds)} declared seeds"
        metrics.insert(0, {"type": "accuracy", "name": seeds, "value": record.proved.mean / 100})
    results = {"task": {"type": "image-classification"}, "dataset": data, "metrics": metrics}
    facts = {
        "library_name": "pytorch" if record.to == "torch" else record.to.partition("-")[0],
        "pipeline_tag": "image-classification",
        "tags": ["tinyproof", f"{run.parameters}-parameters"],
        "datasets": [claim.data_title(run)],
        "metrics": ["accuracy"],
        "model-index": [{"name": claim.model_title(run), "results": [results]}],
    }
    yield "---"
    for name, value in facts.items():
        yield f"{name}: {_json(value)}"
    yield "---"


def _accuracies(run: Run, record: Exported) -> dict[str, float]:
    """What the network of this card reads right, by name: in whole numbers it is another one than the run's."""
    own = run.correct / run.test_count
    if record.to not in IN_WHOLE_NUMBERS:
        return {"accuracy of this network": own}
    here = record.correct / max(record.test_count, 1)
    return {"accuracy of the exported network": here, "accuracy before rounding to whole numbers": own}


def _json(value: object) -> str:
    """JSON in one line, its marks escaped so that no reader takes them for markup."""
    return json.dumps(value).replace("<", "\\u003c").replace(">", "\\u003e")


def _text(run: Run, record: Exported) -> Iterator[str]:
    yield f"\n# {plain(claim.model_title(run))}, as {_FORMATS.get(record.to, record.to)}\n"
    whole = record.to in IN_WHOLE_NUMBERS
    if whole:
        yield (
            f"This network, in whole numbers, reads {record.correct:,} of {record.test_count:,} test images right: "
            f"{record.accuracy_percent:.2f} %."
        )
    for sentence in claim.sentences(run, record.proved, "Before rounding, the network" if whole else "This network"):
        yield plain(sentence)
    yield "\n## The exported files\n"
    yield _answered(record)
    yield "\n| file | SHA-256 |\n| --- | --- |"
    for name, digest in {**record.files, "the run's weights": record.weights}.items():
        yield f"| {plain(name)} | `{digest}` |"
    yield from _origin(run, record)
    yield "\n## What was not measured\n"
    for line in (*_ALWAYS, *_not_run(record)):
        yield f"- {line}"
    yield "\nNobody has said here under which licence weights and data may be used.\n"
    yield f"`tinyproof verify` of the run's folder counts all of this again. Written by tinyproof {record.version}."


def _answered(record: Exported) -> str:
    if not record.test_count:
        return f"They were not run: {plain(record.not_run)}."
    which = "all" if not record.images else "these"
    numbers = f" (numbers {', '.join(map(str, record.images))}, from 0)" if record.images else ""
    return (
        f"They were run by {plain(record.runner)} on {which} {record.test_count:,} test images{numbers}: "
        f"{record.correct:,} right, {record.changed:,} with another class than in the run, no probability or loss "
        f"further from the run's than {record.largest_difference:.1g}."
    )


def _not_run(record: Exported) -> Iterator[str]:
    if not record.test_count:
        yield "the exported files themselves: they are made of the run's weights, and were not run;"
    elif record.images:
        yield f"the exported files on other test images than those {record.test_count}."


def _origin(run: Run, record: Exported) -> Iterator[str]:
    classes = ", ".join(plain(name) for name in run.classes[:50]) + (", ..." if len(run.classes) > 50 else "")
    yield "\n## How it was trained\n"
    data = f"{plain(claim.data_title(run))}, {run.train_count:,} training images"
    yield f"- data: {data}, digest `{run.identity.data_digest}`"
    yield f"- recipe: {plain(run.recipe.name)}, {len(run.epochs)} epochs; seed {run.identity.seed}"
    yield f"- engine: {plain(run.identity.engine)} on {plain(run.identity.device)}; code `{run.code_digest}`"
    yield f"- input: {' x '.join(map(str, run.shape))} (channels, rows, columns), bytes; classes: {classes}"
    if record.proved is not None:
        yield f"- seeds of the proof: {', '.join(map(str, record.proved.seeds))}"
        yield f"- declaration: `{record.proved.declaration}`"
