"""An audit where numpy is not installed, nor scipy: the reports are the same, word for word and number for number."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from tests.notebook.books import style, write

import tinyproof
from tinyproof.backprop.exercise_book import TOP, Exercise
from tinyproof.backprop.presets import preset
from tinyproof.backprop.xlsx import write_book

# Neither can be imported: a stand-in for an environment that never had them.
WITHOUT = """
import sys
for name in ("numpy", "scipy", "matplotlib"):
    sys.modules[name] = None
"""
# Nor does an installation say that it holds numpy.
UNHEARD_OF = """
import importlib.metadata as metadata
held = metadata.distribution
def distribution(name):
    if name == "numpy":
        raise metadata.PackageNotFoundError(name)
    return held(name)
metadata.distribution = distribution
"""
AUDIT = """
import sys, json
import tinyproof, tinyproof.cli
from tinyproof.core.arrays import np
result = tinyproof.audit(*sys.argv[1:], quiet=True, jobs=1, no_cache=True)
result.html(), result.text(), result.table().csv()
print(json.dumps([np.__name__, result.to_json()]))
"""


def audited(folder: Path, names: list[str], before: str = "") -> Any:
    done = subprocess.run(
        [sys.executable, "-c", before + AUDIT, *names], cwd=folder, capture_output=True, text=True, timeout=500
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def differences(ours: Any, theirs: Any, where: str = "") -> list[str]:
    """Where two results differ; numbers may by a part in 10^12."""
    if isinstance(ours, float) and isinstance(theirs, float):
        return [] if math.isclose(ours, theirs, rel_tol=1e-12) else [f"{where}: {ours!r} and {theirs!r}"]
    if isinstance(ours, dict) and isinstance(theirs, dict) and ours.keys() == theirs.keys():
        return [found for key in ours for found in differences(ours[key], theirs[key], f"{where}.{key}")]
    if isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        return [
            found
            for i, pair in enumerate(zip(ours, theirs, strict=True))
            for found in differences(*pair, f"{where}[{i}]")
        ]
    return [] if ours == theirs else [f"{where}: {ours!r:.200} and {theirs!r:.200}"]


def same(folder: Path, names: list[str]) -> Any:
    """The result, which is the same on either."""
    (with_numpy, theirs), (without, ours) = audited(folder, names), audited(folder, names, WITHOUT)
    assert (with_numpy, without) == ("numpy", "tinyproof.core.arrays.plain")
    assert differences(ours, theirs) == []
    return ours


def homework(folder: Path) -> list[str]:
    """A right workbook, one with a wrong gradient, a right notebook and one that claims what its log does not say."""
    right = tinyproof.workbook("course", folder / "right.xlsx", iterations=12).path
    book = openpyxl.load_workbook(right)
    for (cell,) in book["eta 0.5"]["AC5:AC16"]:  # dE/dw5 with a_h2 where a_h1 belongs
        cell.value = cell.value.replace(f"*K{cell.row}", f"*M{cell.row}")
    book.save(folder / "wrong.xlsx")
    write(style("functions"), folder, "right.ipynb")
    text = style("functions").replace("Result: 98.85 % test accuracy", "Result: 99.85 % test accuracy")
    write(text, folder, "claims.ipynb")
    return ["right.xlsx", "wrong.xlsx", "right.ipynb", "claims.ipynb"]


def test_a_class_gets_the_same_report_without_numpy(tmp_path: Path) -> None:
    result = same(tmp_path, homework(tmp_path))
    statuses = {file["file"]: file["status"] for file in result["files"]}
    assert statuses["right.xlsx"] == statuses["right.ipynb"] == "right"
    assert statuses["wrong.xlsx"] == "wrong"
    assert statuses["claims.ipynb"] in ("wrong", "unsupported")


def test_reports_are_kept_where_numpy_was_never_installed(tmp_path: Path) -> None:
    (name, *_), code = homework(tmp_path), AUDIT.replace("no_cache=True", "cache='kept'")
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", WITHOUT + UNHEARD_OF + code, name], cwd=tmp_path, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        kept = [path for path in (tmp_path / "kept").rglob("*") if path.is_file()]
    assert len(kept) == 1


def exercises(folder: Path) -> list[str]:
    """One that is filled in rightly, one with a mistake, one that is begun."""
    one, names = Exercise(preset("course"), "gradients", 6), []
    for name, change in (("right", "K"), ("wrong", "M"), ("begun", "")):
        path = write_book(one.book("Ada"), folder / f"{name}.xlsx")
        book = openpyxl.load_workbook(path)
        for column in one.empty_from if name != "begun" else ("dE/dw5",):
            for row in range(one.rows):
                text = "=" + one.formula(column, row)
                cell = book[one.sheet].cell(TOP + row + 1, one.column(column) + 1)
                cell.value = text.replace("*K", f"*{change}") if column == "dE/dw5" and change else text
        book.save(path)
        names.append(path.name)
    return names


def test_exercises_get_the_same_report_without_numpy(tmp_path: Path) -> None:
    result = same(tmp_path, exercises(tmp_path))
    assert {file["file"]: file["status"] for file in result["files"]} == {
        "right.xlsx": "right", "wrong.xlsx": "wrong", "begun.xlsx": "undecided",
    }  # fmt: skip


@pytest.mark.corpus
def test_the_workbooks_of_the_corpus_get_the_same_report_without_numpy(corpus_folder: Path) -> None:
    """A sample whose audit is quick; all of them: python tools/audit_page_check.py --plain."""
    folder = corpus_folder / "workbooks"
    result = same(folder, ["w01.xlsx", "w02_learningrate_1.0.xlsx", "w06.csv", "w08.xlsx", "w10.xlsx", "w18.xlsx"])
    assert {file["status"] for file in result["files"]} == {"right", "wrong"}
