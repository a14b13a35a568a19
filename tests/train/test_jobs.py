"""The commands on real data, small: what they write, what they say, and every mistake as one line with nothing left."""

from __future__ import annotations

import csv
import errno
import json
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tinyproof.api.data import choose
from tinyproof.api.data import data as data_job
from tinyproof.api.lr_test import lr_test
from tinyproof.api.models import models
from tinyproof.api.report import report
from tinyproof.api.summary import summary
from tinyproof.api.train import TrainResult, train
from tinyproof.cli import main
from tinyproof.core import files
from tinyproof.core.errors import DataError, InputError, MissingDependency, OutputError
from tinyproof.core.listener import Listener
from tinyproof.data import published
from tinyproof.data.dataset import Dataset
from tinyproof.network.budget import Budget
from tinyproof.prove import parallel_runs
from tinyproof.show import matplotlib_door
from tinyproof.train import checkpoint, environment
from tinyproof.train.recipe import Recipe, named


def go(few: Dataset, recipe: Recipe, out: Path, **options: object) -> TrainResult:
    return train(
        "s6-19k", recipe=recipe, dataset=few, out=out, engine="torch", device="cpu", threads=1, quiet=True,
        **{"seed": 1, **options},  # type: ignore[arg-type]
    )  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> TrainResult:
    """One trained run with its page."""
    from tinyproof.data.dataset import subset
    from tinyproof.data.load import load_digits
    from tinyproof.train.recipe import named

    few = subset(load_digits(), 400, 100)
    return go(few, replace(named("digits"), epochs=2), tmp_path_factory.mktemp("run"))


def test_everything_is_written(made: TrainResult) -> None:
    names = {path.name for path in made.folder.iterdir() if not path.name.startswith(".lease-")}
    assert names == {
        "report.html", "run.json", "predictions.npz", "weights.safetensors", "log.csv", "layers.txt", "samples.png",
        "curves.png", "confusion.png", "misclassified.png",
    }  # fmt: skip
    for path in made.folder.glob("*.png"):
        assert path.read_bytes().startswith(b"\x89PNG")
    rows = list(csv.DictReader((made.folder / "log.csv").open(newline="")))
    assert [float(row["test %"]) for row in rows] == [log.test_percent for log in made.run.epochs]


def test_the_page_is_one_file_that_says_what_it_knows(made: TrainResult) -> None:
    page = (made.folder / "report.html").read_text(encoding="utf-8")
    assert not re.findall(r"(?:src|href)=\"(?!data:)", page)
    assert "MNIST" not in page
    assert "s7-8k" not in page
    assert f"{made.run.accuracy_percent:.2f} %" in page
    assert made.run.identity.data_digest in page
    assert f"{made.run.correct} of 100" in page
    assert page.count("<img") == 5


def test_a_budget_that_is_broken_is_said_and_is_no_error(few: Dataset, quick: Recipe, tmp_path: Path) -> None:
    limits = Budget(parameters_below=19_242, epochs_below=4, accuracy_percent=100.0)
    done = go(few, quick, tmp_path, budget=limits)
    assert done.kept is False
    assert [check.kept for check in done.checks] == [False, True, False]
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "The budget is broken: parameters, accuracy, last epoch." in page


def test_the_report_is_made_again_from_what_is_stored(made: TrainResult, tmp_path: Path) -> None:
    before = (made.folder / "curves.png").read_bytes()
    (made.folder / "curves.png").unlink()
    checks = report(made.folder).checks
    assert (made.folder / "curves.png").read_bytes() == before
    assert [check.name for check in checks] == ["parameters", "epochs", "accuracy, last epoch"]
    page = (made.folder / "report.html").read_text(encoding="utf-8")
    assert "the data set digits is not the one that this run was trained on" in page


def test_a_report_of_an_edited_record_is_refused(few: Dataset, quick: Recipe, tmp_path: Path) -> None:
    go(few, quick, tmp_path)
    record = json.loads((tmp_path / "run.json").read_text())
    record["correct"] = 60
    (tmp_path / "run.json").write_text(json.dumps(record))
    with pytest.raises(DataError, match="do not belong together"):
        report(tmp_path)


def test_force_trains_again(few: Dataset, quick: Recipe, tmp_path: Path) -> None:
    first = go(few, quick, tmp_path)
    assert go(few, quick, tmp_path).reused
    with pytest.raises(InputError, match="another seed"):
        go(few, quick, tmp_path, seed=2)
    again = go(few, quick, tmp_path, seed=2, force=True)
    assert not again.reused
    assert again.run.predictions_digest != first.run.predictions_digest


