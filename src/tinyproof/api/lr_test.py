"""Which learning rate? A range test, and a sweep of rates; both on the training images alone (55,000 and 5,000)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, overload

from tinyproof.api.lr_sweep import LrSweepResult, can_be_written, held_out, sweep_rates
from tinyproof.core.errors import InputError, Stopped
from tinyproof.core.files import write_atomic
from tinyproof.core.printed import Part, Printed, printed
from tinyproof.data import reading
from tinyproof.prove import parallel_runs
from tinyproof.prove.declare import Ask, as_recipe
from tinyproof.show import prove_plots
from tinyproof.show.terminal import terminal
from tinyproof.train.environment import need_torch
from tinyproof.train.lr_range import RangeTest, range_test
from tinyproof.train.recipe import Recipe

PICTURE = Path("tinyproof-out/lr-test.png")


@dataclass(frozen=True, repr=False)
class LrTestResult(Printed, RangeTest):
    """A range test: `rates` and smoothed training `losses` of every step, the `steepest` and the `lowest` rate.

    A tenth of the lowest is `suggested` as the peak rate; all are None where the loss never falls.
    """

    picture: Path | None = None

    def parts(self) -> Sequence[Part]:
        """The answer in a line, and where the picture is."""
        return [self.words() + _where(self.picture)]

    def words(self) -> str:
        """The answer, and the rate to try."""
        end = "exploded" if self.exploded else "did not explode"
        if self.steepest is None or self.lowest is None:
            low, high = self.rates[0], self.rates[-1]
            return (
                f"the loss never falls between the rates {low:.3g} and {high:.3g}, and {end}: "
                "try another --low and --high"
            )
        told = f"steepest fall at rate {self.steepest:.3g}, lowest loss at {self.lowest:.3g}; the loss {end}\n"
        if self.edge:
            ends = {"low": ("begins", "a lower --low"), "high": ("ends", "a higher --high")}
            where, remedy = ends[self.edge]
            return told + f"that lies where the range {where}: the best rate may lie beyond, so try {remedy}"
        return told + (
            f"try {self.suggested:.2g} as the peak rate, a tenth of the lowest loss's: where the loss is lowest it is "
            "about to explode; compare some around it with --rates"
        )

    def to_json(self) -> dict[str, Any]:
        """Plain data, without the picture."""
        values = {name: value for name, value in asdict(self).items() if name != "picture"}
        return {**values, "suggested": self.suggested, "edge": self.edge}


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
    size: str | int | Sequence[int] | None = ...,
    channels: int | None = ...,
    input: str | Sequence[int] | None = ...,
    skip_bad: bool = ...,
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
    size: str | int | Sequence[int] | None = ...,
    channels: int | None = ...,
    input: str | Sequence[int] | None = ...,
    skip_bad: bool = ...,
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
    size: str | int | Sequence[int] | None = None,
    channels: int | None = None,
    input: str | Sequence[int] | None = None,
    skip_bad: bool = False,
) -> LrTestResult | LrSweepResult:
    """Look for a learning rate: a range test or a sweep of rates, on training images alone, never on the test set.

    `model`, `recipe`, `dataset`, `data`, `engine`, `device`, `processes`, `threads`, `size`, `channels`, `input` and
    `skip_bad` are those of `prove`. The range
    test takes `steps` batches while the rate grows from `low` to `high`, evenly in its logarithm. `rates`: instead,
    train the whole recipe once at each of these (numbers, or text as `0.01,0.02`), every one with the same `seed`; a
    choice made so is for `prove` to confirm with fresh seeds. `picture`: the PNG to write, None for none. Raises
    InputError, DataError, OutputError; Stopped after Ctrl-C: nothing is kept.

    >>> import tinyproof
    >>> found = tinyproof.lr_test("s7-8k", dataset="digits", steps=50, picture="rates.png", quiet=True)
    >>> len(found.rates) <= 50, found.picture.exists()
    (True, True)
    """
    folder, wanted = None if data is None else str(data), reading.asked(size, channels, input, skip_bad)
    ask = Ask(
        model=model, recipe=as_recipe(recipe, model, dataset, folder, wanted), dataset=dataset, data=folder,
        engine=engine, device=device, processes=processes, threads=threads, asked=wanted,
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


def _range_test(ask: Ask, *, steps: int, low: float, high: float, picture: Path | None, seed: int) -> RangeTest:
    need_torch("training")
    can_be_written(picture)
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
