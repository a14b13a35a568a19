"""Ten workbooks and ten notebooks, right and wrong ones, for the audit in a browser."""

from __future__ import annotations

from pathlib import Path

from tests.cli.test_without_numpy import exercises, homework
from tests.notebook.books import FRAMEWORKS, STYLES, write
from tests.workbook.graph.small import line
from tests.workbook.graph.small import write as small

import tinyproof


def ten_workbooks(folder: Path) -> list[str]:
    """Whole tables, a comparison of rates, another loss, filled exercises, lines: right, wrong and undecided."""
    folder.mkdir()
    names = [name for name in homework(folder) if name.endswith(".xlsx")]
    for own in names:
        (folder / own).rename(folder / f"table_{own}")
    made = [f"table_{own}" for own in names] + exercises(folder)
    for preset in ("xor", "softmax"):
        made.append(Path(tinyproof.workbook(preset, folder / f"{preset}.xlsx", iterations=8).path).name)
    lines = {"line": line(), "line_wrong": line("2*(E{r}-B{r})*B{r}"), "line_typed": line("0.25")}
    return made + [small(folder / f"{name}.xlsx", cells).name for name, cells in lines.items()]


def ten_notebooks(folder: Path) -> list[str]:
    """Ten that stand alone, in as many styles and libraries; every third claims what no log of it says."""
    styles = ("classes", "functions", "lightning", "old", "phases", "quickstart", "wrapped")
    texts = [STYLES / f"{name}.txt" for name in styles]
    texts += [FRAMEWORKS / f"{name}.txt" for name in ("keras", "sklearn", "numpy")]
    names = []
    for number, text in enumerate(texts):
        claim = "# %% [markdown]\nTest accuracy: 99.97 %\n" if number % 3 == 0 else ""
        said = text.read_text(encoding="utf-8").rstrip("\n") + "\n" + claim
        names.append(write(said, folder, f"{text.stem}.ipynb").name)
    return names
