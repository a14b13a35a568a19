"""What is shown in green is known to be right: an undecided or broken budget never is."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.stored_records import stored

from tinyproof.network.budget import Check
from tinyproof.prove import proof
from tinyproof.prove.proof import Proof
from tinyproof.show.prove_page import headline, panel, verdict_line
from tinyproof.show.run_page import verdict

KEPT, BROKEN = Check("parameters", "below 8,000", "7,416", True), Check("epochs", "below 15", "15", False)
UNKNOWN = Check("MACs an image", "below 1,000", "not known", None)
UNCERTAIN = ", but whether the budget is kept is not known"


@pytest.mark.parametrize(
    ("checks", "colour", "words"),
    [
        ((KEPT,), "good", "The budget is kept."),
        ((KEPT, UNKNOWN), "warn", "Not decided: MACs an image not known."),
        ((UNKNOWN, BROKEN), "bad", "The budget is broken: epochs."),
        ((), "warn", "No budget was set."),
    ],
    ids=["kept", "undecided", "broken", "none"],
)
def test_the_colour_of_a_run(checks: tuple[Check, ...], colour: str, words: str) -> None:
    assert verdict(checks) == (colour, words)


@pytest.fixture(scope="module")
def proved() -> Proof:
    """A stored proof whose accuracy is proved."""
    found = proof.load(stored("fast"))
    assert found.verdict.word == "proved"
    return found


@pytest.mark.parametrize(
    ("checks", "colour", "head"),
    [
        ((KEPT,), "good", "proved"),
        ((), "good", "proved"),
        ((KEPT, UNKNOWN), "warn", f"proved{UNCERTAIN}"),
        ((UNKNOWN, BROKEN), "bad", "proved, but the budget is broken"),
    ],
    ids=["kept", "no budget", "undecided", "broken"],
)
def test_the_colour_of_a_proof(proved: Proof, checks: tuple[Check, ...], colour: str, head: str) -> None:
    found = replace(proved, checks=checks)
    assert (panel(found), headline(found)) == (colour, head)
    assert verdict_line(found) == f"{head}: {found.verdict.reason}"
    assert found.proved == (colour == "good")


@pytest.mark.parametrize(("word", "colour"), [("undecided", "warn"), ("refuted", "bad")])
def test_a_kept_budget_makes_no_other_answer_green(proved: Proof, word: str, colour: str) -> None:
    assert panel(replace(proved, checks=(KEPT,), verdict=replace(proved.verdict, word=word))) == colour  # type: ignore[arg-type]
