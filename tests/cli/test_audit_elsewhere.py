"""The audit where others call it: a graded cell of nbgrader's, a pre-commit hook, a step of a workflow."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
import yaml
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from tests.classes.invented import BOOK_AS_ASKED, BOOK_WITH_A_WRONG_GRADIENT, PUBLISHED
from tests.notebook.books import write as write_notebook
from tests.workbook.mutants import mutant, right
from tests.workbook.test_formats import as_csv

import tinyproof

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-m", "tinyproof"]


def sheet(folder: Path, wrong: bool = False, name: str = "backprop.xlsx") -> Path:
    made = mutant("wrong-gradient", 4) if wrong else right(3)
    made.file = name
    folder.mkdir(parents=True, exist_ok=True)
    return made.write(folder)


def graded(folder: Path) -> tuple[float, str]:
    """The points of the graded cell, as nbgrader reads them (the cell ends with the number), and what it printed."""
    notebook = nbformat.read(ROOT / "examples" / "nbgrader" / "backprop.ipynb", 4)  # type: ignore[no-untyped-call]
    nbformat.validate(notebook)
    where = {"metadata": {"path": str(folder)}}
    NotebookClient(notebook, timeout=120, kernel_name="python3", resources=where).execute()
    (cell,) = [cell for cell in notebook.cells if cell.metadata.nbgrader.grade]
    (result,) = [output for output in cell.outputs if output.output_type == "execute_result"]
    printed = "".join(output.text for output in cell.outputs if output.output_type == "stream")
    points = float(result.data["text/plain"])
    assert 0 <= points <= cell.metadata.nbgrader.points
    return points, printed


def of_another_network(folder: Path) -> None:
    tinyproof.workbook("xor", out=folder / "by hand.xlsx", iterations=20)


@pytest.mark.parametrize(
    ("write", "points", "said"),
    [
        (BOOK_AS_ASKED, 10, "right"),
        (BOOK_WITH_A_WRONG_GRADIENT, 7, "is not the gradient"),
        (of_another_network, 7, "asked: the inputs"),
    ],
)
def test_a_graded_cell_gives_the_points(
    write: Callable[[Path], None], points: float, said: str, tmp_path: Path
) -> None:
    write(tmp_path)
    (tmp_path / "by hand.xlsx").rename(tmp_path / "backprop.xlsx")
    given, printed = graded(tmp_path)
    assert given == points
    assert said in printed


def test_a_graded_cell_without_a_workbook_fails_and_one_that_cannot_be_read_gives_none(tmp_path: Path) -> None:
    with pytest.raises(CellExecutionError, match="is no file or folder"):
        graded(tmp_path)
    (tmp_path / "backprop.xlsx").write_bytes(b"nonsense")
    assert graded(tmp_path)[0] == 0


def hook() -> dict[str, Any]:
    (found,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


def test_the_hook_judges_what_is_committed(tmp_path: Path) -> None:
    asked = hook()
    words = shlex.split(asked["entry"])
    assert (words[0], asked["language"]) == ("tinyproof", "python")
    paths = [sheet(tmp_path, wrong, name) for wrong, name in ((False, "good one.xlsx"), (True, "bad.xlsx"))]
    for wrong, path in enumerate(paths):
        assert re.search(asked["files"], path.name)
        done = subprocess.run([*COMMAND, *words[1:], path], capture_output=True, text=True, timeout=120)
        assert (done.returncode, done.stderr) == (wrong, "")
    done = subprocess.run([*COMMAND, *words[1:], *paths], capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert "bad.xlsx" in done.stdout


def test_the_hook_judges_text_tables_and_scripts_and_lets_data_and_tools_pass(tmp_path: Path) -> None:
    words, text = shlex.split(hook()["entry"]), {"data.csv": "epoch,loss\n1,0.5\n2,0.4\n", "TOOL.PY": "print(1)\n"}
    for name, content in text.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    made = as_csv(mutant("wrong-gradient", 4), tmp_path, ",", {}, "utf-8")
    script = write_notebook(PUBLISHED, tmp_path / "S7").rename(tmp_path / "train.ipynb")
    code = nbformat.read(script, 4).cells  # type: ignore[no-untyped-call]
    lines = "\n\n".join(cell.source for cell in code if cell.cell_type == "code")
    (tmp_path / "train.py").write_text(lines, encoding="utf-8")
    for names, rc in ((["data.csv", "TOOL.PY"], 0), ([made.name], 1), (["train.py"], 1)):
        assert all(re.search(hook()["files"], name) for name in names)
        done = subprocess.run([*COMMAND, *words[1:], *names], capture_output=True, text=True, cwd=tmp_path, timeout=120)
        assert (done.returncode, done.stderr) == (rc, ""), done.stdout


@pytest.mark.parametrize("name", ["a.pyc", "a.xlsx.txt", "README.md", "csv"])
def test_the_hook_leaves_other_files_alone(name: str) -> None:
    assert not re.search(hook()["files"], name)


def test_the_steps_of_the_workflow_run(tmp_path: Path) -> None:
    """Its own lines, as they stand there; the second time from what was kept."""
    text = (ROOT / "examples" / "audit-workflow.yml").read_text(encoding="utf-8")
    steps = yaml.safe_load(text)["jobs"]["audit"]["steps"]
    (line,) = [step["run"] for step in steps if step["name" if "name" in step else "uses"] == "Audit"]
    sheet(tmp_path / "submissions" / "ada")
    sheet(tmp_path / "submissions" / "bob", wrong=True)
    words = shlex.split(line)
    assert words[0] == "tinyproof"
    (keep,) = [step for step in steps if step.get("uses", "").startswith("actions/cache/save@")]
    (restore,) = [step for step in steps if step.get("uses", "").startswith("actions/cache/restore@")]
    assert (keep["if"], keep["with"]["path"]) == ("always()", words[words.index("--cache") + 1])
    assert keep["with"] == {name: restore["with"][name] for name in ("path", "key")}
    assert [step.get("name") for step in steps].index("Audit") < steps.index(keep)
    for _ in range(2):
        done = subprocess.run([*COMMAND, *words[1:]], capture_output=True, text=True, timeout=120, cwd=tmp_path)
        assert (done.returncode, done.stderr) == (1, "")
        for kept in steps[-1]["with"]["path"].split():
            assert (tmp_path / kept).exists()
            shutil.rmtree(tmp_path / kept) if (tmp_path / kept).is_dir() else (tmp_path / kept).unlink()
    assert len(list((tmp_path / ".audited").glob("*.json"))) == 2
