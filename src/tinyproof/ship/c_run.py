"""Compiling exported C and letting it answer, in a process of its own, from a folder that is removed afterwards."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from importlib import resources
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinyproof.core.errors import DataError, one_line
from tinyproof.ship.tool import ToolTrouble

Scores = NDArray[np.float32] | NDArray[np.int32]
FLAGS = ("-std=c99", "-O3", "-ffp-contract=off")
_OTHER_CLASS = 3  # how kernels/harness.c ends then
_COMPILE_SECONDS, _SECONDS_AN_IMAGE, _LEAST_SECONDS = 300, 0.1, 60


def compiler() -> tuple[str, ...] | None:
    """The command of the C compiler that $CC names, else cc, gcc or clang; None where there is none."""
    named = os.environ.get("CC", "").strip()
    try:
        words = [shlex.split(named)] if named else [["cc"], ["gcc"], ["clang"]]
    except ValueError:
        return None
    for command in words:
        path = shutil.which(command[0]) if command else None
        if path:
            return path, *command[1:]
    return None


def version(command: tuple[str, ...]) -> str:
    """The first line that a compiler says of itself, at most 120 letters. Raises DataError."""
    return one_line((called([*command, "--version"], Path(), 20) or "unknown").splitlines()[0], 120)


def scores(
    command: tuple[str, ...], files: Mapping[str, bytes], name: str, images: NDArray[np.uint8], classes: int,
    kind: type[np.float32] | type[np.int32], flags: tuple[str, ...] = FLAGS,
) -> Scores:  # fmt: skip
    """What exported C answers to `images` [N, channels, rows, columns]: its scores [N, classes], of type `kind`.

    Raises ToolTrouble where the compiler refuses, or the program fails; DataError where its class has not the best.
    """
    given = np.ascontiguousarray(images.transpose(0, 2, 3, 1))
    with tempfile.TemporaryDirectory(prefix="tinyproof-c-") as folder:
        place = Path(folder)
        for file, content in files.items():
            (place / file).write_bytes(content)
        harness = resources.files("tinyproof.ship").joinpath("kernels", "harness.c").read_bytes()
        (place / "its_harness.c").write_bytes(harness)
        said = {"NAME": name, "HEADER": f'"{name}.h"', "PIXELS": given[0].size, "CLASSES": classes}
        defined = [f"-DTINYPROOF_{key}={value}" for key, value in said.items()]
        program = place / ("answer.exe" if sys.platform == "win32" else "answer")
        called([*command, *flags, *defined, f"{name}.c", "its_harness.c", "-o", str(program)], place)
        return _answered(program, given, classes, kind)


def _answered(
    program: Path, images: NDArray[np.uint8], classes: int, kind: type[np.float32] | type[np.int32]
) -> Scores:
    seconds = _LEAST_SECONDS + _SECONDS_AN_IMAGE * len(images)
    try:
        done = subprocess.run([str(program)], input=images.tobytes(), capture_output=True, timeout=seconds, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ToolTrouble("the exported C", f"does not run: {one_line(str(error), 120)}") from error
    whole = done.stdout[: len(done.stdout) // 4 * 4]
    found: Scores = np.frombuffer(whole, np.float32) if kind is np.float32 else np.frombuffer(whole, np.int32)
    if done.returncode == _OTHER_CLASS:
        raise DataError("the exported C", "gives a class that has not the best of its scores")
    if done.returncode or found.size != len(images) * classes:
        said = one_line(done.stderr.decode(errors="replace").strip() or "without a word", 120)
        raise ToolTrouble("the exported C", f"fails with exit status {done.returncode}: {said}")
    made: Scores = found.reshape(len(images), classes).copy()
    return made


def called(command: list[str], place: Path, seconds: float = _COMPILE_SECONDS) -> str:
    """What a compiler prints. Raises ToolTrouble with the first line of what it complains of."""
    try:
        done = subprocess.run(command, capture_output=True, timeout=seconds, cwd=place, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ToolTrouble(command[0], f"does not work: {one_line(str(error), 120)}") from error
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines() or ["it says nothing"]
        first = next((line for line in lines if "error" in line), lines[0])
        raise ToolTrouble(command[0], f"refuses the exported C: {one_line(first, 160)}")
    return done.stdout.decode(errors="replace").strip()
