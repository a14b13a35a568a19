"""The result as JSON is what its schema says, of every kind of file; and the schema refuses what it should."""

from __future__ import annotations

import json
from copy import deepcopy
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from tests.classes.invented import make
from tests.notebook.books import style
from tests.notebook.books import write as write_notebook

from tinyproof.api.audit import audit
from tinyproof.check.classes.class_changes import earlier_result
from tinyproof.check.finding import RESULT_SCHEMA, STATUSES

SCHEMA = json.loads(files("tinyproof.check").joinpath("result.schema.json").read_text(encoding="utf-8"))
VALID = Draft202012Validator(SCHEMA)


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Right and wrong workbooks, notebooks, an archive, nonsense, a script, a text, shared work, and what changed."""
    folder = tmp_path_factory.mktemp("class")
    truth = make(folder, 30)
    for name in ("yan", "zoe"):
        write_notebook(style("functions"), folder / name)
    (folder / "xia").mkdir()
    (folder / "xia" / "README.md").write_text("# Net\nThe accuracy on the test set is 99.41 %.\n")
    (folder / "wim").mkdir()
    (folder / "wim" / "train.py").write_text("import torch\nnet = torch.nn.Linear(2, 1)\nnet(x).backward()\n")
    first = audit(folder, quiet=True).to_json()
    before = folder.parent / "before.json"
    before.write_text(json.dumps(first))
    (folder / "student01" / "backprop.xlsx").unlink()
    write_notebook(style("classes"), folder / "zoe")
    found = audit(folder, quiet=True, since=before).to_json()
    assert len(truth) == 30
    return json.loads(json.dumps(found))


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["properties"]["schema"]["const"] == RESULT_SCHEMA
    assert set(SCHEMA["$defs"]["status"]["enum"]) == set(STATUSES)


def test_a_result_is_what_the_schema_says(result: Any) -> None:
    assert [error.message for error in VALID.iter_errors(result)] == []
    assert {file["type"] for file in result["files"]} >= {"workbook", "notebook", "script", "text"}
    assert {kind["kind"] for kind in result["shared"]} >= {"logs", "code"}
    assert {change["now"] == "" for change in result["changes"]} == {True, False}
    assert any("sheet" in finding for file in result["files"] for finding in file["findings"])
    assert any("rule" in finding for file in result["files"] for finding in file["findings"])


def test_a_result_can_be_compared_with_later_ones(result: Any, tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    path.write_text(json.dumps(result))
    assert len(earlier_result(path)) == len(result["files"]) + len(result["left_out"])


@pytest.mark.parametrize(
    "at",
    [
        ("schema",), ("files", 0, "status"), ("files", 0, "findings"), ("counts",), ("left_out", 0, "why"),
        ("shared", 0, "kind"), ("shared", 0, "places"), ("changes", 0, "was"), ("files", 0, "file"),
    ],
)  # fmt: skip
def test_what_is_missing_or_of_another_kind_is_refused(result: Any, at: tuple[Any, ...]) -> None:
    for broken in (None, "no word of it", 7):
        other = deepcopy(result)
        place = other
        for key in at[:-1]:
            place = place[key]
        del place[at[-1]]
        assert not VALID.is_valid(other), at
        if isinstance(broken, str) and at[-1] in ("why", "was", "file"):
            continue
        place[at[-1]] = broken
        assert not VALID.is_valid(other), (at, broken)


@pytest.mark.parametrize("at", [(), ("files", 0), ("shared", 0), ("changes", 0)])
def test_a_field_that_is_not_described_is_refused(result: Any, at: tuple[Any, ...]) -> None:
    other = deepcopy(result)
    place = other
    for key in at:
        place = place[key]
    place["more"] = 1
    assert not VALID.is_valid(other)
