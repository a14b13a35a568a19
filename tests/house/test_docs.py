"""The documentation is executed, and the check that does it can fail."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def check(path: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "tools" / "docs.py"), str(path)], capture_output=True, text=True, timeout=600
    )


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_example_is_as_it_says(path: Path) -> None:
    done = check(path)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("<!-- run: tinyproof --version -->\n```text\ntinyproof 0.0.0\n```\n", "out of date"),
        ("<!-- run as markdown: tinyproof --version -->\nold\n<!-- end -->\n", "out of date"),
        ("<!-- run: tinyproof frobnicate -->\n```text\n```\n", "ended with 2, expected 0"),
        ("```python\nassert 1 == 2\n```\n", "AssertionError"),
        ("```pycon\n>>> 1 + 1\n3\n```\n", "the example differs"),
        ("```pycon\n>>> 1 / 0\n```\n", "ZeroDivisionError"),
        ("```sh\ntinyproof frobnicate x\n```\n", "no command 'frobnicate'"),
        ("![a picture](nowhere.png)\n", "leads nowhere"),
        ("<!-- recorded: tinyproof frobnicate; a laptop, today -->\n", "no command 'frobnicate'"),
    ],
)
def test_a_false_document_is_named(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "false.md"
    path.write_text(text)
    done = check(path)
    assert done.returncode == 1
    assert complaint in done.stdout + done.stderr


def test_a_true_document_passes(tmp_path: Path) -> None:
    import tinyproof

    path = tmp_path / "true.md"
    path.write_text(
        f"<!-- run: tinyproof --version -->\n```text\ntinyproof {tinyproof.__version__}\n```\n\n"
        "```python\nimport tinyproof\nassert tinyproof.__version__\n```\n\n"
        "```pycon\n>>> version = tinyproof.__version__\n```\n\n```pycon\n>>> len(version.split('.'))\n3\n```\n\n"
        "<!-- not run: it would fail -->\n```python\nraise SystemExit\n```\n"
    )
    done = check(path)
    assert done.returncode == 0, done.stdout + done.stderr
