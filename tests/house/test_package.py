"""The package as it is published: built, checked, built again byte for byte; and the check is seen to fail."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hatch_build import absolute
from tools.package import build, faults, held_faults, link_faults, metadata, rebuilt_faults, tool_faults
from tools.release import version

ROOT = Path(__file__).resolve().parents[2]
PARTS = (
    "pyproject.toml", "hatch_build.py", "README.md", "LICENSE", ".gitignore", "src", "tools", "tests/conftest.py",
    "docs/prove.md",
)  # fmt: skip
pytestmark = pytest.mark.xdist_group("package")  # the tree is built once


def copy(folder: Path) -> Path:
    """The project without what is large: enough to build it."""
    for part in PARTS:
        source, target = ROOT / part, folder / part
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
        else:
            shutil.copy2(source, target)
    return folder


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Wheel and sdist of the whole tree."""
    return build(ROOT, tmp_path_factory.mktemp("dist"), "wheel", "sdist")


def test_the_package_is_well_made(made: list[Path]) -> None:
    assert faults(*made) == []


def test_the_wheel_holds_the_package_and_nothing_else(made: list[Path]) -> None:
    kept = [path for path in (ROOT / "src").rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    there = {str(path.relative_to(ROOT / "src")) for path in kept if "tinyproof.egg-info" not in path.parts}
    notes = {f"tinyproof-{version()}.dist-info/{name}" for name in ("METADATA", "RECORD", "WHEEL", "entry_points.txt")}
    with zipfile.ZipFile(made[0]) as archive:
        assert set(archive.namelist()) == there | notes | {f"tinyproof-{version()}.dist-info/licenses/LICENSE"}


def test_the_sdist_holds_every_file_that_is_kept(made: list[Path]) -> None:
    """Whoever has it alone can run the tests and read the documentation."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("no git here: which files are kept is not known")
    with tarfile.open(made[1]) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    assert {name for name in listed.stdout.splitlines() if (ROOT / name).is_file()} - held == {".gitattributes"}


def test_what_the_metadata_say(made: list[Path]) -> None:
    text = metadata(made[0])
    lines = text.partition("\n\n")[0].splitlines()
    for line in (
        f"Version: {version()}",
        "Author: The tinyproof authors",
        "License-Expression: MIT",
        "License-File: LICENSE",
        "Provides-Extra: charts",
    ):
        assert line in lines
    needed = {
        re.split("[<>]", line.split()[1])[0] for line in lines if line.startswith("Requires-Dist: ") and ";" not in line
    }
    assert needed == {"numpy", "openpyxl", "defusedxml", "xlsxwriter", "typer", "rich", "jinja2", "platformdirs"}
    assert "# tinyproof\n" in text


def test_the_time_is_the_one_that_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree = copy(tmp_path / "tree")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    wheel, sdist = build(tree, tmp_path / "dist", "wheel", "sdist")
    with zipfile.ZipFile(wheel) as archive:
        assert {entry.date_time[:3] for entry in archive.infolist()} == {(2023, 11, 14)}
    assert list(rebuilt_faults(wheel, sdist)) == []
    assert build(tree, tmp_path / "again", "sdist")[0].read_bytes() == sdist.read_bytes()


def replaced(name: str, old: str, new: str) -> Callable[[Path], None]:
    def change(tree: Path) -> None:
        text = (tree / name).read_text(encoding="utf-8")
        assert old in text
        (tree / name).write_text(text.replace(old, new), encoding="utf-8")

    return change


Check = Callable[[Path, Path], Iterator[str]]
AS_IT_IS = ("return _CODE_OR_LINK.sub(changed, readme)", "return readme")
TWO = ('packages = ["src/tinyproof"]', 'packages = ["src/tinyproof", "tests"]')
BROKEN: dict[str, tuple[Callable[[Path], None], Check, str]] = {
    "links as they are": (replaced("hatch_build.py", *AS_IT_IS), link_faults, "a relative link: ](docs/"),
    "no description": (replaced("hatch_build.py", "= absolute(", '= "" and absolute('), tool_faults, "twine: "),
    "no tests": (replaced("pyproject.toml", '"/tests", ', ""), held_faults, "does not hold tests/conftest.py"),
    "less in the sdist": (
        replaced("pyproject.toml", "include = [", 'exclude = ["*.css"]\ninclude = ['), rebuilt_faults, "another wheel",
    ),
    "tests beside the package": (replaced("pyproject.toml", *TWO), tool_faults, "check_wheel_contents: "),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_badly_made_is_named(name: str, tmp_path: Path) -> None:
    change, check, told = BROKEN[name]
    tree = copy(tmp_path / "tree")
    change(tree)
    found = list(check(*build(tree, tmp_path / "dist", "wheel", "sdist")))
    assert any(told in fault for fault in found), found


def test_with_an_address_every_link_and_picture_leads_there(tmp_path: Path) -> None:
    tree = copy(tmp_path / "tree")
    source = "https://example.org/us/tinyproof"
    replaced("pyproject.toml", "[tool.hatch.version]", f'[project.urls]\nSource = "{source}/"\n\n[tool.hatch.version]')(
        tree
    )
    text = metadata(build(tree, tmp_path / "dist", "wheel")[0])
    assert f"Project-URL: Source, {source}/" in text
    assert f"]({source}/raw/v{version()}/docs/images/page.png)" in text
    assert f"]({source}/blob/v{version()}/docs/class.md)" in text
    assert "](docs/" not in text


@pytest.mark.parametrize(
    ("text", "with_address", "without"),
    [
        ("[a](b.md#c)", "[a](https://h/blob/v1/b.md#c)", "a"),
        ("![a `b` c](d.svg)", "![a `b` c](https://h/raw/v1/d.svg)", "*Picture: a `b` c*"),
        ("[a](https://x.org/b)", "[a](https://x.org/b)", "[a](https://x.org/b)"),
        ("[a](#b)", "[a](#b)", "[a](#b)"),
        ("`[a](b)` and [c](d)", "`[a](b)` and [c](https://h/blob/v1/d)", "`[a](b)` and c"),
        ("```sh\n[a](b)\n```\n[c](d)", "```sh\n[a](b)\n```\n[c](https://h/blob/v1/d)", "```sh\n[a](b)\n```\nc"),
    ],
)  # fmt: skip
def test_only_relative_links_change(text: str, with_address: str, without: str) -> None:
    assert absolute(text, "https://h", "v1") == with_address
    assert absolute(text, "", "v1") == without


@pytest.fixture
def unpacked(made: list[Path], tmp_path: Path) -> Path:
    with tarfile.open(made[1]) as archive:
        archive.extractall(tmp_path, filter="data")
    return next(path for path in tmp_path.iterdir() if path.name.startswith("tinyproof-"))


def test_the_tests_run_from_the_sdist(unpacked: Path) -> None:
    words = ["-q", "-p", "no:cacheprovider", "tests/core/test_stats.py", "src/tinyproof/core"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *words], cwd=unpacked, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(unpacked / "src")},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
