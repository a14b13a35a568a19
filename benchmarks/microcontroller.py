"""What an exported network in C costs on a microcontroller, without one: the compiler counts bytes, qemu instructions.

    python benchmarks/microcontroller.py first/export-c-int8 --images 200

Flash: code and constants of the file alone (arm-none-eabi-size: text and data). RAM: its static array (bss and data)
and the deepest stack of its functions (-fstack-usage); the image and the scores are the caller's. Instructions: qemu
runs one in each nanosecond of its clock (-icount shift=0), and a timer of 25 MHz reads it: exact to 40. Scores must be
those of this machine's own compiler, bit for bit.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinyproof.core.table import Column, Table
from tinyproof.data.load import load
from tinyproof.ship import c_run, c_size, exported

METAL = Path(__file__).parent / "metal"
BOARDS = {"cortex-m4": "mps2-an386", "cortex-m0": "microbit"}
_NANOSECONDS_A_TICK = 40


@dataclass(frozen=True)
class Ran:
    """Scores [N, classes], the instructions that each image took, and the bytes of the whole linked program."""

    scores: NDArray[np.int32]
    instructions: NDArray[np.int64]
    flash: int
    static: int


def ran(
    folder: Path, name: str, images: NDArray[np.uint8], classes: int, cpu: str, level: str,
    more: Sequence[str | Path] = (),
) -> Ran:  # fmt: skip
    """The exported C of a folder on a bare board under qemu; images [N, channels, rows, columns]; `more`: for the
    compiler."""
    with tempfile.TemporaryDirectory() as place:
        images.transpose(0, 2, 3, 1).tofile(Path(place) / "images.bin")
        defined = [f"-DNAME={name}", f'-DHEADER="{name}.h"', f"-DPIXELS={images[0].size}", f"-DCLASSES={classes}"]
        subprocess.run(
            ["arm-none-eabi-gcc", f"-mcpu={cpu}", "-mthumb", "-std=c99", level, "-ffreestanding", "-nostdlib", *defined,
             f"-I{folder}", "-T", METAL / "board.ld", folder / f"{name}.c", METAL / "board.c", *more,
             "-lgcc",
             "-o", "board.elf"],
            cwd=place, check=True,
        )  # fmt: skip
        subprocess.run(
            ["qemu-system-arm", "-M", BOARDS[cpu], "-nographic", "-monitor", "none", "-serial", "none", "-icount",
             "shift=0", "-semihosting-config", "enable=on,target=native", "-kernel", "board.elf"],
            cwd=place, check=True, stdin=subprocess.DEVNULL, timeout=600,
        )  # fmt: skip
        told = subprocess.run(
            ["arm-none-eabi-size", "board.elf"], cwd=place, check=True, capture_output=True, text=True
        )
        text, data, bss = map(int, told.stdout.splitlines()[1].split()[:3])
        found = np.fromfile(Path(place) / "scores.bin", np.int32).reshape(-1, classes + 1)
    return Ran(found[:, :-1].copy(), found[:, -1].astype(np.int64) * _NANOSECONDS_A_TICK, text + data, data + bss)


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="an export to c-int8")
    parser.add_argument("--images", type=int, default=200, help="of the test images of MNIST")
    given = parser.parse_args()
    folder, record = given.folder.resolve(), exported.load(given.folder)
    images, classes = load("mnist").test_images[: given.images], 10
    files = {file: (folder / file).read_bytes() for file in record.files}
    command = c_run.compiler()
    assert command is not None
    wanted = c_run.scores(command, files, record.name, images, classes, np.int32)
    rows, same = [], True
    for cpu in BOARDS:
        for level in ("-Os", "-O2", "-O3"):
            size, seen = (
                c_size.measured(files, record.name, cpu, level),
                ran(folder, record.name, images, classes, cpu, level),
            )
            same = same and np.array_equal(seen.scores, wanted)
            rows.append((cpu, level, size.flash, size.static, size.stack, round(float(seen.instructions.mean()))))
    numbers = [Column(name, "right", ",") for name in ("flash", "array", "stack", "instructions an image")]
    print(Table("", (Column("processor"), Column(""), *numbers), tuple(rows)).text())
    print(f"{len(images):,} images: {'the same scores everywhere, bit for bit' if same else 'SCORES DIFFER'}")
    return int(not same)


if __name__ == "__main__":
    sys.exit(main())
