"""How many pictures a second `predict` reads: `PYTHONPATH=. python benchmarks/predicting.py RUN [--count 4000]`.

RUN: a run on the digits. Pictures of 28x28 as the data set's own, of 28x28 as dark ink on light paper, and
photographs of 400x400 (JPEG), as files in a folder; the largest memory of one process.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image
from tools.photographs import photograph

import tinyproof
from tinyproof.data.load import load_digits


def main() -> None:
    """Make the files, predict them, print a line for each kind."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--count", type=int, default=4000)
    parser.add_argument("--processes", type=int, default=2)
    asked = parser.parse_args()
    digits = load_digits().test_images[:, 0]
    made = list(digits)
    dark = 225 - (0.7 * np.stack(made)).astype(np.uint8)
    draw = np.random.default_rng(0)
    large = [np.asarray(Image.fromarray(photograph(d, "light falls", draw)).resize((400, 400))) for d in digits[:100]]
    with tempfile.TemporaryDirectory() as folder:  # what is imported once is not counted
        Image.fromarray(dark[0]).save(Path(folder) / "first.png")
        tinyproof.predict_many(asked.run, folder)
    for name, images, ending, count in (
        ("28x28, light on dark", made, "png", asked.count),
        ("28x28, dark on light", dark, "png", asked.count),
        ("400x400, photographs", large, "jpg", asked.count // 8),
    ):
        with tempfile.TemporaryDirectory() as folder:
            for number in range(count):
                Image.fromarray(images[number % len(images)]).save(Path(folder) / f"{number:06}.{ending}")
            begun, busy = time.perf_counter(), processor_seconds()
            found = tinyproof.predict_many(asked.run, folder, processes=asked.processes)
            seconds, busy = time.perf_counter() - begun, processor_seconds() - busy
        used = [resource.getrusage(who).ru_maxrss / 1e6 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        words = f"{count / seconds:,.0f} a second, {1000 * busy / count:.2f} ms of processor each"
        print(f"{name}: {words} ({count:,} files, {len(found.left_out)} left out); {max(used):.2f} GB at most")


def processor_seconds() -> float:
    """Of this process and of those that it started and that have ended."""
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


if __name__ == "__main__":
    main()
