"""Compiles generated C++ once and keeps the library in the user's cache folder.

The library's name is the digest of the source, the compiler with its flags, and the machine's instruction sets, so a
new compiler or another machine with the same home folder never meets a library that was not made for it.
"""

from __future__ import annotations

import ctypes
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import platformdirs

from tinyproof.core.errors import OutputError, one_line
from tinyproof.core.files import sha256, writing

# -O2: -O3 made the generated kernels a tenth slower (GCC 12) and takes longer.
FLAGS = (
    "-std=c++17",
    "-O2",
    "-fPIC",
    "-shared",
    "-pthread",
    "-fno-math-errno",
    "-fno-trapping-math",
    "-ffp-contract=fast",
)
COMPILE_SECONDS = 120


class NoCompiler(Exception):
    """There is no working C++ compiler here; the message is one line for people."""


@dataclass(frozen=True)
class Compiler:
    """A C++ compiler that works: the command, and everything it predefines for this machine (its version included)."""

    command: tuple[str, ...]
    macros: str

    @property
    def version(self) -> str:
        """Its version in its own words, as `12.2.0`; `unknown` where it does not say."""
        found = re.search(r'#define __VERSION__ "([^"]{1,80})"', self.macros)
        return found[1] if found else "unknown"

    @property
    def lanes(self) -> int:
        """Images in one vector: 16 with AVX-512, 8 with AVX2, otherwise 4 (NEON, SSE)."""
        if "__AVX512F__ 1" in self.macros:
            return 16
        return 8 if "__AVX2__ 1" in self.macros and "__FMA__ 1" in self.macros else 4

    @property
    def instructions(self) -> str:
        """The vector instructions in use, by their usual name."""
        return {16: "AVX-512", 8: "AVX2", 4: "128-bit vectors"}[self.lanes]


@cache
def find_compiler() -> Compiler:
    """The compiler that $CXX names, else c++, g++ or clang++. Raises NoCompiler with the reason."""
    named = os.environ.get("CXX", "").strip()
    candidates = [shlex.split(named)] if named else [["c++"], ["g++"], ["clang++"]]
    reason = "no C++ compiler was found (c++, g++, clang++)"
    for words in candidates:
        path = shutil.which(words[0])
        if path is None:
            reason = f"the C++ compiler {words[0]} was not found" if named else reason
            continue
        command = (path, *words[1:], _machine_flag())
        try:
            done = subprocess.run(
                [*command, "-dM", "-E", "-x", "c++", os.devnull],
                capture_output=True,
                text=True,
                timeout=30,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            reason = f"the C++ compiler {words[0]} does not start ({one_line(str(error), 80)})"
            continue
        if done.returncode == 0 and "__VERSION__" in done.stdout:
            return Compiler(command, done.stdout)
        reason = f"the C++ compiler {words[0]} does not work ({_first_line(done.stderr)})"
    raise NoCompiler(reason)


def _machine_flag() -> str:
    return "-mcpu=native" if sys.platform == "darwin" and os.uname().machine == "arm64" else "-march=native"


def _first_line(text: str) -> str:
    return one_line((text.strip().splitlines() or ["it says nothing"])[0], 120)


def cache_folder() -> Path:
    """Where compiled kernels are kept: $TINYPROOF_CACHE, else the user's cache folder."""
    named = os.environ.get("TINYPROOF_CACHE")
    return (Path(named) if named else Path(platformdirs.user_cache_dir("tinyproof"))) / "kernels"


def library(
    source: str, compiler: Compiler, notify: Callable[[str], None] | None = None, extra: tuple[str, ...] = ()
) -> Path:
    """The compiled library of `source`, from the cache or compiled now (`notify` is told so, in one line).

    Raises NoCompiler when the compiler fails or the cache cannot be written.
    """
    flags = (*FLAGS, *extra)
    digest = sha256("\n".join([source, *compiler.command, *flags, compiler.macros]).encode())
    path = cache_folder() / f"{digest[:32]}.so"
    if path.is_file():
        return path
    if notify is not None:
        notify("compiling the kernels for this network (once; some seconds)")
    try:
        with writing(path) as beside:
            _compile(source, [*compiler.command, *flags], beside)
    except OutputError as error:
        raise NoCompiler(f"the kernels cannot be kept: {error}") from error
    return path


def _compile(source: str, command: list[str], out: Path) -> None:
    try:
        done = subprocess.run(
            [*command, "-x", "c++", "-", "-o", str(out)],
            input=source,
            capture_output=True,
            text=True,
            timeout=COMPILE_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise NoCompiler(f"the compiler took more than {COMPILE_SECONDS} s") from error
    if done.returncode != 0:
        errors = [line for line in done.stderr.splitlines() if "error" in line]
        raise NoCompiler(f"the compiler refused the kernels ({_first_line(errors[0] if errors else done.stderr)})")


def load(path: Path) -> ctypes.CDLL:
    """Load a compiled library. Raises NoCompiler when the system refuses it (a truncated file, say)."""
    try:
        return ctypes.CDLL(str(path))
    except OSError as error:
        raise NoCompiler(f"the compiled kernels cannot be loaded ({one_line(str(error), 120)})") from error
