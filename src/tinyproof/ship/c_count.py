"""How many instructions exported C takes for an image on a microcontroller, without one: qemu counts them.

qemu runs one instruction in each nanosecond of its clock (-icount shift=0), and the timer of its board reads it, exact
to a tick (40 of them, or 62.5) and the same each time. That is not a processor's cycles.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinyproof.core.errors import DataError
from tinyproof.ship import c_run, c_size

IMAGES = 10
_QEMU, _SECONDS, _TICKS = "qemu-system-arm", 300, 2**24
_SCRIPT = """MEMORY {{
  program (rx) : ORIGIN = 0, LENGTH = {program}K
  memory (rw) : ORIGIN = 0x20000000, LENGTH = {memory}K
}}
SECTIONS {{
  .text : {{ KEEP(*(.vectors)) *(.text*) *(.rodata*) }} > program
  .bss (NOLOAD) : {{ *(.data*) *(.bss*) *(COMMON) }} > memory
  stack_top = ORIGIN(memory) + LENGTH(memory);
}}
"""


@dataclass(frozen=True)
class Board:
    """A board of qemu: its name there, kilobytes of program and of memory, nanoseconds a tick of its timer."""

    name: str
    program: int
    memory: int
    tick: float

    @property
    def most(self) -> int:
        """What its timer does not hold: so many instructions or more are not counted."""
        return int(_TICKS * self.tick)


# The boards that have these processors. The timer runs at the clock of the core: 25 MHz, 16 MHz.
BOARDS = {"cortex-m4": Board("mps2-an386", 4096, 4096, 40), "cortex-m0": Board("microbit", 256, 16, 62.5)}
MOST = BOARDS[c_size.CPU].most  # budget.MOST_INSTRUCTIONS


@dataclass(frozen=True)
class Ran:
    """Scores [N, classes], in whole numbers or as bits of float32, the instructions that each image took (0 where they
    are more than the timer holds, `Board.most`), and the bytes of the whole linked program."""

    scores: NDArray[np.int32]
    instructions: NDArray[np.int64]
    flash: int
    static: int


def by() -> str:
    """What counts: the compiler in its own words, processor and level, qemu; "" where one of them is not installed."""
    return "" if missing() else f"{c_size.by()}, {c_run.version((_QEMU,))}, the first {IMAGES} test images"


def missing() -> str:
    """What is not installed and needed to count, "" where nothing is missing."""
    return c_size.missing() or ("" if shutil.which(_QEMU) else _QEMU)


def most(files: Mapping[str, bytes], name: str, images: NDArray[np.uint8], classes: int) -> int:
    """The instructions that the exported C takes for that one of the first IMAGES images which takes the most; MOST
    where one takes so many or more. Raises DataError where a program is missing or fails, or there are no images."""
    if lacking := missing():
        raise DataError(lacking, "is not installed: instructions cannot be counted", f"Debian: {package(lacking)}")
    if not len(images):
        raise DataError("test images", "there are none to count instructions on")
    with tempfile.TemporaryDirectory(prefix="tinyproof-count-") as folder:
        for file, content in files.items():
            (Path(folder) / file).write_bytes(content)
        found = ran(Path(folder), name, images[:IMAGES], classes, c_size.CPU, c_size.LEVEL).instructions
    return int(found.max()) if found.all() else MOST


def package(program: str) -> str:
    """The package of Debian that has what is missing."""
    return _QEMU if program == _QEMU else "gcc-arm-none-eabi"


def ran(
    folder: Path, name: str, images: NDArray[np.uint8], classes: int, cpu: str, level: str,
    more: Sequence[str | Path] = (),
) -> Ran:  # fmt: skip
    """The exported C of a folder on a bare board under qemu; images [N, channels, rows, columns]; `more`: for the
    compiler. Raises ToolTrouble, DataError."""
    board = BOARDS[cpu]
    with tempfile.TemporaryDirectory(prefix="tinyproof-board-") as made:
        place = Path(made)
        images.transpose(0, 2, 3, 1).tofile(place / "images.bin")
        (place / "board.ld").write_text(_SCRIPT.format(program=board.program, memory=board.memory))
        (place / "board.c").write_bytes(resources.files("tinyproof.ship").joinpath("kernels", "board.c").read_bytes())
        defined = [f"-DNAME={name}", f'-DHEADER="{name}.h"', f"-DPIXELS={images[0].size}", f"-DCLASSES={classes}"]
        flags = [f"-mcpu={cpu}", "-mthumb", "-std=c99", level, "-ffreestanding", "-nostdlib", *defined, f"-I{folder}"]
        sources = [str(folder / f"{name}.c"), "board.c", *map(str, more)]
        c_run.called([c_size.COMPILER, *flags, "-T", "board.ld", *sources, "-lgcc", "-o", "board.elf"], place)
        host = ["-semihosting-config", "enable=on,target=native", "-kernel", "board.elf"]
        quiet = ["-display", "none", "-monitor", "none", "-serial", "none"]
        c_run.called([_QEMU, "-M", board.name, *quiet, "-icount", "shift=0", *host], place, _SECONDS)
        told = c_run.called([c_size.SIZE, "board.elf"], place)
        try:
            text, data, bss = map(int, told.splitlines()[1].split()[:3])
            found = np.fromfile(place / "scores.bin", np.int32).reshape(len(images), classes + 1)
        except (OSError, ValueError, IndexError) as error:
            raise DataError(_QEMU, "does not run the exported C to its end") from error
    counts = np.rint(found[:, -1].astype(np.int64) * board.tick).astype(np.int64)
    return Ran(found[:, :-1].copy(), counts, text + data, data + bss)
