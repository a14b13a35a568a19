"""The catalogue: every rule of it has a wrong and a right example, and both are executed."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tinyproof.check.notebook import audit_notebook
from tinyproof.check.notebook.rules import CATALOGUE, Rule, catalogue

from .books import style, write

NAMES = (
    "evaluates-on-training-data augmented-test-set best-epoch-claimed loss-misnormalised loss-overwritten "
    "activation-on-class-scores softmax-dimension double-softmax scheduler-without-effect number-in-no-log "
    "parameter-count target-not-met test-set-chooses normalisation-differs unshuffled-training unused-layer "
    "output-width warm-start cells-out-of-order log-not-from-this-code train-mode-accuracy no-seed evaluation-mode "
    "zero-grad accuracy-plateau figure-changed answers-of-another-batch likelihood-of-scores "
    "loss-not-a-number run-stopped fitted-before-split resampled-before-split "
    "metric-arguments-swapped called-test wrong-network-saved running-average "
    "evaluation-disagrees trained-in-evaluation-mode score-runs-on "
    "labels-of-other-rows never-updated best-not-copied target-among-features"
)


def broken(rule: Rule) -> str:
    """The right notebook with the example's lines put in, line by line where there are as many."""
    text = style(rule.style)
    right, wrong = rule.right.split("\n"), rule.wrong.split("\n")
    if rule.name == "run-stopped":  # its log goes on below the last line of the right one
        wrong = [*wrong[: len(right) - 1], "\n".join(wrong[len(right) - 1 :])]
    pairs = list(zip(right, wrong, strict=True)) if len(right) == len(wrong) else [(rule.right, rule.wrong)]
    for old, new in pairs:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def with_counts(example: str, path: Path) -> Path:
    counts = [int(n) for n in re.findall(r"In \[(\d+)\]", example)]
    book = json.loads(write("".join(f"# %%\nx{i} = {i}\n" for i in counts), path.parent, path.name).read_text())
    for cell, count in zip(book["cells"], counts, strict=True):
        cell["execution_count"] = count
    path.write_text(json.dumps(book))
    return path


def test_every_rule_asked_for_is_in_the_catalogue() -> None:
    assert set(CATALOGUE) == set(NAMES.split(" "))


@pytest.mark.parametrize("rule", CATALOGUE.values(), ids=CATALOGUE)
def test_the_wrong_example_is_named_and_the_right_one_is_not(rule: Rule, tmp_path: Path) -> None:
    if "In [" in rule.wrong:
        wrong, right = (with_counts(text, tmp_path / f"{i}.ipynb") for i, text in enumerate((rule.wrong, rule.right)))
    else:
        wrong = write(broken(rule), tmp_path / "wrong")
        right = write(style(rule.style), tmp_path / "right")
    named = [finding for finding in audit_notebook(wrong).findings if finding.rule == rule.name]
    assert named
    assert all(finding.why == rule.why and finding.fix for finding in named)
    assert audit_notebook(right).findings == ()


@pytest.mark.parametrize("rule", CATALOGUE.values(), ids=CATALOGUE)
def test_every_rule_says_why_and_how_to_mend_it(rule: Rule) -> None:
    assert rule.title
    assert rule.why.endswith(".")
    assert rule.mend.endswith(".")
    assert rule.needs_reader <= (rule.severity == "note")
    assert f"### {rule.name}" in catalogue()


@pytest.mark.parametrize("rule", CATALOGUE.values(), ids=CATALOGUE)
def test_every_rule_can_be_switched_off(rule: Rule, tmp_path: Path) -> None:
    if "In [" in rule.wrong:
        path = with_counts(rule.wrong, tmp_path / "a.ipynb")
    else:
        path = write(broken(rule), tmp_path)
    assert rule.name not in {finding.rule for finding in audit_notebook(path, [rule.name]).findings}


def test_the_command_shows_the_catalogue(cli: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    done = cli("audit", "--rules")
    assert done.returncode == 0
    assert done.stdout == catalogue() + "\n"
