"""The example notebook runs from its first cell to its last, in an empty folder, and its assertions of fact hold."""

from __future__ import annotations

import os
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from tinyproof.train import store

NOTEBOOK = Path(__file__).resolve().parents[2] / "examples" / "train-digits.ipynb"


def test_the_notebook_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = [str(NOTEBOOK.parents[1] / "src"), os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    where = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(notebook, timeout=300, kernel_name="python3", resources=where).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    printed = "".join(output["text"] for output in outputs if output["output_type"] == "stream")
    run = store.load(tmp_path / "tinyproof-notebook" / "training")
    assert f"{run.correct} of {run.test_count} test images are read right" in printed
    assert run.accuracy_percent >= 98.0
    assert "accuracy, last epoch: required at least 98 %" in printed
    assert "inverted (dark ink on a light ground)" in printed
    assert (tmp_path / "tinyproof-notebook" / "backprop.xlsx").stat().st_size > 10_000
    assert sum("image/png" in output.get("data", {}) for output in outputs) == 2
