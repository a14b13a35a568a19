"""The command line's own manners: help, version, one line for a mistake, exit codes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import tinyproof

Cli = Callable[..., subprocess.CompletedProcess[str]]


def test_version(cli: Cli) -> None:
    done = cli("--version")
    assert (done.returncode, done.stdout) == (0, f"tinyproof {tinyproof.__version__}\n")


def test_help_names_every_command(cli: Cli) -> None:
    from tinyproof.cli import app

    done = cli("--help")
    names = [
        command.name or (command.callback.__name__ if command.callback else "") for command in app.registered_commands
    ]
    assert done.returncode == 0
    assert len(names) == len(set(names))
    for name in names:
        assert name in done.stdout


def test_an_unknown_command_exits_2_without_a_traceback(cli: Cli) -> None:
    done = cli("frobnicate")
    assert done.returncode == 2
    assert "frobnicate" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("error", "line", "code"),
    [
        ("InputError('epochs', 0, 'from 1')", "tinyproof: epochs: 0 is not allowed; allowed: from 1\n", 2),
        ("Stopped('stopped after epoch 3')", "tinyproof: stopped after epoch 3\n", 130),
        ("KeyboardInterrupt()", "tinyproof: stopped\n", 130),
        ("OSError(28, 'No space left on device', 'out/a')", "tinyproof: out/a: cannot be written: no space left", 2),
    ],
)
def test_a_mistake_is_one_line_and_an_exit_code(error: str, line: str, code: int) -> None:

    program = (
        "import tinyproof.cli as c\nfrom tinyproof.core.errors import *\n"
        f"def app(): raise {error}\nc.app = app\nc.main()"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == code
    assert done.stderr.startswith(line)
    assert done.stderr.count("\n") == 1


def test_ctrl_c_in_a_command_is_one_line() -> None:

    program = (
        "import sys\nimport tinyproof.cli as c\n@c.app.command('halt')\ndef halt(): raise KeyboardInterrupt\n"
        "sys.argv = ['tinyproof', 'halt']\nc.main()"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "tinyproof: stopped\n")


def test_ctrl_c_before_the_first_command_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "typer.py").write_text("raise KeyboardInterrupt")
    done = subprocess.run(
        [sys.executable, "-m", "tinyproof", "models"], capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "tinyproof: stopped\n")


def test_public_names_resolve() -> None:
    for name in tinyproof.__all__:
        assert getattr(tinyproof, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'frobnicate'"):
        _ = tinyproof.frobnicate


@pytest.mark.parametrize("name", ["data", "train", "prove"])
def test_a_room_does_not_take_the_place_of_the_verb_with_its_name(name: str) -> None:
    import importlib

    room = importlib.import_module(f"tinyproof.{name}")
    for _ in range(2):
        verb = getattr(tinyproof, name)
        assert callable(verb)
        assert verb.__name__ == name
        assert verb.__module__ == f"tinyproof.api.{name}"
    assert room.__name__ == f"tinyproof.{name}"
