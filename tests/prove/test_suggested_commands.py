"""Every command that a page suggests runs as it is printed, from the folder in which the page was made."""

from __future__ import annotations

import html
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tests.prove.proving import TINY, command, environment

from tinyproof.prove.proof import load
from tinyproof.show import commands
from tinyproof.train import recipe_text, store
from tinyproof.train.recipe import RECIPES, Schedule

ONE = ("--threads", 1, "--engine", "torch")


def tinyproof(folder: Path, *words: object) -> None:
    done = subprocess.run(command(*words), cwd=folder, env=environment(), capture_output=True, text=True, timeout=300)
    assert done.returncode in (0, 1), done.stderr


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Each kind of page, made by its command in one folder: of the digits, of a network and pictures of one's own."""
    root = tmp_path_factory.mktemp("pages of mine")
    rng = np.random.default_rng(0)
    images, labels = rng.integers(0, 90, (120, 28, 28), dtype=np.uint8), np.arange(120) % 10
    images[np.arange(120), 4 + 2 * labels] = 250
    np.savez(root / "my bars.npz", x_train=images[:80], y_train=labels[:80], x_test=images[80:], y_test=labels[80:])
    (root / "model.py").write_text(Path(TINY.rpartition(":")[0]).read_text())
    own = ("model.py:Tiny", "--dataset", "my bars.npz", "--recipe", "best,epochs=1")
    quick = ("--dataset", "digits", "--seeds", 2, "--processes", 1, *ONE)
    tinyproof(
        root, "train", "s6-19k", "--dataset", "digits", "--recipe", "digits,epochs=1", "--out", "all/it's first", *ONE
    )
    tinyproof(root, "train", *own, "--target", 60, "--out", "all/own", *ONE)
    tinyproof(root, "run", "--model", "s6-19k", "--dataset", "digits", "--quick", "--out", "main", *ONE)
    tinyproof(root, "prove", *own, "--seeds", 2, "--target", 60, "--out", "all/proof", "--processes", 1, *ONE)
    tinyproof(
        root, "compare", "s6-19k@digits,epochs=1", "s6-19k@digits,epochs=1,rate=0.01", *quick, "--out", "all/pair"
    )
    tinyproof(root, "reproduce", "s6-12k", "--quick", *quick, "--out", "all/claims")
    tinyproof(root, "journal", "all", "--markdown", "README.md", "--of", "own", "--analysis", "a first try")
    notebook = {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    (root / "empty.ipynb").write_text(json.dumps(notebook))
    tinyproof(root, "audit", "empty.ipynb", "--html", "class.html")
    return root


def suggested(page: Path) -> list[str]:
    """What stands in a page as code and begins as a command does."""
    text = page.read_text(encoding="utf-8")
    found = re.findall(r"<code>(tinyproof [a-z].*?)</code>", text, re.DOTALL) if page.suffix == ".html" else []
    return [html.unescape(part) for part in found] + (
        re.findall(r"`(tinyproof [a-z][^`]*)`", text) if page.suffix == ".md" else []
    )


def test_every_suggested_command_runs_as_printed(pages: Path) -> None:
    made = sorted([*pages.rglob("*.html"), pages / "README.md"])
    assert {"report.html", "journal.html", "class.html", "README.md"} <= {page.name for page in made}
    assert len(made) >= 8
    lines = sorted({line for page in made for line in suggested(page)})
    verbs = {shlex.split(line)[1] for line in lines}
    assert verbs == {"prove", "verify", "journal"}
    assert len([line for line in lines if line.startswith("tinyproof prove ")]) == 3
    for line in lines:
        words = [sys.executable, "-m", *shlex.split(line)]
        done = subprocess.run(words, cwd=pages, env=environment(), capture_output=True, text=True, timeout=600)
        assert done.returncode in (0, 1), f"{line}\n{done.stderr}"
        assert "tinyproof: " not in done.stderr, f"{line}\n{done.stderr}"
        if " verify " in line:
            assert done.returncode == 0, done.stdout


def test_the_proof_asks_what_the_run_asked(pages: Path) -> None:
    own = store.load(pages / "all" / "own")
    line = shlex.split(commands.prove_run(own, 60.0, "my bars.npz"))
    assert line == [
        "tinyproof", "prove", "model.py:Tiny", "--recipe", "best,epochs=1,dropout=null",
        "--dataset", "my bars.npz", "--target", "60",
    ]  # fmt: skip
    assert commands.prove_run(own, None, "my bars.npz") == ""  # nothing was aimed at
    assert commands.prove_run(own, 60.0) == ""  # nobody knows where the data lies
    first = store.load(pages / "all" / "it's first")
    assert commands.prove_run(first, 98.0).endswith("--recipe digits,epochs=1 --dataset digits")


def test_words_are_quoted_for_a_shell(pages: Path) -> None:
    line = commands.verify_proof(load(pages / "all" / "proof"), "my bars.npz")
    assert line.endswith("--dataset 'my bars.npz' --model model.py:Tiny")
    told = commands.command("verify", "a; touch $(x) '`y`'")
    shown = subprocess.run(["sh", "-c", f"printf '%s|' {told}"], capture_output=True, text=True, check=True).stdout
    assert shown == "tinyproof|verify|a; touch $(x) '`y`'|"


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_is_written_as_it_can_be_read(name: str) -> None:
    from dataclasses import replace

    recipe = RECIPES[name]
    assert recipe_text.written(recipe) == name
    for changed in (
        replace(recipe, epochs=3, name="mine"), replace(recipe, rate=0.5, dropout=0.25),
        replace(recipe, augment=replace(recipe.augment, max_degrees=3.5)),
        replace(recipe, ema=None if recipe.ema else 0.9),
    ):  # fmt: skip
        text = recipe_text.written(changed)
        assert text is not None
        assert recipe_text.parse(text).digest == changed.digest
    listed = replace(recipe, schedule=Schedule("step", at_epochs=(3, 7)))
    assert recipe_text.written(listed) is None
