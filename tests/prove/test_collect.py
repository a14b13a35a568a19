"""`collect`: three parts are the proof of one machine; again changes nothing; what is foreign, damaged or other is
refused before anything is written; killed at any moment it goes on."""

from __future__ import annotations

import errno
import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.prove.proving import IN_ONE_PROCESS, bits, command, environment

import tinyproof
from tinyproof.core import files, lease
from tinyproof.core.errors import DataError, InputError, OutputError
from tinyproof.core.lease import Busy
from tinyproof.prove import collecting, declaration, proof
from tinyproof.train import checkpoint, store

Made = tuple[Path, "subprocess.CompletedProcess[str]"]
SEEDS = (11, 12, 13)


@pytest.fixture(scope="module")
def whole(made: Made) -> Path:
    """The proof of one machine."""
    return made[0]


@pytest.fixture(scope="module")
def trained(whole: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three folders, p1 to p3, of machines that were given the declaration alone; tests read them."""
    home = tmp_path_factory.mktemp("machines")
    for number in (1, 2, 3):
        place = home / f"p{number}"
        place.mkdir()
        shutil.copy(whole / declaration.FILE, place)
        words = ["prove", place.name, "--part", f"{number}/3"]
        done = subprocess.run(
            [sys.executable, "-c", IN_ONE_PROCESS, *words], cwd=home, env=environment(), capture_output=True, text=True,
            timeout=300,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert done.stderr.startswith(f"part {number}/3: seed(s) {SEEDS[number - 1]}\n")
        assert f"part {number}/3 has ended" in done.stderr
        assert "undecided: 1 of 3 declared runs have ended" in done.stdout
        assert [path.name for path in place.glob("seed-*")] == [f"seed-{SEEDS[number - 1]}"]
    return home


@pytest.fixture
def parts(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Copies that a test may change, named as a user would in their folder."""
    names = ["p1", "p2", "p3"]
    for name in names:
        shutil.copytree(trained / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    return names


def record(folder: Path, seed: int) -> dict[str, Any]:
    """A run's record but for what a clock said."""
    told = json.loads((folder / f"seed-{seed}" / store.RECORD).read_text())
    for epoch in told["epochs"]:
        del epoch["seconds"]
    return {name: value for name, value in told.items() if name not in ("seconds", "started")}


def content(folder: Path) -> dict[str, bytes]:
    """Every file but for who holds what."""
    files = [path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".lease-")]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


# ------------------------------------------------------------------ merging


def test_three_parts_are_the_proof_of_one_machine(whole: Path, parts: list[str]) -> None:
    found = tinyproof.collect(*parts, out="out")
    assert (dict(found.copied), found.known, found.missing) == (
        {11: "p1/seed-11", 12: "p2/seed-12", 13: "p3/seed-13"},
        (),
        (),
    )
    alone, merged = proof.load(whole), proof.load(Path("out"))
    assert declaration.read(Path("out")) == alone.declaration
    assert bits(Path("out")) == bits(whole)
    for seed, one, other in zip(SEEDS, alone.results, merged.results, strict=True):
        assert record(Path("out"), seed) == record(whole, seed)
        np.testing.assert_array_equal(one.predictions.predicted, other.predictions.predicted)
        np.testing.assert_array_equal(one.predictions.losses, other.predictions.losses)
    assert merged.verdict == alone.verdict
    assert Path("out", proof.VERDICT).read_bytes() == (whole / proof.VERDICT).read_bytes()
    assert "3 run(s) copied, 0 there already, 0 missing" in str(found)
    assert tinyproof.verify("out").broken == ()
    assert not [*Path("out").glob(".collect-*")]


def test_the_same_parts_again_change_nothing(parts: list[str]) -> None:
    tinyproof.collect(*parts, out="out")
    before = content(Path("out"))
    times = {name: Path("out", name).stat().st_mtime_ns for name in before if "seed-" in name or "html" in name}
    again = tinyproof.collect(*parts, *parts, "out", out="out")
    assert (dict(again.copied), again.known, again.missing) == ({}, SEEDS, ())
    assert content(Path("out")) == before
    assert times == {name: Path("out", name).stat().st_mtime_ns for name in times}


def test_more_parts_come_later_and_the_missing_are_said(parts: list[str]) -> None:
    first = tinyproof.collect("p1", out="out")
    assert (dict(first.copied), first.missing) == ({11: "p1/seed-11"}, (12, 13))
    assert first.proof.verdict.word == "undecided"
    assert first.to_json()["collected"] == {"copied": {"11": "p1/seed-11"}, "known": [], "missing": [12, 13]}
    second = tinyproof.collect("p3", "p2", out="out")
    assert (dict(second.copied), second.known) == ({12: "p2/seed-12", 13: "p3/seed-13"}, (11,))
    assert "1 of 3" not in Path("out", "report.html").read_text()


def test_into_one_of_the_parts_and_of_packs(whole: Path, parts: list[str]) -> None:
    packs = [tinyproof.pack(part).path for part in parts[1:]]
    found = tinyproof.collect("p1", *packs, out="p1")
    assert (found.known, found.missing) == ((11,), ())
    assert bits(Path("p1")) == bits(whole)


def test_the_command_merges_and_verifies_without_torch(whole: Path, parts: list[str]) -> None:
    without = "import sys; sys.modules.update(torch=None, sklearn=None); from tinyproof.__main__ import main; main()"

    def call(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", without, *words], capture_output=True, text=True, env=environment(), timeout=120
        )

    done = call("collect", *parts, "--out", "out")
    proved = proof.load(whole).proved
    assert done.returncode == int(not proved), done.stderr
    assert "seed 12 from p2/seed-12" in done.stdout
    assert bits(Path("out")) == bits(whole)
    done = call("verify", "out", "--no-weights")
    assert done.returncode == 0, done.stdout + done.stderr
    done = call("collect", "p1", "--out", "one", "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["collected"]["missing"] == [12, 13]


def merge(*parts: str, out: str | Path) -> collecting.Collected:
    """The merging alone, without verdict and page."""
    return collecting.collect({part: Path(part) for part in parts}, Path(out))


# ------------------------------------------------------------------ what is refused


def edit(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    told = json.loads(path.read_text())
    change(told)
    path.write_text(json.dumps(told))


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-40])


def swapped(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(bytes(content))


DAMAGES: dict[str, tuple[Callable[[Path], None], str]] = {
    "another declaration": (
        lambda part: edit(part / declaration.FILE, lambda told: told.update(target=81.0, threads=3)),
        "parts: 'p2' holds another declaration than p1: another target, threads; parts of one proof have one",
    ),
    "no declaration": (lambda part: (part / declaration.FILE).unlink(), "p2: holds no declared.json"),
    "a run of another declaration": (
        lambda part: edit(part / "seed-12" / store.RECORD, lambda told: told.update(declaration="f" * 64)),
        "p2/seed-12: is no run of this proof: ",
    ),
    "a run of another seed": (
        lambda part: edit(part / "seed-12" / store.RECORD, lambda told: told["identity"].update(seed=11)),
        "is not the declared run: another seed",
    ),
    "a run that was not declared": (
        lambda part: (part / "seed-12").rename(part / "seed-99") and None,
        "parts: 'p2/seed-99' is a run that was not declared; take it out",
    ),
    "a record that is cut off": (
        lambda part: cut(part / "seed-12" / store.RECORD), "p2/seed-12: is no run of this proof: "
    ),
    "answers that are cut off": (
        lambda part: cut(part / "seed-12" / store.PREDICTIONS), "p2/seed-12: is no run of this proof: "
    ),
    "a count that is not so": (
        lambda part: edit(part / "seed-12" / store.RECORD, lambda told: told.update(correct=told["correct"] + 1)),
        "p2/seed-12: it does not hold that the recorded accuracy is what the answers give",
    ),
    "one bit of the weights": (
        lambda part: swapped(part / "seed-12" / store.WEIGHTS),
        "p2/seed-12: it does not hold that the weights are the recorded ones",
    ),
    "no weights": (
        lambda part: (part / "seed-12" / store.WEIGHTS).unlink(),
        "p2/seed-12: its weights, which its record names, are missing; copy that part again, or leave it out",
    ),
    "a link": (
        lambda part: (part / "seed-12").rename(part / "run") and (part / "seed-12").symlink_to("run"),
        "p2/seed-12: seed-12 is a link, which may lead anywhere",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", DAMAGES)
def test_what_is_not_a_whole_run_of_this_proof_is_one_line_and_nothing_is_written(kind: str, parts: list[str]) -> None:
    change, words = DAMAGES[kind]
    change(Path("p2"))
    with pytest.raises((DataError, InputError)) as caught:
        merge(*parts, out="out")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not Path("out").exists()
    merge("p1", out="out")
    before = content(Path("out"))
    with pytest.raises((DataError, InputError)):
        merge("p3", "p2", out="out")
    assert content(Path("out")) == before
    assert merge("p3", out="out").missing == (12,)


def other_bits(place: Path) -> None:
    """A run as another kind of processor might have given it: whole in itself, one answer a little less sure."""
    run, answers = store.load(place), store.load_predictions(place)
    right = int(np.flatnonzero(answers.predicted == answers.labels)[0])
    confidence, losses = answers.confidence.copy(), answers.losses.copy()
    confidence[right] *= np.float32(0.999)
    losses[right] = -np.log(confidence[right])
    changed = replace(answers, confidence=confidence, losses=losses)
    last = replace(run.epochs[-1], test_loss=changed.loss)
    run = replace(
        run, predictions_digest=changed.digest, test_loss=changed.loss, epochs=(*run.epochs[:-1], last),
        weights_digest="",
    )  # fmt: skip
    store.save(place, run, changed)
    (place / store.WEIGHTS).unlink()


def test_another_run_of_a_seed_is_refused_and_said(parts: list[str]) -> None:
    shutil.copytree("p2", "q2")
    other_bits(Path("q2", "seed-12"))
    words = "parts: 'q2/seed-12' is another run of seed 12 than p2/seed-12: other answers; leave one of the two out"
    with pytest.raises(InputError) as caught:
        merge("p1", "p2", "q2", out="out")
    assert str(caught.value).startswith(words)
    assert not Path("out").exists()
    merge("p1", "p2", out="out")
    with pytest.raises(InputError, match="'q2/seed-12' is another run of seed 12 than out/seed-12: other answers"):
        merge("q2", out="out")
    # Alone it is a run like any other: which of the two counts is for somebody to say.
    assert merge("p1", "q2", out="second").missing == (13,)


def test_the_same_bits_with_and_without_weights_are_one_run(parts: list[str]) -> None:
    shutil.copytree("p2", "q2")
    edit(Path("q2", "seed-12", store.RECORD), lambda told: told.update(weights_digest="", seconds=told["seconds"] * 3))
    Path("q2", "seed-12", store.WEIGHTS).unlink()
    assert dict(merge(*parts, "q2", out="out").copied)[12] == "p2/seed-12"


def test_a_run_that_failed_on_one_machine_alone_is_refused(parts: list[str]) -> None:
    shutil.copytree("p2", "q2")
    shutil.rmtree("q2/seed-12")
    proof.write_failure(Path("q2", "seed-12"), "training diverged")
    with pytest.raises(InputError, match="'q2/seed-12' is another run of seed 12 than p2/seed-12: one of them failed"):
        merge(*parts, "q2", out="out")
    found = tinyproof.collect("p1", "q2", "p3", out="out")
    assert found.missing == ()
    assert found.proof.verdict.failed == ((12, "training diverged"),)


def test_parts_that_are_not_there_are_one_line(parts: list[str]) -> None:
    with pytest.raises(InputError, match="parts: 'nowhere' is no file or folder"):
        tinyproof.collect("p1", "nowhere", out="out")
    with pytest.raises(InputError, match="parts are missing; name the folders of one proof"):
        tinyproof.collect(out="out")


# ------------------------------------------------------------------ killed, full, at the same time


def test_killed_at_random_moments_it_goes_on(whole: Path, parts: list[str]) -> None:
    rng, out = random.Random(5), Path("out")
    begun = time.monotonic()
    subprocess.run(command("collect", *parts, "--out", "undisturbed"), env=environment(), capture_output=True)
    took = time.monotonic() - begun
    for _ in range(4):
        process = subprocess.Popen(
            command("collect", *parts, "--out", out),
            env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        time.sleep(rng.uniform(0.5, 1) * took)
        process.kill()
        process.wait(30)
        for place in out.glob("seed-*"):
            proof.read_result(declaration.read(out), place, int(place.name.removeprefix("seed-")))
    assert tinyproof.collect(*parts, out="out").missing == ()
    same = {name: value for name, value in content(Path("undisturbed")).items() if not name.endswith(".html")}
    assert {name: value for name, value in content(out).items() if not name.endswith(".html")} == same


class Killed(BaseException):
    """What no handler of ours takes for an error."""


def test_stopped_before_any_of_its_steps_no_run_is_there_by_half(
    parts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each step that writes is the last one once; nothing is cleaned up, as after SIGKILL."""
    steps, last = [0], 0
    real = {"write": collecting.write_atomic, "rename": Path.rename}

    def step(name: str) -> Callable[..., Any]:
        def done(*given: Any) -> Any:
            steps[0] += 1
            if steps[0] > last:
                raise Killed
            return real[name](*given)

        return done

    with monkeypatch.context() as changed:
        changed.setattr(collecting, "write_atomic", step("write"))
        changed.setattr(collecting.shutil, "rmtree", lambda *given, **more: None)
        changed.setattr(Path, "rename", step("rename"))
        while True:
            steps[0], out = 0, Path(f"out-{last}")
            try:
                merge(*parts, out=out)
                break
            except Killed:
                ended = list(out.glob("seed-*"))
                for place in ended:
                    proof.read_result(declaration.read(out), place, int(place.name.removeprefix("seed-")))
                assert len(ended) == last // 4  # three files a run and its renaming
                last += 1
    assert last == 12
    for number in range(last):
        found = merge(*parts, out=f"out-{number}")
        assert found.missing == ()
        assert not [*Path(f"out-{number}").glob(".collect-*")]
        assert bits(Path(f"out-{number}")) == bits(Path(f"out-{last}"))


def test_a_full_disk_is_one_line_and_leaves_nothing_by_half(parts: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    before = files._sync

    def full(path: Path) -> None:
        if path.parent.name == "seed-12":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        before(path)

    with monkeypatch.context() as changed:
        changed.setattr(files, "_sync", full)
        with pytest.raises(OutputError, match=r"^out: cannot be written: no space left on the device"):
            merge(*parts, out="out")
    left = [path for path in Path("out").iterdir() if not path.name.startswith(".lease-")]
    assert sorted(path.name for path in left) == [declaration.FILE, "seed-11"]
    assert merge(*parts, out="out").known == (11,)


def test_a_run_that_is_trained_there_is_not_disturbed_and_one_that_was_left_is_replaced(parts: list[str]) -> None:
    merge("p1", out="out")
    place = Path("out", "seed-12")
    place.mkdir()
    (place / checkpoint.FILE).write_bytes(b"of a run that has not ended")
    with lease.hold(place), pytest.raises(Busy, match=rf"out/seed-12' is in use by process {os.getpid()} on "):
        merge("p2", out="out")
    assert (place / checkpoint.FILE).exists()
    assert merge("p2", out="out").missing == (13,)
    assert not (place / checkpoint.FILE).exists()
    assert proof.read_result(declaration.read(Path("out")), place, 12).run.identity.seed == 12


def test_two_at_once_end_as_one(whole: Path, parts: list[str]) -> None:
    both = [
        subprocess.Popen(
            command("collect", *parts, "--out", "out"), env=environment(), stderr=subprocess.PIPE, text=True,
            stdout=subprocess.DEVNULL,
        )
        for _ in range(2)
    ]  # fmt: skip
    for process in both:
        _, errors = process.communicate(timeout=120)
        assert "Traceback" not in errors
        assert process.returncode != 2, errors
    assert bits(Path("out")) == bits(whole)


def test_parts_in_one_folder_end_with_the_verdict_of_the_whole(whole: Path, tmp_path: Path) -> None:
    folder = tmp_path / "shared"
    folder.mkdir()
    shutil.copy(whole / declaration.FILE, folder)
    both = [
        subprocess.Popen(
            command("prove", folder, "--part", f"{number}/2", "--processes", 1),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(),
        )
        for number in (1, 2)
    ]  # fmt: skip
    said = [process.communicate(timeout=300) for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert said[0][1].startswith("part 1/2: seed(s) 11, 13\n")
    assert said[1][1].startswith("part 2/2: seed(s) 12\n")
    assert bits(folder) == bits(whole)
    assert (folder / proof.VERDICT).read_bytes() == (whole / proof.VERDICT).read_bytes()


@pytest.mark.parametrize("broken", [store.PREDICTIONS, ""])
def test_a_part_that_cannot_be_copied_is_named_not_the_output(
    broken: str, parts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Path(parts[1], "seed-12", broken)
    before = (Path.open, Path.iterdir)

    def refused(self: Path, *words: Any, **more: Any) -> Any:
        if self == place and held:
            raise OSError(errno.EIO, "input/output error")
        return before[0](self, *words, **more) if broken else before[1](self)

    held: list[int] = []
    read = collecting._put

    def put(*words: Any) -> bool:
        held.append(1)
        return read(*words)

    monkeypatch.setattr(collecting, "_put", put)
    monkeypatch.setattr(Path, "open" if broken else "iterdir", refused)
    with pytest.raises(DataError, match=r"p2/seed-12.*cannot be read: ") as found:
        tinyproof.collect(*parts, out="whole")
    assert not isinstance(found.value, OutputError)
