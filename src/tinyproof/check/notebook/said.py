"""What the audit says of measurements on rows that it found right, and whether they settle the question."""

from __future__ import annotations

from tinyproof.check.code.interpreter.relations import relation
from tinyproof.check.code.interpreter.rows import Rows
from tinyproof.check.code.interpreter.uses import Measured
from tinyproof.check.code.library.loaders import rows_behind
from tinyproof.check.code.library.row_words import described
from tinyproof.check.notebook.measured import (
    called,
    choices,
    decided,
    fits,
    held_out_by_name,
    is_test,
    learned,
    measured,
    spoken,
    to_learned,
    tried,
)
from tinyproof.check.notebook.printed_figures import figure
from tinyproof.check.notebook.rules.claims import matches
from tinyproof.check.notebook.rules.rule import percent
from tinyproof.check.notebook.study import Study

_MOST = 6


def settled(study: Study) -> bool:
    """Whether some measurement is known to be on certain rows, or the validation of a fit is."""
    return any(decided(use) for use in measured(study)) or any(
        fit.validation is not None and relation(fit.validation.paths, learned((fit,))) != "unknown"
        for fit in fits(study)
    )


def right_lines(study: Study) -> list[str]:
    """One line for each measurement on held-out rows: the call, the figure, the rows, the place."""
    lines: dict[str, None] = {}
    apart = [use for use in measured(study) if decided(use) and _held_out(use)]
    looped = [(use.at, use.rows.paths) for use in apart if use.name in ("loop", "step")]
    apart = [use for use in apart if use.name != "==" or (use.at, use.rows.paths) not in looped]
    tested = any(
        study.split(turn.loader).kind == "test" and rows_behind(turn.loader) is None for turn in study.evaluations
    )
    for use in apart:
        value = figure(study, use)
        shown = f" {percent(value)}," if value is not None else ""
        place = f"({use.at})"
        lines[f"{spoken(use)}:{shown} on {_which(use.rows)}{_chose(study, use)} {place}"] = None
    if not apart:
        for fit in fits(study):
            if fit.validation is not None and relation(fit.validation.paths, learned((fit,))) == "apart":
                lines[f"each epoch of `{fit.name}` is measured on {_which(fit.validation)} ({fit.place})"] = None
    if not lines and not tested:
        for use in measured(study):
            if called(study, use) == "train" and to_learned(use) == "inside":
                lines[f"{spoken(use)}: on rows that it learned from, and called that ({use.at})"] = None
    return list(lines)[:_MOST]


def quoted_lines(study: Study) -> list[str]:
    """The claims that quote a figure measured on held-out rows."""
    shown = [(use, figure(study, use)) for use in measured(study) if decided(use) and _held_out(use)]
    lines: dict[str, None] = {}
    for claim in study.claims:
        if claim.kind != "accuracy" or claim.is_target or claim.phase == "train" or claim.decimals < 2:
            continue
        use = next((use for use, value in shown if value is not None and matches(claim, value)), None)
        if use is not None:
            lines[f"{percent(claim.value)} is the figure of {spoken(use)}, quoted correctly ({claim.place})"] = None
    return list(lines)


def _held_out(use: Measured) -> bool:
    lies = to_learned(use)
    return lies == "apart" or (lies == "unknown" and held_out_by_name(use.rows))


def _which(rows: Rows) -> str:
    return "the test set" if is_test(rows) and rows.paths[0].root.form == "set" else described(rows)


def _chose(study: Study, use: Measured) -> str:
    chosen = [c for c in choices(study) if c.rows.paths == use.rows.paths and (c.model is use.model or tried(c))]
    what = " and ".join(dict.fromkeys(c.what for c in chosen))
    return f"; but it also chose {what}" if what else ""
