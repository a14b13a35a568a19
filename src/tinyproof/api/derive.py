"""`derive`: the chain rule of one network as text, Markdown, LaTeX, an HTML page, or the network itself as TOML."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tinyproof.backprop import derivation as chain_rule
from tinyproof.backprop import derivation_text as write
from tinyproof.backprop.net import Net
from tinyproof.backprop.optimizer import Optimizer
from tinyproof.backprop.presets import find_net
from tinyproof.backprop.toml import to_toml
from tinyproof.core.printed import Part, Printed, printed
from tinyproof.show.drawing.fully_connected import net_picture
from tinyproof.show.drawing.shapes import svg
from tinyproof.show.html import render, safe

Format = Literal["text", "markdown", "latex", "html", "toml"]
_ENDINGS: dict[str, Format] = {".tex": "latex", ".md": "markdown", ".html": "html", ".htm": "html", ".toml": "toml"}


@dataclass(frozen=True, repr=False)
class DeriveResult(Printed, chain_rule.Derivation):
    """The chain rule of one network at one iteration, step by step; prints every step, in a notebook as mathematics.

    `steps`: each with its title, its words and its lines; `values`: every quantity of that iteration by name.
    """

    def parts(self) -> Sequence[Part]:
        """All steps, for a terminal."""
        return [write.terminal(self).rstrip("\n")]

    def _repr_html_(self) -> str:
        return f"<h2>{html.escape(write.title(self))}</h2>\n{write.sections(self)}"

    def text(self, format: Format = "text") -> str:
        """The steps as `text`, `markdown`, `latex`, `html` (a self-contained page) or `toml` (the network itself)."""
        return derivation_text(self, format)


def derive(
    net: Net | Path | str = "course",
    iteration: int = 1,
    rate: float | None = None,
    weight: str | None = None,
    optimizer: Optimizer | str | None = None,
    batch: int | None = None,
) -> DeriveResult:
    """Write the chain rule out for a network, step by step, in symbols and with the numbers of one iteration.

    `net`: a Net, a preset's name, a TOML file, or `random:2-3-1:7`. `iteration`: from 1, whose numbers are filled in.
    `rate`: another learning rate than the network's own. `weight`: only what leads to this weight or bias. `optimizer`:
    another than the network's own, and `batch`: so many examples a step, both as in `trace`. Raises InputError for an
    iteration that cannot be reached, a weight that is not trained, or a network too large to be written down.

    >>> import tinyproof
    >>> step = tinyproof.derive("course").steps[1]
    >>> step.title, step.lines[-1].name, round(step.lines[-1].value, 8)
    ('From E_total to w5', 'dE/dw5', 0.01288082)
    """
    return printed(
        DeriveResult,
        chain_rule.derive(find_net(net).with_optimizer(optimizer).with_batch(batch), iteration, rate, weight),
    )


def format_of(out: Path | None) -> Format:
    """The format that a file's ending says; `text` for any other ending, and where there is no file.

    >>> format_of(Path("steps.tex")), format_of(Path("steps.txt")), format_of(None)
    ('latex', 'text', 'text')
    """
    return _ENDINGS.get(out.suffix.lower(), "text") if out is not None else "text"


def derivation_text(derivation: chain_rule.Derivation, format: Format = "text") -> str:
    """The derivation in one of the formats; `html` is a self-contained page, `toml` the network to start one's own."""
    if format == "markdown":
        return write.markdown(derivation)
    if format == "latex":
        return write.latex(derivation)
    if format == "toml":
        return to_toml(derivation.net)
    if format == "html":
        drawing = svg(net_picture(derivation.net, derivation.values))
        parts = {"drawing": safe(drawing), "sections": safe(write.sections(derivation))}
        return render("derivation.html.j2", title=write.title(derivation), **parts)
    return write.terminal(derivation)
