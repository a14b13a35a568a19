"""The table of frameworks in the documentation: what is followed in each, from the facts themselves."""

from __future__ import annotations

from collections.abc import Iterator

from tinyproof.check.code.library.facts import FRAMEWORKS
from tinyproof.check.code.library.facts.fact import (
    Bundles,
    Chooses,
    Compares,
    Crosses,
    Fact,
    Fits,
    Folds,
    Joins,
    Keeps,
    Learns,
    Makes,
    Measures,
    Predicts,
    Runs,
    Saves,
    Scores,
    Searches,
    Splits,
)

_COLUMNS: tuple[tuple[str, tuple[type[Fact], ...]], ...] = (
    ("where rows come from", (Makes, Bundles)),
    ("what cuts, joins and changes them", (Splits, Folds, Joins, Keeps, Learns)),
    ("what learns and answers", (Fits, Predicts, Runs)),
    ("what chooses", (Chooses, Searches)),
    ("what measures", (Measures, Compares, Crosses, Scores)),
    ("what is kept in files", (Saves,)),
)
_MOST = 10


def followed() -> str:
    """All frameworks as a Markdown table; each name stands for a fact with an executed example."""
    lines = ["| framework | " + " | ".join(head for head, _ in _COLUMNS) + " |", "| --- " * (len(_COLUMNS) + 1) + "|"]
    for name, facts in FRAMEWORKS.items():
        cells = [_cell(facts, kinds) for _, kinds in _COLUMNS]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell(facts: tuple[Fact, ...], kinds: tuple[type[Fact], ...]) -> str:
    wanted = [fact for fact in facts if isinstance(fact, kinds) or (Chooses in kinds and isinstance(fact, Fits))]
    names = list(dict.fromkeys(name for fact in wanted for name in _names(fact, kinds)))
    shown = ", ".join(f"`{name}`" for name in names[:_MOST])
    return shown + (f" and {len(names) - _MOST} more" if len(names) > _MOST else "")


def _names(fact: Fact, kinds: tuple[type[Fact], ...]) -> Iterator[str]:
    if isinstance(fact, Fits) and Chooses in kinds:
        yield from (fact.best,) if fact.best else ()
    elif isinstance(fact, Learns):
        yield from (call.rpartition("*")[0].rstrip(".").rpartition(".")[2] or call for call in fact.calls[:6])
    elif fact.methods:
        yield from (method for method in fact.methods if method != "__call__")
    else:
        yield from (call.rpartition(".")[2].lstrip("*") or call for call in fact.calls)
