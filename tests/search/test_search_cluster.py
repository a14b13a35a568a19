"""A search on Dask workers that are processes of their own: killed, and the folder is that of one machine."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.prove.dask_workers import workers
from tests.prove.proving import bits, kill
from tests.search.asking import FAMILY, RECIPE, TARGET, Made, decided, here

import tinyproof
from tinyproof.api.search import search_asked
from tinyproof.core import errands, parcel
from tinyproof.core.cluster import Cluster
from tinyproof.core.errors import DataError, InputError, TinyproofError
from tinyproof.core.listener import Listener
from tinyproof.prove import proof, remote
from tinyproof.search import contender, searched, sent_runs
from tinyproof.search import question as questions
from tinyproof.search.declaring import Search
from tinyproof.search.fold_runs import Errand, Where
from tinyproof.search.search_on_cluster import SearchOnCluster
from tinyproof.search.searched import WINNER, run_folder
from tinyproof.train import store

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="processes are killed differently there"),
    pytest.mark.xdist_group("search"),
]


# ------------------------------------------------------------------ from end to end


def records(folder: Path) -> dict[str, tuple[str, str]]:
    """The bits of every run for choosing: the digests of its answers and of its candidate's files."""
    found = {path: store.load(path.parent) for path in sorted(folder.glob("runs/*/*/run.json"))}
    return {
        str(path.relative_to(folder)): (run.predictions_digest, run.identity.model_digest)
        for path, run in found.items()
    }


def asked(address: str) -> Search:
    """What `here` asks, of the workers at an address."""
    return Search(
        dataset="digits", target=TARGET, limits={"parameters_below": 400}, family="family.toml", recipe=RECIPE,
        candidates=4, seeds=2, confirm=2, engine="torch", cluster=address,
    )  # fmt: skip


def killed_with_its_second_run(victim: psutil.Process, room: str, patch: pytest.MonkeyPatch) -> None:
    """The worker of a room is killed at the moment at which it is given its second run, however fast the machine is."""
    send, given = errands._Errands._send, list[int]()

    def sent(self: Any, worker: Any, index: int, function: str, content: bytes) -> None:
        send(self, worker, index, function, content)
        if room in Path(worker.peer.room).parts and index >= 0:
            given.append(index)
            if len(given) == 2:
                victim.kill()

    patch.setattr(errands._Errands, "_send", sent)


def test_coordinator_and_worker_killed_the_folder_is_that_of_one_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines, folder = list[str](), Path("search")  # the same name in two places: the proof's seeds follow from it
    for name in ("alone", "there"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "family.toml").write_text(FAMILY)
    monkeypatch.chdir(tmp_path / "alone")
    here(folder, family_file="family.toml")
    monkeypatch.chdir(tmp_path / "there")
    with workers(tmp_path / "cluster", 1) as (there, (first,)):
        words = (
            "search", "--dataset", "digits", "--target", TARGET, "--parameters-below", 400, "--family", "family.toml",
            "--recipe", RECIPE, "--candidates", 4, "--seeds", 2, "--confirm", 2, "--engine", "torch",
            "--cluster", there.address, "--out", folder,
        )  # fmt: skip
        kill(words, lambda: bool(list(folder.glob("runs/*/seed-*/run.json"))))
        kept = {path: path.stat().st_mtime_ns for path in folder.glob("runs/*/seed-*/run.json")}
        assert not (folder / WINNER).exists()
        there.worker()  # not before: each loads torch anew for each command
        with monkeypatch.context() as patch:
            killed_with_its_second_run(first, "worker-1", patch)
            search_asked(asked(there.address), folder, Listener(say=lines.append))
    assert sum("is gone; what it computed goes to another" in line for line in lines) == 1
    assert {path: path.stat().st_mtime_ns for path in kept} == kept  # nothing is trained twice
    alone = tmp_path / "alone" / folder
    assert decided(folder) == decided(alone)
    assert records(folder) == records(alone)
    assert bits(folder / WINNER) == bits(alone / WINNER)
    assert {path.name for path in folder.glob("[!.]*")} == {path.name for path in alone.glob("[!.]*")}
    assert tinyproof.verify(folder, weights=False).broken == ()


# ------------------------------------------------------------------ what is sent, and what is taken


