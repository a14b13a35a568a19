"""Bare PyTorch, our torch engine and the native engine side by side: python benchmarks/engine.py [NETWORK ...]

For each network and number of threads, all are timed in turns, a few steps each, with the network's own recipe
(batch, optimiser, augmentation, dropout), all data in memory. A step's time is the best of the rounds: other work on
the machine can only make a step slower. With one thread it is the processor's time, which other work hardly touches;
with more it is the clock's, so such a run needs a machine with nothing else to do. Seconds an epoch are that time for
60,000 images, so one run of some minutes covers all networks.

Bare PyTorch stands for the best of all its settings, twice: contiguous or channels-last memory; the optimiser one
parameter after the other, all at once or fused; eager or by torch.compile; and in the second reading also autocast to
bfloat16. The first holds single precision against single precision, the second the best of both sides. The peak is
that of fused multiply-adds in registers, on one core, with the same flags, measured between the rounds. The share of it
counts the multiply-adds of the definition, forward and backward: kernels that need fewer gain by it, layers that are
computed again lose.
"""

from __future__ import annotations

import argparse
import ctypes
import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch._dynamo

from small_nets import SHAPES, build, recipe_of
from tinyproof.core.table import Column, Table
from tinyproof.data.dataset import Dataset
from tinyproof.data.load import load_mnist
from tinyproof.network import nets
from tinyproof.train.augment import draw
from tinyproof.train.engine import Batch
from tinyproof.train.engine.native.build import find_compiler, library, load
from tinyproof.train.engine.native.native_engine import NativeEngine, plan_of
from tinyproof.train.engine.torch_engine import TorchEngine
from tinyproof.train.recipe import Recipe
from training import bare

IMAGES = 60_000
NETWORKS = ("s7-8k", "s6-12k", "s6-16k", "s6-17k", "s6-19k", "s5-593k", *SHAPES)
PEAK = """
typedef float Vec __attribute__((vector_size(4 * LANES)));
extern "C" float peak(long rounds) {
  Vec sums[12] = {};  // twelve different chains: equal ones would be computed once
  for (int k = 0; k < 12; k++) sums[k] += float(rounds % (k + 7));
  for (long i = 0; i < rounds; i++) {
    _Pragma("GCC unroll 12") for (int k = 0; k < 12; k++) sums[k] = sums[k] * 0.999f + 0.5f;
    asm volatile("");
  }
  float total = 0;
  for (int k = 0; k < 12; k++) total += sums[k][0];
  return total;
}
"""


@dataclass
class Contestant:
    """`steps(n)` runs n training steps; `best` is the quickest step so far, in seconds."""

    name: str
    threads: int
    steps: Callable[[int], object]
    best: float = float("inf")

    def measure(self, count: int) -> None:
        torch.set_num_threads(self.threads)
        clock = time.process_time if self.threads == 1 else time.perf_counter
        begun = clock()
        self.steps(count)
        self.best = min(self.best, (clock() - begun) / count)


