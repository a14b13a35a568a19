"""A search for the terminal and as a page: the answer, the front, the rungs with what each threw out, the cost."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tinyproof.core.table import Cell, Column, Table
from tinyproof.data.dataset import shared_words
from tinyproof.network.budget import table as budget_table
from tinyproof.network.budget import words as budget_words
from tinyproof.prove.parallel_runs import duration
from tinyproof.search.halving import ACCURATE, Decision
from tinyproof.search.searched import WINNER, Searched, known_of
from tinyproof.show import commands, prove_page, search_plots
from tinyproof.show.html import data_uri, render, safe

CHOICE = "Held-out training images, for choosing: no result."


def page(found: Searched, code: str = "") -> str:
    """One self-contained HTML page of a search as far as it has come. `code`: of the winner's network."""
    picture = data_uri(search_plots.front(found)) if found.course.front else ""
    return render(
        "search.html.j2",
        title=f"Search on {found.question.data.name}: {found.word}",
        found=found,
        headline=headline(found),
        panel=prove_page.panel(found.proof) if found.proof else "bad" if found.course.refuted else "warn",
        asked=asked_words(found),
        picture=picture,
        choice=CHOICE,
        front=safe(front_table(found).html()),
        cost=cost_words(found),
        winner=", ".join(line.strip() for line in winner_words(found).splitlines()),
        code=code,
        proof=safe(prove_page.summary_table(found.proof).html()) if found.proof else "",
        budget=safe(budget_table(found.proof.checks).html()) if found.proof and found.proof.checks else "",
        proof_page=f"{WINNER}/report.html",
        rungs=[_rung(found, number) for number in range(len(found.course.decisions))],
        evidence=safe(evidence(found).html()),
        again=commands.command("verify", found.folder, *(["--model", found.winner.model] if found.winner else [])),
    )


def search_parts(found: Searched, page: Path) -> list[str | Table]:
    """A search as it is printed."""
    front = [front_table(found)] if found.course.front else []
    proved: list[str | Table] = [winner_words(found)] if found.winner else []
    if found.proof:
        proved += [prove_page.summary_table(found.proof)]
        proved += [budget_table(found.proof.checks)] if found.proof.checks else []
    warning = shared_words(found.question.data.overlap, found.question.data.name)
    last = [*([warning] if warning else []), f"{headline(found)}: {found.reason}", cost_words(found), f"report: {page}"]
    return [f"{asked_words(found)}\n{CHOICE}", rungs_table(found), *front, *proved, "\n".join(last)]


def headline(found: Searched) -> str:
    """The word, and what is to be said of the budget beside it."""
    return prove_page.headline(found.proof) if found.proof and not found.course.refuted else found.word


def asked_words(found: Searched) -> str:
    """What was asked, in a line."""
    asked = found.question
    return (
        f"the smallest network by {asked.by} that reaches {asked.target:g} % on {asked.data.name}, "
        f"{budget_words(asked.limits)}: {len(found.contenders)} candidates of the family {asked.family}"
    )


def winner_words(found: Searched) -> str:
    """Who was chosen, with what it costs; nothing while that is open."""
    one = found.winner
    if one is None:
        return ""
    macs = "not known" if one.macs is None else f"{one.macs:,}"
    return (
        f"winner: {one.name}, {one.words}, recipe {one.recipe.name}; {one.parameters:,} parameters, {macs} MACs"
        f"\n        {one.model}"
    )


def cost_words(found: Searched) -> str:
    """What the search has cost until now, and what is to come."""
    proof = len(found.proof.results) if found.proof else 0
    count = found.runs.count + proof
    told = f"{count} runs, {duration(found.seconds)} of training"
    if not found.to_come:
        return told
    each = found.seconds / count if count else 0.0
    more = f", about {duration(each * found.to_come)} of training" if count else ""
    return f"{told}; at most {found.to_come} runs to come{more}"


