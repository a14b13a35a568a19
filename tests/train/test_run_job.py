"""The main job on the real digits, small: one folder with both halves, found again, reported again; its memory."""

from __future__ import annotations

import re
from pathlib import Path

import openpyxl
import pytest
from tests import peak_memory

from tinyproof.api.report import report
from tinyproof.api.run import run
from tinyproof.api.train import TrainResult

MEMORY_BYTES = 1.5e9


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> TrainResult:
    """One epoch of the quickest network."""
    out = tmp_path_factory.mktemp("out")
    return run(out, model="s6-19k", dataset="digits", epochs=1, threads=1, engine="torch", device="cpu")


def test_one_folder_holds_everything(done: TrainResult) -> None:
    names = {path.name for path in done.folder.iterdir() if not path.name.startswith(".")}
    assert names == {
        "report.html", "backprop.xlsx", "backprop.csv", "backprop-loss.png", "backprop-network.png",
        "backprop.html", "run.json", "predictions.npz", "weights.safetensors", "log.csv", "layers.txt", "samples.png",
        "curves.png", "confusion.png", "misclassified.png",
    }  # fmt: skip


def test_the_workbook_has_a_sheet_for_each_learning_rate(done: TrainResult) -> None:
    book = openpyxl.load_workbook(done.folder / "backprop.xlsx")
    titles = " ".join(book.sheetnames)
    for rate in ("0.1", "0.2", "0.5", "0.8", "1", "2"):
        assert re.search(rf"\b{re.escape(rate)}\b", titles), titles


def test_the_page_shows_both_halves_and_says_digits(done: TrainResult) -> None:
    page = (done.folder / "report.html").read_text(encoding="utf-8")
    assert "Back-propagation, written out" in page
    assert "s6-19k on digits" in page
    assert "MNIST" not in page
    assert page.count("<img") == 7
    assert not re.findall(r"(?:src|href)=\"(?!data:)", page)
    assert page.count("0.0141814") == 1  # E_total of the first iteration, as published


def test_the_same_command_again_finds_the_run(done: TrainResult, capsys: pytest.CaptureFixture[str]) -> None:
    again = run(done.folder, model="s6-19k", dataset="digits", epochs=1, threads=1, engine="torch", device="cpu")
    assert again.reused
    assert again.run == done.run
    assert "already trained" in capsys.readouterr().out


def test_the_report_alone_is_the_same_page(done: TrainResult) -> None:
    before = (done.folder / "report.html").read_text(encoding="utf-8")
    report(done.folder)
    assert (done.folder / "report.html").read_text(encoding="utf-8") == before


@peak_memory.readable
def test_the_main_job_stays_below_its_memory(tmp_path: Path) -> None:
    """As a user starts it, in a process of its own, two epochs of the default network."""
    program = (
        "import sys\nfrom tinyproof.cli import main\n"
        "sys.argv[1:] = 'run --dataset digits --quick --threads 1 --out'.split() + sys.argv[1:]\n"
        "try:\n    main()\nexcept SystemExit as ended:\n    assert not ended.code, ended.code\n"
    )
    assert peak_memory.peak_bytes(program, str(tmp_path)) < MEMORY_BYTES
