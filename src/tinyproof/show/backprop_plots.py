"""The learning-rate experiment as a picture: every rate's loss curve, linear and logarithmic side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tinyproof.backprop.sweep import Sweep
from tinyproof.show import plots

if TYPE_CHECKING:  # matplotlib is imported where a picture is drawn
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_CURVES = 12  # more could not be told apart: then the curves are coloured by their rate


def loss_curves(sweep: Sweep, width: float = 11.0, height: float = 4.2, dpi: int = 130) -> bytes:
    """The loss curves as PNG bytes; size in inches. A curve ends where its numbers overflow (marked with a cross)."""
    figure, (linear, logarithmic) = plots.figure(width, height, columns=2)
    iterations = np.arange(1, sweep.iterations + 1)
    for axes, name in ((linear, "linear"), (logarithmic, "logarithmic")):
        _draw(axes, sweep, iterations)
        axes.set(xlabel="iteration", ylabel="E_total", title=f"{sweep.net.name}: loss, {name}")
        axes.grid(alpha=0.3)
    positive = sweep.losses[np.isfinite(sweep.losses) & (sweep.losses > 0)]
    if positive.size:
        # A diverging curve leaves the picture instead of flattening the others. The limits come before the scale: its
        # own margins round numbers near 1e308 would overflow.
        start = float(np.nanmax(sweep.losses[0])) if np.isfinite(sweep.losses[0]).any() else 1.0
        top = min(positive.max() * 2, max(start, 1e-150) * 1e6, 1e150)
        logarithmic.set_ylim(max(positive.min() / 2, top * 1e-200, 1e-150), top)
        logarithmic.set_yscale("log")
    top = _sensible_top(sweep)
    if top:
        linear.set_ylim(bottom=0, top=top)
    if len(sweep.rates) <= MOST_CURVES:
        linear.legend(title="learning rate", frameon=False, fontsize=8, title_fontsize=8)
    else:
        _colour_bar(figure, [linear, logarithmic], sweep)
    return plots.png(figure, dpi)


def _draw(axes: Axes, sweep: Sweep, iterations: NDArray[np.int64]) -> None:
    from matplotlib import colormaps

    few = len(sweep.rates) <= MOST_CURVES
    colours = colormaps["tab10" if len(sweep.rates) <= 10 else "viridis"]
    for position, rate in enumerate(sweep.rates):
        colour = colours(position) if len(sweep.rates) <= 10 else colours(position / (len(sweep.rates) - 1))
        curve = sweep.losses[:, position]
        best = rate == sweep.best
        label = f"{rate:g}" + (" (best)" if best else "") + (" (overflows)" if sweep.diverged[position] else "")
        axes.plot(iterations, curve, color=colour, linewidth=2.2 if best else 1.4 if few else 0.7, label=label)
        kept = np.flatnonzero(np.isfinite(curve))
        if sweep.diverged[position] and len(kept):
            axes.plot(iterations[kept[-1]], curve[kept[-1]], "x", color=colour)


def _sensible_top(sweep: Sweep) -> float | None:
    """The top of the linear axis: a diverging curve must not flatten all the others; None leaves it to the plot."""
    first = sweep.losses[0][np.isfinite(sweep.losses[0])]
    highest = float(np.nanmax(sweep.losses)) if np.isfinite(sweep.losses).any() else 0.0
    start = float(first.max()) if first.size else 0.0
    return 2 * start if highest > 4 * start > 0 else None


def _colour_bar(figure: Figure, axes: list[Axes], sweep: Sweep) -> None:
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import LogNorm

    shades = ScalarMappable(LogNorm(min(sweep.rates), max(sweep.rates)), "viridis")
    figure.colorbar(shades, ax=axes, label="learning rate", shrink=0.85)
