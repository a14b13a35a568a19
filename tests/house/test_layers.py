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


def test_an_import_that_runs_upwards_breaks_the_contract(tmp_path: Path) -> None:
    """The layer contract of pyproject.toml, held against a small house with one wrong arrow."""
    (tmp_path / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    package = tmp_path / "src" / "tinyproof"
    for layer in ("cli", "api", "show", "prove", "check", "train", "network", "data", "backprop", "core"):
        (package / layer).mkdir(parents=True)
        (package / layer / "__init__.py").write_text("")
    (package / "__init__.py").write_text("")
    assert lint(tmp_path).returncode == 0, lint(tmp_path).stdout
    (package / "backprop" / "__init__.py").write_text("import tinyproof.network\n")
    assert lint(tmp_path).returncode == 1
    (package / "backprop" / "__init__.py").write_text("")
    (package / "core" / "__init__.py").write_text("import tinyproof.api\n")
    assert lint(tmp_path).returncode == 1
