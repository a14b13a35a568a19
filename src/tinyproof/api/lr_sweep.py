"""A sweep of learning rates: the whole recipe trained at each, judged by a held-out part of the training images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from tinyproof.core.errors import InputError, OutputError, Stopped, TinyproofError
from tinyproof.core.files import check_output, write_atomic
from tinyproof.core.listener import SILENT, Listener
from tinyproof.core.printed import Part, Printed
from tinyproof.core.table import Column, Table
from tinyproof.core.workers import run_bounded
from tinyproof.data.dataset import Dataset, hold_out
from tinyproof.prove import parallel_runs
from tinyproof.prove.declare import Ask
from tinyproof.prove.worker import load_data
from tinyproof.show import prove_plots
from tinyproof.show.matplotlib_door import need_charts
from tinyproof.train.environment import device

# Of MNIST's 60,000 training images 5,000 are held out; of a smaller set the same share.
_HELD_OUT_SHARE = 1 / 12


@dataclass(frozen=True)
class TriedRate:
    """One rate of a sweep: accuracy on the held-out images in percent, or why there is none."""

    rate: float
    percent: float | None
    problem: str = ""


def _percent(one: TriedRate) -> float:
    return -1.0 if one.percent is None else one.percent


@dataclass(frozen=True, repr=False)
class LrSweepResult(Printed):
    """The whole recipe trained at each of several rates, judged by the held-out part of the training images."""

    tried: tuple[TriedRate, ...]
    picture: Path | None = None

    def parts(self) -> Sequence[Part]:
        """A row a rate, and what it says."""
        return [self.table(), self.words()]

    def words(self) -> str:
        """The best rate, how far it is ahead, and whether it lies at the edge of those that were tried."""
        good = sorted(
            (one for one in self.tried if one.percent is not None), key=lambda one: (-_percent(one), one.rate)
        )
        if not good:
            return "no rate ended in a number"
        best, rates = good[0], sorted(one.rate for one in self.tried)
        told = f"best: {best.rate:g}, {_percent(best):.2f} % of the held-out images, one seed"
        if len(good) > 1:
            ahead = _percent(best) - _percent(good[1])
            told += f", {ahead:.2f} points before {good[1].rate:g}" if ahead else f", as at {good[1].rate:g}"
        told += "; `prove` or `compare` says whether that is more than chance"
        if len(rates) > 1 and best.rate in (rates[0], rates[-1]):
            edge = "low" if best.rate == rates[0] else "high"
            told += f"\nit is the {edge}est rate that was tried: try {edge}er ones too"
        return told

    def table(self) -> Table:
        """Rate and held-out accuracy."""
        columns = (Column("rate", "right", "g"), Column("held-out accuracy, %", "right", ".2f"), Column(""))
        return Table("", columns, tuple((one.rate, one.percent, one.problem) for one in self.tried))

    def to_json(self) -> list[dict[str, Any]]:
        """Plain data, a rate each."""
        return [asdict(one) for one in self.tried]


@dataclass(frozen=True)
class _Try:
    ask: Ask
    threads: int
    seed: int


def sweep_rates(
    ask: Ask, rates: Sequence[float], *, picture: Path | None = None, seed: int = 0, listener: Listener = SILENT
) -> tuple[TriedRate, ...]:
    """Train the whole recipe once at each rate, on the larger part of the training images; judge by the other part."""
    if not 1 <= len(rates) <= 100:
        raise InputError("rates", f"a list of {len(rates)}", "from 1 to 100 rates")
    can_be_written(picture)
    count, threads = parallel_runs.share_cores(len(rates), device(ask.device), ask.processes, ask.threads)
    tries = [_Try(replace(ask, recipe=replace(ask.recipe, rate=rate)), threads, seed) for rate in rates]
    found: dict[float, TriedRate] = {}
    try:
        with parallel_runs.quiet_threads(threads):
            for outcome in run_bounded(_one, tries, processes=count, seconds=None, start="spawn"):
                if outcome.problem:
                    raise TinyproofError(f"rate {rates[outcome.index]:g}: {outcome.problem}")
                tried = found[rates[outcome.index]] = outcome.value
                words = tried.problem or f"{tried.percent:.2f} % of the held-out images"
                listener.say(f"rate {tried.rate:<8g}  {words}")
    except KeyboardInterrupt:
        raise Stopped("stopped; a sweep keeps nothing, and the same command starts it again") from None
    good = sorted((one.rate, one.percent) for one in found.values() if one.percent is not None)
    if picture is not None and good:
        png = prove_plots.rates([r for r, _ in good], [p for _, p in good], (), "held-out accuracy, %")
        write_atomic(picture, png)
    return tuple(found[rate] for rate in rates)


def can_be_written(picture: Path | None) -> None:
    """Refuse a picture before anything is trained for it: InputError, OutputError, MissingDependency."""
    if picture is None:
        return
    if picture.suffix.lower() != ".png":
        raise InputError("picture", str(picture), "a file name that ends in .png")
    if picture.is_dir():
        raise OutputError(picture, "a folder of that name is in the way")
    need_charts()
    check_output(picture.parent)


def held_out(ask: Ask) -> Dataset:
    """The data set without its test images: a stratified part of the training images takes their place."""
    dataset = load_data(ask.dataset, ask.data, ask.asked)
    return hold_out(dataset, max(1, round(len(dataset.train_labels) * _HELD_OUT_SHARE)))


def _one(one: _Try) -> TriedRate:
    """In a worker process: one rate."""
    from tinyproof.train.loop import Diverged, train

    ask = one.ask
    try:
        trained = train(
            ask.model, ask.recipe, held_out(ask), one.seed, engine=ask.engine, device=ask.device, threads=one.threads,
            test_each_epoch=False, keep_weights=False,
        )  # fmt: skip
    except Diverged as error:
        return TriedRate(ask.recipe.rate, None, str(error).partition(";")[0])
    return TriedRate(ask.recipe.rate, trained.run.accuracy_percent)
