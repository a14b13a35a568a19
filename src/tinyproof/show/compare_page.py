"""The page of a comparison: the answer, the pairs, both verdicts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tinyproof.core.table import Column, Table
from tinyproof.data.dataset import shared_words
from tinyproof.prove.comparison import Comparison
from tinyproof.prove.proof import Proof
from tinyproof.show import prove_page, prove_plots
from tinyproof.show.html import data_uri, render, safe


def page(found: Comparison) -> str:
    """One self-contained HTML page."""
    names = side_names(found)
    picture = ""
    if found.paired is not None:
        values = [[score.percent for score in side.verdict.scores] for side in (found.first, found.second)]
        picture = data_uri(prove_plots.pairs(values[0], values[1], names))
    return render(
        "compare.html.j2",
        title=f"{names[0]} against {names[1]}",
        names=names,
        found=found,
        panel="warn" if found.word == "undecided" else "good",
        picture=picture,
        pairs=safe(pairs_table(found).html()),
        sides=[_side(name, side) for name, side in zip(names, (found.first, found.second), strict=True)],
    )


def comparison_parts(found: Comparison, page: Path) -> list[str | Table]:
    """A comparison as it is printed: both sides, every pair, warnings, the answer."""
    first, second = side_names(found)
    data = {side.declaration.data for side in (found.first, found.second)}
    warnings = sorted({shared_words(one.overlap, one.name) for one in data} - {""})
    last = "\n".join([*warnings, f"{found.word}: {found.reason}", f"report: {page}"])
    return [f"first:  {first}\nsecond: {second}", pairs_table(found), last]


def side_names(found: Comparison) -> list[str]:
    """Network and recipe of both sides, and the engine where the sides differ in it."""
    both = [found.first.declaration, found.second.declaration]
    differ = both[0].engine != both[1].engine
    return [f"{side.model}, {side.recipe.name}" + (f", {side.engine} engine" if differ else "") for side in both]


def pairs_table(found: Comparison) -> Table:
    """Seed by seed: both accuracies in percent and their difference in points."""
    columns = (
        Column("seed"), Column("first, %", "right", ".2f"), Column("second, %", "right", ".2f"),
        Column("difference", "right", "+.2f"),
    )  # fmt: skip
    first, second = ({s.seed: s.percent for s in side.verdict.scores} for side in (found.first, found.second))
    rows: list[tuple[Any, ...]] = []
    for seed in found.first.declaration.seeds:
        a, b = first.get(seed), second.get(seed)
        rows.append((str(seed), a, b, None if a is None or b is None else a - b))
    footer: tuple[tuple[Any, ...], ...] = ()
    if found.paired is not None:
        footer = (("mean", found.first.verdict.mean, found.second.verdict.mean, found.paired.mean),)
    return Table("", columns, tuple(rows), footer)


def _side(name: str, side: Proof) -> dict[str, Any]:
    return {
        "name": name,
        "digest": side.declaration.digest,
        "summary": safe(prove_page.summary_table(side).html()),
        "recipe": safe(prove_page.recipe_table(side.declaration.recipe.to_dict()).html()),
        "evidence": safe(prove_page.proof_evidence(side).html()),
    }
