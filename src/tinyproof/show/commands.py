"""Commands that a page suggests: as they have to be typed, with the values of what the page is about."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from tinyproof.data.dataset import NAMES, TARGETS
from tinyproof.network.model_name import is_own
from tinyproof.prove.journal.entries import Entry
from tinyproof.prove.proof import Proof
from tinyproof.train import recipe_text
from tinyproof.train.recipe import default
from tinyproof.train.run_record import Run


def command(*words: str | Path) -> str:
    """A line for a shell, every word quoted where it has to be.

    >>> command("journal", Path("my runs"), "--of", "first")
    "tinyproof journal 'my runs' --of first"
    """
    return shlex.join(["tinyproof", *map(str, words)])


def prove_run(run: Run, target: float | None, dataset: str | None = None) -> str:
    """The proof that asks of many seeds what a run asked of one; "" where its data or its recipe cannot be named, or
    nothing was aimed at. `dataset`: the path of data of somebody's own.
    """
    who = run.identity
    named = dataset or (who.dataset if who.dataset in NAMES else None)
    recipe = recipe_text.written(run.recipe)
    aim = target if target is not None else TARGETS.get(who.dataset)
    if named is None or recipe is None or aim is None or who.held_out:
        return ""
    usual = run.recipe.digest == default(who.model, named if named in NAMES else "", run.train_count).digest
    words = ["prove", who.model, *([] if usual else ["--recipe", recipe])]
    words += [] if named == "mnist" else ["--dataset", named]
    words += [] if aim == TARGETS.get(named) else ["--target", f"{aim:g}"]
    return command(*words, *_shape(run))


def _shape(run: Run) -> list[str]:
    """The size and channels of pictures of somebody's own, which are asked for only where they were."""
    reading = run.reading
    asked = reading is not None and "as asked" in reading.words
    return ["--input", ",".join(map(str, run.shape))] if asked else []


def verify_proof(found: Proof, dataset: str | None = None) -> str:
    """What counts a proof again, and evaluates its weights again. `dataset`: the path of data of somebody's own."""
    declared = found.declaration
    words: list[str | Path] = ["verify", found.folder]
    words += ["--dataset", dataset] if dataset is not None and dataset not in NAMES else []
    words += ["--model", declared.model] if is_own(declared.model) else []
    return command(*words)


def analyse(folder: Path, entries: Sequence[Entry]) -> str:
    """What keeps an analysis of the first entry that has none."""
    there = [entry for entry in entries if entry.kind != "unreadable"]
    entry = next((entry for entry in there if not entry.analysis), there[0])
    return command("journal", folder, "--of", entry.name, "--analysis", "why it came out so, what to change next")
