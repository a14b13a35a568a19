"""What a mistake costs: the training run with it and without it."""

from __future__ import annotations

from dataclasses import replace

from tinyproof.backprop.diff import gradient_name
from tinyproof.backprop.expr import Expr
from tinyproof.check.workbook.rules.judge import Judge
from tinyproof.check.workbook.rules.mistake import Mistake
from tinyproof.check.workbook.rules.retraining import (
    Compiled,
    Run,
    Training,
    compiled,
    losses,
    outside_numbers,
    prepare,
    train,
)
from tinyproof.check.workbook.rules.table_audit import TableAudit
from tinyproof.check.workbook.thresholds import NO_CHART_SHOWS
from tinyproof.check.workbook.understand.patterns import current


def with_effects(audit: TableAudit) -> list[Mistake]:
    """The mistakes, each error with what it changes."""
    judge = audit.judge
    rate = audit.rate.value if audit.rate is not None else None
    if judge is None or rate is None or not any(m.severity == "error" for m in audit.mistakes):
        return audit.mistakes
    right = prepare(judge)
    steps = len(audit.table.rows)
    run = train(judge, rate, steps, right)
    if run is None:
        return audit.mistakes
    return [_with_effect(judge, mistake, rate, right, run) for mistake in audit.mistakes]


def _with_effect(judge: Judge, mistake: Mistake, rate: float, right: Training, run: Run) -> Mistake:
    if mistake.severity != "error" or mistake.wrong is None or mistake.effect or mistake.kind == "circular":
        return mistake
    training, updates = as_written(judge, mistake)
    if training is None and not updates:
        return mistake
    other = train(judge, rate, len(run.rows), training or right, updates, positions(judge, mistake))
    return replace(mistake, effect=_words(judge, mistake, run, other, right)) if other is not None else mistake


def as_written(judge: Judge, mistake: Mistake) -> tuple[Training | None, dict[int, Compiled]]:
    """The right training with this one formula as the author wrote it, in the rows where it stands."""
    if mistake.wrong is None:
        return None, {}
    states = judge.method.states if judge.method is not None else ()
    if mistake.col in judge.network.parameters or mistake.col in states:
        return None, {mistake.col: compiled(mistake.wrong, outside_numbers(judge))}
    return prepare(judge, wrong_formulas(judge, [mistake]), positions(judge, mistake)), {}


def positions(judge: Judge, mistake: Mistake) -> frozenset[int]:
    """The rows of a mistake, counted from 0 in its table."""
    return frozenset(judge.table.position[row] for row in mistake.rows)


def wrong_formulas(judge: Judge, mistakes: list[Mistake]) -> dict[str, Expr]:
    """Formulas as written, by the column variable or the gradient's name that they stand for."""
    found: dict[str, Expr] = {}
    for mistake in mistakes:
        if mistake.wrong is None:
            continue
        kind = judge.roles.kinds.get(mistake.col)
        parameter = judge.roles.named(mistake.column.removeprefix("dE/d")) if kind == "gradient" else None
        if parameter is not None:
            found.setdefault(gradient_name(judge.network.loss, current(parameter)), mistake.wrong)
        elif kind in ("net", "act", "loss", "total"):
            found.setdefault(current(mistake.col), mistake.wrong)
    return found


def _words(judge: Judge, mistake: Mistake, run: Run, other: Run, right: Training) -> str:
    ours, theirs = losses(run, right), losses(other, right)
    difference = abs(theirs[-1] - ours[-1])
    span = max(ours) - min(ours)
    parts = []
    if judge.roles.kinds.get(mistake.col) == "gradient":
        off = _gradient_off(judge, mistake, run)
        if off is not None:
            parts.append(f"the gradient is off by {off:.2g} %")
    if difference != difference:
        return ""
    rows = len(run.rows)
    if rows > 1 and difference > 0:
        parts.append(
            f"the loss after {rows} rows by {difference:.1g}"
            if parts
            else f"the loss after {rows} rows is off by {difference:.1g}"
        )
        if 0 < difference < NO_CHART_SHOWS * span:
            return ", ".join(parts) + ": no chart shows it"
    return ", ".join(parts)


def _gradient_off(judge: Judge, mistake: Mistake, run: Run) -> float | None:
    """The largest relative error of the gradient in the rows of the mistake, along the right training, in percent."""
    parameter = judge.roles.named(mistake.column.removeprefix("dE/d"))
    if parameter is None or mistake.wrong is None:
        return None
    name, written = (
        gradient_name(judge.network.loss, current(parameter)),
        compiled(mistake.wrong, outside_numbers(judge)),
    )
    here = positions(judge, mistake)
    offs = [
        abs(written(run, now) - row[name]) / abs(row[name])
        for now, row in enumerate(run.rows)
        if now in here and row.get(name) and abs(row[name]) > 1e-12
    ]
    finite = [off for off in offs if off == off and off != float("inf")]
    return 100 * max(finite) if finite else None
