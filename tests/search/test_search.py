"""A search from end to end on the digits: declared, halved, proved; killed, gone on with, forged, asked wrongly."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.prove.proving import command, environment, kill
from tests.search.asking import FAMILY, RECIPE, Made, decided, here, words

from tinyproof.api.report import report
from tinyproof.api.search import search_asked
from tinyproof.api.verify import verify
from tinyproof.core.errors import DataError, InputError
from tinyproof.prove import proof
from tinyproof.prove.journal import history
from tinyproof.search import contender, searched
from tinyproof.search import question as questions
from tinyproof.search.declaring import Search, found_there, named_from_here
from tinyproof.search.searched import WINNER, Searched
from tinyproof.train import store

pytestmark = pytest.mark.xdist_group("search")

# ------------------------------------------------------------------ as it should be


def test_a_search_chooses_on_held_out_images_and_proves_on_fresh_seeds(made: Made) -> None:
    folder, told = made
    found = searched.load(folder)
    assert (told.word, told.proved) == (found.word, found.proved)
    assert [decision.seeds for decision in found.course.decisions] == [1, 3]
    assert found.winner is not None
    assert found.winner.parameters < 400
    assert found.proof is not None
    assert found.proof.declaration.seeds_follow
    folds = {one.digest for one in found.question.folds}
    used, places = set[int](), list((folder / "runs").glob("*/seed-*"))
    for place in places:
        run = store.load(place)
        assert run.identity.held_out
        assert run.identity.data_digest in folds  # no run before the proof saw a test image
        assert run.declaration == found.question.digest
        used.add(run.identity.seed)
    points = len(found.course.front)
    assert len(places) == found.runs.count == 4 + 2 * 2 + (2 * points if points > 1 else 0)
    assert not used & set(found.proof.declaration.seeds)
    assert [one.run.identity.data_digest for one in found.proof.results] == [found.question.data.digest] * 2


def test_only_the_figure_of_the_proof_is_told_as_a_result(made: Made) -> None:
    folder, found = made
    assert found.proof is not None
    assert f"{found.word}: {found.reason}" in str(found)
    assert "Held-out training images, for choosing: no result." in str(found)
    told = json.loads((folder / "result.json").read_text())
    assert told["verdict"] == found.proof.verdict.word
    assert told["chosen_on"] == "held-out training images"
    page = (folder / "report.html").read_text()
    assert "The proof of the winner" in page
    assert "thrown out: not above" in page
    assert f"{found.runs.count + 2} runs" in page


def test_everything_is_counted_again_and_holds(made: Made) -> None:
    found = verify(made[0])
    assert found.broken == ()
    assert sum("its runs are the declared ones" in line.what for line in found.lines) == 4
    assert all(line.holds for line in found.lines if line.place == made[0].name)


def test_the_folder_is_judged_again_without_torch(copied: Path) -> None:
    before = decided(copied)
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "from tinyproof.search import searched; from pathlib import Path\n"
        "found = searched.load(Path(sys.argv[1])); print(found.word, found.course.winner)\n"
        "from tinyproof.api.verify import verify; print(len(verify(sys.argv[1], weights=False).broken))\n"
    )
    done = subprocess.run([sys.executable, "-c", code, copied], capture_output=True, text=True, timeout=300)
    assert done.stdout.split() == [searched.load(copied).word, before[0]["winner"], "0"], done.stderr  # type: ignore[index]


# ------------------------------------------------------------------ killed, and gone on with


@pytest.mark.skipif(sys.platform == "win32", reason="process groups are killed differently there")
def test_killed_after_some_runs_it_ends_with_the_same_decisions(made: Made, tmp_path: Path) -> None:
    folder = tmp_path / "killed" / "search"
    folder.parent.mkdir()

    def some() -> bool:
        return len(list((folder / "runs").glob("*/seed-*/run.json"))) >= 5

    kill(words(folder), some)
    kept = {path: path.stat().st_mtime_ns for path in (folder / "runs").glob("*/seed-*/run.json")}
    assert not (folder / WINNER).exists()
    here(folder)
    assert decided(folder)[:2] == decided(made[0])[:2]  # the proof names the network by its folder, and has other seeds
    assert {path: path.stat().st_mtime_ns for path in kept} == kept  # nothing is trained twice


@pytest.mark.skipif(sys.platform == "win32", reason="limits on the size of files are a Unix matter")
def test_a_full_disk_is_one_line_and_what_has_ended_stays(copied: Path) -> None:
    expected = decided(copied)
    shutil.rmtree(copied / WINNER)
    lost = next(iter(sorted((copied / "runs").glob("c*/seed-*"))))
    shutil.rmtree(lost)
    (copied / "decisions.json").unlink()
    # No file may grow beyond 1 kB: as on a full disk, what is larger cannot be written.
    full = ["sh", "-c", 'trap "" XFSZ; ulimit -f 2; exec "$@"', "sh", *command(*words(copied))]
    done = subprocess.run(full, capture_output=True, text=True, timeout=300, env=environment())
    assert done.returncode == 2
    assert "cannot be written" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    here(copied)
    assert decided(copied)[:2] == expected[:2]


def test_a_target_out_of_reach_is_refuted_early_with_the_front_and_without_a_proof(tmp_path: Path) -> None:
    folder = tmp_path / "high" / "search"
    folder.parent.mkdir()
    told = str(here(folder, target=99.9))
    assert "refuted: of 4 candidates none reaches 99.9 % on held-out training images" in told
    found = searched.load(folder)
    assert (found.word, found.proof, found.to_come) == ("refuted", None, 0)
    assert found.course.front
    assert not (folder / WINNER).exists()
    assert verify(folder).broken == ()


def test_the_journal_has_the_proof_of_the_winner_and_no_run_that_was_for_choosing(made: Made) -> None:
    assert [entry.name for entry in history.read(made[0])] == [WINNER]


def test_the_page_is_made_again(copied: Path) -> None:
    before = (copied / "report.html").read_text()
    (copied / "report.html").unlink()
    assert report(copied).path == copied / "report.html"
    assert (copied / "report.html").read_text().count("<tr>") == before.count("<tr>")


# ------------------------------------------------------------------ forged


def change(path: Path, edit: Callable[[dict[str, object]], None]) -> None:
    data = json.loads(path.read_text())
    edit(data)
    path.write_text(json.dumps(data))


def broken(folder: Path) -> str:
    return " ".join(f"{line.what}: {line.found}" for line in verify(folder, weights=False).broken)


def test_a_decision_that_does_not_follow_is_named(copied: Path) -> None:
    change(copied / "decisions.json", lambda data: data[0]["standings"][0].update(mean=99.9))  # type: ignore[index]
    assert "the stored decisions are what the runs give: rung 1" in broken(copied)
    with pytest.raises(DataError, match="does not hold the decision of rung 1 that its runs give"):
        searched.load(copied)


def test_better_answers_for_a_run_are_named(copied: Path) -> None:
    place = next(iter(sorted((copied / "runs").glob("c*/seed-*"))))
    answers = store.load_predictions(place)
    np.savez_compressed(place / store.PREDICTIONS, **{**answers.arrays(), "predicted": answers.labels})  # type: ignore[arg-type]
    assert "says something else of: right answers, answers" in broken(copied)


def test_a_run_of_another_candidate_is_named(copied: Path) -> None:
    first, second = (sorted((copied / "runs" / name).glob("seed-*"))[0] for name in ("c1", "c2"))
    shutil.rmtree(second)
    shutil.copytree(first, second)
    assert "is not the declared run: another model" in broken(copied)


def test_a_changed_candidate_and_a_changed_or_missing_network_are_named(copied: Path) -> None:
    path = copied / "networks" / "c1.py"
    path.write_text(path.read_text() + "\n# changed\n")
    assert "the files of the networks are the declared ones: c1.py" in broken(copied)
    path.unlink()
    assert "the files of the networks are the declared ones: c1.py" in broken(copied)
    change(copied / contender.FILE, lambda data: data["candidates"][0].update(parameters=1))  # type: ignore[index]
    assert "is not the list of candidates that the search was declared with" in broken(copied)


def test_a_run_that_nobody_declared_is_named(copied: Path) -> None:
    extra = copied / "runs" / "c1" / "seed-7"
    shutil.copytree(next((copied / "runs" / "c1").glob("seed-*")), extra)
    assert "there is no run that was not declared: runs/c1/seed-7" in broken(copied)


def test_the_proof_of_another_than_the_winner_is_named(copied: Path) -> None:
    found = searched.load(copied)
    other = next(one for one in found.contenders if one.name != found.course.winner)
    change(copied / WINNER / "declared.json", lambda data: data.update(model=other.model))
    assert "the proof is the winner's, with fresh seeds: " in broken(copied)


# ------------------------------------------------------------------ asked wrongly


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--target", 101), "target: 101.0 is not allowed; allowed: a number from 0 to 100"),
        (("--candidates", 0), "candidates: 0 is not allowed; allowed: a whole number from 1 to 2,000"),
        (("--seeds", 0), "seeds: 0 is not allowed; allowed: a whole number from 1 to 1,000"),
        (("--confirm", -1), "confirm: -1 is not allowed; allowed: a whole number from 0 to 100"),
        (("--confirm", 1), "confirm: 1 is not allowed; allowed: 0, or from 2 to 100: one seed tells nothing of chance"),
        (("--by", "size"), "by: 'size' is not allowed; allowed: parameters, macs"),
        (("--dataset", "mnits"), "dataset: 'mnits' is not allowed; allowed: "),
        (("--family", "chain"), "family: 'chain' is not allowed; allowed: all, chains"),
        (("--engine", "fast"), "engine: 'fast' is not allowed; allowed: auto, torch, native"),
        (("--recipe", "digits,speed=1"), "recipe field: 'speed' is not allowed"),
        (("--parameters-below", 20), "parameters-below: 20 keeps out all of 3,000 networks drawn of the family all"),
    ],
    ids=lambda value: str(value[0]).lstrip("-") if isinstance(value, tuple) else "",
)
def test_a_wrong_question_is_one_line_and_leaves_nothing(
    more: tuple[object, ...],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from tinyproof.cli import main

    asked = ("tinyproof", "search", "--dataset", "digits", "--out", tmp_path / "out", *more)
    monkeypatch.setattr(sys, "argv", [str(word) for word in asked])
    with pytest.raises(SystemExit) as ended:
        main()
    told = capsys.readouterr().err.strip().splitlines()
    assert ended.value.code == 2
    assert len(told) == 1
    assert told[0].startswith(f"tinyproof: {message}")
    assert not list(tmp_path.glob("out/[!.]*"))


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"target": 50.0}, "target: 50.0 is not allowed; allowed: 8.0, as declared"),
        ({"candidates": 9}, "candidates: 9 is not allowed; allowed: 4, as declared"),
        ({"dataset": "mnist"}, "dataset: 'mnist' is not allowed; allowed: digits, as declared"),
        ({"recipe": "digits"}, "recipe: 'digits' is not allowed; allowed: digits epochs=1 batch_size=64 with its"),
        ({"limits": {"macs_below": 9}}, "budget: 'macs below 9' is not allowed; allowed: 'parameters below 400'"),
    ],
)
def test_another_question_in_the_folder_is_refused(made: Made, other: dict[str, object], message: str) -> None:
    there = questions.read(made[0])
    usual = {"dataset": "digits", "family": there.family, "candidates": 4, "seeds": 2, "confirm": 2, "recipe": RECIPE}
    with pytest.raises(InputError) as caught:
        found_there(Search(**{**usual, "engine": "torch", **other}), made[0])  # type: ignore[arg-type]
    assert str(caught.value).startswith(message.replace("'parameters", "parameters").replace("400'", "400"))
    assert "a new one needs another --out" in str(caught.value)


def test_a_family_that_has_changed_is_refused(copied: Path) -> None:
    there, path = questions.read(copied), copied.parent / "family.toml"
    path.write_text(FAMILY)
    asked = {"dataset": "digits", "candidates": 4, "seeds": 2, "confirm": 2, "recipe": RECIPE, "engine": "torch"}
    questions.write(copied, replace(there, family=str(path)))
    assert found_there(Search(family=str(path), **asked), copied).choices == there.choices  # type: ignore[arg-type]
    path.write_text(FAMILY.replace("[3, 4, 6]", "[3, 4]"))
    with pytest.raises(InputError, match=r"family: .* has changed since then; the one that was declared"):
        found_there(Search(family=str(path), **asked), copied)  # type: ignore[arg-type]


def test_a_search_goes_on_only_where_its_networks_are_named_from_and_a_line_says_where(
    copied: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, away = copied.parent / "a place", copied.parent / "away"
    place.mkdir()
    away.mkdir()
    folder = Path(shutil.move(copied, place / "search"))
    (place / "family.toml").write_text(FAMILY)
    there = [replace(one, model=f"search/networks/{one.name}.py:Network") for one in contender.read(folder)]
    contender.write(folder, there)
    question = replace(questions.read(folder), family="family.toml", candidates_sha256=contender.digest(there))
    questions.write(folder, question)
    for name in ("runs", WINNER):
        shutil.rmtree(folder / name)
    (folder / "decisions.json").unlink()
    asked = {"dataset": "digits", "candidates": 4, "seeds": 2, "confirm": 2, "recipe": RECIPE, "engine": "torch"}
    monkeypatch.chdir(away)
    family, out = "../a place/family.toml", Path("../a place/search")
    assert found_there(Search(family=family, **asked), out).choices == question.choices  # type: ignore[arg-type]
    with pytest.raises(InputError) as caught:
        search_asked(Search(family=family, **asked), out)  # type: ignore[arg-type]
    assert str(caught.value) == (
        "out: '../a place/search' names its networks from where its command was first given (search/networks/c1.py), "
        f"and that is not here; give the same command there: cd '{place.resolve()}'"
    )
    assert not (folder / "runs").exists()
    monkeypatch.chdir(place)
    named_from_here(Path("search"), there)
    named_from_here(folder, there)


def test_a_search_that_has_not_begun_is_undecided(copied: Path) -> None:
    shutil.rmtree(copied / "runs")
    shutil.rmtree(copied / WINNER)
    (copied / "decisions.json").unlink()
    found: Searched = searched.load(copied)
    assert (found.word, found.reason) == ("undecided", "4 runs of the next decision are missing")
    assert found.to_come == 8 + 2
    assert not found.course.front
    assert proof.failure(copied) == ""
