"""Files from strangers: bounded, never executed, one clear line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests import peak_memory

from tinyproof.check.notebook import audit_notebook
from tinyproof.check.notebook.read.document import read_document
from tinyproof.check.notebook.study import study
from tinyproof.core.errors import InputError

from .books import style, write

NO_ANSWER = ("undecided", "nothing to judge")


def notebook(folder: Path, source: str, output: object = "") -> Path:
    cell = {
        "cell_type": "code",
        "source": source,
        "execution_count": 1,
        "outputs": [{"output_type": "stream", "text": output}],
    }
    path = folder / "hostile.ipynb"
    path.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]}))
    return path


def test_nothing_is_executed(tmp_path: Path) -> None:
    victim = tmp_path / "victim.txt"
    victim.write_text("keep me")
    (tmp_path / "helper.py").write_text(f"import os\nos.remove({str(victim)!r})\n")
    source = f"import helper\nfrom helper import *\nimport os\nos.remove({str(victim)!r})\n!rm -rf {tmp_path}\n"
    audit_notebook(notebook(tmp_path, source + f"exec('import os; os.remove({str(victim)!r})')"))
    assert victim.read_text() == "keep me"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "the file is empty"),
        (b"not json", "damaged"),
        (b"[1, 2]", "no list of cells"),
        (b'{"cells": 3}', "no list of cells"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a":' * 100_000, "nested too deeply"),
        (b"[" + b"[]," * 3_000_000, "JSON values"),
        (b'{"cells": [' + b"{}," * 6_000 + b"{}]}", "more than"),
        (b"\x00\xff\xfe" * 1000, "damaged"),
    ],
    ids=["empty", "text", "list", "no cells", "deep list", "deep dict", "wide", "many cells", "binary"],
)
def test_a_damaged_notebook_gives_one_line(content: bytes, problem: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.ipynb"
    path.write_bytes(content)
    report = audit_notebook(path)
    assert report.status == "unreadable"
    assert problem in report.problem
    assert "\n" not in report.problem


def test_a_notebook_of_100_mb_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.ipynb"
    with path.open("wb") as file:
        file.truncate(100_000_000)
    report = audit_notebook(path)
    assert report.status == "unreadable"
    assert "larger than" in report.problem


@pytest.mark.parametrize(
    "source",
    [
        "x = 1\n" * 170_000,
        "x = " + "(" * 50_000,
        "x = " + "-" * 150_000 + "1",
        "x = " + "1 + " * 40_000 + "1",
        "f(" * 20_000,
        "x = [" + "[1]," * 40_000 + "]",
        "if a:\n" + "\n".join(" " * i + "if a:" for i in range(1, 300)),
        "class A(A): pass\nx = A()\n" * 200,
        "def f(): return f()\nf()\n" * 100,
        "def f(n):\n    return f(n) + f(n)\nf(1)\n",
        "x = 9**9**9**9\ny = 'a' * 10**12\nz = [0] * 10**12\n",
        "x = 1 << 10**10\n",
        "\x00\x01\x02",
        "while True: pass\nfor i in iter(int, 1): pass",
        "def f(x, *y, **z): f(*y, **z)\nf(f, f, a=f)\nlambda: (yield)\n",
    ],
    ids=[
        "a million characters",
        "open brackets",
        "signs",
        "a long sum",
        "calls",
        "lists",
        "indents",
        "own base",
        "recursion",
        "double recursion",
        "powers",
        "shift",
        "control characters",
        "endless loops",
        "stars",
    ],
)
def test_a_hostile_cell_is_survived(source: str, tmp_path: Path) -> None:
    report = audit_notebook(notebook(tmp_path, source))
    assert report.status in NO_ANSWER
    assert report.problem


def doubling(levels: int) -> str:
    """A program that is `levels` functions long and 2 to that power steps deep."""
    calls = "".join(f"def f{i}():\n    f{i - 1}()\n    f{i - 1}()\n" for i in range(1, levels + 1))
    return f"def f0():\n    pass\n{calls}f{levels}()\n"


def test_reading_ends_after_a_budget_of_steps(tmp_path: Path) -> None:
    source = doubling(16) + "x = 'not reached'\n"
    subject = study(read_document(notebook(tmp_path, source)))
    assert subject.events.exhausted
    assert "x" not in subject.scope.names


def test_a_long_program_within_the_budget_is_read_to_its_end(tmp_path: Path) -> None:
    subject = study(read_document(notebook(tmp_path, doubling(14) + "x = 'reached'\n")))
    assert not subject.events.exhausted
    assert "x" in subject.scope.names


@pytest.mark.parametrize(
    "output",
    ["\x00\xff" * 10_000, ["a", 3, None], {"a": 1}, 7, "\r" * 2_000_000],
    ids=["binary", "mixed", "dict", "number", "returns"],
)
def test_a_strange_output_is_survived(output: object, tmp_path: Path) -> None:
    assert audit_notebook(notebook(tmp_path, "x = 1", output)).status in NO_ANSWER


@pytest.mark.parametrize(
    "cells",
    [
        [3],
        ["a"],
        [None],
        [{"cell_type": "code"}],
        [{"source": [1, 2]}],
        [{"cell_type": "code", "outputs": [1, {"data": 3}]}],
    ],
)
def test_strange_cells_are_survived(cells: list[object], tmp_path: Path) -> None:
    path = tmp_path / "strange.ipynb"
    path.write_text(json.dumps({"cells": cells}))
    assert audit_notebook(path).status == "nothing to judge"


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert audit_notebook(tmp_path / "none.ipynb").problem == "no such file"


def test_an_unknown_rule_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no-such-rule"):
        audit_notebook(tmp_path / "a.ipynb", ["no-such-rule"])


def test_modules_that_import_each_other_end(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("from b import *\nfrom a import *\nx = 1\n")
    (tmp_path / "b.py").write_text("from a import *\nimport b\n")
    assert audit_notebook(notebook(tmp_path, "from a import *\nprint(x)")).status == "nothing to judge"


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    (tmp_path / "secret.py").write_text("x = 1")
    (inside / "helper.py").symlink_to(tmp_path / "secret.py")
    subject = study(read_document(notebook(inside, "from helper import *")))
    assert subject.events.missing_modules == ["helper"]


def test_torch_is_not_imported(tmp_path: Path) -> None:
    path = write(style("functions"), tmp_path)
    code = (
        "import sys; from tinyproof.check.notebook import audit_notebook; "
        f"audit_notebook({str(path)!r}); heavy = {{'torch', 'nbformat', 'matplotlib', 'scipy'}}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"


GROWING = {
    "dicts handed on": "d = {" + ", ".join(f"'k{i}': {i}" for i in range(3_000)) + "}\n"
    "import torch\nkept = []\ndef f():\n    kept.append(torch.nn.Linear(**d))\n    kept.append({**d})\n"
    + "f()\n"
    * 20_000,
    "dicts copied": "d = {'a': 1}\n" + "".join(f"d{i} = dict(d{i - 1 if i else ''}, k{i}={i})\n" for i in range(4_000)),
    "dicts of several ways": "a = {'x': 1}\n"
    + "".join(f"if u{i}:\n    a = {{**a, 'k{i}': a}}\n" for i in range(3_000)),
    "lists doubled": "x = [1]\n" + "x = x + x\n" * 60 + "for i in range(40):\n    x = x + x\n",
    "lists copied": "x = ["
    + ", ".join(["1"] * 2_000)
    + "]\nkept = []\ndef f():\n    kept.append([*x])\n"
    + "f()\n" * 20_000,
    "texts": "s = '" + "q" * 9_000 + "'\nkept = []\ndef f():\n    kept.append(s + 'z')\n" + "f()\n" * 20_000,
    "long ranges": "a = list(range(10**12))\nb = [0] * 10**12\nc = 'x' * 10**12\nd = {i: i for i in range(10**9)}\n",
}
MOST_MEGABYTES = 150  # measured: 22 to 97, most of it the interpreter and this package


@peak_memory.readable
@pytest.mark.parametrize("name", GROWING)
def test_what_grows_without_end_is_bounded_in_memory(name: str, tmp_path: Path) -> None:
    path = tmp_path / "main.py"
    path.write_text(GROWING[name])
    program = (
        "import sys\nfrom pathlib import Path\nfrom tinyproof.check.notebook import audit_notebook\n"
        "audit_notebook(Path(sys.argv[1]))\n"
    )
    assert peak_memory.peak_bytes(program, str(path)) / 2**20 < MOST_MEGABYTES
