"""Which learning rate? A range test, and a sweep of rates; both on the training images alone (55,000 and 5,000)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, overload

from tinyproof.core.errors import InputError, OutputError, Stopped, TinyproofError
from tinyproof.core.files import check_output, write_atomic
from tinyproof.core.listener import SILENT, Listener
from tinyproof.core.printed import Part, Printed, printed
from tinyproof.core.table import Column, Table
from tinyproof.core.workers import run_bounded
from tinyproof.data.dataset import Dataset, hold_out
from tinyproof.prove import parallel_runs
from tinyproof.prove.declare import Ask, as_recipe
from tinyproof.prove.worker import load_data
from tinyproof.show import prove_plots
from tinyproof.show.terminal import terminal
from tinyproof.train.environment import device, need_torch
from tinyproof.train.lr_range import RangeTest, range_test
from tinyproof.train.recipe import Recipe

PICTURE = Path("tinyproof-out/lr-test.png")
# Of MNIST's 60,000 training images 5,000 are held out; of a smaller set the same share.
_HELD_OUT_SHARE = 1 / 12


@dataclass(frozen=True, repr=False)
class LrTestResult(Printed, RangeTest):
    """A range test: `rates` and smoothed training `losses` of every step, the `steepest` and the `lowest` rate.

    Good peak rates lie between these two; both are None where the loss never falls.
    """

    picture: Path | None = None

    def parts(self) -> Sequence[Part]:
        """The answer in a line, and where the picture is."""
        return [self.words() + _where(self.picture)]

    def words(self) -> str:
        """The answer in one line."""
        end = "exploded" if self.exploded else "did not explode"
        if self.steepest is None or self.lowest is None:
            low, high = self.rates[0], self.rates[-1]
            return (
                f"the loss never falls between the rates {low:.3g} and {high:.3g}, and {end}: "
                "try another --low and --high"
            )
        return f"steepest fall at rate {self.steepest:.3g}, lowest loss at {self.lowest:.3g}; the loss {end}"

    def to_json(self) -> dict[str, Any]:
        """Plain data, without the picture."""
        return {name: value for name, value in asdict(self).items() if name != "picture"}


@dataclass(frozen=True)
class TriedRate:
    """One rate of a sweep: accuracy on the held-out images in percent, or why there is none."""

    rate: float
    percent: float | None
    problem: str = ""


@dataclass(frozen=True, repr=False)
class LrSweepResult(Printed):
    """The whole recipe trained at each of several rates, judged by the held-out part of the training images."""

    tried: tuple[TriedRate, ...]
    picture: Path | None = None

    def parts(self) -> Sequence[Part]:
        """A row a rate."""
        return [self.table()]

    def table(self) -> Table:
        """Rate and held-out accuracy."""
        columns = (Column("rate", "right", "g"), Column("held-out accuracy, %", "right", ".2f"), Column(""))
        return Table("", columns, tuple((one.rate, one.percent, one.problem) for one in self.tried))

    def to_json(self) -> list[dict[str, Any]]:
        """Plain data, a rate each."""
        return [asdict(one) for one in self.tried]


@overload
def lr_test(
    model: str = ...,
    recipe: str | Recipe | None = ...,
    *,
    dataset: str = ...,
    data: str | Path | None = ...,
    steps: int = ...,
    low: float = ...,
    high: float = ...,
    rates: None = ...,
    picture: str | Path | None = ...,
    engine: str = ...,
    device: str = ...,
    processes: int | None = ...,
    threads: int | None = ...,
    seed: int = ...,
    quiet: bool = ...,
) -> LrTestResult: ...


@overload
def lr_test(
    model: str = ...,
    recipe: str | Recipe | None = ...,
    *,
    dataset: str = ...,
    data: str | Path | None = ...,
    steps: int = ...,
    low: float = ...,
    high: float = ...,
    rates: Sequence[float] | str,
    picture: str | Path | None = ...,
    engine: str = ...,
    device: str = ...,
    processes: int | None = ...,
    threads: int | None = ...,
    seed: int = ...,
    quiet: bool = ...,
) -> LrSweepResult: ...


def lr_test(
    model: str = "s7-8k",
    recipe: str | Recipe | None = None,
    *,
    dataset: str = "mnist",
    data: str | Path | None = None,
    steps: int = 200,
    low: float = 1e-5,
    high: float = 10.0,
    rates: Sequence[float] | str | None = None,
    picture: str | Path | None = PICTURE,
    engine: str = "auto",
    device: str = "auto",
    processes: int | None = None,
    threads: int | None = None,
    seed: int = 0,
    quiet: bool = False,
) -> LrTestResult | LrSweepResult:
    """Look for a learning rate: a range test or a sweep of rates, on training images alone, never on the test set.

    `model`, `recipe`, `dataset`, `data`, `engine`, `device`, `processes` and `threads` are those of `prove`. The range
    test takes `steps` batches while the rate grows from `low` to `high`, evenly in its logarithm. `rates`: instead,
    train the whole recipe once at each of these (numbers, or text as `0.01,0.02`), every one with the same `seed`; a
    choice made so is for `prove` to confirm with fresh seeds. `picture`: the PNG to write, None for none. Raises
    InputError, DataError, OutputError; Stopped after Ctrl-C: nothing is kept.

    >>> import tinyproof
    >>> found = tinyproof.lr_test("s7-8k", dataset="digits", steps=50, picture="rates.png", quiet=True)
    >>> len(found.rates) <= 50, found.picture.exists()
    (True, True)
    """
    ask = Ask(
        model=model, recipe=as_recipe(recipe, model, dataset), dataset=dataset,
        data=None if data is None else str(data), engine=engine, device=device, processes=processes, threads=threads,
    )  # fmt: skip
    place = None if picture is None else Path(picture)
    if rates is None:
        with terminal(quiet=quiet, errors=True):
            found = _range_test(ask, steps=steps, low=low, high=high, picture=place, seed=seed)
        return printed(LrTestResult, found, picture=place)
    with terminal(quiet=quiet, errors=True) as listener:
        numbers = _numbers(rates) if isinstance(rates, str) else rates
        return LrSweepResult(sweep_rates(ask, numbers, picture=place, seed=seed, listener=listener), place)


def _where(picture: Path | None) -> str:
    return "" if picture is None else f"\npicture: {picture}"


def _numbers(text: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",")]
    except ValueError as error:
        raise InputError("rates", text, "numbers with commas between them, for example 0.01,0.02") from error


@dataclass(frozen=True)
class _Try:
    ask: Ask
    threads: int
    seed: int


def _range_test(ask: Ask, *, steps: int, low: float, high: float, picture: Path | None, seed: int) -> RangeTest:
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
        named = (("steepest", found.steepest), ("lowest", found.lowest))
        marks = [(rate, f"{name} {rate:.2g}") for name, rate in named if rate is not None]
        write_atomic(picture, prove_plots.rates(found.rates, found.losses, marks, "training loss, smoothed"))
    return found


def sweep_rates(
    ask: Ask, rates: Sequence[float], *, picture: Path | None = None, seed: int = 0, listener: Listener = SILENT
) -> tuple[TriedRate, ...]:
    """Train the whole recipe once at each rate, on the larger part of the training images; judge by the other part."""
    if not 1 <= len(rates) <= 100:
        raise InputError("rates", f"{len(rates)} of them", "from 1 to 100 rates")
    _can_be_written(picture)
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


def _can_be_written(picture: Path | None) -> None:
    """Refuse the path of a picture before anything is trained for it: InputError, OutputError."""
    if picture is None:
        return
    if picture.suffix.lower() != ".png":
        raise InputError("picture", str(picture), "a file name that ends in .png")
    if picture.is_dir():
        raise OutputError(picture, "a folder of that name is in the way")
    check_output(picture.parent)


def held_out(ask: Ask) -> Dataset:
    """The data set without its test images: a stratified part of the training images takes their place."""
    dataset = load_data(ask.dataset, ask.data)
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
