"""The small search that these tests ask for, on the digits: by the command line, or in this process."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import tinyproof
from tinyproof.search import question as questions
from tinyproof.search import searched

FAMILY = """
stages = [2]
widths = [3, 4, 6]
kernels = [3]
strides = [4]
depthwise = [false]
residual = [false]
recipes = ["rate=0.03"]
"""
RECIPE = "digits,epochs=1,batch_size=64"
TARGET = 8
Made = tuple[Path, tinyproof.SearchResult]


def words(folder: Path) -> tuple[object, ...]:
    """One question, in a folder that holds its family."""
    return (
        "search", "--dataset", "digits", "--target", TARGET, "--parameters-below", 400, "--family",
        family(folder), "--recipe", RECIPE, "--candidates", 4, "--seeds", 2, "--confirm", 2, "--engine", "torch",
        "--threads", 1, "--processes", 2, "--out", folder,
    )  # fmt: skip


def family(folder: Path) -> Path:
    """The one that the folder names, else a new one beside it."""
    if (folder / questions.FILE).is_file():
        return Path(questions.read(folder).family)
    path = folder.parent / "family.toml"
    path.write_text(FAMILY)
    return path


def here(folder: Path, target: float = TARGET, family_file: str = "") -> tinyproof.SearchResult:
    """The same question asked of the twin, all runs in this process: torch is loaded once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tinyproof.core.workers._PROCESSES", False)
        patch.setattr(os, "getppid", os.getpid)  # a worker ends when it is nobody's child
        return tinyproof.search(
            "digits", target=target, parameters_below=400, family=family_file or str(family(folder)), recipe=RECIPE,
            candidates=4, seeds=2, confirm=2, engine="torch", threads=1, processes=2, out=folder, quiet=True,
        )  # fmt: skip


def decided(folder: Path) -> tuple[object, ...]:
    """What must not depend on stops and starts: every decision, the front, the winner, the answers of its proof."""
    found = searched.load(folder)
    runs = found.proof.results if found.proof else ()
    return found.course.to_json(), found.runs.scores, [one.run.predictions_digest for one in runs]
