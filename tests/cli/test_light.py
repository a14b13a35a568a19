"""`--help` stays quick because nothing heavy is imported; and the check that says so is seen to fail."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

HEAVY = ("torch", "scipy", "matplotlib", "pandas", "sklearn", "openpyxl", "jinja2", "numpy")
HELP = "import sys\nsys.argv = ['tinyproof', '--help']\nfrom tinyproof.cli import app\napp(standalone_mode=False)\n"


def loaded(program: str) -> list[str]:
    """Which heavy packages a program has imported when it ends."""
    tail = f"import sys\nprint('LOADED', *[n for n in {HEAVY!r} if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", f"{program}\n{tail}"], capture_output=True, text=True, check=True)
    return done.stdout.rpartition("LOADED")[2].split()


def test_help_imports_nothing_heavy() -> None:
    assert loaded(HELP) == []


def test_importing_the_package_imports_nothing_heavy() -> None:
    assert loaded("import tinyproof") == []


@pytest.mark.parametrize("package", ["torch", "scipy", "matplotlib"])
def test_the_check_of_imports_can_fail(package: str) -> None:
    assert package in loaded(f"{HELP}\nimport {package}")


def test_plain_data_parts_import_no_torch() -> None:
    training = ("recipe", "recipe_text", "run_record", "store", "augment", "schedule")
    names = ("network.budget", "data.dataset", "prove.verdict", *(f"train.{name}" for name in training))
    program = "\n".join(f"import tinyproof.{name}" for name in names)
    assert not {"torch", "scipy", "matplotlib"} & set(loaded(program))


@pytest.mark.skipif(sys.platform == "win32", reason="children's processor time is not told there")
def test_help_is_quick() -> None:
    """A ratio of processor times, both sides in one run: with torch alone it would take several times as long."""

    def seconds(program: str) -> float:
        best = float("inf")
        for _ in range(5):
            before = os.times()
            subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
            after = os.times()
            spent = after.children_user + after.children_system - before.children_user - before.children_system
            best = min(best, spent)
        return best

    assert seconds(HELP) < 0.4 * seconds(f"{HELP}\nimport torch")
