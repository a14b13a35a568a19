"""What an exported network in C costs on a microcontroller, without one: the compiler counts bytes, qemu instructions.

    python benchmarks/microcontroller.py first/export-c-int8 --images 200

Flash: code and constants of the file alone (arm-none-eabi-size: text and data). RAM: its static array (bss and data)
and the deepest stack of its functions (-fstack-usage); the image and the scores are the caller's. Instructions: qemu
runs one in each nanosecond of its clock (-icount shift=0), and the board's timer reads it: exact to a tick, 40 of them
on the Cortex-M4 and 62.5 on the Cortex-M0. Scores must be those of this machine's own compiler, bit for bit.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from tinyproof.core.table import Column, Table
from tinyproof.data.load import load
from tinyproof.ship import c_count, c_run, c_size, exported


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
    for cpu in c_count.BOARDS:
        for level in ("-Os", "-O2", "-O3"):
            size, seen = (
                c_size.measured(files, record.name, cpu, level),
                c_count.ran(folder, record.name, images, classes, cpu, level),
            )
            same = same and np.array_equal(seen.scores, wanted)
            rows.append((cpu, level, size.flash, size.static, size.stack, round(float(seen.instructions.mean()))))
    numbers = [Column(name, "right", ",") for name in ("flash", "array", "stack", "instructions an image")]
    print(Table("", (Column("processor"), Column(""), *numbers), tuple(rows)).text())
    print(f"{len(images):,} images: {'the same scores everywhere, bit for bit' if same else 'SCORES DIFFER'}")
    return int(not same)


if __name__ == "__main__":
    sys.exit(main())
