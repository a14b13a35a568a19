"""The documentation is executed, and the check that does it can fail."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tests.conftest import program

import tinyproof

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]

# What a page's commands need besides the package.
NEEDS = {"engineer.md": "arm-none-eabi-gcc"}


def check(path: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "tools" / "docs.py"), str(path)], capture_output=True, text=True, timeout=600
    )


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_example_is_as_it_says(path: Path) -> None:
    if path.name in NEEDS:
        program(NEEDS[path.name])
    done = check(path)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (
            "<!-- run: tinyproof --version -->\n```sh\ntinyproof --version\n```\n\n```text\ntinyproof 0.0.0\n```\n",
            "0.0.0",
        ),
        ("<!-- run: tinyproof --version -->\n```text\ntinyproof {version}\n```\n", "now      ```sh"),
        (
            "<!-- run: tinyproof --version -->\n```sh\ntinyproof\n```\n\n```text\ntinyproof {version}\n```\n",
            "out of date",
        ),
        (
            "<!-- run as markdown: tinyproof --version -->\ntinyproof {version}\n<!-- end -->\n",
            "line 3 is out of date",
        ),
        ("<!-- recorded: tinyproof models; a laptop -->\n```text\nold\n```\n", "now      ```sh"),
        ("<!-- run as markdown: tinyproof --version -->\nold\n<!-- end -->\n", "out of date"),
        ("<!-- run: tinyproof frobnicate -->\n```text\n```\n", "ended with 2, expected 0"),
        ("```python\nassert 1 == 2\n```\n", "AssertionError"),
        ("<!-- run: cat a -->\n```text\n```\n\n```python\nopen('a', 'w').close()\n```\n", "ended with 1, expected 0"),
        ("```pycon\n>>> 1 + 1\n3\n```\n", "the example differs"),
        ("```pycon\n>>> 1 / 0\n```\n", "ZeroDivisionError"),
        ("```sh\ntinyproof frobnicate x\n```\n", "no command 'frobnicate'"),
        ("![a picture](nowhere.png)\n", "leads nowhere"),
        ("<!-- recorded: tinyproof frobnicate; a laptop, today -->\n", "no command 'frobnicate'"),
    ],
)
def test_a_false_document_is_named(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "false.md"
    path.write_text(text.replace("{version}", tinyproof.__version__))
    done = check(path)
    assert done.returncode == 1
    assert complaint in done.stdout + done.stderr


def test_a_true_document_passes(tmp_path: Path) -> None:
    path = tmp_path / "true.md"
    path.write_text(
        "<!-- run: tinyproof --version -->\n```sh\ntinyproof --version\n```\n\n"
        f"```text\ntinyproof {tinyproof.__version__}\n```\n\n"
        "<!-- recorded: tinyproof models (of these); a laptop -->\n"
        "```sh\n# recorded: of these; a laptop\ntinyproof models\n```\n\n```text\nkept as it is\n```\n\n"
        "```python\nimport tinyproof\nprint(tinyproof.__version__, file=open('version', 'w'))\n```\n\n"
        "<!-- file: a.txt -->\n```text\nwritten here\n```\n\n"
        "<!-- run: cat a.txt -->\n```sh\ncat a.txt\n```\n\n```text\nwritten here\n```\n\n"
        f"<!-- run: cat version -->\n```sh\ncat version\n```\n\n```text\n{tinyproof.__version__}\n```\n\n"
        "```pycon\n>>> version = tinyproof.__version__\n```\n\n```pycon\n>>> len(version.split('.'))\n3\n```\n\n"
        "<!-- not run: it would fail -->\n```python\nraise SystemExit\n```\n"
    )
    done = check(path)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(("said", "fine"), [("tinyproof 12.34.5", True), ("tinyprof 0.1.0", False)])
def test_figures_may_be_others_where_the_mark_says_so(tmp_path: Path, said: str, fine: bool) -> None:
    path = tmp_path / "about.md"
    shown = "```sh\ntinyproof --version\n```\n\n"
    path.write_text(f"<!-- run about: tinyproof --version -->\n{shown}```text\n{said}\n```\n")
    assert (check(path).returncode == 0) is fine
    path.write_text(f"<!-- run: tinyproof --version -->\n{shown}```text\n{said}\n```\n")
    assert check(path).returncode == 1


def test_a_number_of_parameters_is_no_measured_figure(tmp_path: Path) -> None:
    """Where figures may be others, a count in a line of whole numbers is held; --write mends every figure."""
    command = "python -c \"print('right 98.3 % 0.1 s'); print('parameters 7,904 kept')\""
    path, text = tmp_path / "counts.md", f"<!-- run about: {command} -->\n```sh\n{command}\n```\n\n```text\n{{}}\n```\n"
    path.write_text(text.format("right 98.6 % 0.2 s\nparameters 7,904 kept"))
    assert check(path).returncode == 0
    path.write_text(text.format("right 98.6 % 0.2 s\nparameters 7,820 kept"))
    assert check(path).returncode == 1
    for said, kept in (("right 98.3 % 12.9 s", True), ("right 98.6 % 0.1 s", False)):
        path.write_text(text.format(f"{said}\nparameters 7,904 kept"))
        subprocess.run([sys.executable, str(ROOT / "tools" / "docs.py"), "--write", str(path)], check=True)
        assert (said in path.read_text()) is kept


def test_only_the_last_lines_where_the_mark_says_so(tmp_path: Path) -> None:
    path = tmp_path / "last.md"
    command = "tinyproof trace course --columns E_total"
    text = f"<!-- run last 1: {command} -->\n```sh\n{command}\n```\n\n```text\n...\n{{}}\n```\n"
    path.write_text(text.format("learning rate 0.5: E_total 0.0141814 at iteration 1, 0.000634492 at 100"))
    assert check(path).returncode == 0
    path.write_text(text.format("learning rate 0.5: E_total 0.0141814 at iteration 1, 0.1 at 100"))
    assert check(path).returncode == 1


def test_a_document_that_was_written_anew_stays(tmp_path: Path) -> None:
    """The command is put before its output once, long ones over several lines, and then nothing changes."""
    path = tmp_path / "new.md"
    long = "tinyproof workbook course --rates 0.5 --iterations 3 --style chain --csv numbers.csv --out a-long-name.xlsx"
    path.write_text(
        f"<!-- run: {long} -->\n```text\n```\n\n<!-- recorded: {long} -->\n```text\nkept\n```\n\n"
        "<!-- run as markdown: tinyproof --version -->\n<!-- end -->\n"
    )
    written = [sys.executable, str(ROOT / "tools" / "docs.py"), "--write", str(path)]
    subprocess.run(written, check=True, capture_output=True)
    once = path.read_text()
    assert once.count("```sh\ntinyproof workbook course --rates 0.5") == 2
    assert once.count(" \\\n    --") == 2
    assert "*Printed by `tinyproof --version`.*\n<!-- end -->" in once
    assert check(path).returncode == 0
    subprocess.run(written, check=True, capture_output=True)
    assert path.read_text() == once
