"""Shared fixtures: real oracles and real data. Where one is missing a test is skipped with a reason; in CI it fails."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

# A shell gives its background jobs an ignored SIGINT, which children inherit: the Ctrl-C tests need the usual one.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

IN_CI = os.environ.get("CI", "").lower() in ("1", "true", "yes")
ROOT = Path(__file__).resolve().parent.parent


def missing(what: str) -> None:
    """Skip for a user, fail in CI: a check that silently does not run is no check."""
    if IN_CI:
        pytest.fail(f"{what} (in CI a skip is a failure)")
    pytest.skip(what)


def program(*names: str) -> str:
    for name in names:
        found = shutil.which(name)
        if found:
            return found
    missing(f"{names[0]} is not installed")
    raise AssertionError


@pytest.fixture(autouse=True)
def _judged_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """No audit in a test's own process says what it said before, unless the test names a cache."""
    from tinyproof.api import report_cache

    named = report_cache.cache_folder
    monkeypatch.setattr("tinyproof.api.audit.cache_folder", lambda folder: named(folder) if folder else None)


@pytest.fixture(scope="session")
def libreoffice() -> str:
    """Path of LibreOffice's command line."""
    return program("soffice", "libreoffice")


@pytest.fixture(scope="session")
def pdflatex() -> str:
    """Path of LaTeX."""
    return program("pdflatex")


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of a Chromium that can run headless."""
    return program("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def firefox_program() -> str:
    """Path of a Firefox, where Mozilla's driver of it is installed too."""
    try:
        import marionette_driver.marionette  # noqa: F401
    except ImportError as problem:
        if sys.version_info >= (3, 13):
            pytest.skip(f"there is no marionette-driver for this Python: {problem}")
        missing(f"marionette-driver cannot be used: {problem}")
    return program("firefox-esr", "firefox")


@pytest.fixture(scope="session")
def axe() -> str:
    """axe-core, which judges a page for people who cannot see it, or use no mouse."""
    named = os.environ.get("TINYPROOF_AXE", "")
    if not Path(named).is_file():
        missing("TINYPROOF_AXE does not name axe-core's axe.min.js (npm pack axe-core)")
    return Path(named).read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def compiler() -> str:
    """Path of a C++ compiler."""
    return program("c++", "g++", "clang++")


@pytest.fixture(scope="session")
def clang() -> str:
    """Path of clang++."""
    return program("clang++")


@pytest.fixture(scope="session")
def arm_compiler() -> str:
    """Path of a C++ compiler for 64-bit ARM."""
    return program("aarch64-linux-gnu-g++")


@pytest.fixture(scope="session")
def arm_machine() -> str:
    """Path of an emulator of 64-bit ARM for single programs."""
    return program("qemu-aarch64", "qemu-aarch64-static")


def _folder(variable: str, what: str) -> Path:
    value = os.environ.get(variable)
    if not value or not Path(value).is_dir():
        missing(f"{variable} does not name a folder with {what}")
    return Path(value or "")


@pytest.fixture(scope="session")
def mnist_folder() -> Path:
    """The folder with the four MNIST files."""
    return _folder("TINYPROOF_DATA", "the MNIST files")


@pytest.fixture(scope="session")
def corpus_folder() -> Path:
    """The folder with hand-made workbooks and what is wrong in each (workbooks/truth.json)."""
    return _folder("TINYPROOF_CORPUS", "hand-made workbooks")


@pytest.fixture
def cli() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Call the command line in a process of its own, as a user does: cli("models", "--json")."""

    def call(*args: object, timeout: float = 120, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "tinyproof", *map(str, args)],
            capture_output=True,
            text=True,
            timeout=timeout,
            env={**os.environ, "COLUMNS": "120", "NO_COLOR": "1", **environment},
        )

    return call
