"""What the base installation does, in an interpreter that has what pyproject.toml names without extras and no more."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
import venv
from collections.abc import Callable, Iterator
from importlib.metadata import Distribution, distribution
from pathlib import Path

import openpyxl
import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
Base = Callable[..., subprocess.CompletedProcess[str]]
ABSENT = ("scipy", "matplotlib", "torch", "sklearn", "PIL", "safetensors", "pooch")
pytestmark = pytest.mark.xdist_group("base")  # one interpreter for all


def needed(requirement: str, found: dict[str, Distribution]) -> None:
    """Add a distribution and all that it needs without extras."""
    asked = Requirement(requirement)
    if asked.name.lower() in found or (asked.marker and not asked.marker.evaluate({"extra": ""})):
        return
    found[asked.name.lower()] = distribution(asked.name)
    for more in found[asked.name.lower()].requires or ():
        needed(more, found)


def tops(one: Distribution) -> Iterator[Path]:
    """What a distribution laid into site-packages: folders and files at the top."""
    for name in {file.parts[0] for file in one.files or ()} - {"..", "__pycache__"}:
        yield Path(str(one.locate_file(name)))


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Base:
    """Run `tinyproof` in a virtual environment that links to the base dependencies and to nothing else."""
    place = tmp_path_factory.mktemp("base") / "venv"
    venv.create(place, symlinks=os.name != "nt")
    python = place / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    found: dict[str, Distribution] = {}
    for requirement in tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]:
        needed(requirement, found)
    site = next(place.rglob("site-packages"))
    for path in {path for one in found.values() for path in tops(one)}:
        (site / path.name).symlink_to(path, target_is_directory=path.is_dir())
    (site / "tinyproof.pth").write_text(f"{ROOT / 'src'}\n")

    def run(*words: object, cwd: Path | None = None, code: str = "") -> subprocess.CompletedProcess[str]:
        called = ["-c", code] if code else ["-m", "tinyproof", *map(str, words)]
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        return subprocess.run(
            [python, *called], cwd=cwd, capture_output=True, text=True, env={**environment, "NO_COLOR": "1"}
        )

    return run


def test_what_is_absent_cannot_be_imported(base: Base) -> None:
    code = f"import importlib.util as u; print([n for n in {ABSENT!r} if u.find_spec(n)], u.find_spec('numpy') is None)"
    assert base(code=code).stdout.strip() == "[] False"


def test_a_workbook_is_written_and_says_that_it_has_no_drawing(base: Base, cli: Base, tmp_path: Path) -> None:
    done = base("workbook", "course", "--out", "base.xlsx", "--csv", "base.csv", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    wrote, table, undrawn, *_ = done.stdout.splitlines()
    assert (wrote, table) == ("wrote base.xlsx", "wrote base.csv")
    assert undrawn == (
        "the network is not drawn in it: drawing a picture needs matplotlib, which is not installed; install it with: "
        "pip install 'tinyproof[charts]'"
    )
    assert cli("workbook", "course", "--out", tmp_path / "all.xlsx").returncode == 0
    mine, whole = openpyxl.load_workbook(tmp_path / "base.xlsx"), openpyxl.load_workbook(tmp_path / "all.xlsx")
    assert (len(mine["overview"]._images), len(whole["overview"]._images)) == (0, 1)
    assert mine.sheetnames == whole.sheetnames
    for sheet in whole.sheetnames:
        assert [*mine[sheet].iter_rows(values_only=True)] == [*whole[sheet].iter_rows(values_only=True)]


def test_a_workbook_and_a_notebook_are_audited_as_anywhere(base: Base, tmp_path: Path) -> None:
    subprocess.run([sys.executable, ROOT / "tools" / "homework.py", tmp_path / "homework.xlsx"], check=True)
    shutil.copy(ROOT / "examples" / "train-digits.ipynb", tmp_path)
    for name in ("homework.xlsx", "train-digits.ipynb"):
        here = base("audit", name, cwd=tmp_path)
        words = [sys.executable, "-m", "tinyproof", "audit", name]
        there = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True)
        assert (here.returncode, here.stdout) == (there.returncode, there.stdout)
        assert here.stdout.startswith(name)


WORK = (
    ("derive",), ("trace", "xor"), ("sweep",), ("page", "--out", "page.html"), ("draw", "course", "--out", "a.svg"),
    ("data",), ("verify", ROOT / "records" / "fast.zip", "--no-weights"),
)  # fmt: skip


@pytest.mark.parametrize("words", WORK, ids=lambda words: str(words[0]))
def test_what_needs_no_extra_works(words: tuple[object, ...], base: Base, tmp_path: Path) -> None:
    done = base(*words, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


REFUSED = (
    (("draw", "course", "--out", "a.png"), "drawing a picture needs matplotlib", "charts"),
    (("sweep", "--out", "rates"), "drawing a picture needs matplotlib", "charts"),
    (("report", ROOT / "records" / "fast.zip"), "a page with charts needs matplotlib", "charts"),
    (("train", "s7-8k"), "training needs torch", "train"),
    (("prove", "s7-8k", "--dataset", "digits"), "training needs torch", "train"),
    (("run",), "training needs torch", "train"),
)


@pytest.mark.parametrize(("words", "what", "extra"), REFUSED, ids=[str(words[0]) for words, *_ in REFUSED])
def test_what_needs_an_extra_says_which_and_leaves_nothing(
    words: tuple[object, ...], what: str, extra: str, base: Base, tmp_path: Path
) -> None:
    done = base(*words, cwd=tmp_path)
    told = f"tinyproof: {what}, which is not installed; install it with: pip install 'tinyproof[{extra}]'\n"
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == told
    assert list(tmp_path.iterdir()) == []