def test_a_full_disk_is_one_line_and_leaves_no_half_file(
    few: Dataset, quick: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[Path] = []

    def full(path: Path) -> None:
        synced.append(path)
        if len(synced) == 2:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files, "_sync", full)
    with pytest.raises(OutputError, match="no space left on the device; nothing half-written was left behind"):
        go(few, quick, tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == [".lease-2", "checkpoint.npz"]
    monkeypatch.undo()
    done = go(few, quick, tmp_path)
    assert done.run.predictions_digest == go(few, quick, tmp_path / "other").run.predictions_digest


def test_no_torch_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "find_spec", lambda name: None)
    for job in (models, lambda: summary("s7-8k"), lambda: train("s7-8k", quiet=True)):
        with pytest.raises(MissingDependency, match=r"needs torch, which is not installed.*tinyproof\[train\]"):
            job()


def test_no_matplotlib_is_said_before_anything_is_trained(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def absent(name: str) -> Any:
        return None if name == "matplotlib" else find_spec(name)

    monkeypatch.setattr(environment, "find_spec", absent)
    monkeypatch.setattr(matplotlib_door, "find_spec", absent)
    with pytest.raises(MissingDependency, match=r"training needs matplotlib.*tinyproof\[train\]"):
        train("s7-8k", dataset="digits", out=tmp_path / "run", quiet=True)
    with pytest.raises(MissingDependency, match=r"training needs matplotlib.*tinyproof\[train\]"):
        parallel_runs.run([], 1)
    with pytest.raises(MissingDependency, match=r"a picture needs matplotlib.*tinyproof\[charts\]"):
        lr_test("s7-8k", dataset="digits", picture=tmp_path / "rates.png", quiet=True)
    assert list(tmp_path.iterdir()) == []


def test_the_digits_stand_in_when_mnist_cannot_be_had(alone: Path) -> None:
    said: list[str] = []
    assert choose("auto", listener=Listener(say=said.append)).name == "digits"
    assert len([line for line in said if "MNIST cannot be had here" in line and "digits" in line]) == 1
    with pytest.raises(published.NotFound, match=r"could not be fetched from .*: no connection"):
        choose("mnist")


def test_data_lists_what_there_is(mnist_folder: Path) -> None:
    rows = data_job(data=mnist_folder).records()
    assert [row["data set"] for row in rows][:2] == ["MNIST", "digits"]
    assert rows[0]["images"] == "60,000 training, 10,000 test"
    assert "as published; no image in both sets" in rows[0]["verified"]


def test_models_and_summary_are_tables() -> None:
    rows = {row["model"]: row["parameters"] for row in models().records()}
    assert rows["s7-8k"] == 7_904
    found = summary("s7-8k").table()
    assert found.footer[0][3] == sum(row[3] for row in found.rows)
    assert found.footer[0][4] == sum(row[4] for row in found.rows)


WRONG = {
    "network": (["train", "s7-9k"], r"model: 's7-9k' is not allowed; allowed: s5-593k, .*did you mean s7-8k"),
    "own network": (
        ["train", "none.py:Net"],
        r"model: 'none.py' is no file or folder; name one that is there",
    ),
    "data set": (["train", "s7-8k", "--dataset", "minst"], r"dataset: 'minst' is not allowed.*did you mean mnist"),
    "recipe": (["train", "s7-8k", "--recipe", "bets"], r"recipe: 'bets' is not allowed; .*did you mean best"),
    "recipe file": (["train", "s7-8k", "--recipe", "none.toml"], r"none.toml: no such file"),
    "seed": (["train", "s7-8k", "--seed", "-1"], r"seed: -1 is not allowed; allowed: a whole number from 0"),
    "epochs": (["run", "--epochs", "0"], r"epochs: 0 is not allowed; allowed: a whole number from 1"),
    "epochs and quick": (["run", "--epochs", "3", "--quick"], r"epochs: 3 stands beside --quick; name one of the two"),
    "device": (["run", "--device", "gpu"], r"device: 'gpu' is not allowed; allowed: auto, cpu, cuda, mps"),
    "engine": (["run", "--engine", "jax"], r"engine: 'jax' is not allowed; allowed: auto, torch, native"),
    "data folder": (["run", "--data", "nowhere"], r"data: 'nowhere' is no file or folder"),
    "folder without data": (["run", "--data", "."], r"\.: does not hold the four MNIST files"),
    "output is a file": (["run", "--out", "taken"], r"taken: cannot be written: a file is in the way"),
    "output below a file": (
        ["train", "s7-8k", "-o", "taken/run"],
        r"taken/run: cannot be written: a file is in the way",
    ),
    "report of nothing": (["report", "."], r"\.: holds no finished run"),
    "predict of nothing": (["predict", ".", "x.png"], r"\.: holds no finished run"),
}


def told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """The exit code and standard error of the command line, called in this process: quick, and the same code."""
    monkeypatch.setattr(sys, "argv", ["tinyproof", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    code = ended.value.code
    return int(code or 0) if not isinstance(code, str) else 1, capsys.readouterr().err


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder on a machine without data, cache or network."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TINYPROOF_DATA", raising=False)
    monkeypatch.setattr(published, "cache_folder", lambda: tmp_path / "cache")
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "")
    return tmp_path


@pytest.mark.parametrize("case", WRONG)
def test_a_mistake_is_one_line_and_leaves_nothing(
    alone: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], case: str
) -> None:
    arguments, message = WRONG[case]
    (alone / "taken").write_text("mine")
    code, errors = told(monkeypatch, capsys, *arguments)
    assert code == 2, errors
    assert re.search(message, errors)
    assert errors.count("\n") == 1
    assert [path.name for path in alone.rglob("*")] == ["taken"]


