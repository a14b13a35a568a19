"""`prove --also qmnist-test50k`: further test images, answered by the stored weights, beside the verdict; recounted."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from tests.data.small_sets import changed, content_of, put
from tests.prove.proving import TINY

import tinyproof
from tinyproof.core.errors import InputError
from tinyproof.data import more_tests, published
from tinyproof.data.catalogue import QMNIST, TEST50K
from tinyproof.prove import more_answers
from tinyproof.train import store

ASKED = {"dataset": "digits", "seeds": 2, "target": 5.0, "engine": "torch", "processes": 1, "threads": 1, "quiet": True}
NAME = "qmnist-test50k"


@pytest.fixture(scope="module")
def qmnist(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A small QMNIST of 40 test images, of which the first 10 stand for MNIST's."""
    root = tmp_path_factory.mktemp("qmnist")
    content = content_of(QMNIST, test=40)
    put(root, {name: raw for name, raw in content.items() if "test" in name})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(more_tests, "TEST50K_FROM", 10)
        patch.setenv("TINYPROOF_DATA", str(root))
        yield root


@pytest.fixture(scope="module")
def proved(qmnist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("also") / "proof"
    tinyproof.prove("s6-19k", "s6-19k,epochs=1", **ASKED, out=folder, also=NAME)
    return folder


@pytest.fixture
def copy(proved: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(proved, tmp_path / "proof"))


def broken(folder: Path) -> list[str]:
    return [line.what for line in tinyproof.verify(folder).broken]


def test_counted_reported_and_verified(proved: Path) -> None:
    found = tinyproof.prove(proved, quiet=True)
    (told,) = found.also
    images = more_tests.load(NAME)
    assert (told.name, told.images, len(told.runs)) == (NAME, 30, 2)
    for run in told.runs:
        answers = store.read_predictions(more_answers.answers_of(proved / f"seed-{run.seed}", NAME))
        assert (answers.labels == images.labels).all()
        assert run.correct == int((answers.predicted == images.labels).sum())
    words = "beside, on qmnist-test50k (30 other test images): mean "
    assert words in str(found)
    assert words[1:] in (proved / "report.html").read_text()
    assert json.loads(json.dumps(found.to_json()))["also"][0]["mean"] == pytest.approx(np.mean(told.percents))
    checked = [line.what for line in tinyproof.verify(proved).lines if NAME in line.what]
    assert checked == [
        f"the counts on {NAME} are those of the answers", f"every run has answered {NAME}",
        f"the images of {NAME} are those that were answered", f"the weights give the answers to {NAME}",
    ]  # fmt: skip
    assert tinyproof.verify(proved).broken == ()


def test_the_ledger_shows_it_beside_the_proof(proved: Path) -> None:
    found = tinyproof.frontier(proved)
    (tier,) = [tier for tier in found.tiers if tier.tried]
    assert tier.best is not None
    (told,) = tier.best.also
    assert told == more_answers.load(proved, NAME)
    assert f"s6-19k, {told.words()}" in str(found)
    assert json.loads(json.dumps(found.to_json()))["tiers"][-1]["proofs"][0]["also"][0]["name"] == NAME


def test_the_verdict_and_the_declaration_know_nothing_of_it(proved: Path, tmp_path: Path) -> None:
    plain = tmp_path / "proof"
    tinyproof.prove("s6-19k", "s6-19k,epochs=1", **ASKED, out=plain)
    for name in ("verdict.json", "declared.json"):
        one, other = (json.loads((folder / name).read_text()) for folder in (proved, plain))
        same = {key for key in one if key not in ("declaration", "declared_at", "earlier", "seeds", "seconds")}
        assert {key: one[key] for key in same} == {key: other[key] for key in same}
    later = tinyproof.prove(plain, also=NAME, quiet=True)  # asked for when all is done: the weights answer
    assert [run.correct for run in later.also[0].runs] == [run.correct for run in more_answers.load(proved, NAME).runs]


def test_of_exports_it_is_said_who_answered() -> None:
    runs = (more_answers.Count(1, 49_750, ""),)
    told = more_answers.MoreAnswers(name=NAME, digest="", labels_sha256="", images=50_000, declaration="", runs=runs)
    assert "mean 99.500 % of 1 run, answered by the networks; sampling error" in told.words("the networks")
    assert "answered" not in told.words()
    assert more_answers.to_json([told], "the networks")[0]["answered_by"] == "the networks"


def test_sampling_error_is_that_of_a_share() -> None:
    told = more_answers.MoreAnswers(
        name=NAME, digest="", labels_sha256="", images=50_000, declaration="",
        runs=(more_answers.Count(1, 49_750, ""), more_answers.Count(2, 49_750, "")),
    )  # fmt: skip
    assert told.sampling_error == pytest.approx(100 * (0.995 * 0.005 / 50_000) ** 0.5)
    assert f"{told.sampling_error:.3f} points" in told.words()


def test_an_edited_count_is_named(copy: Path) -> None:
    path = copy / more_answers.file_of(NAME)
    data = json.loads(path.read_text())
    data["runs"][0]["correct"] += 1
    path.write_text(json.dumps(data))
    assert broken(copy) == [f"the counts on {NAME} are those of the answers"]


def test_answers_put_right_are_named_by_the_weights(copy: Path) -> None:
    path = copy / more_answers.file_of(NAME)
    data = json.loads(path.read_text())
    place = more_answers.answers_of(copy / f"seed-{data['runs'][0]['seed']}", NAME)
    given = store.read_predictions(place)
    right = type(given)(given.labels.copy(), given.labels, given.confidence, given.losses)
    np.savez(place, **right.arrays())
    data["runs"][0] |= {"correct": right.correct, "answers": right.digest}
    path.write_text(json.dumps(data))
    assert broken(copy) == [f"the weights give the answers to {NAME}"]


def test_a_run_that_is_left_out_is_named(copy: Path) -> None:
    path = copy / more_answers.file_of(NAME)
    data = json.loads(path.read_text())
    del data["runs"][0]
    path.write_text(json.dumps(data))
    assert broken(copy) == [f"every run has answered {NAME}"]


@pytest.mark.parametrize(
    "content", ["[]", "{}", '{"format": "tinyproof-also/1", "runs": []}', '{"format": "tinyproof-also/1", "runs": [1]}']
)
def test_a_file_that_is_none_is_one_line(copy: Path, content: str) -> None:
    (copy / more_answers.file_of(NAME)).write_text(content)
    assert broken(copy) == [f"the answers to {NAME} can be read"]
    assert tinyproof.prove(copy, quiet=True).also == []


def test_without_the_images_it_is_not_checked_and_nothing_is_wrong(
    copy: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("TINYPROOF_DATA")
    monkeypatch.setattr(published, "cache_folder", lambda: None)
    lines = {line.what: line.holds for line in tinyproof.verify(copy).lines if NAME in line.what}
    assert lines[f"the weights give the answers to {NAME}"] is None
    assert lines[f"the counts on {NAME} are those of the answers"] is True


def test_nothing_is_declared_where_the_further_images_cannot_be_had(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TINYPROOF_DATA", raising=False)
    monkeypatch.setattr(published, "user_cache", lambda: str(tmp_path / "cache"))
    with (
        changed(TEST50K, mirrors=("http://127.0.0.1:9/dead/",)),
        pytest.raises(published.NotFound, match="no connection"),
    ):
        tinyproof.prove("s6-19k", "s6-19k,epochs=1", **ASKED, out=tmp_path / "proof", also=NAME)
    assert not (tmp_path / "proof").exists()


def test_wrong_questions_are_one_line(qmnist: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="also: 'qmnist' is not allowed; allowed: qmnist-test50k"):
        tinyproof.prove("s6-19k", **ASKED, also="qmnist")
    with pytest.raises(
        InputError, match=r"also: 'qmnist-test50k' needs the weights of every run; leave --no-weights out"
    ):
        tinyproof.prove("s6-19k", **ASKED, also=NAME, weights=False)
    out = tmp_path / "own"
    tinyproof.prove(TINY, "best,epochs=1", **ASKED, out=out)
    with pytest.raises(InputError, match="is a file that only the record names; give the whole command"):
        tinyproof.prove(out, also=NAME, quiet=True)
    assert len(tinyproof.prove(TINY, "best,epochs=1", **ASKED, out=out, also=NAME).also) == 1
    assert broken_with(out, TINY) == ()


def broken_with(folder: Path, model: str) -> tuple[object, ...]:
    return tinyproof.verify(folder, model=model).broken
