"""An export that is killed is none: nothing bears its name, its run holds, and the same command makes it whole."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from tests.prove.proving import kill

import tinyproof
from tinyproof.ship import replaced
from tinyproof.train import store

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="process groups are killed differently there")


def test_killed_while_it_answers_the_test_images(run: Path) -> None:
    kill(("export", run), lambda: any(run.glob(".export-onnx.*.partial/network.onnx")))
    assert not (run / "export-onnx").exists()
    assert tinyproof.verify(run).broken == ()
    assert sorted(tinyproof.export(run).files) == ["network.onnx"]
    assert tinyproof.verify(run).broken == ()


def test_killed_while_the_exports_of_a_replaced_run_go(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for to in ("onnx", "torch"):
        tinyproof.export(run, to=to)
    with monkeypatch.context() as killed:
        killed.setattr(replaced.shutil, "rmtree", lambda *_, **__: None)  # never reached
        assert replaced.remove(run) == []
    assert not [path.name for path in run.iterdir() if path.name.startswith("export")]
    assert tinyproof.verify(run).broken == ()
    assert sorted(tinyproof.export(run).files) == ["network.onnx"]
    assert replaced.remove(run) == []
    assert not list(run.glob("*export*"))  # what the one that was killed left of the other goes too
    assert store.finished(run)


def test_an_export_that_cannot_be_renamed_is_told_so(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise PermissionError

    place = tinyproof.export(run).folder
    monkeypatch.setattr(Path, "rename", refused)
    assert replaced.remove(run) == [place]
    assert replaced.why(place) == "it could not be renamed"
    (place / "network.onnx").write_bytes(b"mine")
    assert replaced.why(place) == "somebody changed it"
