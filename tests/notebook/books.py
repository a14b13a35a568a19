"""Notebooks written as text: `# %%` starts a code cell, `# %% output` what it printed, `# %% [markdown]` a text cell.

`# %% file NAME` starts a file that stands beside the notebook (a module, a README).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

STYLES = Path(__file__).parent / "styles"
FRAMEWORKS = Path(__file__).parent / "frameworks"


def write(text: str, folder: Path, name: str = "S7.ipynb", version: int = 4) -> Path:
    """Write a notebook (and the files beside it) from its text; the path of the notebook."""
    folder.mkdir(parents=True, exist_ok=True)
    cells: list[dict[str, Any]] = []
    count = 0
    for head, body in _parts(text):
        if head.startswith("file "):
            path = folder / head[5:].strip()
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(body)
        elif head == "[markdown]":
            cells.append({"cell_type": "markdown", "metadata": {}, "source": body.splitlines(keepends=True)})
        elif head == "output":
            body = body.replace("\\r", "\r").replace("\\x1b", "\x1b")
            output = {"output_type": "stream", "name": "stdout", "text": body.splitlines(keepends=True)}
            cells[-1]["outputs"].append(output)
        elif head == "script":
            (folder / name).write_text(body)
            return folder / name
        else:
            count += 1
            cells.append(
                {
                    "cell_type": "code",
                    "metadata": {},
                    "execution_count": count,
                    "outputs": [],
                    "source": body.rstrip("\n").splitlines(keepends=True),
                }
            )
    path = folder / name
    path.write_text(json.dumps(_book(cells, version)))
    return path


def _parts(text: str) -> list[tuple[str, str]]:
    parts: list[tuple[str, list[str]]] = []
    for line in text.splitlines(keepends=True):
        if line.startswith("# %%"):
            parts.append((line[4:].strip(), []))
        elif parts:
            parts[-1][1].append(line)
    return [(head, "".join(lines)) for head, lines in parts]


def _book(cells: list[dict[str, Any]], version: int) -> dict[str, Any]:
    if version == 4:
        return {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}
    old = []
    for cell in cells:
        if cell["cell_type"] == "code":
            outputs = [{"output_type": "stream", "stream": "stdout", "text": o["text"]} for o in cell["outputs"]]
            old.append(
                {
                    "cell_type": "code",
                    "input": cell["source"],
                    "prompt_number": cell["execution_count"],
                    "outputs": outputs,
                    "language": "python",
                    "metadata": {},
                }
            )
        else:
            old.append(cell)
    sheet = {"cells": old, "metadata": {}}
    return {"nbformat": 3, "nbformat_minor": 0, "metadata": {"name": ""}, "worksheets": [sheet]}


def style(name: str) -> str:
    """The text of one of the right notebooks."""
    path = STYLES / f"{name}.txt"
    return (path if path.exists() else FRAMEWORKS / path.name).read_text()


def line_of(text: str, piece: str) -> tuple[int, int]:
    """The cell (counted from 1) and the line in it where the piece starts; cell 0 for files beside the notebook."""
    assert text.count(piece) == 1, f"{piece!r} stands {text.count(piece)} times"
    before = text[: text.index(piece)].splitlines(keepends=True)
    cell = 0
    line = 0
    beside = False
    for row in [*before, "x" if not before or before[-1].endswith("\n") else ""]:
        if row.startswith("# %%"):
            head = row[4:].strip()
            beside = head.startswith(("file ", "script"))
            cell += head != "output" and not beside
            line = 0
        elif row:
            line += 1
    return (0 if beside else cell), line


def main() -> None:
    """Write the notebook of a text file, and what stands beside it, into the present folder."""
    path = write(Path(sys.argv[1]).read_text(), Path())
    print(f"wrote {path} and the files beside it")


if __name__ == "__main__":
    main()
