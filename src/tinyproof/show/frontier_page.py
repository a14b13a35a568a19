"""The ledger of proved means for the terminal and as a page: the tiers, every try, what was published beside."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tinyproof.core import stats
from tinyproof.core.table import Cell, Column, Table
from tinyproof.data.dataset import shared_words
from tinyproof.prove.attempt import Attempt
from tinyproof.prove.ledger import CURSE, Ledger, Tier, parameters_of
from tinyproof.show import commands
from tinyproof.show.html import render, safe

_BY_RECORD = "parameters with * stand on the proof's record alone: `tinyproof verify` with --model counts the network"


def page(found: Ledger, picture: str, records: str) -> str:
    """One self-contained HTML page. `picture`: as SVG."""
    return render(
        "frontier.html.j2",
        title=f"The frontier of proved means on {found.dataset}",
        found=found,
        counted=counted_words(found),
        curse=CURSE,
        picture=safe(picture),
        tiers=safe(tiers_table(found).html()),
        beside=beside_words(found),
        notes=notes(found),
        rungs=[{"below": tier.below, "words": _tried(tier), "table": safe(tries_table(tier).html())}
               for tier in found.tiers if tier.tried],
        larger=safe(tries_table(Tier(0, found.larger)).html()) if found.larger else "",
        published=safe(published_table(found, wrong=True).html()) if found.published else "",
        again=commands.command("frontier", "--records", records),
        check=commands.command("verify", records, "--no-weights"),
    )  # fmt: skip


def frontier_parts(found: Ledger, page: Path | None) -> list[str | Table]:
    """The ledger as it is printed."""
    parts: list[str | Table] = [counted_words(found), tiers_table(found), *beside_words(found), f"{sentence(CURSE)}"]
    if found.published:
        parts.append(published_table(found))
    last = [*notes(found), *([f"wrote {page}"] if page else [])]
    return [*parts, *(["\n".join(last)] if last else [])]


def counted_words(found: Ledger) -> str:
    """What the ledger stands on, in a line or two."""
    count, runs = len(found.attempts), sum(len(one.percents) for one in found.attempts)
    proofs = "1 proof" if count == 1 else f"{count} proofs"
    told = f"the frontier of proved means on {found.dataset}: {proofs}, {runs} runs, every answer counted again"
    overlap = max(one.data.overlap for one in found.attempts)
    return "\n".join([told, *([shared_words(overlap, found.dataset)] if overlap else [])])


def tiers_table(found: Ledger) -> Table:
    """A row a tier: the best proof in it, its corrected bound, how many were tried."""
    columns = (
        Column("parameters below", "right", ","), Column("network"), Column("parameters", "right"),
        Column("epochs", "right"), Column("runs", "right"), Column("mean, %", "right", ".3f"),
        Column("at least, corrected, %", "right"), Column("proofs tried", "right"), Column("proof"),
    )  # fmt: skip
    return Table("", columns, tuple(_row(tier) for tier in found.tiers))


def _row(tier: Tier) -> tuple[Cell, ...]:
    best = tier.best
    if best is None:
        return (tier.below, "none that is complete" if tier.tried else "none", *[None] * 5, tier.tried, "")
    size, runs = _size(best), len(best.percents)
    return (tier.below, best.network, size, best.epochs, runs, best.mean, _least(tier.bound), tier.tried, best.name)


def _size(one: Attempt) -> str:
    return f"{one.parameters:,}{'' if one.sized else '*'}"


def _least(bound: float | None) -> str | None:
    return None if bound is None else stats.never_above(bound, 3)


def tries_table(tier: Tier) -> Table:
    """Every proof of a tier in the order of their declarations."""
    columns = (
        Column("proof"), Column("network"), Column("recipe"), Column("parameters", "right"), Column("epochs", "right"),
        Column("runs", "right"), Column("mean, %", "right", ".3f"), Column("at least, corrected, %", "right"),
        Column("its own target, %", "right", "g"), Column("verdict"), Column("p (Holm)", "right", ".2g"),
    )  # fmt: skip
    rows = [
        (
            one.name, one.network, one.recipe, _size(one), one.epochs, f"{len(one.percents)} of {one.declared}",
            one.mean, _least(tier.bound_of(one)), one.target, one.word, p,
        )
        for one, p in zip(tier.attempts, tier.corrected, strict=True)
    ]  # fmt: skip
    return Table("", columns, tuple(rows))


def published_table(found: Ledger, wrong: bool = False) -> Table:
    """Single runs of course write-ups, as they were published, on which images; `wrong`: what was wrong with them."""
    columns = [
        Column("published single run"), Column("parameters", "right", ","), Column("as published"),
        Column("measured on"), *([Column("what is to be known of it")] if wrong else []),
    ]  # fmt: skip
    rows: list[Sequence[Cell]] = []
    for one in sorted(found.published, key=parameters_of):
        images = " and ".join(dict.fromkeys(f"{figure.look.images} images" for figure in one.figures))
        rows.append((one.name, parameters_of(one), one.said, images, *([one.wrong] if wrong else [])))
    return Table("", tuple(columns), tuple(rows))


def beside_words(found: Ledger) -> list[str]:
    """What the best proofs answered to further test images, in one block of lines, or nothing."""
    best = [tier.best for tier in found.tiers if tier.best]
    lines = [f"{one.network}, {line}" for one in best for line in one.also_words]
    return ["\n".join(lines)] if lines else []


def notes(found: Ledger) -> list[str]:
    """What else is to be said of the ledger, a line each."""
    told = []
    for tier in found.tiers:
        smaller = found.beaten(tier)
        if smaller and smaller.best:
            told.append(f"below {tier.below:,}: a smaller network, {smaller.best.network}, has a bound as high")
        if tier.lost:
            count = len(tier.lost)
            told.append(f"below {tier.below:,}: {count} earlier proof(s) named, and not kept; counted as tried")
    if any(tier.best and not tier.best.sized for tier in found.tiers):
        told.append(_BY_RECORD)
    if found.larger:
        told.append(f"in no tier, with more parameters: {', '.join(one.name for one in found.larger)}")
    return [*told, *(f"left aside: {line}" for line in found.aside)]


def sentence(text: str) -> str:
    """With a capital, and a full stop."""
    return f"{text[0].upper()}{text[1:]}."


def _tried(tier: Tier) -> str:
    level = f"{100 * tier.confidence:.3g} %"
    return f"{tier.tried} proof(s) tried, each bound at {level} so that all hold with 95 %"
