"""`trace`: every number of gradient descent, iteration by iteration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tinyproof.backprop import trace as tables
from tinyproof.backprop.equations import Style
from tinyproof.backprop.net import Net
from tinyproof.backprop.optimizer import Optimizer
from tinyproof.backprop.presets import find_net
from tinyproof.core.printed import Part, Printed, printed
from tinyproof.show import trace_text


@dataclass(frozen=True, repr=False)
class TraceResult(Printed, tables.Trace):
    """The table of numbers of one network at one learning rate; prints its landmarks: iterations 1, 2, 3, 10, 100, ..

    `values`: float64 [iterations, columns]; `columns`: the names of the quantities. `column("w5")` is one of them at
    every iteration, `row(3)` every one at the third, `table()` all of it as a Table.
    """

    def parts(self) -> Sequence[Part]:
        """Title, landmarks of the table, where the loss begins and ends."""
        return trace_text.parts(self)

    def text(
        self,
        format: trace_text.Format = "text",
        *,
        columns: Sequence[str] = (),
        iterations: Sequence[int] = (),
        digits: int = 8,
    ) -> str:
        """The table as `text`, `csv`, `json`, `markdown` or `html`, as the command writes it.

        `columns`, `iterations`: only these. `digits`: significant digits in text, Markdown and HTML. Raises InputError
        for a quantity or an iteration that is not there.
        """
        return trace_text.trace_text(self, format, columns, iterations, digits)


def trace(
    net: Net | Path | str = "course",
    iterations: int = 100,
    style: Style = "course",
    rate: float | None = None,
    optimizer: Optimizer | str | None = None,
    batch: int | None = None,
) -> TraceResult:
    """Run gradient descent and keep every number.

    `net`: a Net, a preset's name (`course`, `worked-example`, `xor`, `relu`, `softmax`, `deep`), a TOML file, or
    `random:2-3-1:7` (units of the layers, seed). `iterations`: rows of the table; row 1 holds the starting weights and
    what they give, row 2 the weights after one update. `style`: `course` (gradients written out) or `chain` (each
    gradient on the way has a column too). `rate`: another learning rate than the network's own. `optimizer`: another
    than the network's own: `sgd` (plain gradient descent), `momentum`, `rmsprop` or `adam`, with settings as in
    `adam:beta1=0.8,eps=1e-6`. `batch`: so many examples a step, in turn; it must divide their number. Raises InputError
    for a network that is none, a number of iterations, a rate or an optimizer that cannot be.

    >>> import tinyproof
    >>> found = tinyproof.trace("course", iterations=100, rate=1.0)
    >>> found.values.shape == (100, len(found.columns))
    True
    >>> print(found.summary())
    learning rate 1: E_total 0.0141814 at iteration 1, 2.4094e-05 at 100
    """
    return printed(
        TraceResult, tables.trace(find_net(net).with_optimizer(optimizer).with_batch(batch), iterations, style, rate)
    )
