"""A stored answer is given only to the question it was asked: other limits, data or network file are refused."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.prove.proving import ALONE, TINY, call, environment

from tinyproof.api.compare import compare_asked as compare
from tinyproof.api.prove import prove_asked as prove
from tinyproof.api.prove import resume
from tinyproof.cli import evidence as cli
from tinyproof.core.errors import DataError, InputError
from tinyproof.core.listener import Listener
from tinyproof.data.load import load_digits
from tinyproof.prove import declaration, worker
from tinyproof.prove import declare as declaring
from tinyproof.prove.declare import Ask, agree, declare, default_folder
from tinyproof.train.recipe import named
from tinyproof.train.recipe_text import parse

Made = tuple[Path, "subprocess.CompletedProcess[str]"]
SHORT = replace(named("digits"), name="short", epochs=1)


def own(path: Path, shift: int = 0, shared: int = 0) -> Path:
    """Digits as a data set of your own, its rows rolled by `shift`; so many training images are test images too."""
    digits = load_digits()
    images, labels = np.roll(digits.train_images, shift, axis=0), np.roll(digits.train_labels, shift)
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = np.r_[0:shared, 200 : 260 - shared]
    np.savez(path, x_train=images[:200], y_train=labels[:200], x_test=images[rows], y_test=labels[rows])
    return path


def network(path: Path, outputs: int = 10, forward: str = "") -> str:
    """A small network in a file of its own."""
    lines = [
        "from torch import nn",
        "class Net(nn.Module):",
        "    def __init__(self):",
        "        super().__init__()",
        f"        self.out = nn.Linear(784, {outputs})",
        "        self.steps = 0",
        "    def forward(self, x):",
        "        self.steps += self.training",
        f"        {forward or 'pass'}",
        "        return self.out(x.flatten(1)).log_softmax(1)",
    ]
    path.write_text("\n".join(lines) + "\n")
    return f"{path}:Net"


def asks(model: str = TINY, dataset: object = "digits", **changed: object) -> Ask:
    asked = {"seeds": 1, "dataset": str(dataset), "target": 50.0, "engine": "torch", "device": "cpu", "threads": 1}
    return Ask(model=model, recipe=SHORT, **{**asked, **changed})  # type: ignore[arg-type]


# ------------------------------------------------------------------ limits


@pytest.mark.parametrize(
    "limits", [{}, {"parameters_below": None, "rules": ()}, {"parameters_below": 20_000}, {"epochs_below": 20}]
)
def test_the_limits_of_the_course_are_the_declared_question(tmp_path: Path, limits: dict[str, object]) -> None:
    declared = declare(asks("s6-19k"), tmp_path / "p")
    agree(asks("s6-19k", limits=limits), declared, tmp_path / "p")


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"parameters_below": 100}, "budget: 'parameters below 100, epochs below 20' is not allowed; allowed: parame"),
        ({"rules": ("no-fully-connected",)}, "epochs below 20, no-fully-connected' is not allowed"),
        ({"macs_below": 5}, "macs below 5' is not allowed"),
    ],
)
def test_other_limits_are_another_question(tmp_path: Path, limits: dict[str, object], words: str) -> None:
    declared = declare(asks("s6-19k"), tmp_path / "p")
    with pytest.raises(InputError, match="budget") as caught:
        agree(asks("s6-19k", limits=limits), declared, tmp_path / "p")
    assert words in str(caught.value)


def test_beside_a_folder_an_option_is_never_dropped(made: Made) -> None:
    done = call("prove", made[0], "--target", 99.9, "--seeds", 5, "--rule", "uses-dropout", "--no-weights")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("tinyproof: prove: '--target, --seeds, --rule, --no-weights' is not allowed")
    assert done.stderr.count("\n") == 1
    other = call("prove", made[0], "--dataset", "mnist")
    assert other.returncode == 2
    assert "dataset: 'mnist' is not allowed; allowed: digits, as declared" in other.stderr
    fine = call("prove", made[0], "--dataset", "digits", "--processes", 2, "--json")
    assert json.loads(fine.stdout)["dataset"] == "digits"


# ------------------------------------------------------------------ data


def test_other_data_of_the_same_name_gets_no_old_answer(tmp_path: Path) -> None:
    first, second = own(tmp_path / "a" / "mine.npz"), own(tmp_path / "b" / "mine.npz", shift=300)
    folder = tmp_path / "proof"
    declared = declare(asks(dataset=first), folder)
    agree(asks(dataset=first), declared, folder)
    with pytest.raises(InputError, match="allowed: mine, as declared") as caught:
        agree(asks(dataset=second), declared, folder)
    assert "declared with other images or labels; a new proof needs another --out" in str(caught.value)
    with pytest.raises(InputError, match="dataset"):
        resume(folder, dataset=str(second))
    with pytest.raises(InputError, match="dataset"):
        agree(asks(dataset="digits"), declared, folder)


def test_data_that_was_moved_or_is_gone_is_no_other_data(tmp_path: Path) -> None:
    folder = tmp_path / "proof"
    ask = asks(dataset=own(tmp_path / "a" / "mine.npz"))
    found = prove(ask, out=folder)
    moved = shutil.move(ask.dataset, tmp_path / "elsewhere.npz")
    agree(asks(dataset=moved), found.declaration, folder)
    agree(ask, found.declaration, folder)  # nothing is there: stored runs are judged without it
    with pytest.raises(InputError, match="mine, as declared"):
        agree(asks(dataset=tmp_path / "a" / "other.npz"), found.declaration, folder)
    shutil.rmtree(folder / f"seed-{found.declaration.seeds[0]}")
    again = resume(folder, dataset=moved)
    assert [result.predictions.digest for result in again.results] == [
        result.predictions.digest for result in found.results
    ]


def test_two_data_sets_of_the_same_name_have_folders_of_their_own(tmp_path: Path) -> None:
    names = {default_folder(asks(dataset=own(tmp_path / str(n) / "mine.npz", shift=n))).name for n in (0, 300)}
    assert len(names) == 2
    assert all(name.startswith("tiny_short_mine-") for name in names)
    assert default_folder(asks()).name == "tiny_short_digits_1seeds"


def test_own_data_called_as_ours_is_declared_under_another_name(tmp_path: Path) -> None:
    from tinyproof.api.verify import verify

    path = own(tmp_path / "mnist.npz")
    found = prove(asks(dataset=path), out=tmp_path / "proof")
    assert found.declaration.data.name == "mnist (own)"
    agree(asks(dataset=path), found.declaration, tmp_path / "proof")
    with pytest.raises(InputError, match=r"mnist \(own\), as declared"):
        agree(asks(dataset="mnist"), found.declaration, tmp_path / "proof")
    checked = verify(tmp_path / "proof", dataset=str(path), model=TINY)
    assert not [line for line in checked.lines if line.holds is False]


# ------------------------------------------------------------------ the network's own file


def test_an_edited_network_is_refused_and_trains_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "proof"
    ask = asks(network(tmp_path / "net.py"))
    declared = declare(ask, folder)
    network(tmp_path / "net.py", forward="x = x * 2")
    for again in (lambda: prove(ask, out=folder), lambda: resume(folder)):
        with pytest.raises(InputError, match=r"net\.py' is not what was declared"):
            again()
    work = worker.Work(folder=str(folder), declared=declared, dataset="digits")
    with pytest.raises(DataError, match=r"net\.py: is not the network that was declared: net\.py has changed"):
        worker.do(worker.Task(work, declared.seeds[0]))
    assert not list(folder.glob("seed-*"))
    network(tmp_path / "net.py")
    agree(ask, declared, folder)


def test_stored_runs_of_an_edited_or_lost_network_are_judged_by_their_folder(tmp_path: Path) -> None:
    ask = asks(network(tmp_path / "net.py"))
    found = prove(ask, out=tmp_path / "proof")
    network(tmp_path / "net.py", forward="x = x * 2")
    with pytest.raises(InputError, match=r"is not what was declared: net\.py has changed; "):
        prove(ask, out=tmp_path / "proof")
    assert resume(tmp_path / "proof").verdict == found.verdict
    (tmp_path / "net.py").unlink()
    assert prove(ask, out=tmp_path / "proof").verdict == found.verdict


# ------------------------------------------------------------------ what cannot be answered is not declared


@pytest.mark.parametrize(
    ("changed", "match"),
    [
        ({"outputs": 5}, r"net\.py:Net: gives \[5\] for an image where 10 values are needed"),
        ({"forward": "x = x.view(3, 5)"}, r"net\.py: line 9: RuntimeError: shape"),
        ({"forward": "x = x + nonsense"}, r"net\.py: line 9: NameError: name 'nonsense'"),
        ({"forward": "assert not self.training, 'no training'"}, r"net\.py: line 9: AssertionError: no training"),
        ({"forward": "x = x[:1] if self.training else x"}, r"gives \[1, 10\] for a batch in training"),
        ({"forward": "x = x.clone().detach_(); self.out.requires_grad_(False)"}, "cannot be trained: RuntimeError"),
    ],
    ids=["outputs", "shape", "name", "only-in-training", "batch", "nothing-to-learn"],
)
def test_an_impossible_proof_is_not_declared(tmp_path: Path, changed: dict[str, object], match: str) -> None:
    folder = tmp_path / "proof"
    with pytest.raises(DataError, match=match) as caught:
        prove(asks(network(tmp_path / "net.py", **changed)), out=folder)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)
    assert not (folder / declaration.FILE).exists()
    declare(asks(network(tmp_path / "net.py")), folder)


def test_an_error_in_the_third_step_is_told_by_file_and_line(tmp_path: Path) -> None:
    model = network(tmp_path / "net.py", forward="assert self.steps < 3, 'three'")
    done = call(
        "prove", model, "--recipe", "digits,epochs=1", "--dataset", "digits", "--seeds", 1, "--engine", "torch",
        *ALONE, "--target", 50, "--out", tmp_path / "proof",
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == f"tinyproof: {tmp_path / 'net.py'}: line 9: AssertionError: three"
    done = call("train", model, "--dataset", "digits", "--engine", "torch", "--quick", "--out", tmp_path / "run")
    assert done.returncode == 2
    assert done.stderr.endswith("net.py: line 9: AssertionError: three\n")


@pytest.mark.parametrize(
    "asked", [("--seeds", "0"), ("--seeds", "1001"), ("--target", "101")], ids=lambda words: " ".join(words)
)
def test_what_is_wrong_at_sight_is_refused_before_anything_is_loaded(tmp_path: Path, asked: tuple[str, str]) -> None:
    code = (
        "import sys\nfrom tinyproof.cli import main\nsys.argv = sys.argv[1:]\n"
        "try:\n    main()\nfinally:\n    print([m for m in ('torch', 'sklearn') if m in sys.modules])"
    )
    words = ["tinyproof", "prove", "s7-8k", "--dataset", "digits", *asked, "--out", str(tmp_path / "p")]
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, env=environment())
    assert done.returncode == 2
    assert asked[0].strip("-") + ": " + asked[1] in done.stderr
    assert done.stdout.strip() == "[]"


# ------------------------------------------------------------------ images in both sets


WARNING = "warning: 7 test images are also among the training images of"


def test_images_in_both_sets_are_said_before_the_runs_and_near_the_verdict(tmp_path: Path) -> None:
    words = ("--recipe", "digits,epochs=1", "--seeds", 1, "--engine", "torch", *ALONE, "--target", 50)
    data = own(tmp_path / "mine.npz", shared=7)
    done = call("prove", TINY, *words, "--dataset", data, "--out", tmp_path / "proof")
    assert done.returncode in (0, 1), done.stderr
    assert [text.count(f"{WARNING} mine") for text in (done.stderr, done.stdout)] == [1, 1]


def test_a_comparison_says_it_too(tmp_path: Path) -> None:
    data, said = own(tmp_path / "mine.npz", shared=7), list[str]()
    slower = replace(asks(dataset=data), recipe=parse("digits,epochs=1,rate=0.01,name=slower"))
    compare(asks(dataset=data), slower, out=tmp_path / "pairs", listener=Listener(say=said.append))
    assert said.count(f"{WARNING} mine") == 1
    short, slow = "digits,dropout=0.0,epochs=1,name=short", "digits,dropout=0.0,epochs=1,rate=0.01,name=slower"
    sides = f"{TINY}@{short}", f"{TINY}@{slow}"
    done = call("compare", *sides, "--dataset", data, "--seeds", 1, "--out", tmp_path / "pairs", "--json")
    assert done.returncode == 1, done.stderr
    assert json.loads(done.stdout)
    assert done.stderr.count(f"{WARNING} mine") == 1


def test_reproduced_claims_say_it_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(declaring, "overlap", lambda dataset: [(0, 0)] * 7)
    cli.reproduce(
        "s6-19k", seeds=1, dataset="digits", quick=True, engine="torch", processes=1, threads=1, out=tmp_path / "all"
    )
    said = capfd.readouterr()
    assert [text.count(f"{WARNING} digits") for text in (said.err, said.out)] == [1, 1]


def test_your_own_data_can_be_compared_with_a_target_of_yours(tmp_path: Path) -> None:
    data, side = own(tmp_path / "mine.npz"), f"{TINY}@digits,epochs=1"
    words = ("compare", side, f"{side},rate=0.001", "--dataset", data, "--seeds", 2, "--engine", "torch", *ALONE)
    refused = call(*words, "--out", tmp_path / "none")
    assert refused.returncode == 2
    assert "target is missing; name an accuracy" in refused.stderr
    done = call(*words, "--target", 50, "--out", tmp_path / "pairs")
    assert done.returncode in (0, 1), done.stderr
    assert "the mean difference is" in done.stdout
