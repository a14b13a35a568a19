"""Forgeries by somebody who edits more than one file with care: what the records show, and what only training shows."""

from __future__ import annotations

import errno
import json
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.prove.proving import RECIPE, TINY, call

from tinyproof.api.prove import prove_asked
from tinyproof.api.verify import VerifyResult, verify
from tinyproof.core.errors import DataError, InputError, Stopped
from tinyproof.core.files import sha256
from tinyproof.core.listener import Listener
from tinyproof.core.plain_names import double, unusual
from tinyproof.prove import declaration, parallel_runs, proof, receipts
from tinyproof.prove.declare import Ask, as_recipe
from tinyproof.prove.verify import recompute
from tinyproof.prove.verify.recompute import ROUNDING, differing
from tinyproof.train import store
from tinyproof.train.run_record import Predictions

Made = tuple[Path, "subprocess.CompletedProcess[str]"]
OWN = "every seed is a run of its own"


@pytest.fixture
def copy(made: Made, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made[0], tmp_path / "copy"))


def edit(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    data = json.loads(path.read_text())
    change(data)
    path.write_text(json.dumps(data))


def rebind(folder: Path) -> None:
    """The declaration's digest in every record, and the verdict, made again as the program would."""
    declared = declaration.read(folder)
    for seed in declared.seeds:
        edit(folder / f"seed-{seed}" / "run.json", lambda run: run.update(declaration=declared.digest))
    proof.write_verdict(proof.load(folder))


def replayed(folder: Path, seed: int = 12, of: int = 11) -> Path:
    """One run in the place of another, its seed edited."""
    place = folder / f"seed-{seed}"
    shutil.rmtree(place)
    shutil.copytree(folder / f"seed-{of}", place)
    edit(place / "run.json", lambda run: run["identity"].update(seed=seed))
    return place


def broken(found: VerifyResult) -> set[str]:
    return {line.what for line in found.broken}


def test_one_run_in_the_place_of_two_seeds(copy: Path) -> None:
    replayed(copy)
    rebind(copy)
    for weights in (True, False):
        assert broken(verify(copy, model=TINY, weights=weights)) == {OWN}


def test_one_run_twice_its_last_digits_changed_is_told(copy: Path) -> None:
    """It breaks nothing: training that ends in the one minimum there is gives such answers honestly."""
    place = replayed(copy)
    run, answers = store.load(place), store.load_predictions(place)
    moved = replace(answers, losses=answers.losses * np.float32(1 + 3e-5))
    store.save(place, replace(run, predictions_digest=moved.digest, test_loss=moved.loss, weights_digest=""), moved)
    (place / store.WEIGHTS).unlink()
    last = {"test_loss": moved.loss}
    edit(place / "run.json", lambda data: data["epochs"][-1].update(last))
    rebind(copy)
    (line,) = [line for line in verify(copy, weights=False).lines if line.what == OWN]
    assert (line.holds, "answer alike but for rounding" in line.found) == (None, True)


def test_runs_that_are_certain_of_everything_may_be_equal(made: Made, copy: Path) -> None:
    """Nothing is accused that a data set without any difficulty gives by itself."""
    for seed in (11, 12, 13):
        place = copy / f"seed-{seed}"
        run, answers = store.load(place), store.load_predictions(place)
        sure = replace(
            answers, predicted=answers.labels.copy(), confidence=np.ones_like(answers.confidence),
            losses=np.zeros_like(answers.losses),
        )  # fmt: skip
        store.save(place, replace(run, weights_digest="", predictions_digest=sure.digest), sure)
    assert OWN not in broken(verify(copy, weights=False))


@pytest.mark.parametrize(("name", "key"), [("declared.json", "target"), ("verdict.json", "mean")])
def test_a_key_that_stands_twice(copy: Path, name: str, key: str) -> None:
    text = (copy / name).read_text()
    (copy / name).write_text(text.replace(f'"{key}":', f'"{key}": 99.9, "{key}":', 1))
    found = verify(copy, weights=False)
    assert any(f"the key '{key}' stands twice" in line.found for line in found.broken)


@pytest.mark.parametrize("content", [b"", b"x", b"\x89PNG\r\n"], ids=["empty", "a byte", "a picture"])
@pytest.mark.parametrize("weights", [True, False])
def test_weights_that_are_none(copy: Path, content: bytes, weights: bool) -> None:
    path = copy / "seed-12" / store.WEIGHTS
    path.write_bytes(content)
    edit(path.with_name("run.json"), lambda run: run.update(weights_digest=sha256(content)))
    assert broken(verify(copy, model=TINY, weights=weights)) == {"the weights are numbers, one for every parameter"}


def test_weights_that_are_too_few_or_not_finite(copy: Path) -> None:
    path = copy / "seed-12" / store.WEIGHTS
    few = {"conv.bias": np.zeros(4, np.float32)}
    lost = {**store.load_weights(path.parent), "conv.bias": np.full(4, np.nan, np.float32)}
    for values in (few, lost):
        content = store.weight_bytes(values)
        path.write_bytes(content)
        edit(path.with_name("run.json"), lambda run, content=content: run.update(weights_digest=sha256(content)))
        assert "the weights are numbers, one for every parameter" in broken(verify(copy, weights=False))


def test_weights_that_are_no_real_numbers(copy: Path) -> None:
    path = copy / "seed-12" / store.WEIGHTS
    strange = {**store.load_weights(path.parent), "conv.bias": np.zeros(4, np.complex64)}
    content = store.weight_bytes(strange)
    path.write_bytes(content)
    edit(path.with_name("run.json"), lambda run: run.update(weights_digest=sha256(content)))
    (line,) = verify(copy, weights=False).broken
    assert "holds complex64 for 'conv.bias', where real numbers belong" in line.found
    with pytest.raises(DataError, match="real numbers"):
        store.load_weights(path.parent)


def test_a_name_twice_in_the_header_of_the_weights(copy: Path) -> None:
    path = copy / "seed-12" / store.WEIGHTS
    content = path.read_bytes()
    size = int.from_bytes(content[:8], "little")
    header = content[8 : 8 + size].decode()
    name = next(name for name in json.loads(header) if name != "__metadata__")
    doubled = f"{{{json.dumps(name)}: {json.dumps(json.loads(header)[name])}, {header.lstrip()[1:]}".encode()
    path.write_bytes(len(doubled).to_bytes(8, "little") + doubled + content[8 + size :])
    edit(path.with_name("run.json"), lambda run: run.update(weights_digest=sha256(path.read_bytes())))
    (line,) = verify(copy, weights=False).broken
    assert f"the key '{name}' stands twice" in line.found


def test_an_array_twice_among_the_answers(copy: Path) -> None:
    path = copy / "seed-12" / store.PREDICTIONS
    with zipfile.ZipFile(path) as archive:
        labels = archive.read("labels.npy")
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("labels.npy", labels)
    assert any("is not a whole .npz file" in line.found for line in verify(copy, weights=False).broken)


def test_no_room_accuses_nobody(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(recompute, "restored", full)
    with pytest.raises(OSError, match="No space left"):
        verify(copy, model=TINY)


def test_weights_that_are_missing(copy: Path) -> None:
    (copy / "seed-12" / store.WEIGHTS).unlink()
    found = verify(copy, model=TINY)
    assert [(line.what, line.found) for line in found.broken] == [
        ("the weights are the recorded ones", "they are missing; --no-weights checks everything else")
    ]
    told = [line for line in verify(copy, weights=False).lines if line.found == "they are missing"]
    assert [line.holds for line in told] == [None]


def test_a_verdict_without_its_declaration(copy: Path) -> None:
    (copy / "declared.json").unlink()
    found = verify(copy, weights=False)
    assert broken(found) == {"the declaration of verdict.json is there"}
    shutil.rmtree(copy / "seed-11")
    assert broken(verify(copy, weights=False)) == {"the declaration of verdict.json is there"}


def put_right(folder: Path, count: int) -> None:
    """The narrowest misses of every run put right, all digests and figures adapted."""
    for seed in (11, 12, 13):
        place = folder / f"seed-{seed}"
        answers, run = store.load_predictions(place), store.load(place)
        wrong = np.flatnonzero(answers.predicted != answers.labels)
        chosen = wrong[np.argsort(answers.losses[wrong])][:count]
        predicted, sure = answers.predicted.copy(), answers.confidence.copy()
        predicted[chosen] = answers.labels[chosen]
        sure[chosen] = np.exp(-answers.losses[chosen])
        forged = replace(answers, predicted=predicted, confidence=sure)
        last = replace(run.epochs[-1], test_percent=100 * forged.correct / len(predicted), test_loss=forged.loss)
        changed = {"predictions_digest": forged.digest, "correct": forged.correct}
        weights = store.load_weights(place)
        store.save(place, replace(run, epochs=(*run.epochs[:-1], last), **changed), forged, weights)
    rebind(folder)


def test_one_answer_a_run_put_right_is_seen_by_the_weights(copy: Path) -> None:
    """Whatever the share of all images: an answer may differ only where rounding alone can turn it."""
    put_right(copy, 1)
    assert broken(verify(copy, model=TINY)) == {"the weights give these answers"}


def test_rounding_alone_is_no_difference() -> None:
    rng = np.random.default_rng()
    scores = rng.normal(size=(400, 10)) * 4
    scores[0, :2] = 30, 30 - 1e-6  # a tie but for rounding
    exact = scores - np.log(np.exp(scores).sum(1, keepdims=True))
    labels = rng.integers(0, 10, 400)
    stored = Predictions.of(exact.astype(np.float32), labels)
    rounded = exact + rng.uniform(-5e-6, 5e-6, exact.shape)
    rounded[0, 1] = rounded[0, 0] + 1e-6
    assert int((rounded.argmax(1) != stored.predicted).sum()) == 1
    assert differing(rounded.astype(np.float32), stored) == 0
    narrow = exact.copy()
    narrow[5, np.argsort(exact[5])[-2]] = exact[5].max() - 20 * ROUNDING * (1 + abs(exact[5].max()))
    narrow[5] -= np.log(np.exp(narrow[5]).sum())
    second = replace(Predictions.of(narrow.astype(np.float32), labels))
    second.predicted[5] = np.argsort(narrow[5])[-2]
    assert differing(narrow.astype(np.float32), second) == 1


NAMES = [
    ("data", "digits\u2009", "looks like digits"),
    ("model", "s7-8k ", "looks like s7-8k"),
    ("data", "d\u0456gits", "looks like digits"),
    ("model", "s7-8\u043a", "looks like s7-8k"),
    ("model", "s7\u200b-8k", "looks like s7-8k"),
]


@pytest.mark.parametrize(("field", "name", "why"), NAMES)
def test_names_that_deceive_the_eye(copy: Path, field: str, name: str, why: str) -> None:
    def change(declared: dict[str, Any]) -> None:
        if field == "data":
            declared["data"]["name"] = name
        else:
            declared["model"] = name

    edit(copy / "declared.json", change)
    found = verify(copy, weights=False)
    line = next(line for line in found.broken if line.what == "the names are what they look like")
    assert why in line.found
    assert line.found.isprintable()


PLAIN = [
    "Ольга/сеть.py:Net",
    "données été",
    "画像　一",
    "best,epochs=4",
    "/a b/c.py:αNet",
    "s7-8K",
    "dígits",
    "می‌خواهم",
]


@pytest.mark.parametrize("name", PLAIN)
def test_plain_names_of_any_language_are_plain(name: str) -> None:
    assert (unusual(name), double(name, ["s7-8k", "digits", "best"])) == ("", "")


@pytest.mark.parametrize("name", ["МоиData/a.py:Net", "soft\u00adhyphen", "turned\u202eround", "end "])
def test_what_is_easily_overlooked_is_told_and_breaks_nothing(copy: Path, name: str) -> None:
    assert unusual(name)
    edit(copy / "declared.json", lambda declared: declared["data"].update(name=name))
    line = next(line for line in verify(copy, weights=False).lines if "what they look like" in line.what)
    assert line.holds is None
    assert line.found.isprintable()


def test_a_clock_that_was_set_back_is_told_and_breaks_nothing(copy: Path) -> None:
    edit(copy / "seed-12" / "run.json", lambda run: run.update(started="2020-01-01T00:00:00+00:00"))
    found = verify(copy, weights=False)
    line = next(line for line in found.lines if line.holds is None and "began" in line.what)
    assert "was the clock set back?" in line.found
    assert found.exit_code == 0
    edit(copy / "seed-12" / "run.json", lambda run: run.update(started="yesterday"))
    assert broken(verify(copy, weights=False)) == {"it began after it was declared"}


# ------------------------------------------------------------------ what only training shows


def declared_afterwards(folder: Path) -> None:
    """Another target, the seeds renamed, everything adapted: no record contradicts it."""
    edit(folder / "declared.json", lambda declared: declared.update(seeds=[21, 22, 23], target=85.0))
    for old, new in ((11, 21), (12, 22), (13, 23)):
        (folder / f"seed-{old}").rename(folder / f"seed-{new}")
        edit(folder / f"seed-{new}" / "run.json", lambda run, new=new: run["identity"].update(seed=new))
    rebind(folder)


def test_training_again_gives_the_same_bits(made: Made) -> None:
    found = verify(made[0], model=TINY, retrain=1, choice=5)
    line = found.lines[-1]
    assert line.what == "trained again it is this run"
    assert line.holds
    assert line.found.startswith("the same bits")


def test_seeds_renamed_after_the_runs_are_seen_by_training_again(copy: Path) -> None:
    declared_afterwards(copy)
    assert verify(copy, model=TINY).exit_code == 0
    found = verify(copy, model=TINY, retrain=1, choice=5)
    assert broken(found) == {"trained again it is this run"}
    assert "other bits on the same kind of machine" in found.broken[0].found


def test_another_kind_of_machine_is_held_to_a_bound(copy: Path) -> None:
    place = copy / "seed-12"
    edit(place / "run.json", lambda run: run["hardware"].update(processor="another"))
    edit(place / "run.json", lambda run: run.update(weights_digest="0" * 64))
    shutil.rmtree(copy / "seed-11")
    shutil.rmtree(copy / "seed-13")
    line = verify(copy, model=TINY, retrain=1, choice=5).lines[-1]
    assert line.holds
    assert "0.000 points apart" in line.found
    assert "processors differ" in line.found
    edit(place / "run.json", lambda run: run.update(correct=run["correct"] // 2))
    assert "trained again it is this run" in broken(verify(copy, model=TINY, retrain=1, choice=5))


def test_a_receipt(copy: Path) -> None:
    receipt = receipts.of(declaration.read(copy))
    held = verify(copy, weights=False, receipt=receipt.upper().replace("-", " "))
    assert held.lines[-1].holds
    declared_afterwards(copy)
    assert broken(verify(copy, weights=False, receipt=receipt)) == {"the receipt is of this declaration"}
    for wrong in ("", "12", "g" * 24, receipt[:-1]):
        with pytest.raises(InputError, match="24 hexadecimal digits"):
            verify(copy, weights=False, receipt=wrong)


def test_the_receipt_is_said_before_the_first_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []

    def begin(*_: object) -> None:
        said.append("the runs begin")
        raise Stopped

    monkeypatch.setattr(parallel_runs, "run", begin)
    ask = Ask(model=TINY, recipe=as_recipe(RECIPE, TINY, "digits"), dataset="digits", target=80.0, receipt=True)
    with pytest.raises(Stopped):
        prove_asked(ask, tmp_path / "new", Listener(say=said.append))
    receipt = receipts.of(declaration.read(tmp_path / "new"))
    assert [line.split(":")[0] for line in said if "declared" not in line] == [f"receipt {receipt}", "the runs begin"]


def test_a_receipt_by_the_command_line(copy: Path) -> None:
    said = call("prove", copy, "--receipt", "--json")
    receipt = receipts.of(declaration.read(copy))
    assert f"receipt {receipt}" in said.stderr
    assert json.loads(said.stdout)["verdict"]
    again = call("verify", copy, "--no-weights", "--receipt", receipt)
    assert again.returncode == 0
    assert "the receipt is of this declaration" in again.stdout


def test_a_declaration_that_is_judged_by_nobody_answers_for_no_receipt(copy: Path) -> None:
    receipt = receipts.of(declaration.read(copy))
    (copy / "notes").mkdir()
    shutil.copy(copy / "declared.json", copy / "notes")
    declared_afterwards(copy)
    assert broken(verify(copy, weights=False, receipt=receipt)) == {"the receipt is of this declaration"}


def test_a_run_that_was_not_declared_is_not_trained_in_the_place_of_one_that_was(copy: Path) -> None:
    for number in range(20):
        shutil.copytree(copy / "seed-11", copy / "notes" / f"seed-{number}")
    declared_afterwards(copy)
    assert "trained again it is this run" in broken(verify(copy, model=TINY, weights=False, retrain=1, choice=5))


def test_training_again_that_was_asked_for_and_not_done_is_no_success(copy: Path) -> None:
    found = verify(copy, weights=False, retrain=1, choice=5)  # nobody names the network's file
    assert (found.lines[-1].holds, found.broken, found.exit_code) == (None, (), 1)
    edit(copy / "seed-12" / "run.json", lambda run: run.update(epochs=[]))
    found = verify(copy, model=TINY, weights=False, retrain=3, choice=5)
    assert [line.holds for line in found.lines if line.what == "trained again it is this run"] == [True, None, True]


def test_stopping_while_training_again_stops(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    from tinyproof.train import loop

    def stop(*_: object, **__: object) -> None:
        raise Stopped("stopped")

    monkeypatch.setattr(loop, "train", stop)
    with pytest.raises(Stopped):
        verify(made[0], model=TINY, weights=False, retrain=1)


def test_options_are_refused_before_any_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="decides nothing by itself; name both, with --retrain"):
        verify(tmp_path, choice=5)
    with pytest.raises(InputError, match="retrain: -1"):
        verify(tmp_path, retrain=-1)


OWN_NETWORK = """
import numpy as np
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(0.05 * np.random.randn(784, 10), dtype=torch.float32))
        self.register_buffer("mask", torch.full((2, 2), float("-inf")).triu(1))
    def forward(self, x):
        return (x.flatten(1) @ self.weight).log_softmax(1)
"""


def test_honest_networks_of_unusual_kinds_hold_and_are_trained_again(tmp_path: Path) -> None:
    """An infinite mask; first weights drawn with numpy; a comparison of a file with a copy of it."""
    import tinyproof

    for name in ("a.py", "b.py"):
        (tmp_path / name).write_text(OWN_NETWORK)
    asked: dict[str, Any] = {"dataset": "digits", "seeds": 2, "processes": 1, "threads": 1, "quiet": True}
    recipe = "digits,epochs=1"
    tinyproof.prove(f"{tmp_path}/a.py:Net", recipe, target=5.0, out=tmp_path / "proof", **asked)
    found = verify(tmp_path / "proof", model=f"{tmp_path}/a.py:Net", retrain=1, choice=3)
    assert found.exit_code == 0, found.table().text()
    assert found.lines[-1].found.startswith("the same bits")
    sides = f"{tmp_path}/a.py:Net@{recipe}", f"{tmp_path}/b.py:Net@{recipe}"
    tinyproof.compare(*sides, out=tmp_path / "pairs", **asked)
    compared = verify(tmp_path / "pairs", weights=False)
    line = next(line for line in compared.lines if line.what == "every run of both sides is a run of its own")
    assert (line.holds, "the change has no effect" in line.found, compared.broken) == (None, True, ())
    both = [f"{tmp_path}/a.py:Net", f"{tmp_path}/b.py:Net"]
    named = verify(tmp_path / "pairs", model=both)
    assert named.broken == ()
    assert not [line for line in named.lines if "MACs" in line.what and line.holds is None]
    (tmp_path / "b.py").write_text(OWN_NETWORK + "\n# another file\n")
    assert {line.place.split("/")[0] for line in verify(tmp_path / "pairs", model=both).broken} == {"second"}


@pytest.mark.parametrize("name", ["verdict.json", "result.json"])
def test_a_file_of_somebody_else_is_no_answer_without_its_declaration(copy: Path, name: str) -> None:
    for text in ("{}", "[1]", "no JSON"):
        (copy.parent / name).write_text(text)
        assert verify(copy.parent, weights=False).exit_code == 0


def test_the_command_line_trains_again_what_is_chosen(made: Made) -> None:
    said = call("verify", made[0], "--model", TINY, "--retrain", 1, "--choice", 5)
    assert said.returncode == 0, said.stdout
    assert "chosen by 5" in said.stderr
    assert call("verify", made[0], "--retrain", -1).returncode == 2