def rungs_table(found: Searched) -> Table:
    """The rungs: who entered, how many seeds each had, who stayed."""
    columns = (
        Column("rung", "right"), Column("candidates", "right"), Column("seeds of each", "right"),
        Column("stay", "right"), Column("best held-out mean, %", "right", ".2f"),
        Column("least that stays, %", "right", ".2f"),
    )  # fmt: skip
    rows: list[Sequence[Cell]] = []
    for number, rung in enumerate(known_of(found.question, found.contenders, found.runs).rungs, 1):
        if number > len(found.course.decisions):
            rows.append((number, rung.entrants, rung.seeds, rung.stay, None, None))
            continue
        decision = found.course.decisions[number - 1]
        means = [one.mean for one in decision.standings]
        least = min((one.mean for one in decision.standings if one.kept), default=None)
        rows.append((number, len(means), decision.seeds, len(decision.kept), max(means, default=None), least))
    return Table(CHOICE, columns, tuple(rows))


def front_table(found: Searched) -> Table:
    """The front from the cheapest on, with what fresh seeds say of each step."""
    words = {True: "yes", False: "not beyond chance", None: ""}
    columns = (
        Column("front"), Column("network"), Column(found.question.by, "right", ","),
        Column("held-out mean, %", "right", ".2f"), Column("runs", "right"), Column("fresh mean, %", "right", ".2f"),
        Column("gain over the one before", "right", "+.2f"), Column("p (Holm)", "right", ".2g"),
        Column("better than the one before"),
    )  # fmt: skip
    by_name = {one.name: one for one in found.contenders}
    rows = [
        (
            point.name, by_name[point.name].words, point.cost, point.mean, point.runs, point.fresh, point.gain,
            point.corrected, words[point.confirmed],
        )
        for point in found.course.front
    ]  # fmt: skip
    return Table(CHOICE, columns, tuple(rows))


def standings_table(found: Searched, decision: Decision) -> Table:
    """Every entrant of a rung: its mean, and why it stays or goes."""
    by_name = {one.name: one for one in found.contenders}
    columns = (
        Column("candidate"), Column("network"), Column("recipe"), Column(found.question.by, "right", ","),
        Column("held-out mean, %", "right", ".2f"), Column(""),
    )  # fmt: skip
    rows: list[Sequence[Cell]] = []
    for one in decision.standings:
        who = by_name[one.name]
        rows.append((one.name, who.words, who.recipe.name, one.cost, one.mean, _why(found, decision, one.kept)))
    for name, reason in decision.failed:
        who = by_name[name]
        rows.append((name, who.words, who.recipe.name, who.cost(found.question.by), None, f"thrown out: {reason}"))
    return Table("", columns, tuple(rows))


def _why(found: Searched, decision: Decision, kept: str) -> str:
    least = found.question.target + decision.margin
    if kept == ACCURATE:
        return "stays: among the most accurate"
    if kept:
        return f"stays: among the smallest that reach {least:.2f} %"
    accurate = [one.mean for one in decision.standings if one.kept == ACCURATE]
    if not accurate:
        return f"thrown out: larger than the chosen one, or below {least:.2f} %"
    small = any(one.kept and one.kept != ACCURATE for one in decision.standings)
    also = f", nor among the smallest that reach {least:.2f} %" if small else ""
    return f"thrown out: not above {min(accurate):.2f} %, the least accurate that stays for it{also}"


def _rung(found: Searched, number: int) -> dict[str, object]:
    decision = found.course.decisions[number]
    out = len(decision.standings) - len(decision.kept) + len(decision.failed)
    return {
        "number": number + 1,
        "words": f"{len(decision.standings)} candidates, {decision.seeds} seed(s) each: {out} thrown out",
        "table": safe(standings_table(found, decision).html()),
    }


def evidence(found: Searched) -> Table:
    """What the search was made with, so that somebody else can make it again."""
    asked = found.question
    images = [one.images for one in asked.folds]
    held = f"{min(images):,} to {max(images):,}" if min(images) < max(images) else f"{images[0]:,}"
    rows = [
        ("declared", f"{asked.declared_at}, {len(found.contenders)} candidates, before the first run"),
        ("held out in turn", f"{len(asked.folds)} parts of {held} training images, drawn with the seed"),
        ("drawn from the seed", f"{asked.draw}"),
        ("engine", f"{asked.engine} on {asked.device}, {asked.threads} thread(s) a run"),
        *asked.versions.items(),
        ("search, SHA-256", asked.digest),
        ("candidates, SHA-256", asked.candidates_sha256),
        ("data, SHA-256", asked.data.digest),
    ]
    return Table("", (Column("evidence"), Column("")), tuple(rows))
