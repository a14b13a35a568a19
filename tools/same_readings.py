"""Do two versions read pictures of digits alike? Inputs bit for bit, words for word, over thousands of pictures.

`python tools/same_readings.py TREE [--seed 1] [--each 200]`: TREE is a checkout of the other version. The digits and
MNIST as they are, dark on light, of other sizes, shifted, on a desk, in rows and in colour; photographs; noise and
shapes. Exit code 1 where a picture differs.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tools.photographs import WAYS, photograph  # noqa: E402

Bytes = NDArray[np.uint8]
Draw = np.random.Generator


def sized(picture: Bytes, height: int, width: int) -> Bytes:
    return np.asarray(Image.fromarray(picture).resize((width, height), Image.Resampling.BICUBIC))


def of_digit(digit: Bytes, draw: Draw) -> Iterator[tuple[str, Bytes]]:
    """Pictures that hold one digit, [28, 28], in all kinds of ways."""
    height, width = (int(side) for side in draw.integers(8, 130, 2))
    noise = draw.normal(0, draw.uniform(0, 12), digit.shape)
    desk = np.full((40, 40), draw.integers(10, 70), np.uint8)
    top, left = draw.integers(0, 12, 2)
    desk[top : top + 28, left : left + 28] = 225 - (0.7 * digit).astype(np.uint8)
    ground, pen = draw.integers(0, 256, (2, 3))
    yield "as it is", digit
    yield "inverted", 255 - digit
    yield "dark on light", 225 - (0.7 * digit).astype(np.uint8)
    yield "another size", sized(digit, height, width)
    yield "another size, dark", 240 - (0.8 * sized(digit, height, width)).astype(np.uint8)
    yield "faint", np.clip(draw.uniform(20, 220) + digit * draw.uniform(-0.5, 0.5) + noise, 0, 255).astype(np.uint8)
    yield "shifted", np.roll(digit, draw.integers(-8, 9, 2), (0, 1))
    yield "on a desk", desk
    yield "row", np.hstack([digit] * int(draw.integers(2, 4)))
    yield "column", np.vstack([digit, digit])
    yield "colour", (ground + (pen - ground) * (digit[..., None] / 255)).astype(np.uint8)


def of_nothing(draw: Draw) -> Iterator[tuple[str, Bytes]]:
    """Pictures that hold no digit."""
    height, width = draw.integers(2, 40, 2)
    yield "noise", draw.integers(0, 256, (height, width), dtype=np.uint8)
    yield "two values", (draw.random((height, width)) < draw.random()).astype(np.uint8) * np.uint8(draw.integers(256))
    yield "plain", np.full((height, width), draw.integers(256), np.uint8)
    yield "noise in colour", draw.integers(0, 256, (24, 24, 3), dtype=np.uint8)
    shapes = Image.new("L", (28, 28), int(draw.integers(256)))
    for _ in range(draw.integers(1, 5)):
        left, right = sorted(int(side) for side in draw.integers(0, 28, 2))
        upper, lower = sorted(int(side) for side in draw.integers(0, 28, 2))
        fill = int(draw.integers(256)) if draw.random() < 0.6 else None
        ImageDraw.Draw(shapes).ellipse((left, upper, right, lower), fill, int(draw.integers(256)))
    yield "shapes", np.asarray(shapes)


def pictures(each: int, seed: int) -> Iterator[tuple[str, Bytes]]:
    """All of them with the names of their kinds."""
    from tinyproof.data.load import load_digits, load_mnist

    draw = np.random.default_rng(seed)
    for images in (load_digits().test_images[:, 0], load_mnist(fetch=False).test_images[:, 0]):
        chosen = images[draw.choice(len(images), min(each, len(images)), replace=False)]
        for digit in chosen:
            yield from of_digit(digit, draw)
        for way in WAYS:
            for digit in chosen[: each // 20]:
                large = photograph(digit, way, draw)
                yield way, large
                yield f"{way}, small", sized(large, *(int(side) for side in draw.integers(24, 90, 2)))
                yield f"{way}, huge", sized(large, 1100, 1300)
    for _ in range(each):
        yield from of_nothing(draw)


CHILD = """
import hashlib, json, sys
from pathlib import Path
from tinyproof.data import read_alike
from tinyproof.data.load import INK
for name in ("mnist", "digits"):
    for part in read_alike.read_many([Path(sys.argv[1])], INK[name], 1):
        for read in part:
            there = read.inputs is not None
            inputs = there and [read.inputs.shape, hashlib.sha256(read.inputs.tobytes()).hexdigest()]
            print(json.dumps([f"{name}: {read.name}", inputs, read.steps, read.problem]))
"""


def readings(tree: Path, folder: Path) -> dict[str, list[object]]:
    """What a version makes of the pictures of a folder: digests of the inputs, steps, problem."""
    environment = {**os.environ, "PYTHONPATH": str(tree / "src")}
    command = [sys.executable, "-c", CHILD, str(folder)]
    told = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True).stdout
    return {name: rest for name, *rest in map(json.loads, told.splitlines())}


def main() -> int:
    """Make the pictures, read them with both versions, say what differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tree", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--each", type=int, default=200)
    asked = parser.parse_args()
    kinds: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        for kind, picture in pictures(asked.each, asked.seed):
            kinds[kind] += 1
            Image.fromarray(picture).save(Path(folder) / f"{kind} {kinds[kind]}.png")
        before, now = (readings(tree, Path(folder)) for tree in (asked.tree, ROOT))
    other = [name for name in now if now[name] != before.get(name)]
    for name in other[:20]:
        print(f"{Path(name).name}:\n  before: {before.get(name)}\n  now:    {now[name]}")
    nothing = sum(bool(rest[2]) for rest in now.values())
    print(f"{sum(kinds.values()):,} pictures of {len(kinds)} kinds, {len(now):,} readings ({nothing:,} show nothing)")
    print(f"{len(other):,} differ")
    return 1 if other or len(now) != len(before) else 0


if __name__ == "__main__":
    sys.exit(main())
