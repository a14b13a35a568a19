"""The one door to matplotlib, which the extra `charts` brings: pictures of dots (.png) are made on its canvas."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from tinyproof.core.errors import MissingDependency


def need_charts(purpose: str = "drawing a picture") -> None:
    """Raise MissingDependency where matplotlib is not installed."""
    if find_spec("matplotlib") is None:
        raise MissingDependency("matplotlib", purpose, "charts")


def canvas(width: float, height: float, **look: Any) -> Any:
    """An empty figure, size in inches, which can be written as PNG. Raises MissingDependency without matplotlib."""
    need_charts()
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), **look)
    FigureCanvasAgg(figure)
    return figure
