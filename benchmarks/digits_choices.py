"""How two choices for the digits were made, on held-out parts of the training digits; the test images stay unseen.

python benchmarks/digits_choices.py target     their target: what the nearest neighbour reaches, down to half a point
python benchmarks/digits_choices.py batch      their recipe's batch size: s7-8k, 14 epochs, several sizes
"""

from __future__ import annotations

import argparse
import math
from dataclasses import replace

import numpy as np
from sklearn.neighbors import KNeighborsClassifier

from tinyproof.core.stats import mean, sd
from tinyproof.data.dataset import TARGETS, Dataset, hold_out
from tinyproof.data.load import load_digits
from tinyproof.train.recipe import named

IMAGES = 300


def parts(digits: Dataset, count: int) -> list[Dataset]:
    """Stratified splits of the training digits."""
    return [hold_out(digits, IMAGES, seed) for seed in range(count)]


def target(digits: Dataset) -> None:
    """A network of a few thousand parameters is to be at least as good as remembering every image."""
    reached = []
    for part in parts(digits, 10):
        train, test = (x.reshape(len(x), -1).astype(np.float64) for x in (part.train_images, part.test_images))
        nearest = KNeighborsClassifier(1).fit(train, part.train_labels)
        reached.append(100.0 * float(nearest.score(test, part.test_labels)))
    print(f"nearest neighbour, 10 held-out parts of {IMAGES}: mean {mean(reached):.2f} %, sd {sd(reached):.2f}")
    print(f"target: {math.floor(2 * mean(reached)) / 2:g} % (the package says {TARGETS['digits']:g} %)")


def batch(digits: Dataset) -> None:
    """The recipe `digits` with other batch sizes."""
    from tinyproof.train.loop import train

    for size in (128, 64, 32, 16):
        recipe = replace(named("digits"), batch_size=size)
        found = [
            train(
                "s7-8k", recipe, part, 100 + seed, device="cpu", threads=1, test_each_epoch=False
            ).run.accuracy_percent
            for seed, part in enumerate(parts(digits, 5))
        ]
        print(
            f"batch {size:>3}: mean {mean(found):.2f} %, sd {sd(found):.2f}, 5 held-out parts of {IMAGES}", flush=True
        )


def main() -> None:
    """Measure and print what was asked for."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("choice", choices=("target", "batch"))
    {"target": target, "batch": batch}[options.parse_args().choice](load_digits())


if __name__ == "__main__":
    main()
