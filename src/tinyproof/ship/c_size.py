"""What exported C needs on a microcontroller: bytes of flash and of RAM, as the compiler for it counts them."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tinyproof.core.errors import DataError
from tinyproof.ship import c_run

CPU, LEVEL = "cortex-m4", "-Os"
COMPILER, SIZE = "arm-none-eabi-gcc", "arm-none-eabi-size"


@dataclass(frozen=True)
class Bytes:
    """Bytes of flash (code and constants), of static memory, and of the stack where it is deepest."""

    flash: int
    static: int
    stack: int

    @property
    def ram(self) -> int:
        """Static memory and stack. The image that the caller holds is not in it."""
        return self.static + self.stack


def by() -> str:
    """What measures: the compiler in its own words, processor and level; "" where it is not installed."""
    return "" if missing() else f"{c_run.version((COMPILER,))}, {CPU} {LEVEL}"


def missing() -> str:
    """What is not installed and needed to measure, "" where nothing is missing."""
    return next((name for name in (COMPILER, SIZE) if shutil.which(name) is None), "")


def measured(files: Mapping[str, bytes], name: str, cpu: str = CPU, level: str = LEVEL) -> Bytes:
    """What the exported C needs, with what it takes of the compiler's own library where the processor lacks something
    (floating point, a long multiplication); of that library the stack is not counted. Raises DataError where the
    compiler is missing or refuses."""
    lacking = missing()
    if lacking:
        raise DataError(lacking, "is not installed: flash and RAM cannot be measured", "Debian: gcc-arm-none-eabi")
    with tempfile.TemporaryDirectory(prefix="tinyproof-size-") as folder:
        place = Path(folder)
        for file, content in files.items():
            (place / file).write_bytes(content)
        flags = [f"-mcpu={cpu}", "-mthumb", "-std=c99", level, "-ffreestanding", "-fstack-usage", "-c", f"{name}.c"]
        c_run.called([COMPILER, *flags, "-o", f"{name}.o"], place)
        joined = ["-r", "-nostdlib", f"{name}.o", "-lgcc", "-o", "whole.o"]
        c_run.called([COMPILER, f"-mcpu={cpu}", "-mthumb", *joined], place)
        told = c_run.called([SIZE, "whole.o"], place)
        try:
            text, data, bss = map(int, told.splitlines()[1].split()[:3])
            stack = _deepest((place / f"{name}.su").read_text(encoding="utf-8"), name)
        except (IndexError, ValueError, OSError) as error:
            raise DataError(COMPILER, "does not say what the exported C needs") from error
    return Bytes(text + data, data + bss, stack)


def _deepest(used: str, name: str) -> int:
    """`class` calls `scores`, which calls a loop, which may call one function more: never more than that."""
    sizes = {row[0]: int(row[1]) for row in re.findall(r"^\S+:\d+:\d+:(\w+)\t(\d+)\tstatic$", used, re.MULTILINE)}
    outer = sizes.pop(f"{name}_class", 0) + sizes.pop(f"{name}_scores", 0)
    loops = sorted(sizes.values(), reverse=True)
    return outer + sum(loops[:2])
