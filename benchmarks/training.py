"""Our torch engine beside a bare eager PyTorch loop, in one run: python benchmarks/training.py [--threads N]

The bare loop has everything in memory as normalised float tensors, the same augmentation (its own draws on the whole
batch), the same network, optimiser and batch size, and no logging. It is tried with and without channels-last memory
and with every implementation of the optimiser; the quickest setting is then timed in turns with our engine. Both sides
share whatever else the machine is doing, so the ratio is the figure; seconds are of this machine at this moment.
"""

from __future__ import annotations

import argparse
import itertools
import math
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from small_nets import build
from tinyproof.core.table import Column, Table
from tinyproof.data.dataset import Dataset
from tinyproof.data.load import load_mnist
from tinyproof.network import nets
from tinyproof.train.augment import draw
from tinyproof.train.engine import Batch
from tinyproof.train.engine.torch_engine import TorchEngine
from tinyproof.train.recipe import Recipe, named

Steps = Callable[[int], None]


def changed(x: Tensor, recipe: Recipe) -> Tensor:
    """Rotation, shift and scale drawn in torch for every image, as a bare loop would write it."""
    count, augment = len(x), recipe.augment

    def spread(width: float) -> Tensor:
        return (torch.rand(count) * 2 - 1) * width

    angle, scale = spread(math.radians(augment.max_degrees)), 1 + spread(augment.max_scale)
    cos, sin = torch.cos(angle) / scale, torch.sin(angle) / scale
    x_shift, y_shift = (spread(2 * augment.max_shift_pixels / x.shape[-1]) for _ in range(2))
    theta = torch.stack([torch.stack([cos, sin, x_shift], 1), torch.stack([-sin, cos, y_shift], 1)], 1)
    return F.grid_sample(x, F.affine_grid(theta, list(x.shape), align_corners=False), align_corners=False)


@cache
def normalised(dataset: Dataset) -> tuple[Tensor, Tensor]:
    """All training images, once for all settings, and what black is among them."""
    mean, std = (torch.tensor(values, dtype=torch.float32)[:, None, None] for values in dataset.normalisation)
    # Grid sampling fills with 0, so the background is moved to 0 for it, as the engine's bytes have it.
    return (torch.from_numpy(dataset.train_images).float() / 255 - mean) / std, -mean / std


def bare(
    model: str,
    recipe: Recipe,
    dataset: Dataset,
    channels_last: bool,
    kind: str,
    compiled: bool = False,
    half: bool = False,
) -> Steps:
    """A bare loop: call it with a number of steps. `compiled`: by torch.compile; `half`: autocast to bfloat16."""
    layout = torch.channels_last if channels_last else torch.contiguous_format
    module = build(model).to(memory_format=layout).train()  # type: ignore[call-overload]
    nets.set_dropout(module, recipe.dropout)
    forward = torch.compile(module, dynamic=False) if compiled else module
    images, background = normalised(dataset)
    labels = torch.from_numpy(dataset.train_labels)
    options = {"foreach": {"foreach": True}, "fused": {"fused": True}, "for-loop": {"foreach": False}}[kind]
    if recipe.optimizer == "adamw":
        optimizer: torch.optim.Optimizer = torch.optim.AdamW(module.parameters(), recipe.rate, **options)
    else:
        optimizer = torch.optim.SGD(module.parameters(), recipe.rate, recipe.momentum, **options)

    def steps(count: int) -> None:
        order = torch.randperm(len(images))
        for step in range(count):
            rows = order[step * recipe.batch_size : (step + 1) * recipe.batch_size]
            x = images[rows]
            if not recipe.augment.nothing:
                x = changed(x - background, recipe) + background
            with torch.autocast("cpu", torch.bfloat16, enabled=half):
                answers = forward(x.contiguous(memory_format=layout))
            loss = F.nll_loss(answers.float(), labels[rows])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()

    return steps


def ours(model: str, recipe: Recipe, dataset: Dataset) -> Steps:
    """Our engine, driven as `train` drives it: draws in numpy for an epoch, a tally after every step."""
    module = nets.build(model)
    nets.set_dropout(module, recipe.dropout)
    engine = TorchEngine(module, recipe, dataset)
    generator = np.random.Generator(np.random.PCG64(0))

    def steps(count: int) -> None:
        size = recipe.batch_size
        order = generator.permutation(len(dataset.train_images))
        transforms = draw(recipe.augment, count * size, generator)
        for step in range(count):
            start, stop = step * size, (step + 1) * size
            part = None if transforms is None else transforms.part(start, stop)
            engine.step(Batch(order[start:stop], part, step), recipe.rate)
            engine.tally()

    return steps


def seconds(steps: Steps, count: int) -> float:
    """Wall time of some steps."""
    begun = time.perf_counter()
    steps(count)
    return time.perf_counter() - begun


def arguments() -> argparse.Namespace:
    """What the command line asks for."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--model", default="s7-8k")
    options.add_argument("--recipe", default="best")
    options.add_argument("--batch", type=int, default=64)
    options.add_argument("--threads", type=int, default=None)
    options.add_argument("--steps", type=int, default=60, help="steps of one turn")
    options.add_argument("--turns", type=int, default=9)
    options.add_argument("--data", default=None, help="the folder with MNIST's files")
    return options.parse_args()


def main() -> None:
    """Measure and print."""
    given = arguments()
    if given.threads:
        torch.set_num_threads(given.threads)
    dataset = load_mnist(given.data)
    recipe = replace(named(given.recipe), batch_size=given.batch)
    settings = {
        f"{'channels-last' if last else 'contiguous'}, {kind} optimiser": bare(given.model, recipe, dataset, last, kind)
        for last, kind in itertools.product((False, True), ("foreach", "fused", "for-loop"))
    }
    engine = ours(given.model, recipe, dataset)
    for steps in (*settings.values(), engine):
        steps(5)
    tried: dict[str, list[float]] = {name: [] for name in settings}
    for _ in range(3):
        for name, steps in settings.items():
            tried[name].append(seconds(steps, given.steps // 2))
    best = min(tried, key=lambda name: min(tried[name]))
    pairs = [(seconds(settings[best], given.steps), seconds(engine, given.steps)) for _ in range(given.turns)]
    images = given.steps * recipe.batch_size
    columns = (Column("loop"), Column("images a second", "right", ",.0f"), Column("seconds an epoch", "right", ".1f"))
    rows = []
    for name, position in ((f"bare PyTorch ({best})", 0), ("our torch engine", 1)):
        typical = statistics.median(pair[position] for pair in pairs)
        rows.append((name, images / typical, len(dataset.train_images) * typical / images))
    print(f"{given.model}, {recipe.name}, batch {recipe.batch_size}, {torch.get_num_threads()} thread(s)")
    print(Table("", columns, tuple(rows)).text())
    ratios = sorted(own / other for other, own in pairs)
    low, high = ratios[len(ratios) // 4], ratios[-1 - len(ratios) // 4]
    print(f"our time / bare time: median {statistics.median(ratios):.3f} (quartiles {low:.3f} to {high:.3f})")


if __name__ == "__main__":
    main()
