"""Every public result prints itself as its command does, and in a notebook as HTML whose every word is escaped."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.stored_records import stored

import tinyproof
from tinyproof.api.lr_sweep import TriedRate
from tinyproof.api.predict_many import PredictedPicture
from tinyproof.api.run_report import REPORT
from tinyproof.check.finding import FileReport
from tinyproof.core.printed import Printed, printed
from tinyproof.core.table import Column, Table
from tinyproof.prove import attempt, comparison, ledger, proof, published_claims, reproduction
from tinyproof.prove.verify.lines import Line
from tinyproof.ship.exported import Exported
from tinyproof.train import store

ROOT = Path(__file__).resolve().parents[2]
HOSTILE = "<script>alert(1)</script>"


def _proof() -> Any:
    found = proof.load(stored("fast"))
    return replace(found, declaration=replace(found.declaration, model=f"{HOSTILE}.py:Net"))


def _comparison() -> Any:
    return replace(comparison.load(stored("compare") / "rate"), reason=HOSTILE)


def _claims() -> tuple[reproduction.Reproduction, ...]:
    found = reproduction.load(stored("reproduce") / "s6-12k", published_claims.CLAIMS["s6-12k"])
    return (replace(found, claim=replace(found.claim, wrong=HOSTILE)),)


def _run() -> Any:
    return store.load(next((stored("fast")).glob("seed-*")))


def _export(folder: Path) -> Any:
    record = Exported(
        to="onnx", input="bytes", model=HOSTILE, files={HOSTILE: ""}, weights="", run_answers="", answers="", correct=9,
        test_count=10, changed=0, largest_difference=1e-6, runner="",
    )  # fmt: skip
    changes = Table("changes", (Column(HOSTILE),), ((HOSTILE,),))
    return printed(tinyproof.ExportResult, record, folder=folder, changes=changes, sense=HOSTILE)


def _search(folder: Path) -> Any:
    from tests.search.made_up import made_up

    return made_up(folder, words=HOSTILE)


def _ledger() -> Any:
    one = attempt.of_proof(proof.load(stored("fast")), HOSTILE)
    assert one is not None
    return ledger.ledger([replace(one, model=f"{HOSTILE}.py:Net", recipe=HOSTILE)], aside=(HOSTILE,))


def _net() -> tinyproof.Net:
    return replace(tinyproof.preset("course"), title=HOSTILE)


# Name of a result -> one with hostile words in it, where it takes words.
RESULTS: dict[str, Callable[[Path], Any]] = {
    "AuditResult": lambda folder: tinyproof.AuditResult((FileReport(HOSTILE, "other", "unreadable", problem=HOSTILE),)),
    "CollectResult": lambda folder: tinyproof.CollectResult(
        printed(tinyproof.ProveResult, _proof()), {1: HOSTILE}, (), (2,)
    ),
    "CompareResult": lambda folder: printed(tinyproof.CompareResult, _comparison()),
    "DeriveResult": lambda folder: tinyproof.derive(_net()),
    "DrawResult": lambda folder: tinyproof.draw(_net(), folder / "x.svg"),
    "ExportResult": lambda folder: _export(folder),
    "FrontierResult": lambda folder: printed(tinyproof.FrontierResult, _ledger()),
    "JournalResult": lambda folder: tinyproof.journal(stored("compare"), page=False),
    "LrSweepResult": lambda folder: tinyproof.LrSweepResult((TriedRate(0.1, None, HOSTILE),)),
    "LrTestResult": lambda folder: tinyproof.LrTestResult((0.1,), (2.3,), 0.1, 0.2, True, Path(HOSTILE)),
    "Net": lambda folder: _net(),
    "PackResult": lambda folder: tinyproof.PackResult(Path(HOSTILE), "0" * 64, 1, (HOSTILE,), (HOSTILE,)),
    "PageResult": lambda folder: tinyproof.PageResult(Path(HOSTILE)),
    "PredictResult": lambda folder: tinyproof.PredictResult(HOSTILE, "3", 0.9, {"3": 0.9, "5": 0.1}, (HOSTILE,)),
    "PredictManyResult": lambda folder: tinyproof.PredictManyResult(
        (PredictedPicture(HOSTILE, "3", 0.9, (HOSTILE,)), PredictedPicture(HOSTILE, None, None, problem=HOSTILE))
    ),
    "ProveResult": lambda folder: printed(tinyproof.ProveResult, _proof()),
    "ExerciseResult": lambda folder: tinyproof.exercise("course", folder / "a.xlsx", asked="update", iterations=3),
    "ReportResult": lambda folder: tinyproof.ReportResult(folder / REPORT, _run()),
    "ReproduceResult": lambda folder: tinyproof.ReproduceResult(_claims(), folder / REPORT),
    "SearchResult": lambda folder: printed(tinyproof.SearchResult, _search(folder)),
    "SummaryResult": lambda folder: tinyproof.SummaryResult(Table("", (Column(HOSTILE),), ()), HOSTILE),
    "SweepResult": lambda folder: tinyproof.sweep(replace(_net(), name=HOSTILE), [0.1, 1.0], iterations=5),
    "Table": lambda folder: Table(HOSTILE, (Column("a"),), ((HOSTILE,),)),
    "TraceResult": lambda folder: tinyproof.trace(_net(), 5),
    "TrainResult": lambda folder: tinyproof.TrainResult(_run(), (), Path(HOSTILE), False),
    "VerifyResult": lambda folder: tinyproof.VerifyResult(folder, (Line("here", HOSTILE, True),)),
    "WorkbookResult": lambda folder: tinyproof.workbook("course", folder / "a.xlsx", rates=[1.0], iterations=3),
}


def test_every_result_is_tried() -> None:
    public = [name for name in tinyproof.__all__ if name.endswith("Result")]
    assert sorted(RESULTS) == sorted([*public, "Net", "Table"])


@pytest.mark.parametrize("name", sorted(RESULTS))
def test_a_result_prints_itself(name: str, tmp_path: Path) -> None:
    result = RESULTS[name](tmp_path)
    assert type(result) is getattr(tinyproof, name)
    text, shown = str(result), result._repr_html_()
    assert text.strip()
    assert not re.search(r"<\w+(\.\w+)* object at 0x|^\w+\(", text), "that is no table for people"
    assert "<script" not in shown
    if HOSTILE in text:
        assert html.escape(HOSTILE) in shown
    if isinstance(result, Printed):
        for part in result.parts():
            for word in part.split() if isinstance(part, str) else [c.name for c in part.columns]:
                assert name == "DeriveResult" or html.escape(word) in shown


@pytest.mark.parametrize("name", sorted(set(RESULTS) - {"Net"}))
def test_a_terminal_echoes_a_result_as_it_prints(name: str, tmp_path: Path) -> None:
    result = RESULTS[name](tmp_path)
    assert repr(result) == str(result)


def test_a_network_is_echoed_as_it_can_be_written_down() -> None:
    names = {name: getattr(tinyproof, name) for name in ("Net", "Layer", "Example", "Optimizer")}
    assert eval(repr(tinyproof.preset("course")), names) == tinyproof.preset("course")


def test_a_table_of_numbers_that_overflow_at_once_prints_itself() -> None:
    net = tinyproof.drawn([1, 1, 1], 1, activation="relu", output="relu")
    layers = [replace(layer, weights=((1e300,),)) for layer in net.layers]
    found = tinyproof.trace(replace(net, layers=layers, examples=[tinyproof.Example((1e300,), (0.0,))]), 3)
    assert len(found) == 0
    assert "the numbers overflow at iteration 1" in str(found)


def printed_by(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    from tinyproof.cli import app

    with pytest.raises(SystemExit):
        app([str(word) for word in words])
    return capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "twin"),
    [
        (("trace", "xor", "-n", 30), lambda: tinyproof.trace("xor", 30)),
        (("derive", "relu"), lambda: tinyproof.derive("relu")),
        (("sweep", "course", "--rates", "0.1:1:0.3"), lambda: tinyproof.sweep("course", "0.1:1:0.3")),
        (("workbook", "--rates", "1", "-n", 5), lambda: tinyproof.workbook(rates=[1.0], iterations=5)),
        (("workbook", "--exercise", "all", "-n", 5), lambda: tinyproof.exercise(iterations=5)),
        (("page", "xor", "--out", "xor.html"), lambda: tinyproof.page("xor", "xor.html")),
        (("models",), tinyproof.models),
        (("summary", "s7-8k"), lambda: tinyproof.summary("s7-8k")),
        (("verify", stored("compare"), "--no-weights"), lambda: tinyproof.verify(stored("compare"), weights=False)),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_a_command_prints_what_its_twin_gives(
    words: tuple[object, ...],
    twin: Callable[[], object],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert printed_by(capsys, *words) == f"{twin()}\n"


def test_a_proof_that_is_finished_is_printed_from_its_folder_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The twin takes a folder as the command does, and refuses what its declaration has answered."""
    import shutil

    folder = Path(shutil.copytree(stored("fast"), tmp_path / "fast"))
    nothing = tmp_path / "nothing"  # a folder that holds no data
    nothing.mkdir()
    found = tinyproof.prove(folder, data=nothing, quiet=True)
    assert found.verdict == proof.load(stored("fast")).verdict
    assert printed_by(capsys, "prove", folder, "--data", nothing) == f"\n{found}\n"
    assert json.loads(printed_by(capsys, "prove", folder, "--data", nothing, "--json")) == found.to_json()
    with pytest.raises(tinyproof.InputError, match="seeds, engine' is not allowed; allowed: dataset, data, processes"):
        tinyproof.prove(folder, seeds=7, engine="torch")
    assert tinyproof.report(folder, data=nothing).path == folder / REPORT
