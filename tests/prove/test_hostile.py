"""Folders from strangers: whatever stands in their files, the answer is one line, never a traceback."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.prove.proving import call

from tinyproof.api.verify import verify
from tinyproof.core.errors import TinyproofError
from tinyproof.prove import proof
from tinyproof.prove.journal import history
from tinyproof.show import prove_page

Made = tuple[Path, "subprocess.CompletedProcess[str]"]
JUNK: list[Any] = [
    None,
    True,
    -1,
    0,
    1e308,
    -0.5,
    "",
    "x" * 500,
    "\x1b[31m",
    [],
    [[]],
    {},
    {"a": 1},
    10**30,
    "../../etc",
]
FILES = ("declared.json", "seed-11/run.json", "verdict.json")


def places(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in plain data, by its keys."""
    if path:
        yield path
    if isinstance(data, dict | list):
        for key in data if isinstance(data, dict) else range(len(data)):
            yield from places(data[key], (*path, key))


def broken(text: str, rng: random.Random) -> str:
    """The same JSON with one value replaced, one removed, or cut short."""
    way = rng.randrange(8)
    if way == 0:
        return text[: rng.randrange(len(text))]
    data = json.loads(text)
    path = rng.choice(list(places(data)))
    inner = data
    for key in path[:-1]:
        inner = inner[key]
    if way == 1:
        del inner[path[-1]]
    else:
        inner[path[-1]] = rng.choice(JUNK)
    return json.dumps(data)


@pytest.mark.parametrize("name", FILES)
def test_no_broken_record_makes_a_traceback(made: Made, tmp_path: Path, name: str) -> None:
    copy = Path(shutil.copytree(made[0], tmp_path / "copy"))
    text = (copy / name).read_text()
    rng = random.Random(name)
    said: list[str] = []
    for _ in range(100):
        (copy / name).write_text(broken(text, rng))
        try:
            verify(copy, weights=False)
            prove_page.page(proof.load(copy)) if rng.random() < 0.02 else proof.load(copy)
            history.read(copy)
        except TinyproofError as error:
            said.append(str(error))
    assert all(line.isprintable() for line in said)
    assert len(said) > 20 or name == "verdict.json"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda a: {**a, "predicted": a["predicted"].astype(np.int64)}, "does not hold predicted as uint8"),
        (lambda a: {**a, "labels": a["labels"][:-1]}, "does not hold labels"),
        (lambda a: {k: v[:0] for k, v in a.items()}, "no answers at all"),
        (lambda a: {**a, "labels": a["predicted"]}, "other labels than the declared"),
        (lambda a: {**a, "predicted": np.full_like(a["predicted"], 255)}, "answers class 255 where there are 10"),
        (lambda a: {**a, "confidence": a["confidence"] * np.float32("nan")}, "no probabilities"),
        (lambda a: {**a, "losses": a["losses"] - np.float32(1e30)}, "no probabilities"),
    ],
    ids=["other-type", "one-label-less", "empty", "other-labels", "class-255", "no-numbers", "huge"],
)
def test_no_broken_answers_make_a_traceback(made: Made, tmp_path: Path, change: Any, says: str) -> None:
    copy = Path(shutil.copytree(made[0], tmp_path / "copy"))
    path = copy / "seed-11" / "predictions.npz"
    with np.load(path) as arrays:
        changed = change(dict(arrays))
    np.savez(path, **changed)
    assert verify(copy, weights=False).exit_code == 1
    (copy / "report.html").unlink()
    done = call("prove", copy, "--dataset", "digits")
    assert "Traceback" not in done.stderr
    assert done.returncode == 2
    assert says in done.stderr


@pytest.mark.parametrize("words", [("prove",), ("verify",), ("report",), ("journal",)], ids=lambda words: words[0])
def test_a_folder_of_something_else_is_refused_in_one_line(tmp_path: Path, words: tuple[str, ...]) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "declared.json").write_text('{"format": "something else"}')
    done = call(*words, tmp_path / "other")
    assert done.returncode in (1, 2)
    assert "Traceback" not in done.stderr
    assert "something else" in done.stderr + done.stdout