def engine_steps(engine: NativeEngine | TorchEngine, recipe: Recipe, dataset: Dataset) -> Callable[[int], object]:
    """Drives an engine as `train` does: draws made for many steps at once, a tally after every step."""
    rng = np.random.default_rng(0)
    count, size = min(len(dataset.train_images), 20 * recipe.batch_size), recipe.batch_size
    order = rng.permutation(len(dataset.train_images))[:count]
    changes = draw(recipe.augment, count, rng, 0.0, dataset.shape[1:])

    def steps(number: int) -> None:
        for step in range(number):
            start = step % (count // size) * size
            part = slice(start, start + size)
            changed = None if changes is None else changes.part(start, start + size)
            engine.step(Batch(order[part], changed, step), recipe.rate)
            engine.tally()

    return steps


def contestants(model: str, recipe: Recipe, dataset: Dataset, threads: int) -> list[Contestant]:
    """Bare PyTorch in all its settings, then our two engines."""

    def made() -> torch.nn.Module:
        module = build(model)
        nets.set_dropout(module, recipe.dropout)
        return module

    torch.set_num_threads(threads)
    settings = itertools.product((False, True), (False, True), (False, True), ("for-loop", "foreach", "fused"))
    runners = [
        Contestant(
            setting(half, compiled, last, kind), threads, bare(model, recipe, dataset, last, kind, compiled, half)
        )
        for half, compiled, last, kind in settings
    ]
    torch_engine = TorchEngine(made(), recipe, dataset, 0, threads=threads)
    native_engine = NativeEngine(made(), recipe, dataset, 0, threads=threads)
    runners.append(Contestant("torch engine", threads, engine_steps(torch_engine, recipe, dataset)))
    runners.append(Contestant("native engine", threads, engine_steps(native_engine, recipe, dataset)))
    return runners


def setting(half: bool, compiled: bool, channels_last: bool, kind: str) -> str:
    """A setting of bare PyTorch in words."""
    layout = "channels-last" if channels_last else "contiguous"
    return f"{'bf16' if half else 'single'}, {'compiled' if compiled else 'eager'}, {layout}, {kind}"


def quickest(runners: list[Contestant]) -> tuple[Contestant, Contestant]:
    """Bare PyTorch's best setting in single precision, and its best of all."""
    single = [runner for runner in runners[:-2] if runner.name.startswith("single")]
    return min(single, key=lambda runner: runner.best), min(runners[:-2], key=lambda runner: runner.best)


def pictures(model: str) -> Dataset:
    """MNIST; noise of their own size for networks of other images: the values make no step slower or quicker."""
    if model not in SHAPES or SHAPES[model][0] == (1, 28, 28):
        return load_mnist()
    images = np.random.default_rng(0).integers(0, 256, (4000, *SHAPES[model][0]), dtype=np.uint8)
    labels = np.arange(4000) % 10
    return Dataset(
        name="noise", train_images=images, train_labels=labels, test_images=images, test_labels=labels, mean=0.5,
        std=0.29, classes=tuple("0123456789"),
    )  # fmt: skip


def shape_of(model: str) -> tuple[int, int, int]:
    """Channels, rows and columns of a network's images."""
    return SHAPES[model][0] if model in SHAPES else (1, 28, 28)


def peak_gflops(seconds: float = 0.1) -> float:
    """Fused multiply-adds of one core, in GFLOP/s (two operations each)."""
    compiler = find_compiler()
    text, offers = PEAK.replace("LANES", str(compiler.lanes)), ("peak",)
    run = load(library(text, compiler, symbols=offers), offers).peak
    run.restype, rounds, best, until = ctypes.c_float, 100_000, 0.0, time.perf_counter() + seconds
    while time.perf_counter() < until:
        begun = time.perf_counter()
        run(ctypes.c_long(rounds))
        best = max(best, 2 * 12 * compiler.lanes * rounds / (time.perf_counter() - begun) / 1e9)
    return best


def race(model: str, dataset: Dataset, threads: int, rounds: int, seconds: float) -> tuple[list[Contestant], float]:
    """All contestants in turns; each turn takes about `seconds`. Also the best peak seen."""
    torch._dynamo.reset()  # what networks before left
    runners, peak = contestants(model, recipe_of(model), dataset, threads), 0.0
    torch._dynamo.config.recompile_limit = 2 * len(runners)  # beyond it a compiled network is run eagerly, unsaid
    for runner in runners:
        runner.measure(2)  # compiles
        runner.best = float("inf")
        runner.measure(1)
    for number in range(rounds):
        peak = max(peak, peak_gflops())
        ahead = {id(runner): runner for runner in (*quickest(runners), *runners[-2:])}
        for runner in runners if number == 0 else ahead.values():
            runner.measure(max(1, min(20, round(seconds / runner.best))))
    return runners, peak


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("networks", nargs="*", help=f"of {', '.join(NETWORKS)} (all)")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=1.0, help="of one turn")
    arguments = parser.parse_args()
    rows, highest = [], 0.0
    for model, threads in itertools.product(arguments.networks or NETWORKS, arguments.threads):
        runners, peak = race(model, pictures(model), threads, arguments.rounds, arguments.seconds)
        single, best = quickest(runners)
        images, work = recipe_of(model).batch_size, plan_of(build(model), shape_of(model)).training_multiply_adds
        epochs = [runner.best / images * IMAGES for runner in (single, best, *runners[-2:])]
        highest = max(highest, peak)
        reached = 2 * work * images / runners[-1].best / 1e9 / threads
        ours = epochs[-1]
        names = (single.name, best.name)
        rows.append((model, threads, *epochs, epochs[0] / ours, epochs[1] / ours, reached / peak, *names))
        print(rows[-1], flush=True)
    seconds, number = "right", "right"
    columns = (
        Column("network"),
        Column("threads", number),
        Column("PyTorch's best in single precision, s an epoch", seconds, ".2f"),
        Column("its best of all", seconds, ".2f"),
        Column("torch engine", seconds, ".2f"),
        Column("native engine", seconds, ".2f"),
        Column("times as fast, single against single", number, ".1f"),
        Column("best against best", number, ".1f"),
        Column("share of the peak", number, ".0%"),
        Column("PyTorch's best setting in single precision"),
        Column("of all"),
    )
    print(Table("training", columns, tuple(rows)).markdown())
    instructions = find_compiler().instructions
    print(f"One core's highest peak in this run: {highest:.0f} GFLOP/s ({instructions}); a row's share is of its own.")


if __name__ == "__main__":
    main()
