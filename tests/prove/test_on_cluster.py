"""What goes to a worker and what is taken from it, without a cluster: runs that are not what they should be."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tinyproof.core import cluster_worker, parcel
from tinyproof.core.cluster import Cluster
from tinyproof.core.errors import DataError, InputError, TinyproofError
from tinyproof.core.files import sha256
from tinyproof.core.listener import Listener
from tinyproof.data.dataset import Dataset
from tinyproof.data.load import load_digits
from tinyproof.prove import declaration, evaluations, on_cluster, proof, remote, sent_data
from tinyproof.prove.declaration import Declaration
from tinyproof.prove.declare import Ask, declare
from tinyproof.prove.on_cluster import OnCluster
from tinyproof.prove.worker import PROGRESS, Task, Work
from tinyproof.train import store
from tinyproof.train.recipe_text import parse

Made = tuple[Path, "subprocess.CompletedProcess[str]"]
TINY = Path(__file__).with_name("tiny.py")


def work_of(made: Made, folder: Path) -> Work:
    folder.mkdir()
    declared = declaration.read(made[0])
    declaration.write(folder, declared)
    return Work(folder=str(folder), declared=declared, dataset="digits")


def take(work: Work, files: dict[str, bytes], seed: int | None = None) -> Any:
    """What becomes of an answer."""
    place = OnCluster(Cluster("tcp://there:1", None), [work], Listener())
    tasks = [Task(work, work.declared.seeds[0] if seed is None else seed)]
    runs = on_cluster._Runs(place, tasks)
    assert runs.give(0)
    try:
        return runs.take(0, parcel.pack(files), "tcp://one:1")
    finally:
        runs.let_go(0)


def came(made: Made, seed: int | None = None) -> dict[str, bytes]:
    declared = declaration.read(made[0])
    return remote.run_files(proof.seed_folder(made[0], declared.seeds[0] if seed is None else seed))


def test_a_run_that_came_back_is_stored_as_it_is(made: Made, tmp_path: Path) -> None:
    work = work_of(made, tmp_path / "proof")
    assert take(work, came(made)) is True
    place = proof.seed_folder(tmp_path / "proof", work.declared.seeds[0])
    assert remote.run_files(place) == came(made)
    assert [path.name for path in (tmp_path / "proof").iterdir() if path.name.startswith(".cluster")] == []


def test_a_seed_that_has_ended_meanwhile_is_not_sent(made: Made, tmp_path: Path) -> None:
    work = work_of(made, tmp_path / "proof")
    take(work, came(made))
    place = OnCluster(Cluster("tcp://there:1", None), [work], Listener())
    assert on_cluster._Runs(place, [Task(work, work.declared.seeds[0])]).give(0) is None


def test_two_commands_do_not_send_one_seed(made: Made, tmp_path: Path) -> None:
    work = work_of(made, tmp_path / "proof")
    with store.locked(proof.seed_folder(tmp_path / "proof", work.declared.seeds[0])):
        place = OnCluster(Cluster("tcp://there:1", None), [work], Listener())
        assert on_cluster._Runs(place, [Task(work, work.declared.seeds[0])]).give(0) is None


def cut(files: dict[str, bytes]) -> None:
    files[store.WEIGHTS] = files[store.WEIGHTS][:-9]


def without_weights(files: dict[str, bytes]) -> None:
    del files[store.WEIGHTS]


def better(files: dict[str, bytes]) -> None:
    told = json.loads(files[store.RECORD])
    files[store.RECORD] = json.dumps({**told, "correct": told["correct"] + 1}).encode()


def with_more(files: dict[str, bytes]) -> None:
    files["tinyproof.pth"] = b"import os"


def elsewhere(files: dict[str, bytes]) -> None:
    files["export-c/network.c"] = b"int main;"


def for_no_export(files: dict[str, bytes]) -> None:
    files["export-None/a"] = b"where no export is judged"


def nothing(files: dict[str, bytes]) -> None:
    files.clear()


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (cut, "weights"),
        (without_weights, "its weights, which its record names, are missing"),
        (better, "it does not hold that"),
        (with_more, "a file that belongs to no run, tinyproof.pth"),
        (elsewhere, "a file that belongs to no run, export-c/network.c"),
        (for_no_export, "a file that belongs to no run, export-None/a"),
        (nothing, "came back without a run that has ended"),
    ],
)
def test_what_is_not_the_declared_run_is_not_stored(
    spoil: Callable[[dict[str, bytes]], None], words: str, made: Made, tmp_path: Path
) -> None:
    work, files = work_of(made, tmp_path / "proof"), came(made)
    spoil(files)
    with pytest.raises(DataError, match=words):
        take(work, files)
    place = proof.seed_folder(tmp_path / "proof", work.declared.seeds[0])
    assert remote.run_files(place) == {}
    assert not store.finished(place)


def test_the_run_of_another_seed_is_not_stored(made: Made, tmp_path: Path) -> None:
    work = work_of(made, tmp_path / "proof")
    with pytest.raises(DataError, match="another seed"):
        take(work, came(made, work.declared.seeds[1]))


def test_a_run_without_the_looks_that_were_asked_for_is_not_stored(made: Made, tmp_path: Path) -> None:
    work = replace(work_of(made, tmp_path / "proof"), looks=(evaluations.Look(1, "test"),))
    with pytest.raises(DataError, match="lacks evaluations that were asked for: epoch-1-test"):
        take(work, came(made))


def test_a_run_that_failed_for_good_is_kept_as_failed(made: Made, tmp_path: Path) -> None:
    work = work_of(made, tmp_path / "proof")
    assert take(work, {proof.FAILED: b'{"reason": "diverged in epoch 1"}'}) is True
    assert proof.failure(proof.seed_folder(tmp_path / "proof", work.declared.seeds[0])) == "diverged in epoch 1"


@pytest.mark.parametrize(
    "words",
    ["", "[]", "{", '{"done": "1", "of": 2}', '{"done": NaN, "of": 2}', '{"done": 3, "of": 2}', '"\ud800"', "[" * 9000],
)
def test_what_says_not_how_far_a_run_is_is_not_written_down(words: str, made: Made, tmp_path: Path) -> None:
    work = work_of(made, tmp_path / "proof")
    runs = on_cluster._Runs(
        OnCluster(Cluster("tcp://there:1", None), [work], Listener()), [Task(work, work.declared.seeds[0])]
    )
    assert runs.give(0)
    place = proof.seed_folder(tmp_path / "proof", work.declared.seeds[0]) / PROGRESS
    runs.told(0, words)
    assert not place.exists()
    runs.told(0, '{"name": "x", "done": 1, "of": 2, "words": "a\\u001b[31m\\nb"}')
    assert json.loads(place.read_text()) == {"name": "", "done": 1, "of": 2, "words": "a [31m b"}
    runs.let_go(0)


def test_a_late_word_about_a_run_that_came_back_leaves_no_file(made: Made, tmp_path: Path) -> None:
    work = work_of(made, tmp_path / "proof")
    runs = on_cluster._Runs(
        OnCluster(Cluster("tcp://there:1", None), [work], Listener()), [Task(work, work.declared.seeds[0])]
    )
    assert runs.give(0)
    assert runs.take(0, parcel.pack(came(made)), "tcp://one:1") is True
    runs.told(0, '{"name": "x", "done": 1, "of": 2}')
    runs.let_go(0)
    assert not (proof.seed_folder(tmp_path / "proof", work.declared.seeds[0]) / PROGRESS).exists()


def test_what_a_killed_command_left_beside_the_runs_goes(made: Made, tmp_path: Path) -> None:
    work = work_of(made, tmp_path / "proof")
    (tmp_path / "proof" / ".cluster-abc" / "seed-1").mkdir(parents=True)
    OnCluster(Cluster("tcp://there:1", None), [work], Listener())
    assert not list((tmp_path / "proof").glob(".cluster-*"))


# ------------------------------------------------------------------ who may compute


def introduced(declared: Declaration, **more: str) -> dict[str, Any]:
    told = json.loads(remote.introduction([declared]))
    return dict(json.loads(remote.introduce(json.dumps({**told, **more}).encode(), Path())))


def test_a_worker_says_what_it_is(made: Made) -> None:
    assert introduced(declaration.read(made[0]))["instructions"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"code_digest": "0" * 64}, "the runs were declared with other code than this"),
        ({"versions": {"torch": "1.0.0"}}, "the runs were declared with torch 1.0.0, and here is "),
    ],
)
def test_other_code_and_another_torch_are_refused_with_the_reason(
    change: dict[str, Any], words: str, made: Made
) -> None:
    with pytest.raises(TinyproofError, match=f"would not compute as declared: .*{words}"):
        introduced(replace(declaration.read(made[0]), **change))


def test_another_version_is_refused(made: Made) -> None:
    with pytest.raises(TinyproofError, match=r"has tinyproof .*, where 9\.9 asks"):
        introduced(declaration.read(made[0]), version="9.9")


def test_other_instructions_are_told_once(made: Made, tmp_path: Path) -> None:
    lines: list[str] = []
    work = work_of(made, tmp_path / "proof")
    place = OnCluster(Cluster("tcp://there:1", None), [work], Listener(say=lines.append))
    for worker, instructions in (("a", "AVX2 1"), ("b", "AVX2 1"), ("c", "AVX512 2"), ("d", "AVX512 2")):
        place.welcome(worker, json.dumps({"instructions": instructions}).encode())
    assert len(lines) == 1
    assert lines[0].startswith("worker c computes with other instructions than a: ")


# ------------------------------------------------------------------ what is sent


@pytest.mark.parametrize("channels", [1, 3])
def test_a_data_set_comes_as_it_went(channels: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    mean, std = ((0.1, 0.2, 0.3), (0.4, 0.5, 0.6)) if channels == 3 else (0.1, 0.4)
    given = Dataset(
        name="own", classes=("a", "b"), mean=mean, std=std, source="here", target_percent=90.0,
        train_images=rng.integers(0, 256, (6, channels, 8, 9), np.uint8), train_labels=np.array([0, 1] * 3),
        test_images=rng.integers(0, 256, (2, channels, 8, 9), np.uint8), test_labels=np.array([1, 0]),
    )  # fmt: skip
    content = sent_data.to_bytes(given)
    assert content == sent_data.to_bytes(given)
    (tmp_path / "sent").write_bytes(content)
    found = sent_data.read(str(tmp_path / "sent"))
    assert found.digest == given.digest
    for name in ("name", "classes", "mean", "std", "source", "target_percent", "reading", "held_out", "known_by"):
        assert getattr(found, name) == getattr(given, name)


def test_what_is_no_data_set_is_refused(tmp_path: Path) -> None:
    (tmp_path / "sent").write_bytes(sent_data.to_bytes(load_digits())[:-100])
    with pytest.raises(DataError):
        sent_data.read(str(tmp_path / "sent"))


def test_a_network_of_ones_own_is_trained_where_its_file_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    (here / "nets").mkdir(parents=True)
    shutil.copy(TINY, here / "nets" / "tiny.py")
    monkeypatch.chdir(here)
    recipe = parse("best,epochs=1,rate=0.005,dropout=0.05")
    ask = Ask(
        model="nets/tiny.py:Tiny", recipe=recipe, seeds=1, dataset="digits", target=20.0, engine="torch", threads=1
    )
    declared = declare(ask, here / "proof")
    work = Work(folder=str(here / "proof"), declared=declared, dataset="digits")
    data = sent_data.to_bytes(load_digits())
    kept = cluster_worker.kept(there / "errand", sha256(data))
    kept.parent.mkdir(parents=True)
    kept.write_bytes(data)
    content = remote.errand(
        work, declared.seeds[0], sha256(data), remote.own_files(work.declared.model, work.declared.files), {}
    )
    (here / "nets").rename(tmp_path / "away")
    monkeypatch.chdir(there)  # the file is there by what was sent alone
    answer = remote.compute(content, there / "errand")
    os.chdir(here)
    (tmp_path / "away").rename(here / "nets")
    assert take(work, parcel.unpack(answer)) is True
    run = store.load(proof.seed_folder(here / "proof", declared.seeds[0]))
    assert (run.identity.model, run.declaration) == ("nets/tiny.py:Tiny", declared.digest)


@pytest.mark.parametrize(
    ("model", "name", "called"),
    [
        ("model.py:Net", "model.py", "model.py"),
        ("nets/model.py:Net(a=1)", "lib/b.py", "nets/lib/b.py"),
        ("../nets/model.py:Net", "../b.py", "../b.py"),
    ],
)
def test_files_of_a_network_lie_on_a_worker_as_they_do_here(model: str, name: str, called: str) -> None:
    held = Path(*["d"] * 8, called)
    assert remote.own_name(model, name) == os.path.normpath(held)


@pytest.mark.parametrize("model", ["/a/model.py:Net", "/".join([".."] * 9) + "/model.py:Net"])
def test_a_network_that_no_worker_would_find_is_refused(model: str) -> None:
    with pytest.raises(InputError, match="is not named from here, so that a worker would not find it"):
        remote.own_name(model, "model.py")
