"""How much memory 60,000 colour images of 32x32 take: read from an .npz or from a folder, and trained for one epoch.

    python benchmarks/own_pictures.py [npz | folder] [native | torch]

Prints the largest resident size of the process so far (Linux: `ru_maxrss`) and the seconds after each step.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from tinyproof.data import own_data
from tinyproof.data.dataset import overlap
from tinyproof.train import recipe
from tinyproof.train.loop import train

IMAGES, SIDE, CLASSES = 60_000, 32, 10


def write(root: Path, kind: str) -> Path:
    """Noise with a square whose red says the class; a sixth of it are test images."""
    rng = np.random.default_rng(0)
    labels = np.arange(IMAGES) % CLASSES
    images = rng.integers(0, 256, (IMAGES, SIDE, SIDE, 3), dtype=np.uint8)
    images[:, 8:20, 8:20, 0] = (labels * 25).astype(np.uint8)[:, None, None]
    cut = IMAGES * 5 // 6
    if kind == "npz":
        path = root / "colour.npz"
        np.savez(path, x_train=images[:cut], y_train=labels[:cut], x_test=images[cut:], y_test=labels[cut:])
        return path
    for number, (image, label) in enumerate(zip(images, labels, strict=True)):
        place = root / "colour" / ("train" if number < cut else "test") / str(label)
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(place / f"{number:05}.png", compress_level=1)
    return root / "colour"


def say(what: str, begun: float) -> None:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"{what}: {peak:.2f} GB at most, {time.perf_counter() - begun:.1f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", nargs="?", default="npz", choices=["npz", "folder"])
    parser.add_argument("engine", nargs="?", default="native", choices=["native", "torch"])
    parser.add_argument("--data", type=Path, help="what an earlier call has written, in a process of its own")
    given = parser.parse_args()
    if given.data is None:
        with tempfile.TemporaryDirectory() as folder:
            path = write(Path(folder), given.kind)
            subprocess.run([sys.executable, __file__, given.kind, given.engine, "--data", str(path)], check=True)
        return
    begun = time.perf_counter()
    data = own_data.load(given.data)
    assert not overlap(data)
    assert data.reading is not None
    say(f"read from {given.kind} ({data.reading.words})", begun)
    begun = time.perf_counter()
    short = replace(recipe.named("fast"), epochs=1, batch_size=128)
    train("fast", short, data, engine=given.engine, threads=1)
    say(f"one epoch of fast, {given.engine}", begun)


if __name__ == "__main__":
    main()
