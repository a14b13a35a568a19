"""How the recipe for few images was chosen: batch size and epochs, on held-out training images of three small sets.

    python benchmarks/few_images.py                 the choice: every batch size and number of epochs
    python benchmarks/few_images.py --epochs 56     other numbers of epochs
    python benchmarks/few_images.py sizes           up to how many images it is the better one

The digits of scikit-learn (1,138 to learn from, 300 held out of the training digits), 2,000 training images of
Fashion-MNIST (2,000 others held out), 2,000 shapes in colour made here (2,000 others held out). No test image of
anybody's takes part. Fashion-MNIST is looked for where Debian puts it (dataset-fashion-mnist; else: --fashion).
s7-8k, one thread, the native engine; every seed draws its own parts.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from tinyproof.core.stats import mean, sd
from tinyproof.core.table import Column, Table
from tinyproof.data import idx
from tinyproof.data.dataset import Dataset, channel_statistics, hold_out, stratified
from tinyproof.data.load import load_digits
from tinyproof.train.loop import train
from tinyproof.train.recipe import BEST, DIGITS, Recipe

FASHION = Path("/usr/share/datasets/fashion-mnist")
BASES = {"best": BEST, "digits": DIGITS}
BATCHES = (128, 64, 32, 16)
SIZES = (500, 5_000, 10_000)
HELD_OUT = 2_000
INKS = ((205, 60, 50), (60, 150, 70), (60, 90, 205))
FORMS = ("disc", "square", "triangle")


def shapes(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Bytes [N, 3, 32, 32] and labels [N] of nine classes: three forms in three inks, anywhere on any ground, noisy."""
    rng = np.random.default_rng((seed, count))
    labels = np.arange(count) % (len(FORMS) * len(INKS))
    return np.stack([_picture(int(label), rng) for label in labels]), labels.astype(np.int64)


def _picture(label: int, rng: np.random.Generator) -> np.ndarray:
    form, ink = FORMS[label // len(INKS)], np.array(INKS[label % len(INKS)])
    picture = Image.new("RGB", (32, 32), tuple(int(v) for v in rng.integers(40, 216, 3)))
    (x, y), radius, turn = rng.uniform(10, 22, 2), rng.uniform(5, 9), rng.uniform(0, 360)
    fill = tuple(int(v) for v in np.clip(ink + rng.normal(0, 25, 3), 0, 255))
    draw = ImageDraw.Draw(picture)
    if form == "disc":
        draw.ellipse([x - radius, y - radius, x + radius, y + radius], fill=fill)
    else:
        draw.regular_polygon((float(x), float(y), float(radius)), 4 if form == "square" else 3, float(turn), fill)
    noisy = np.asarray(picture, np.float64) + rng.normal(0, 20, (32, 32, 3))
    return np.moveaxis(np.clip(np.rint(noisy), 0, 255).astype(np.uint8), 2, 0)


def shapes_part(count: int, seed: int) -> Dataset:
    """So many shapes to learn from, and others held out."""
    images, labels = shapes(count + HELD_OUT, seed)
    order = np.random.default_rng(seed).permutation(len(labels))
    return _dataset("shapes", images[order], labels[order], count, 9)


def fashion_part(folder: Path, count: int, seed: int) -> Dataset:
    """So many of Fashion-MNIST's training images, drawn by the seed, and others of them held out."""
    names = ("train-images-idx3-ubyte", 3), ("train-labels-idx1-ubyte", 1)
    images, labels = (idx.parse(idx.read_bytes(folder / f"{name}.gz"), name, deep) for name, deep in names)
    rows = stratified(labels.astype(np.int64), count + HELD_OUT, seed)
    rows = np.random.default_rng(seed).permutation(rows)
    return _dataset("fashion", images[rows][:, None], labels[rows].astype(np.int64), count, 10)


def _dataset(name: str, images: np.ndarray, labels: np.ndarray, count: int, classes: int) -> Dataset:
    middle, spread = channel_statistics(images[:count])
    return Dataset(
        name=name, train_images=images[:count], train_labels=labels[:count], test_images=images[count:],
        test_labels=labels[count:], mean=middle, std=spread, classes=tuple(map(str, range(classes))), held_out=True,
    )  # fmt: skip


def reached(recipe: Recipe, parts: Iterable[Dataset]) -> list[float]:
    """The accuracy on each held-out part after the last epoch, in percent."""
    runs = [
        train("s7-8k", recipe, part, 100 + seed, engine="native", device="cpu", threads=1, test_each_epoch=False).run
        for seed, part in enumerate(parts)
    ]
    return [run.accuracy_percent for run in runs]


def choice(fashion: Path, seeds: int, numbers: tuple[int, ...]) -> Table:
    """A row a recipe: the mean of the held-out accuracies on each set."""
    digits = load_digits()
    sets = {
        "digits": [hold_out(digits, 300, seed) for seed in range(seeds)],
        "fashion": [fashion_part(fashion, 2_000, seed) for seed in range(seeds)],
        "shapes": [shapes_part(2_000, seed) for seed in range(seeds)],
    }
    rows = []
    for base, recipe in BASES.items():
        for epochs in numbers:
            for size in BATCHES:
                tried = replace(recipe, batch_size=size, epochs=epochs)
                found = [reached(tried, parts) for parts in sets.values()]
                rows.append((base, size, epochs, *(f"{mean(one):.2f} ({sd(one):.2f})" for one in found),
                             mean([mean(one) for one in found])))  # fmt: skip
                print(*rows[-1][:-1], f"{rows[-1][-1]:.2f}", flush=True)
    columns = [Column("based on"), Column("batch", "right"), Column("epochs", "right")]
    columns += [Column(f"{name}, %", "right") for name in sets] + [Column("mean", "right", ".2f")]
    return Table(f"Held-out training images, last epoch, {seeds} seeds (sd)", tuple(columns), tuple(rows))


def sizes(fashion: Path, seeds: int) -> Table:
    """A row a number of images: the recipe for few images and the one for many."""
    from tinyproof.train.recipe import RECIPES

    tried = {"best": BEST, "few": RECIPES["few"]}
    rows = []
    for count in SIZES:
        kinds = {"fashion": lambda seed, n=count: fashion_part(fashion, n, seed),
                 "shapes": lambda seed, n=count: shapes_part(n, seed)}  # fmt: skip
        for kind, make in kinds.items():
            parts = [make(seed) for seed in range(seeds)]
            found = {name: reached(recipe, parts) for name, recipe in tried.items()}
            rows.append((kind, count, *(f"{mean(one):.2f} ({sd(one):.2f})" for one in found.values()),
                         mean(found["few"]) - mean(found["best"])))  # fmt: skip
            print(*rows[-1][:-1], f"{rows[-1][-1]:+.2f}", flush=True)
    columns = [Column("set"), Column("images", "right", ","), *(Column(f"{name}, %", "right") for name in tried)]
    title = f"Held-out training images, last epoch, {seeds} seeds (sd)"
    return Table(title, (*columns, Column("points more", "right", "+.2f")), tuple(rows))


def main() -> None:
    """Measure and print what was asked for."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("what", nargs="?", choices=("choice", "sizes"), default="choice")
    options.add_argument("--fashion", type=Path, default=FASHION)
    options.add_argument("--seeds", type=int, default=4)
    options.add_argument("--epochs", type=int, nargs="+", default=(14, 28))
    given = options.parse_args()
    if given.what == "sizes":
        found = sizes(given.fashion, given.seeds)
    else:
        found = choice(given.fashion, given.seeds, tuple(given.epochs))
    print("\n" + found.text())


if __name__ == "__main__":
    main()
