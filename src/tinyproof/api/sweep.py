"""`sweep`: the learning-rate experiment with the course's network or another: tables, a picture, a verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tinyproof.backprop import sweep as experiment
from tinyproof.backprop.net import Net
from tinyproof.backprop.optimizer import Optimizer
from tinyproof.backprop.presets import find_net
from tinyproof.core.files import output_folder, write_atomic
from tinyproof.core.printed import Part, Printed, printed
from tinyproof.show.backprop_plots import loss_curves


@dataclass(frozen=True, repr=False)
class SweepResult(Printed, experiment.Sweep):
    """Loss curves of one network at many rates; prints a row a rate and the verdict.

    `losses`: float64 [iterations, rates], NaN from where a rate overflowed; `best`: the rate with the smallest loss at
    the end; `table()` and `curves()` are the numbers as Tables.
    """

    def parts(self) -> Sequence[Part]:
        """A row a rate, and the verdict."""
        return [self.table(), self.verdict()]

    def picture(self) -> bytes:
        """The loss curves as PNG. Raises MissingDependency without matplotlib."""
        return loss_curves(self)

    def save(self, folder: Path | str) -> tuple[Path, ...]:
        """Write rates.csv (a row a rate), loss.csv (a column a rate) and loss.png into a folder. Returns their paths.

        Raises OutputError, MissingDependency without matplotlib.
        """
        drawn = self.picture()
        folder = output_folder(folder)
        return (
            write_atomic(folder / "rates.csv", self.table().csv()),
            write_atomic(folder / "loss.csv", self.curves().csv()),
            write_atomic(folder / "loss.png", drawn),
        )


def sweep(
    net: Net | Path | str = "course",
    rates: Sequence[float] | str = experiment.COURSE_RATES,
    iterations: int = 100,
    optimizer: Optimizer | str | None = None,
    batch: int | None = None,
) -> SweepResult:
    """Gradient descent at every rate: which is best, where it diverges, where a larger one stops helping.

    `net`: a Net, a preset's name, a TOML file, or `random:2-3-1:7`. `rates`: numbers above 0, or their text as the
    command takes it: `0.1,0.5,2`, `0.1:2:0.1` (from, to, step), `0.01:10:*2` (from, to, times). Raises InputError for
    no rate, a rate that is not a finite number above 0, one given twice, too many, or iterations that cannot be.
    `optimizer`: another than the network's own, and `batch`: so many examples a step, both as in `trace`.

    >>> import tinyproof
    >>> found = tinyproof.sweep("course", rates=[0.1, 0.5, 2.0])
    >>> found.best, found.losses.shape
    (2.0, (100, 3))
    """
    several = experiment.parse_rates(rates) if isinstance(rates, str) else rates
    return printed(
        SweepResult, experiment.sweep(find_net(net).with_optimizer(optimizer).with_batch(batch), several, iterations)
    )
