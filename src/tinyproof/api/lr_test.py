"""Which learning rate? A range test, and a sweep of rates; both on the training images alone (55,000 and 5,000)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tinyproof.core.errors import InputError, OutputError, Stopped, TinyproofError
from tinyproof.core.files import check_output, write_atomic
from tinyproof.core.table import Column, Table
from tinyproof.core.workers import run_bounded
from tinyproof.data.dataset import Dataset
from tinyproof.prove import parallel_runs
from tinyproof.prove.declare import Ask
from tinyproof.prove.parallel_runs import Told
from tinyproof.prove.worker import load_data
from tinyproof.train.lr_range import RangeTest, range_test

# Of MNIST's 60,000 training images 5,000 are held out; of a smaller set the same share.
_HELD_OUT_SHARE = 1 / 12


@dataclass(frozen=True)
class Swept:
    """One rate of a sweep: accuracy on the held-out images in percent, or why there is none."""

    rate: float
    percent: float | None
    problem: str = ""


@dataclass(frozen=True)
class _Try:
    ask: Ask
    threads: int
    seed: int


def lr_test(
    ask: Ask,
    *,
    steps: int = 200,
    low: float = 1e-5,
    high: float = 10.0,
    picture: str | Path | None = None,
    seed: int = 0,
) -> RangeTest:
    """The range test of a network and recipe; `picture`: the PNG to write. Raises Stopped on Ctrl-C."""
    from tinyproof.train.environment import need_torch

    need_torch("training")
    _can_be_written(picture)
    _, threads = parallel_runs.share_cores(1, "cpu", 1, ask.threads)
    try:
        from tinyproof.train.loop import prepare
        from tinyproof.train.rehearse import own_errors

        dataset = held_out(ask)
        with own_errors(ask.model):
            _, engine, _ = prepare(ask.model, ask.recipe, dataset, seed, ask.engine, ask.device, threads)
            found = range_test(engine, ask.recipe, dataset, steps=steps, low=low, high=high, seed=seed)
    except KeyboardInterrupt:
        raise Stopped("stopped; a range test keeps nothing, and the same command starts it again") from None
    if picture is not None:
        from tinyproof.show import prove_plots

        named = (("steepest", found.steepest), ("lowest", found.lowest))
        marks = [(rate, f"{name} {rate:.2g}") for name, rate in named if rate is not None]
        write_atomic(picture, prove_plots.rates(found.rates, found.losses, marks, "training loss, smoothed"))
    return found


def sweep(
    ask: Ask, rates: Sequence[float], *, picture: str | Path | None = None, seed: int = 0, told: Told | None = None
) -> list[Swept]:
    """Train the whole recipe once at each rate, on the larger part of the training images; judge by the held-out part.

    Every rate has the same seed. A choice made here is for `prove` to confirm with fresh seeds.
    """
    told = told or Told()
    if not 1 <= len(rates) <= 100:
        raise InputError("rates", f"{len(rates)} of them", "from 1 to 100 rates")
    _can_be_written(picture)
    from tinyproof.train import environment

    count, threads = parallel_runs.share_cores(len(rates), environment.device(ask.device), ask.processes, ask.threads)
    tries = [_Try(replace(ask, recipe=replace(ask.recipe, rate=rate)), threads, seed) for rate in rates]
    found: dict[float, Swept] = {}
    try:
        with parallel_runs.quiet_threads(threads):
            for outcome in run_bounded(_one, tries, processes=count, seconds=None, start="spawn"):
                if outcome.problem:
                    raise TinyproofError(f"rate {rates[outcome.index]:g}: {outcome.problem}")
                swept = found[rates[outcome.index]] = outcome.value
                told.say(
                    f"rate {swept.rate:<8g}  " + (swept.problem or f"{swept.percent:.2f} % of the held-out images")
                )
    except KeyboardInterrupt:
        raise Stopped("stopped; a sweep keeps nothing, and the same command starts it again") from None
    ordered = [found[rate] for rate in rates]
    good = [(swept.rate, swept.percent) for swept in ordered if swept.percent is not None]
    if picture is not None and good:
        from tinyproof.show import prove_plots

        by_rate = sorted(good)
        png = prove_plots.rates([r for r, _ in by_rate], [p for _, p in by_rate], (), "held-out accuracy, %")
        write_atomic(picture, png)
    return ordered


def _can_be_written(picture: str | Path | None) -> None:
    """Refuse the path of a picture before anything is trained for it: InputError, OutputError."""
    if picture is None:
        return
    path = Path(picture)
    if path.suffix.lower() != ".png":
        raise InputError("picture", str(picture), "a file name that ends in .png")
    if path.is_dir():
        raise OutputError(path, "a folder of that name is in the way")
    check_output(path.parent)


def held_out(ask: Ask) -> Dataset:
    """The data set without its test images: a stratified part of the training images takes their place."""
    from tinyproof.data.dataset import hold_out

    dataset = load_data(ask.dataset, ask.data)
    return hold_out(dataset, max(1, round(len(dataset.train_labels) * _HELD_OUT_SHARE)))


def words(found: RangeTest) -> str:
    """The answer of a range test in one line."""
    end = "exploded" if found.exploded else "did not explode"
    if found.steepest is None or found.lowest is None:
        low, high = found.rates[0], found.rates[-1]
        return (
            f"the loss never falls between the rates {low:.3g} and {high:.3g}, and {end}: try another --low and --high"
        )
    return f"steepest fall at rate {found.steepest:.3g}, lowest loss at {found.lowest:.3g}; the loss {end}"


def table(found: Sequence[Swept]) -> Table:
    """Rate and held-out accuracy."""
    columns = (Column("rate", "right", "g"), Column("held-out accuracy, %", "right", ".2f"), Column(""))
    return Table("", columns, tuple((swept.rate, swept.percent, swept.problem) for swept in found))


def _one(one: _Try) -> Swept:
    """In a worker process: one rate."""
    from tinyproof.train.loop import Diverged, train

    ask = one.ask
    try:
        trained = train(
            ask.model, ask.recipe, held_out(ask), one.seed, engine=ask.engine, device=ask.device, threads=one.threads,
            test_each_epoch=False, keep_weights=False,
        )  # fmt: skip
    except Diverged as error:
        return Swept(ask.recipe.rate, None, str(error).partition(";")[0])
    return Swept(ask.recipe.rate, trained.run.accuracy_percent)
