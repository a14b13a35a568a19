"""`tinyproof page` and its Python twin: one file, or one line that says what is wrong."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

import tinyproof
from tinyproof.backprop.presets import PRESETS, preset
from tinyproof.backprop.toml import to_toml
from tinyproof.core.errors import InputError, OutputError

Call = Callable[..., subprocess.CompletedProcess[str]]


def test_the_command_writes_one_file(cli: Call, tmp_path: Path) -> None:
    out = tmp_path / "a" / "page.html"
    done = cli("page", "xor", "--out", out, "-n", 20, "--rate", 0.3)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"wrote {out}: one file that needs no network")
    text = out.read_text(encoding="utf-8")
    assert '"iterations": 20' in text
    assert '"learning_rate": 0.3' in text
    assert [path.name for path in out.parent.iterdir()] == ["page.html"]


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["nosuch"], "network: 'nosuch' is not allowed"),
        (["--iterations", 0], "iterations: 0 is not allowed; allowed: a whole number from 1 to 10,000"),
        (["--rate", "nan"], "learning rate: nan is not allowed"),
        (["--rate", "-1"], "learning rate: -1.0 is not allowed"),
        (["random:11-2-1:1"], "network: '11 units in a layer' is not allowed; allowed: at most 10 on a page"),
        (["--out", "/dev/null/x.html"], "/dev/null/x.html: cannot be written"),
    ],
)
def test_a_wrong_command_gets_one_line(cli: Call, tmp_path: Path, arguments: list[object], line: str) -> None:
    done = cli("page", *(arguments if "--out" in arguments else [*arguments, "--out", tmp_path / "x.html"]))
    assert done.returncode == 2
    assert done.stderr.startswith(f"tinyproof: {line}")
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", PRESETS)
def test_the_twin_takes_a_name_a_network_and_a_file_alike(tmp_path: Path, name: str) -> None:
    file = tmp_path / "net.toml"
    file.write_text(to_toml(preset(name)), encoding="utf-8")
    pages = [
        tinyproof.page(net, tmp_path / f"{k}.html", iterations=7) for k, net in enumerate((name, preset(name), file))
    ]
    assert len({page.path.read_bytes() for page in pages}) == 1


def test_a_page_that_cannot_be_made_leaves_the_old_one(tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    out.write_text("old")
    with pytest.raises(InputError, match="iterations"):
        tinyproof.page("course", out, iterations=-1)
    assert out.read_text() == "old"
    with pytest.raises(OutputError, match="a folder of that name is in the way"):
        tinyproof.page("course", tmp_path)
