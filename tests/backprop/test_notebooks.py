"""The notebooks on back-propagation run, and print what they are published with."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
NOTEBOOKS = sorted(EXAMPLES.glob("backprop_*.ipynb"))


def printed(notebook: nbformat.NotebookNode) -> list[tuple[int, str, list[str]]]:
    """Of each cell that shows something: its number, everything printed, and the kinds of what is shown."""
    found = []
    for number, cell in enumerate(notebook.cells):
        outputs = cell.get("outputs", [])
        text = "".join(o.text for o in outputs if o.output_type == "stream" and o.name == "stdout")
        kinds = [", ".join(sorted(o.get("data", {}))) for o in outputs if o.output_type != "stream"]
        if text or kinds:
            found.append((number, text, kinds))
    return found


def test_there_are_two() -> None:
    assert len(NOTEBOOKS) == 2


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_runs_and_prints_what_it_shows(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    before = printed(notebook)
    assert len(before) >= 5
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    assert printed(notebook) == before
