"""`derive`: the chain rule of one network as text, Markdown, LaTeX, an HTML page, or the network itself as TOML."""

from __future__ import annotations

from typing import Literal

from tinyproof.backprop import derivation_text as write
from tinyproof.backprop.derivation import Derivation
from tinyproof.backprop.toml import to_toml

Format = Literal["text", "markdown", "latex", "html", "toml"]


def derivation_text(derivation: Derivation, format: Format = "text") -> str:
    """The derivation in one of the formats; `html` is a self-contained page, `toml` the network to start one's own."""
    if format == "markdown":
        return write.markdown(derivation)
    if format == "latex":
        return write.latex(derivation)
    if format == "toml":
        return to_toml(derivation.net)
    if format == "html":
        from tinyproof.show.diagram import draw, svg
        from tinyproof.show.html import render, safe

        drawing = svg(draw(derivation.net, derivation.values))
        parts = {"drawing": safe(drawing), "sections": safe(write.sections(derivation))}
        return render("derivation.html.j2", title=write.title(derivation), **parts)
    return write.terminal(derivation)
