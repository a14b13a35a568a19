"""Ten seeds of the 8k network beside bare PyTorch, in one run: python benchmarks/ten_seeds.py [--seeds 10]

A whole proof (declared seeds, side by side, judged) is timed by the clock. Before it and after it, bare PyTorch is
timed on the same cores with the same network and recipe, and scaled to as many epochs. It gets its best setting:
either memory layout, any of three optimisers, the recipe's batch or half of it; one process with all threads, and one
process a core with one thread each. About ten minutes on two cores; they need nothing else to do.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
import time
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import torch

import tinyproof
from tinyproof.core.table import Column, Table
from tinyproof.core.workers import run_bounded
from tinyproof.data.load import load_mnist
from tinyproof.prove.parallel_runs import cores, quiet_threads
from tinyproof.train.recipe_text import parse
from training import Steps, bare


@dataclass(frozen=True)
class Setting:
    """How bare PyTorch trains."""

    model: str
    recipe: str
    batch: int
    channels_last: bool
    optimizer: str
    threads: int

    @property
    def name(self) -> str:
        return f"batch {self.batch}, {'channels-last' if self.channels_last else 'contiguous'}, {self.optimizer}"


@cache
def ready(setting: Setting) -> Steps:
    torch.set_num_threads(setting.threads)
    recipe = replace(parse(setting.recipe), batch_size=setting.batch)
    steps = bare(setting.model, recipe, load_mnist(), setting.channels_last, setting.optimizer)
    steps(3)
    return steps


def epoch_seconds(item: tuple[Setting, float]) -> float:
    """Seconds an epoch of bare PyTorch in this setting, from as many steps as take about `seconds`."""
    setting, seconds = item
    steps, done, begun = ready(setting), 0, time.perf_counter()
    while time.perf_counter() - begun < seconds:
        steps(20)
        done += 20
    return (time.perf_counter() - begun) * 60_000 / (done * setting.batch)


def side_by_side(setting: Setting, processes: int, seconds: float) -> float:
    """Seconds an epoch when as many processes train at once, each its own network: their common throughput."""
    with quiet_threads(setting.threads):
        outcomes = list(run_bounded(epoch_seconds, [(setting, seconds)] * processes, processes=processes, seconds=None, start="spawn"))  # noqa: E501  # fmt: skip
    problems = [outcome.problem for outcome in outcomes if outcome.problem]
    if problems:
        raise SystemExit(problems[0])
    return 1 / sum(1 / outcome.value for outcome in outcomes)


def best_setting(model: str, recipe: str, threads: int, processes: int) -> Setting:
    """The quickest of the twelve, by a short trial of each in its own processes."""
    size = parse(recipe).batch_size
    settings = [
        Setting(model, recipe, batch, last, kind, threads)
        for batch, last, kind in itertools.product((size, size // 2), (False, True), ("for-loop", "foreach", "fused"))
    ]
    return min(settings, key=lambda setting: side_by_side(setting, processes, 3.0))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", default="s7-8k")
    parser.add_argument("--recipe", default="best")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=20.0, help="of bare PyTorch, each time it is measured")
    given = parser.parse_args()
    there = cores()
    ways = {
        f"one process, {there} threads": (best_setting(given.model, given.recipe, there, 1), 1),
        f"{there} processes, one thread each": (best_setting(given.model, given.recipe, 1, there), there),
    }
    before = {way: side_by_side(*how, given.seconds) for way, how in ways.items()}
    with tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        found = tinyproof.prove(
            given.model, given.recipe, seeds=given.seeds, threads=1, engine="native", weights=False,
            out=Path(folder, "proof"),
        )  # fmt: skip
        took = time.perf_counter() - begun
    after = {way: side_by_side(*how, given.seconds) for way, how in ways.items()}
    epochs = given.seeds * parse(given.recipe).epochs
    rows = [
        (f"bare PyTorch, {way}", setting.name, before[way], after[way], epochs * (before[way] + after[way]) / 2,
         epochs * (before[way] + after[way]) / 2 / took)
        for way, (setting, _) in ways.items()
    ]  # fmt: skip
    rows.append((f"`prove`, {given.seeds} seeds, {there} processes", "native engine", None, None, took, 1.0))
    number = "right"
    columns = (
        Column(f"{epochs} epochs"), Column("setting"), Column("s an epoch, before", number, ".1f"),
        Column("after", number, ".1f"), Column("seconds in all", number, ",.0f"),
        Column("times the proof", number, ".1f"),
    )  # fmt: skip
    print(Table("", columns, tuple(rows)).markdown())
    print(f"{found.verdict.word}: {found.verdict.reason}")


if __name__ == "__main__":
    main()
