"""An export that is killed is none: nothing bears its name, its run holds, and the same command makes it whole."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from tests.prove.proving import kill

import tinyproof

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="process groups are killed differently there")


def test_killed_while_it_answers_the_test_images(run: Path) -> None:
    kill(("export", run), lambda: any(run.glob(".export-onnx.*.partial/network.onnx")))
    assert not (run / "export-onnx").exists()
    assert tinyproof.verify(run).broken == ()
    assert sorted(tinyproof.export(run).files) == ["network.onnx"]
    assert tinyproof.verify(run).broken == ()
