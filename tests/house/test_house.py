"""The house as tools/house.py measures it: no circle, no late import, no name twice; each check is seen to fail."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tools.house import LARGEST_SHARE, SAME_MEANING, House, read

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def house() -> House:
    return read(ROOT / "src")


def test_no_import_runs_in_a_circle(house: House) -> None:
    assert house.circles == []


def test_imports_inside_functions_are_doors(house: House) -> None:
    assert house.late == []


def test_no_file_name_occurs_twice(house: House) -> None:
    assert house.repeated == {}


def test_a_name_that_may_repeat_is_justified() -> None:
    told = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert [name for name in SAME_MEANING if f"`{name}`" not in told] == []


def test_no_room_holds_more_than_a_quarter(house: House) -> None:
    limit = LARGEST_SHARE * house.lines
    assert {room: lines for room, lines in house.rooms.items() if lines > limit} == {}


def test_every_file_says_what_it_is(house: House) -> None:
    assert [module.path for module in house.modules.values() if not ast.get_docstring(module.tree)] == []


def small(folder: Path, **files: str) -> House:
    """A house of these files: `core__a="import ..."` is core/a.py."""
    for name, text in files.items():
        path = folder / "tinyproof" / f"{name.replace('__', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for package in [p for p in folder.rglob("*") if p.is_dir()]:
        if not (package / "__init__.py").exists():
            (package / "__init__.py").write_text("")
    return read(folder)


def test_a_circle_inside_a_function_is_seen(tmp_path: Path) -> None:
    late = "def f():\n    from tinyproof.core import a\n    return a\n"
    found = small(tmp_path, core__a="from tinyproof.core.b import x", core__b=late, core__c="import tinyproof.core.a")
    assert found.circles == [("tinyproof.core.a", "tinyproof.core.b")]


def test_a_relative_import_is_followed(tmp_path: Path) -> None:
    found = small(tmp_path, core__a="from . import b", core__b="from ..core.a import x")
    assert found.circles == [("tinyproof.core.a", "tinyproof.core.b")]


def test_a_chain_is_no_circle(tmp_path: Path) -> None:
    found = small(tmp_path, core__a="from tinyproof.core import b", core__b="from tinyproof.core import c", core__c="")
    assert found.circles == []


@pytest.mark.parametrize(
    ("files", "late"),
    [
        ({"core__a": "def f():\n    import torch\n"}, []),
        ({"core__a": "import torch\ndef f():\n    import torch\n"}, ["core/a.py:3 imports torch"]),
        ({"core__a": "def f():\n    import json\n"}, ["core/a.py:2 imports json"]),
        ({"core__a": "def f():\n    import resource\n"}, []),
        ({"core__a": "def f():\n    import tinyproof.core.b\n", "core__b": "import torch"}, []),
        (
            {"core__a": "def f():\n    import tinyproof.core.b\n", "core__b": "def g():\n    import torch\n"},
            ["core/a.py:2 imports tinyproof.core.b"],
        ),
        ({"cli__a": "def f():\n    import tinyproof.api.b\n", "api__b": ""}, []),
        (
            {"cli__a": "def f():\n    import tinyproof.core.b\n", "core__b": ""},
            ["cli/a.py:2 imports tinyproof.core.b"],
        ),
        (
            {
                "core__a": (
                    "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import torch\n"
                    "def f():\n    import torch\n"
                )
            },
            [],
        ),
    ],
    ids=[
        "a door", "no door any more", "nothing heavy", "one system's", "a door further in", "light at its start",
        "a command", "the core from a command", "for types only",
    ],
)  # fmt: skip
def test_what_is_a_door(files: dict[str, str], late: list[str], tmp_path: Path) -> None:
    assert small(tmp_path, **files).late == late


def test_a_repeated_name_and_a_long_call_are_seen(tmp_path: Path) -> None:
    calls = "f(1, 2, 3, 4, 5, 6, 7, 8)\nf(1, 2, 3, 4, 5, 6, 7)\nf(g(), g(), g(), g(), g(), g(), g(), g())\n"
    found = small(tmp_path, core__a=calls, show__a="")
    assert found.repeated == {"a.py": ["core/a.py", "show/a.py"]}
    assert found.long_calls == ["core/a.py:1 f(8)"]


def test_the_command_measures_and_names_what_is_wrong() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "house.py")],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": ""},
    )
    assert "circles of imports, those inside functions counted: 0" in done.stdout
