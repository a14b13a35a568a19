"""A run as a notebook in plain PyTorch: its cells, and the file they make with what they printed."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from tinyproof.core.files import sha256

# What says that a notebook was written here; it may be replaced while its sources are the ones that were written.
MARK = "written by tinyproof journal"
_TEMPLATE = "notebook.py.j2"


@dataclass(frozen=True)
class Cell:
    """A cell: Markdown or code, and its text."""

    code: bool
    text: str


def cells(**values: Any) -> list[Cell]:
    """The cells of the template with these values; `# %%` begins one, `# %% [markdown]` one of text."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    # A program is written here, no page: nothing is escaped as HTML.
    environment = Environment(
        loader=PackageLoader("tinyproof.show"), autoescape=False, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    text = environment.get_template(_TEMPLATE).render(**values)
    found = re.split(r"^# %%", text, flags=re.MULTILINE)[1:]
    return [_cell(*part.partition("\n")[::2]) for part in found]


def _cell(head: str, body: str) -> Cell:
    if "[markdown]" not in head:
        return Cell(True, body.strip("\n"))
    return Cell(False, "\n".join(re.sub("^# ?", "", line) for line in body.strip().splitlines()))


def mark(written: object) -> str:
    """What a notebook with these cells, as its JSON has them, says of itself: by whom, and the digest of the sources.

    Raises ValueError, TypeError or KeyError for what are no cells.
    """
    if not isinstance(written, list):
        raise TypeError("no cells")
    sources = [[cell["cell_type"], "".join(cell["source"])] for cell in written]
    return f"{MARK}; sources {sha256(json.dumps(sources).encode())[:16]}"


def notebook(found: list[Cell], printed: list[str]) -> str:
    """The .ipynb (format 4.5): every cell of code with what it printed."""
    outputs, written = iter(enumerate(printed, 1)), []
    for number, cell in enumerate(found):
        base: dict[str, Any] = {"id": f"cell-{number}", "metadata": {}, "source": _lines(cell.text)}
        if not cell.code:
            written.append({"cell_type": "markdown", **base})
            continue
        count, text = next(outputs)
        shown = [{"name": "stdout", "output_type": "stream", "text": _lines(text)}] if text else []
        written.append({"cell_type": "code", "execution_count": count, "outputs": shown, **base})
    metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
        "tinyproof": mark(written),
    }
    return json.dumps({"cells": written, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}, indent=1) + "\n"


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)


def one_paragraph(text: str) -> str:
    """Somebody's own words in one comment line, which no line of theirs can leave."""
    return " ".join(text.split())