def runs_of(made: Made, folder: Path) -> tuple[SearchOnCluster, Path]:
    """The errand of the first run of a search, its folder without that run; and the run as it came, beside."""
    there = Path(shutil.copytree(made[0], folder))
    found = searched.load(there)
    one = found.contenders[0]
    seed, fold = searched.plan_of(found.question, found.contenders)[0]
    place = run_folder(there, one.name, seed)
    came = place.rename(folder.with_name("came"))
    run = Errand(
        question=found.question, contender=one, place=str(place), seed=seed, fold=fold, where=Where("digits")
    )  # fmt: skip
    runs = SearchOnCluster(Cluster("tcp://there:1", None), found, Where("digits"), Listener())
    runs._items = [run]
    return runs, came


def better(files: dict[str, bytes]) -> None:
    told = json.loads(files[store.RECORD])
    files[store.RECORD] = json.dumps({**told, "correct": told["correct"] + 1}).encode()


def of_another_seed(files: dict[str, bytes]) -> None:
    told = json.loads(files[store.RECORD])
    told["identity"]["seed"] += 1
    files[store.RECORD] = json.dumps(told).encode()


def without_answers(files: dict[str, bytes]) -> None:
    del files[store.PREDICTIONS]


def with_more(files: dict[str, bytes]) -> None:
    files["tinyproof.pth"] = b"import os"


def nothing(files: dict[str, bytes]) -> None:
    files.clear()


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (better, "says something else of: right answers"),
        (of_another_seed, "is not the declared run: another seed"),
        (without_answers, "came back without a run that has ended"),
        (with_more, "came with a file that belongs to no run, tinyproof.pth"),
        (nothing, "came back without a run that has ended"),
    ],
)
def test_what_is_not_the_declared_run_is_not_stored(
    spoil: Callable[[dict[str, bytes]], None], words: str, made: Made, tmp_path: Path
) -> None:
    runs, came = runs_of(made, tmp_path / "search")
    files = remote.run_files(came)
    spoil(files)
    assert runs.give(0)
    with pytest.raises(DataError, match=words):
        runs.take(0, parcel.pack(files), "tcp://one:1")
    runs.let_go(0)
    place = Path(runs._items[0].place)
    assert not store.finished(place)
    assert not list((tmp_path / "search").glob(".cluster-*"))
    assert runs.give(0)  # another may try
    assert runs.take(0, parcel.pack(remote.run_files(came)), "tcp://two:1")
    runs.let_go(0)
    assert remote.run_files(place) == remote.run_files(came)
    assert runs.give(0) is None  # what has ended is not sent


def test_a_run_that_failed_for_good_is_kept_as_failed(made: Made, tmp_path: Path) -> None:
    runs, _ = runs_of(made, tmp_path / "search")
    assert runs.give(0)
    assert runs.take(0, parcel.pack({proof.FAILED: b'{"reason": "diverged in epoch 1"}'}), "tcp://one:1")
    runs.let_go(0)
    assert proof.failure(Path(runs._items[0].place)) == "diverged in epoch 1"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"version": "9.9"}, r"has tinyproof .*, where 9\.9 asks"),
        ({"code": "0" * 64}, "would not compute as declared: the runs were declared with other code than this"),
        ({"torch": "1.0.0"}, r"the runs were declared with torch 1\.0\.0, and here is "),
    ],
)
def test_a_worker_of_another_version_with_other_code_or_another_torch_is_refused(
    change: dict[str, str], words: str, made: Made
) -> None:
    question, contenders = questions.read(made[0]), contender.read(made[0])
    if "torch" in change:
        question = replace(question, versions={**question.versions, "torch": change["torch"]})
    if "code" in change:
        contenders = tuple(replace(one, code_digest=change["code"]) for one in contenders)
    told = json.loads(sent_runs.introduction(question, contenders))
    asked = json.dumps({**told, **({"version": change["version"]} if "version" in change else {})}).encode()
    with pytest.raises(TinyproofError, match=words):
        sent_runs.introduce(asked, Path())
    same = sent_runs.introduction(questions.read(made[0]), contender.read(made[0]))
    assert json.loads(sent_runs.introduce(same, Path()))["instructions"]


def test_processes_of_this_machine_beside_a_cluster_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="goes without --cluster; leave --"):
        tinyproof.search("digits", cluster="local:2", processes=2, out=tmp_path / "none", quiet=True)
    assert not (tmp_path / "none").exists()
