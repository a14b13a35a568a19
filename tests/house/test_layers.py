"""The house keeps its layers, and the check that says so can fail."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as m; m()", "--no-cache"],
        cwd=folder,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(folder / "src"), "PATH": "/usr/bin:/bin"},
    )


CHECKS = ("workbook", "notebook", "classes", "logs", "prose", "prose_words", "log_lines", "code", "finding", "facts")
ROOMS = ("cli", "api", "show", "search", "prove", "check", "ship", "train", "network", "data", "backprop", "core")


def small(folder: Path) -> Path:
    """A house with every room empty, under the contracts of this one; its package."""
    (folder / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    package = folder / "src" / "tinyproof"
    for room in ROOMS:
        (package / room).mkdir(parents=True)
        (package / room / "__init__.py").write_text("")
    for check in CHECKS:
        (package / "check" / f"{check}.py").write_text("")
    for module in ("__init__", "__main__", "_moved"):
        (package / f"{module}.py").write_text("")
    return package


def test_an_import_that_runs_upwards_breaks_the_contract(tmp_path: Path) -> None:
    """The layer contract of pyproject.toml, held against a small house with one wrong arrow."""
    package = small(tmp_path)
    assert lint(tmp_path).returncode == 0, lint(tmp_path).stdout
    (package / "backprop" / "__init__.py").write_text("import tinyproof.network\n")
    assert lint(tmp_path).returncode == 1
    (package / "backprop" / "__init__.py").write_text("")
    (package / "core" / "__init__.py").write_text("import tinyproof.api\n")
    assert lint(tmp_path).returncode == 1


def test_code_that_is_read_with_a_thought_of_notebooks_breaks_the_contract(tmp_path: Path) -> None:
    package = small(tmp_path)
    (package / "check" / "code.py").write_text("import tinyproof.check.notebook\n")
    done = lint(tmp_path)
    assert done.returncode == 1
    assert "Checking: " in done.stdout


def test_a_room_that_nobody_named_breaks_the_contract(tmp_path: Path) -> None:
    package = small(tmp_path)
    (package / "attic").mkdir()
    (package / "attic" / "__init__.py").write_text("")
    done = lint(tmp_path)
    assert done.returncode == 1
    assert "attic" in done.stdout


def test_two_files_that_need_each_other_break_the_contract(tmp_path: Path) -> None:
    package = small(tmp_path)
    (package / "core" / "a.py").write_text("def f():\n    import tinyproof.core.b\n")
    (package / "core" / "b.py").write_text("import tinyproof.core.a\n")
    done = lint(tmp_path)
    assert done.returncode == 1
    assert "No circle" in done.stdout
