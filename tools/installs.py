"""Install the built package in every way that the documentation names, each into an empty place; say MB and seconds.

    python tools/package.py && python tools/installs.py dist/*.whl
    python tools/installs.py dist/*.whl --python python3.12 --python python3.13

The ways are `pip`, `pipx` and `uvx`; one whose program is not on the path is said to be missing. Nothing is taken from
a cache, so everything is fetched (pipx installs with uv, where that is on the path). MB: what `du` finds afterwards and
not before (pip and setuptools, which a virtual environment may begin with, are not counted). Then the sheet of
tools/homework.py is audited, as the first thing that the new installation does; its answer must name the mistake.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Found:
    """One installation: MB on the disk, seconds to install and seconds of the first audit."""

    megabytes: float
    install: float
    audit: float


def timed(words: list[str | Path], folder: Path, expected: int = 0, **more: str) -> float:
    """Run a command in a folder, with these further settings; its seconds. Another exit code ends everything."""
    began = time.perf_counter()
    done = subprocess.run(words, cwd=folder, env={**os.environ, **more}, capture_output=True, text=True)
    if done.returncode != expected:
        raise SystemExit(
            f"installs: {' '.join(map(str, words))}: exit code {done.returncode}\n{done.stdout}{done.stderr}"
        )
    return time.perf_counter() - began


def size(folder: Path) -> float:
    """MB (1024 x 1024 bytes) that a folder takes on the disk."""
    told = subprocess.run(["du", "-sk", str(folder)], capture_output=True, text=True, check=True).stdout
    return int(told.split()[0]) / 1024


def audited(words: list[str | Path], folder: Path, **more: str) -> float:
    """Audit the sheet with the mistake in it, in `folder`: seconds."""
    subprocess.run(
        [sys.executable, ROOT / "tools" / "homework.py", folder / "homework.xlsx"], check=True, capture_output=True
    )
    return timed([*words, "audit", "homework.xlsx"], folder, 1, **more)


def by_pip(wheel: Path, python: str, folder: Path) -> Found:
    """A virtual environment."""
    timed([python, "-m", "venv", "env"], folder)
    before = size(folder)
    install = timed([folder / "env/bin/python", "-m", "pip", "install", "-q", "--no-cache-dir", wheel], folder)
    after = size(folder)
    return Found(after - before, install, audited([folder / "env/bin/tinyproof"], folder))


def by_pipx(wheel: Path, python: str, folder: Path) -> Found:
    """A command of one's own; pipx keeps pip elsewhere, for all that it installs."""
    place = {"PIPX_HOME": str(folder / "pipx"), "PIPX_BIN_DIR": str(folder / "bin"), "PIP_NO_CACHE_DIR": "1"}
    install = timed(["pipx", "install", "--python", python, wheel], folder, **place)
    return Found(size(folder / "pipx" / "venvs"), install, audited([folder / "bin/tinyproof"], folder))


def by_uvx(wheel: Path, python: str, folder: Path) -> Found:
    """Nothing installed: uv keeps it in its cache, and the next call finds it there."""
    words: list[str | Path] = ["uvx", "--python", python, "--from", wheel, "tinyproof"]
    place = {"UV_CACHE_DIR": str(folder / "uv")}
    install = timed([*words, "--version"], folder, **place)
    return Found(size(folder / "uv"), install, audited(words, folder, **place))


WAYS: dict[str, Callable[[Path, str, Path], Found]] = {"pip": by_pip, "pipx": by_pipx, "uvx": by_uvx}


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("wheel", type=Path)
    parser.add_argument("--python", action="append", help="an interpreter; several may be named")
    asked = parser.parse_args()
    print("way    Python   MB   install, s   first audit, s")
    for python in asked.python or [sys.executable]:
        program = "import platform; print(platform.python_version())"
        version = subprocess.run([python, "-c", program], capture_output=True, text=True, check=True).stdout.strip()
        for way, install in WAYS.items():
            if way != "pip" and shutil.which(way) is None:
                print(f"{way:5}  {version:7}  not on the path")
                continue
            with tempfile.TemporaryDirectory() as folder:
                found = install(asked.wheel.resolve(), python, Path(folder))
            print(f"{way:5}  {version:7} {found.megabytes:4.0f} {found.install:12.1f} {found.audit:16.1f}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
