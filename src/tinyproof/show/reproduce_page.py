"""The page of reproduced claims: what was published, what it is, and every run behind it."""

from __future__ import annotations

from tinyproof.prove.reproduction import Reproduction, looks_table, table
from tinyproof.show import prove_page, prove_plots
from tinyproof.show.html import data_uri, render, safe


def page(found: list[Reproduction]) -> str:
    """One self-contained HTML page."""
    declared = [one.proof.declaration for one in found]
    return render(
        "reproduce.html.j2",
        title="Published claims, as published and as they truly are",
        dataset=", ".join(dict.fromkeys(one.data.name for one in declared)),
        quick=any(one.recipe.name.endswith("quick") for one in declared),
        table=safe(table(found).html()),
        looks=safe(looks_table(found).html()),
        claims=[
            {
                "name": one.claim.name,
                "said": one.claim.said,
                "runs": safe(prove_page.runs_table(one.proof).html()),
                "recipe": safe(prove_page.recipe_table(one.proof.declaration.recipe.to_dict()).html()),
                "evidence": safe(prove_page.proof_evidence(one.proof).html()),
                "picture": _picture(one),
            }
            for one in found
        ],
    )


def _picture(one: Reproduction) -> str:
    if not one.proof.results:
        return ""
    values = [score.percent for score in one.proof.verdict.scores]
    return data_uri(
        prove_plots.claim(values, one.proof.verdict.interval, [(f.percent, f.look.epoch) for f in one.claim.figures])
    )
