"""`page`: from a network to the HTML file that steps through back-propagation in it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tinyproof.backprop.net import Net
from tinyproof.backprop.optimizer import Optimizer
from tinyproof.backprop.presets import find_net
from tinyproof.backprop.trace import check_rate
from tinyproof.core.files import write_atomic
from tinyproof.core.printed import Part, Printed
from tinyproof.show.stepper import stepper


@dataclass(frozen=True, repr=False)
class PageResult(Printed, os.PathLike[str]):
    """Where the page was written; can be given wherever a path can."""

    path: Path

    def parts(self) -> Sequence[Part]:
        """One line."""
        return [f"wrote {self.path}: one file that needs no network; open it in a browser"]

    def __fspath__(self) -> str:
        return str(self.path)


def page(
    net: Net | Path | str = "course",
    out: Path | str = "backprop.html",
    *,
    iterations: int = 100,
    rate: float | None = None,
    optimizer: Optimizer | str | None = None,
    batch: int | None = None,
) -> PageResult:
    """Write one self-contained HTML page that steps through back-propagation: play it, change it.

    `net`: a Net, a preset's name, a TOML file or `random:2-3-1:7`. `iterations`: how far the page's slider goes, 1 to
    10,000. `rate`: another learning rate than the network's. `optimizer`: another than its own, and `batch`: so
    many examples a step, both as in `trace`. Raises InputError for a network that is too large to be drawn (120
    parameters, 10 units a layer, 16 examples), OutputError where the file cannot be written.

    >>> import tinyproof
    >>> print(tinyproof.page("worked-example", "worked-example.html", iterations=50))
    wrote worked-example.html: one file that needs no network; open it in a browser
    """
    chosen = find_net(net).with_optimizer(optimizer).with_batch(batch)
    if rate is not None:
        check_rate(rate)
        chosen = chosen.with_rate(rate)
    return PageResult(write_atomic(out, stepper(chosen, iterations)))
