"""Compare training recipes on held-out training images; the 10,000 test images take no part.

    python benchmarks/recipe_search.py lead lead+b2 --seeds 8      two candidates, seeds 1 to 8
    python benchmarks/recipe_search.py factorial                   16 runs that vary eight choices at once
    python benchmarks/recipe_search.py fast --seeds 4              the networks that were tried for `fast`
    python benchmarks/recipe_search.py fast-epochs --seeds 10      the chosen one with averaged weights: how long?

Each run trains on 55,000 training images and is judged after its last epoch on the other 5,000: the same ones for
every run, each class in proportion. One run a core, of one thread. Runs are kept in --folder: a second call goes on
with what is missing. MNIST is looked for where `tinyproof data` says. Figures: docs/recipes.md.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np

from tinyproof.core import stats
from tinyproof.core.errors import InputError, TinyproofError
from tinyproof.core.table import Column, Table
from tinyproof.core.workers import run_bounded
from tinyproof.data.dataset import Dataset, hold_out
from tinyproof.data.load import load_mnist
from tinyproof.train.loop import train
from tinyproof.train.recipe import Augment, Recipe, Schedule
from tinyproof.train.run_record import Run

LEAD = Recipe(
    "lead",
    optimizer="adamw",
    rate=0.02,
    weight_decay=0.01,
    schedule=Schedule("one-cycle", warmup=0.2),
    epochs=14,
    batch_size=128,
    dropout=0.0,
    augment=Augment(max_degrees=8.0, max_shift_pixels=1.5, max_scale=0.08),
)
STRONG = Augment(max_degrees=12.0, max_shift_pixels=2.0, max_scale=0.1, max_shear_degrees=6.0)
# What each choice changes in the lead; a candidate's name joins choices with +.
CHOICES: dict[str, dict[str, object]] = {
    "lead": {},
    "b2": {"beta2": 0.99},
    "wd": {"weight_decay": 0.03},
    "strong": {"augment": STRONG},
    "linear": {"schedule": Schedule("linear", warmup=0.1)},
    "batch64": {"batch_size": 64, "rate": 0.014},
    "smooth": {"label_smoothing": 0.05},
    "half": {},  # half the rate, whatever it is
    "anneal": {},  # the augmentation, whatever it is, shrinks to 40 % in the last 30 % of training
    "ema": {"ema": 0.9989},
}
FIRST_SEED = 100
FACTORS = ("batch64", "linear", "strong", "wd", "smooth", "half", "anneal", "b2")
MILD = Augment(max_degrees=6.0, max_shift_pixels=1.0, max_scale=0.06)
FAST_NETS = Path(__file__).with_name("fast_nets.py")
# The network, the epochs, and its augmentation; else the lead in batches of 64.
FAST_TRIED = (
    ("Pooled259k", 8, MILD), ("Pooled294k", 8, MILD), ("Deep346k", 8, MILD), ("Plain375k", 8, MILD),
    ("Low419k", 8, MILD), ("Wide1090k", 8, MILD), ("Plain447k", 8, MILD), ("Deep606k", 6, MILD), ("Deep606k", 8, MILD),
    ("Deep606k", 8, LEAD.augment), ("Deep606k", 14, LEAD.augment),
)  # fmt: skip
FAST_EPOCHS = (8, 10, 12, 14)
FAST_EMA = 0.9989  # looks back one epoch


@dataclass(frozen=True)
class Job:
    """One run of a candidate."""

    candidate: str
    model: str
    recipe: Recipe
    seed: int


def candidate(name: str) -> Recipe:
    """The lead with the choices in `name`, for example `lead+b2+strong`."""
    taken = name.split("+")
    changes: dict[str, object] = {}
    for choice in taken:
        if choice not in CHOICES:
            raise InputError("candidate", name, f"choices out of {', '.join(CHOICES)}, joined with +")
        changes |= CHOICES[choice]
    recipe = replace(LEAD, name=name, **changes)  # type: ignore[arg-type]
    rate = recipe.rate / 2 if "half" in taken else recipe.rate
    augment = replace(recipe.augment, anneal_from=0.7, anneal_to=0.4) if "anneal" in taken else recipe.augment
    return replace(recipe, rate=rate, augment=augment)


def factorial() -> Iterator[Job]:
    """16 of the 256 combinations of FACTORS: no single effect is mixed up with another or with a pair (2^(8-4))."""
    for index, (a, b, c, d) in enumerate(itertools.product((0, 1), repeat=4)):
        levels = (a, b, c, d, b ^ c ^ d, a ^ c ^ d, a ^ b ^ c, a ^ b ^ d)
        taken = [name for name, level in zip(FACTORS, levels, strict=True) if level]
        name = "+".join(["lead", *taken])
        yield Job(name, "s7-8k", candidate(name), FIRST_SEED + index)


def fast(net: str, epochs: int, augment: Augment, ema: float | None, seed: int) -> Job:
    """One run of a network that was tried for `fast`."""
    recipe = replace(LEAD, name="fast", batch_size=64, epochs=epochs, augment=augment, ema=ema)
    title = f"{net}, {epochs} epochs, {augment.max_degrees:.0f} degrees" + (", averaged" if ema else "")
    return Job(title, f"{FAST_NETS}:{net}", recipe, seed)


def jobs(names: list[str], seeds: int) -> Iterator[Job]:
    """The runs that were asked for, seed by seed."""
    if "factorial" in names:
        yield from factorial()
    for seed in range(1, seeds + 1):
        if "fast" in names:
            yield from (fast(net, epochs, augment, None, seed) for net, epochs, augment in FAST_TRIED)
        if "fast-epochs" in names:
            yield from (fast("Deep606k", epochs, LEAD.augment, FAST_EMA, seed) for epochs in FAST_EPOCHS)
        for name in names:
            if name not in ("factorial", "fast", "fast-epochs"):
                yield Job(name, "s7-8k", candidate(name), seed)


def work(item: tuple[Job, Path]) -> Run:
    """Train one run in its folder, or find it there."""
    job, folder = item
    return train(
        job.model, job.recipe, held_out(), job.seed, folder=folder, threads=1, test_each_epoch=False, keep_weights=False
    ).run


@cache
def held_out() -> Dataset:
    """MNIST's training images, the last twelfth as test images."""
    return hold_out(load_mnist())


