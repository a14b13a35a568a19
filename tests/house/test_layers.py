"""The house keeps its rules: layers, light imports, one door to each outside thing; and these checks can fail."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("torch", "scipy", "matplotlib", "openpyxl", "xlsxwriter", "pandas", "nbformat", "sklearn", "jinja2")


def heavy_imports(code: str) -> set[str]:
    """The heavy packages that a fresh interpreter has loaded after running `code`."""
    probe = f"import sys\n{code}\nprint('loaded:', *(m for m in {HEAVY!r} if m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split()[1:])


@pytest.mark.parametrize(
    "code", ["import tinyproof", "import tinyproof.cli", "import tinyproof.core.stats, tinyproof.core.workers"]
)
def test_imports_stay_light(code: str) -> None:
    assert heavy_imports(code) == set()


def test_help_stays_light() -> None:
    code = "import tinyproof.cli as c\ntry:\n    c.app(['--help'])\nexcept SystemExit:\n    pass"
    assert heavy_imports(code) == set()


def test_the_light_import_check_can_fail() -> None:
    assert heavy_imports("import tinyproof, scipy, openpyxl") == {"scipy", "openpyxl"}


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
    for layer in ("cli", "jobs", "check", "show", "backprop", "cnn", "core"):
        (package / layer).mkdir(parents=True)
        (package / layer / "__init__.py").write_text("")
    (package / "__init__.py").write_text("")
    assert lint(tmp_path).returncode == 0, lint(tmp_path).stdout
    (package / "backprop" / "__init__.py").write_text("import tinyproof.cnn\n")
    assert lint(tmp_path).returncode == 1
    (package / "backprop" / "__init__.py").write_text("")
    (package / "core" / "__init__.py").write_text("import tinyproof.jobs\n")
    assert lint(tmp_path).returncode == 1
