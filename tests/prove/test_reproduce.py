"""The published claims: values as they were published, evaluated both ways by one training."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from tests.prove.proving import ALONE, call

from tinyproof.api.reproduce import reproduce
from tinyproof.api.verify import verify
from tinyproof.core.errors import InputError
from tinyproof.data.dataset import subset
from tinyproof.data.load import load_digits
from tinyproof.network.nets import NETS, build
from tinyproof.prove import evaluations, published_claims, reproduction
from tinyproof.prove.evaluations import Look
from tinyproof.prove.published_claims import CLAIMS
from tinyproof.train import recipe, store
from tinyproof.train.engine.torch_engine import TorchEngine


@pytest.mark.parametrize("claim", CLAIMS.values(), ids=list(CLAIMS))
def test_a_claims_figures_follow_from_its_counts(claim: published_claims.Claim) -> None:
    assert claim.model in NETS
    assert recipe.named(claim.recipe).epochs >= max(figure.look.epoch for figure in claim.figures)
    for figure in claim.figures:
        if figure.correct is not None:
            assert round(100 * figure.correct / figure.of, 2) == pytest.approx(figure.percent, abs=0.011)


def test_which_claims_were_evaluated_on_training_images() -> None:
    on_training = [c.name for c in CLAIMS.values() if c.figures[0].look.images == "training"]
    assert on_training == ["s5-593k", "s6-16k", "s7-8k"]


def test_an_unknown_claim_is_refused_with_the_names() -> None:
    with pytest.raises(InputError, match="s6-12k, all"):
        published_claims.chosen("s6-13k")


def test_a_loss_printed_128_times_too_small() -> None:
    losses = np.random.default_rng(1).exponential(0.016, 10_240)
    assert losses.mean() / published_claims.misprinted(losses, 128) == pytest.approx(128)


def test_a_look_at_training_images_with_their_augmentation_sees_changed_images() -> None:
    digits = load_digits()
    rule = recipe.named("s7-8k").augment
    changed = evaluations.changed(digits.train_images[:64], rule, seed=3, epoch=13)
    again = evaluations.changed(digits.train_images[:64], rule, seed=3, epoch=13)
    assert np.array_equal(changed, again)
    assert changed.dtype == np.uint8
    different = [bool((a != b).any()) for a, b in zip(changed, digits.train_images, strict=False)]
    assert sum(different) > 60  # a turn of a small fraction of a degree may change no whole grey value
    # Five degrees move no pixel of a 28-pixel image by more than 1.3 pixels: the images stay what they are.
    assert np.corrcoef(changed.ravel(), digits.train_images[:64].ravel())[0, 1] > 0.85


def test_a_look_counts_what_the_engine_answers(tmp_path: Path) -> None:
    few = subset(load_digits(), 100, 50)
    rule = recipe.named("s6-19k")
    engine = TorchEngine(build("s6-19k", 1), rule, few, 0, "cpu", 1)
    for look in (Look(1, "training"), Look(1, "test")):
        evaluations.take(tmp_path, look, engine, few, rule, 0)
    seen = evaluations.load(tmp_path)
    answers = engine.evaluate(few.train_images, few.train_labels).log_probabilities.argmax(1)
    assert seen["epoch-1-training"].correct == int((answers == few.train_labels).sum())
    assert (seen["epoch-1-training"].images, seen["epoch-1-test"].images) == (100, 50)


@pytest.fixture(scope="module")
def reproduced(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reproduce") / "claim"
    done = call(
        "reproduce", "s6-12k", "--quick", "--dataset", "digits", "--seeds", 2, "--engine", "torch", *ALONE,
        "--out", folder,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "as published, measured" in done.stdout
    return folder


def test_both_ways_come_from_one_training_and_agree_where_they_must(reproduced: Path) -> None:
    found = reproduction.load(reproduced / "s6-12k", CLAIMS["s6-12k"])
    # In two epochs the claimed epoch 16 is the last one, so the look at the test images saw what the proof counted.
    assert list(found.seen["epoch-2-test"]) == [score.percent for score in found.proof.verdict.scores]
    assert f"n = {len(found.proof.results)}" in found.truly
    page = (reproduced / "report.html").read_text()
    assert "right figure, wrong epoch" in page
    assert "The claims are about MNIST; these runs used digits." in page


def test_the_stored_runs_give_the_table_again_as_markdown(reproduced: Path) -> None:
    words = ("reproduce", "s6-12k", "--quick", "--dataset", "digits", "--seeds", 2, "--out", reproduced)
    done = call(*words, "--markdown")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("| network | published | as published, measured |")
    assert not done.stderr


def test_page_and_result_hold_every_claim_of_the_folder(reproduced: Path, tmp_path: Path) -> None:
    """A second claim joins the first; asked for again, the first alone makes neither page nor result poorer."""
    folder = Path(shutil.copytree(reproduced, tmp_path / "both"))
    asked = {"seeds": 1, "dataset": "digits", "engine": "torch", "processes": 1, "threads": 1, "out": folder}
    assert [one.claim.name for one in reproduce("s7-8k", quick=True, **asked).claims] == ["s7-8k"]
    found = reproduce("s6-12k", quick=True, **{**asked, "seeds": 2}).claims
    assert [one.claim.name for one in found] == ["s6-12k"]
    result = json.loads((folder / "result.json").read_text())
    assert [one["claim"] for one in result] == ["s7-8k", "s6-12k"]
    page = (folder / "report.html").read_text()
    assert "<h2>s7-8k</h2>" in page
    assert "<h2>s6-12k</h2>" in page
    assert verify(folder, weights=False).exit_code == 0
    # What has not changed is not made again.
    before = (folder / "report.html").stat().st_mtime_ns
    reproduce("s7-8k", quick=True, **asked)
    assert (folder / "report.html").stat().st_mtime_ns == before
    # A run that is gone is trained again, and an evaluation that differs changes the page.
    place = next((folder / "s7-8k").glob("seed-*"))
    seen = json.loads((place / evaluations.FILE).read_text())
    seen["epoch-2-training"]["correct"] -= 1
    (place / evaluations.FILE).write_text(json.dumps(seen))
    assert [line.what for line in verify(folder, weights=False).broken] == [
        "the stored table of claims is what its runs give"
    ]
    reproduce("s6-12k", quick=True, **{**asked, "seeds": 2})
    assert (folder / "report.html").stat().st_mtime_ns > before


def test_evaluations_of_the_last_epoch_are_counted_again_from_the_weights(tmp_path: Path) -> None:
    reproduce(
        "s7-8k", quick=True, seeds=1, dataset="digits", engine="torch", processes=1, threads=1, weights=True,
        out=tmp_path, page=False,
    )  # fmt: skip
    found = verify(tmp_path)
    assert found.exit_code == 0, found.table().text()
    whats = ["epoch-2-training is what the network gives", "epoch-2-training-augmented is what the network gives"]
    assert [line.what for line in found.lines if line.what.startswith("epoch-2")] == whats
    path = next((tmp_path / "s7-8k").glob("seed-*")) / evaluations.FILE
    seen = {name: {**value, "correct": value["images"]} for name, value in json.loads(path.read_text()).items()}
    path.write_text(json.dumps(seen))
    assert [line.what for line in verify(tmp_path).broken] == whats
    # Without the weights nothing says that the counts are wrong, and that is said.
    without = verify(tmp_path, weights=False)
    assert not without.broken
    assert [line.holds for line in without.lines if line.what.startswith("the other evaluations")] == [None]


def test_a_run_without_its_look_is_named(reproduced: Path, tmp_path: Path) -> None:
    place = next((reproduced / "s6-12k").glob("seed-*"))
    kept = (place / evaluations.FILE).read_bytes()
    (place / evaluations.FILE).unlink()
    try:
        done = call("reproduce", "s6-12k", "--quick", "--dataset", "digits", "--seeds", 2, "--out", reproduced)
    finally:
        (place / evaluations.FILE).write_bytes(kept)
    assert store.finished(place)
    assert done.returncode == 2
    assert "lacks the evaluation epoch-2-test" in done.stderr
