"""How much linear layers cost each engine: python benchmarks/linear_layers.py

Small networks whose multiply-adds lie more and more in linear layers, batches of 64 random images of 28x28, one thread.
A step's time is the processor's, the best of some, each engine in turn, so other work on the machine hardly touches it.
"""

from __future__ import annotations

import itertools
import time

import numpy as np
import torch
from torch import nn

from tinyproof.core.table import Column, Table
from tinyproof.data.dataset import Dataset
from tinyproof.train.engine import Batch
from tinyproof.train.engine.native.native_engine import NativeEngine
from tinyproof.train.engine.torch_engine import TorchEngine
from tinyproof.train.recipe import Recipe

BATCH, ROUNDS = 64, 30


def mixed(hidden: int) -> nn.Module:
    """One convolution, one pooling, and a hidden linear layer."""
    front = [nn.Conv2d(1, 8, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()]
    return nn.Sequential(*front, nn.Linear(1152, hidden), nn.ReLU(), nn.Linear(hidden, 10))


def lenet() -> nn.Module:
    front = [nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(*front, nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.Linear(84, 10))


def connected(*sizes: int) -> nn.Module:
    layers = [layer for a, b in itertools.pairwise(sizes) for layer in (nn.Linear(a, b), nn.ReLU())]
    return nn.Sequential(nn.Flatten(), *layers[:-1])


NETWORKS = {
    "LeNet": lenet,
    "convolution, 32 hidden": lambda: mixed(32),
    "convolution, 100 hidden": lambda: mixed(100),
    "convolution, 200 hidden": lambda: mixed(200),
    "convolution, 500 hidden": lambda: mixed(500),
    "784-10": lambda: connected(784, 10),
    "784-128-10": lambda: connected(784, 128, 10),
    "784-512-256-10": lambda: connected(784, 512, 256, 10),
}


def data() -> Dataset:
    rng = np.random.default_rng(0)
    images, labels = rng.integers(0, 256, (BATCH, 28, 28), dtype=np.uint8), rng.integers(0, 10, BATCH)
    return Dataset(
        name="random",
        train_images=images,
        train_labels=labels,
        test_images=images,
        test_labels=labels,
        mean=0.5,
        std=0.3,
        classes=tuple("0123456789"),
    )


def main() -> None:
    dataset, recipe, rows = data(), Recipe("sgd", rate=0.01, batch_size=BATCH), []
    for name, build in NETWORKS.items():
        native = NativeEngine(build(), recipe, dataset, threads=1)
        engines, best = (TorchEngine(build(), recipe, dataset, threads=1), native), [float("inf")] * 2
        for step in range(ROUNDS):
            for number, engine in enumerate(engines):
                torch.set_num_threads(1)
                begun = time.process_time()
                engine.step(Batch(np.arange(BATCH), None, step), recipe.rate)
                best[number] = min(best[number], time.process_time() - begun)
        rows.append((name, native.plan.linear_share, 1000 * best[0], 1000 * best[1], best[0] / best[1]))
        print(rows[-1], flush=True)
    columns = (
        Column("network"),
        Column("multiply-adds in linear layers", "right", ".0%"),
        Column("torch, ms a step", "right", ".2f"),
        Column("native", "right", ".2f"),
        Column("times as fast", "right", ".2f"),
    )
    print(Table("linear layers", columns, tuple(rows)).markdown())


if __name__ == "__main__":
    main()
