"""Measured on rows that the model learned from: arrays, tables and data sets, in whatever framework."""

from __future__ import annotations

from collections.abc import Iterator

from tinyproof.check.code.interpreter.relations import relation
from tinyproof.check.code.interpreter.rows import Rows
from tinyproof.check.code.interpreter.uses import Measured
from tinyproof.check.code.library.row_words import described
from tinyproof.check.finding import Finding, Severity
from tinyproof.check.notebook.measured import (
    called,
    fits,
    is_training,
    learned,
    measured,
    rows_called,
    spoken,
    to_learned,
)
from tinyproof.check.notebook.printed_figures import figure
from tinyproof.check.notebook.rules.claims import matches, says_test
from tinyproof.check.notebook.rules.other_rows import with_test_rows
from tinyproof.check.notebook.rules.rule import Rule, percent
from tinyproof.check.notebook.study import Study


def measured_on_learned(rule: Rule, study: Study) -> Iterator[Finding]:
    """Measurements of rows that the model was fitted on, unless that is what they are called."""
    uses = measured(study)
    honest = [use for use in uses if use.crossed or to_learned(use) == "apart"]
    validated = any(fit.validation is not None for fit in fits(study))
    told = False
    for use in uses:
        lies = to_learned(use)
        if not use.fits and is_training(use.rows) and called(study, use) == "test":
            yield _wrong(rule, study, use, "training", "")
        if lies not in ("inside", "contains", "overlaps"):
            continue
        if _quoted_as_test(study, use):
            yield _wrong(rule, study, use, lies, "")
            continue
        name = called(study, use)
        if name == "train" or (name != "test" and rows_called(use) == "train" and (honest or validated)):
            continue
        named = rows_called(use) in ("test", "validation") and not _again_honestly(use, honest)
        tested = name in ("test", "validation") or named
        if not tested and (honest or validated or _progress(use)):
            continue
        held = _unused_part(study)
        if tested or held:
            yield _wrong(rule, study, use, lies, held if not tested else "")
        elif lies == "inside" and not told and all(to_learned(other) == "inside" for other in uses):
            told = True
            yield _nothing_held_out(rule, study, use)
    yield from _validated_on_learned(rule, study)


def _progress(use: Measured) -> bool:
    """Whether it is told in a loop how far weights that no object holds have come."""
    return use.name == "==" and use.model is None and use.repeated


def _again_honestly(use: Measured, honest: list[Measured]) -> bool:
    """Whether the same lines measure, under the same name, rows that were held out: these are looked at besides."""
    return any(other.place == use.place and rows_called(other) == rows_called(use) for other in honest)


def _quoted_as_test(study: Study, use: Measured) -> bool:
    """Whether the notebook's own text tells this figure, and no other, as that on a test set."""
    value = figure(study, use)
    if value is None or called(study, use) == "train":
        return False
    others = [figure(study, other) for other in measured(study) if other.place != use.place]
    quoting = [c for c in study.claims if c.place.file == study.document.name and says_test(c) and matches(c, value)]
    return any(not any(o is not None and matches(c, o) for o in others) for c in quoting)


def _wrong(rule: Rule, study: Study, use: Measured, lies: str, held: str) -> Finding:
    which = {
        "training": "the training set",
        "inside": "rows that the model learned from",
        "contains": "all rows, those that the model learned from among them",
        "overlaps": "rows some of which the model learned from",
    }[lies]
    value = figure(study, use)
    effect = "what is printed is the accuracy on rows it has seen; that on new ones is not in this notebook"
    if value is not None:
        effect = f"the {percent(value)} is that on rows it has seen; the figure on new ones is not in this notebook"
    fitted = next((fit for fit in use.fits if fit.rows is not None), None)
    evidence = [f"learned from {described(fitted.rows)} ({fitted.place})" if fitted and fitted.rows else ""]
    evidence.append(f"never measured on: {held}" if held else "")
    evidence.append(f"measured at {use.at}" if use.rows_at != use.at else "")
    return rule.finding(
        use.rows_at,
        f"{spoken(use)} measures on {which}",
        says=study.line(use.rows_at),
        should_say=with_test_rows(study, use),
        fix="measure on rows that were held out from every fit",
        effect=effect,
        evidence=tuple(evidence),
    )


def _nothing_held_out(rule: Rule, study: Study, use: Measured) -> Finding:
    note: Severity = "note"
    return rule.finding(
        use.at,
        f"{spoken(use)} measures on the rows that the model learned from, and no rows are held out",
        severity=note,
        says=study.line(use.at),
        fix="hold a part out with train_test_split, or cross-validate",
        effect="how well it does on new rows is not measured in this notebook",
    )


def _unused_part(study: Study) -> str:
    """The variable of a part that a split holds out and that nothing was measured on."""
    done = [use.rows.paths for use in measured(study)]
    done += [fit.validation.paths for fit in fits(study) if fit.validation is not None]
    for name, value in study.scope.names.items():
        if not isinstance(value, Rows) or value.side not in ("both", "x", "y"):
            continue
        last = value.paths[0].cuts[-1:] if len(value.paths) == 1 else ()
        of_split = bool(last) and last[0].kind == "split" and last[0].part == "held out"
        of_test = not last and value.paths[0].root.kind == "test"
        if (of_split or of_test) and all(relation(paths, value.paths) == "apart" for paths in done):
            return name
    return ""


def _validated_on_learned(rule: Rule, study: Study) -> Iterator[Finding]:
    """fit(x, validation_data=...) with rows that it learns from."""
    for fit in fits(study):
        if fit.rows is None or fit.validation is None:
            continue
        lies = relation(fit.validation.paths, learned((fit,)))
        if lies in ("inside", "contains", "overlaps"):
            part = "rows that it learns from" if lies == "inside" else "rows some of which it learns from"
            yield rule.finding(
                fit.place,
                f"the validation figures are measured on {part}: {described(fit.validation)}",
                says=study.line(fit.place),
                fix="give validation_data rows that are not learned from, or validation_split=0.1",
                effect="they say how well it remembers; nothing shows when it begins to overfit",
                evidence=(f"it learns from {described(fit.rows)}",),
            )
