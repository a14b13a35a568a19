"""Compiles generated C++ once and keeps the library in the user's cache folder.

The library's name begins with the digest of the source, the compiler with its flags, and the machine's instruction
sets, so a new compiler or another machine with the same home folder never meets a library that was not made for it.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tinyproof.core.errors import one_line
from tinyproof.core.files import reason, sha256
from tinyproof.train.engine.native import kernel_cache

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
PROBE_SECONDS, COMPILE_SECONDS = 10, 60  # then it hangs: a compile takes some 5 seconds
# What kernels/interface.hpp offers.
SYMBOLS = tuple(f"tiny_{name}" for name in ("create", "destroy", "bind", "step", "gradient", "evaluate", "tally"))


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
    why = "no C++ compiler was found (c++, g++, clang++)"
    for words in [_words(named)] if named else [["c++"], ["g++"], ["clang++"]]:
        path = shutil.which(words[0])
        if path is None:
            why = f"the C++ compiler {one_line(words[0], 80)} was not found" if named else why
            continue
        try:
            return _probe((path, *words[1:], _machine_flag()))
        except NoCompiler as error:
            why = f"the C++ compiler {one_line(words[0], 80)} {error}"
    raise NoCompiler(why)


def _words(named: str) -> list[str]:
    try:
        return shlex.split(named) or [named]
    except ValueError as error:
        raise NoCompiler(f"$CXX cannot be read as a command: {one_line(named, 80)} ({error})") from error


def _probe(command: tuple[str, ...]) -> Compiler:
    """Ask a compiler what it predefines. Raises NoCompiler with the rest of a sentence."""
    try:
        code, out, err = _call([*command, "-dM", "-E", "-x", "c++", os.devnull], PROBE_SECONDS)
    except OSError as error:
        raise NoCompiler(f"does not start ({one_line(str(error), 80)})") from error
    except subprocess.TimeoutExpired:
        raise NoCompiler(f"did not answer within {PROBE_SECONDS} s") from None
    if code != 0 or "__VERSION__" not in out:
        raise NoCompiler(f"does not work ({_first_line(err)})")
    return Compiler(command, out)


def _call(command: list[str], seconds: float, given: str = "") -> tuple[int, str, str]:
    """Run a compiler: exit status, output, messages. One that hangs is ended with all that it started."""
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, stdin=pipe, stdout=pipe, stderr=pipe, encoding="utf-8", errors="replace", start_new_session=True
    ) as running:
        try:
            out, err = running.communicate(given, timeout=seconds)
        except BaseException:  # Ctrl-C too: in a session of its own it would not hear of it
            _end(running)
            raise
        return running.returncode, out, err


def _end(running: subprocess.Popen[str]) -> None:
    with contextlib.suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(running.pid, signal.SIGKILL)
        else:
            running.kill()


def _machine_flag() -> str:
    return "-mcpu=native" if sys.platform == "darwin" and os.uname().machine == "arm64" else "-march=native"


def _first_line(text: str) -> str:
    return one_line((text.strip().splitlines() or ["it says nothing"])[0], 120)


def library(
    source: str,
    compiler: Compiler,
    notify: Callable[[str], None] | None = None,
    extra: tuple[str, ...] = (),
    symbols: tuple[str, ...] = SYMBOLS,
) -> Path:
    """The compiled library of `source`, from the cache or compiled now (`notify` is told so, in one line).

    It has been loaded once, and offers `symbols`. Raises NoCompiler when the compiler fails or the cache cannot be
    written.
    """
    flags, say = (*FLAGS, *extra), notify or (lambda line: None)
    key = sha256("\n".join([source, *compiler.command, *flags, compiler.macros]).encode())[:32]
    try:
        folder, instead = kernel_cache.safe_folder()
        kept = kernel_cache.find(folder, key)
        if kept is not None and _loads(kept, symbols):
            return kept
        if instead:
            say(instead)
        say("compiling the kernels for this network (once; some seconds)")
        path = kernel_cache.keep(folder, key, _compile(source, [*compiler.command, *flags]))
    except OSError as error:
        where = kernel_cache.cache_folder() or "a temporary folder"
        raise NoCompiler(f"the kernels cannot be kept: {one_line(str(where), 120)}: {reason(error)}") from error
    try:
        load(path, symbols)
    except NoCompiler:
        kernel_cache.forget(path)
        raise
    return path


def _compile(source: str, command: list[str]) -> bytes:
    """The library's content."""
    with tempfile.TemporaryDirectory(prefix="tinyproof-compile-") as folder:
        out = Path(folder) / "kernels.so"
        try:
            code, _, err = _call([*command, "-x", "c++", "-", "-o", str(out)], COMPILE_SECONDS, source)
        except subprocess.TimeoutExpired:
            raise NoCompiler(f"the compiler took more than {COMPILE_SECONDS} s") from None
        if code != 0:
            errors = [line for line in err.splitlines() if "error" in line]
            raise NoCompiler(f"the compiler refused the kernels ({_first_line(errors[0] if errors else err)})")
        content = out.read_bytes() if out.is_file() else b""
    if not content:
        raise NoCompiler("the compiler reports success but wrote no library")
    return content


def _loads(path: Path, symbols: tuple[str, ...]) -> bool:
    try:
        load(path, symbols)
    except NoCompiler:
        kernel_cache.forget(path)
        return False
    return True


def load(path: Path, symbols: tuple[str, ...] = SYMBOLS) -> ctypes.CDLL:
    """Load a compiled library. Raises NoCompiler when the system refuses it or it does not offer `symbols`."""
    try:
        loaded = ctypes.CDLL(str(path))
    except OSError as error:
        raise NoCompiler(f"the compiled kernels cannot be loaded ({one_line(str(error), 120)})") from error
    lacking = [name for name in symbols if not hasattr(loaded, name)]
    if lacking:
        raise NoCompiler(f"the compiled library cannot be used: it lacks {', '.join(lacking)}")
    return loaded