def test_no_network_is_one_line(
    alone: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, errors = told(monkeypatch, capsys, "train", "s7-8k", "--dataset", "mnist")
    assert code == 2
    assert re.search(r"MNIST \(train-images-idx3-ubyte\): could not be fetched from .*--data", errors)
    assert errors.count("\n") == 1
    # The cache's folder may stay; an output folder may not.
    assert [path.name for path in alone.rglob("*") if path.name not in ("cache", "mnist")] == []


NEED_TORCH = (
    ["run"], ["train", "s7-8k"], ["models"], ["summary", "s7-8k"], ["predict", "run", "x.png"],
    ["prove", "s7-8k", "--dataset", "digits"], ["compare", "s7-8k", "fast", "--dataset", "digits"], ["reproduce"],
    ["lr-test", "s7-8k"],
)  # fmt: skip


def test_every_command_without_torch_is_one_line_and_leaves_nothing(alone: Path) -> None:
    """In a process that truly cannot import torch: what is imported too early would show."""
    program = (
        "import sys, importlib.machinery as machinery\nfind = machinery.PathFinder.find_spec\n"
        "machinery.PathFinder.find_spec = classmethod(\n"
        "    lambda cls, name, *rest: None if name.split('.')[0] == 'torch' else find(name, *rest))\n"
        "from tinyproof.cli import main\n"
        f"for words in {NEED_TORCH!r}:\n"
        "    sys.argv = ['tinyproof', *words]\n"
        "    try:\n        main()\n    except SystemExit as ended:\n        print(ended.code)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["2"] * len(NEED_TORCH), done.stderr
    lines = done.stderr.splitlines()
    assert len(lines) == len(NEED_TORCH)
    assert all("needs torch, which is not installed" in line for line in lines), lines
    assert list(alone.iterdir()) == []


def test_ctrl_c_says_how_to_go_on(tmp_path: Path, digits: Dataset) -> None:
    """A real process, a real SIGINT, once the first epoch is done; then the same run ends with the same bits."""
    command = [
        sys.executable, "-m", "tinyproof", "train", "s6-19k", "--dataset", "digits", "--epochs", "3", "--threads", "1",
        "--engine", "torch", "--device", "cpu", "--out", str(tmp_path / "a"),
    ]  # fmt: skip
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    while not (tmp_path / "a" / checkpoint.FILE).exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    running.send_signal(signal.SIGINT)
    _, errors = running.communicate(timeout=60)
    assert running.returncode == 130, errors
    assert re.search(r"tinyproof: stopped( in epoch [23] of 3)?; .*the same command goes on there", errors)
    assert "Traceback" not in errors
    recipe = replace(named("digits"), epochs=3)
    one, two = (go(digits, recipe, tmp_path / name, seed=0).run.predictions_digest for name in ("a", "b"))
    assert one == two