def summary(done: list[tuple[Job, Run]]) -> Table:
    """A row for each candidate: runs, mean and sd of the accuracy, mean log-loss."""
    rows = []
    for name in dict.fromkeys(job.candidate for job, _ in done):
        runs = [run for job, run in done if job.candidate == name]
        accuracy = [run.accuracy_percent for run in runs]
        spread = statistics.stdev(accuracy) if len(runs) > 1 else None
        loss = statistics.fmean(run.test_loss for run in runs)
        rows.append((name, len(runs), statistics.fmean(accuracy), spread, loss, runs[0].macs))
    columns = [
        Column("candidate"), Column("runs", "right"), Column("mean accuracy, %", "right", ".3f"),
        Column("sd", "right", ".3f"), Column("mean log-loss", "right", ".5f"),
        Column("multiply-adds", "right", ","),
    ]  # fmt: skip
    return Table("Held-out training images, last epoch", tuple(columns), tuple(rows))


def differences(done: list[tuple[Job, Run]]) -> Table:
    """Every candidate minus the first one, seed by seed: mean in points of accuracy, with its 95 % interval."""
    runs: dict[str, dict[int, Run]] = {}
    for job, run in done:
        runs.setdefault(job.candidate, {})[job.seed] = run
    first, rows = next(iter(runs)), []
    for name, theirs in runs.items():
        seeds = sorted(theirs.keys() & runs[first].keys())
        if name == first or len(seeds) < 2:
            continue
        sides = [[side[seed].accuracy_percent for seed in seeds] for side in (theirs, runs[first])]
        found = stats.paired(*sides, resolution=0.02)
        rows.append((name, found.n, found.mean, found.interval.low, found.interval.high))
    columns = (
        Column("candidate"), Column("pairs", "right"), Column(f"points more than {first}", "right", "+.3f"),
        Column("from", "right", "+.3f"), Column("to", "right", "+.3f"),
    )  # fmt: skip
    return Table("On the same seeds", columns, tuple(rows))


def effects(done: list[tuple[Job, Run]]) -> Table:
    """What each choice of the factorial does on its own (least squares), with its standard error."""
    signs = [[1.0, *(1.0 if name in job.candidate.split("+") else -1.0 for name in FACTORS)] for job, _ in done]
    design = np.array(signs)
    rows = []
    for title, figures in (
        ("accuracy, points", [run.accuracy_percent for _, run in done]),
        ("log-loss", [run.test_loss for _, run in done]),
    ):
        y = np.array(figures)
        fit = np.linalg.lstsq(design, y, rcond=None)[0]
        spread = np.sqrt(((y - design @ fit) ** 2).sum() / (len(y) - len(fit)))
        error = 2 * spread * np.sqrt(np.diag(np.linalg.inv(design.T @ design)))
        rows += [(name, title, 2 * float(fit[i]), float(error[i])) for i, name in enumerate(FACTORS, 1)]
    columns = (Column("choice"), Column("on"), Column("effect", "right", "+.4f"), Column("se", "right", ".4f"))
    return Table("Effects of the choices", columns, tuple(rows))


def main() -> None:
    """Train what is missing, then print the tables."""
    parser = argparse.ArgumentParser(description="Compare recipes on held-out training images.")
    choices = ", ".join(CHOICES)
    parser.add_argument("names", nargs="+", help=f"factorial, fast, fast-epochs, or choices joined with +: {choices}")
    parser.add_argument("--seeds", type=int, default=4, help="seeds 1 to N of each candidate (not of factorial)")
    parser.add_argument("--processes", type=int, default=None, help="side by side; all cores where not given")
    parser.add_argument("--folder", type=Path, default=Path("runs/recipe-search"))
    options = parser.parse_args()
    wanted = list(jobs(options.names, options.seeds))
    names = [f"{job.candidate.replace(', ', '-').replace(' ', '-')}-{job.seed}" for job in wanted]
    items = [(job, options.folder / name) for job, name in zip(wanted, names, strict=True)]
    found: dict[int, Run] = {}
    for outcome in run_bounded(work, items, processes=options.processes, seconds=None, start="spawn"):
        job, run = wanted[outcome.index], outcome.value
        if outcome.problem:
            raise SystemExit(f"{job.candidate}, seed {job.seed}: {outcome.problem}")
        print(f"{job.candidate}, seed {job.seed}: {run.accuracy_percent:.2f} %, {run.test_loss:.5f}", flush=True)
        found[outcome.index] = run
    done = [(job, found[index]) for index, job in enumerate(wanted)]
    print("\n" + summary(done).markdown())
    if len({job.candidate for job in wanted if job.seed < FIRST_SEED}) > 1:
        print("\n" + differences([(job, run) for job, run in done if job.seed < FIRST_SEED]).markdown())
    if "factorial" in options.names:
        print("\n" + effects([(job, run) for job, run in done if job.seed >= FIRST_SEED]).markdown())


if __name__ == "__main__":
    try:
        main()
    except TinyproofError as error:
        raise SystemExit(str(error)) from None
