"""The rows that choose are the rows that the result is measured on."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tinyproof.check.code.interpreter.relations import relation
from tinyproof.check.code.interpreter.uses import Chosen, Measured
from tinyproof.check.code.library.row_words import described
from tinyproof.check.finding import Finding
from tinyproof.check.notebook.measured import (
    called,
    choices,
    is_test,
    left_to_learn_from,
    measured,
    mistaken_for_test,
    names_say,
    rows_called,
    spoken,
    tried,
)
from tinyproof.check.notebook.printed_figures import figure
from tinyproof.check.notebook.rules.rule import Rule, percent
from tinyproof.check.notebook.study import Study


def rows_choose(rule: Rule, study: Study) -> Iterator[Finding]:
    """One finding for each set of rows that chooses and is, or is called, the test set."""
    told: list[Chosen] = []
    for chosen in choices(study):
        if any(chosen.model is other.model and chosen.rows.paths == other.rows.paths for other in told):
            continue
        if chosen.told and not told_as_result(study, chosen.told):
            continue
        if chosen.model is None and all(left_to_learn_from(path) for path in chosen.rows.paths):
            continue  # a part of the training part is there to choose by
        use = _measured_on(study, chosen)
        if use is None and not (is_test(chosen.rows) or _called_test(chosen) or _tried_on_test(study, chosen)):
            continue
        told.append(chosen)
        yield _finding(rule, study, chosen, use)


_STRING = re.compile(r"\"[^\"]*\"|'[^']*'")
_QUOTES = " \"'"
_BEST = re.compile(r"best|max|high|peak|top", re.IGNORECASE)


def told_as_result(study: Study, name: str) -> bool:
    """Whether a variable that keeps the largest figure is printed, and not as the best of several."""
    word = re.compile(rf"\b{re.escape(name)}\b")
    printed = [line for lines in study.sources.values() for line in lines if "print" in line and word.search(line)]
    texts = [re.sub(r"\{[^}]*\}", "", "".join(_STRING.findall(line))) for line in printed]
    return any(text.strip(_QUOTES) and not _BEST.search(text) for text in texts)


def _finding(rule: Rule, study: Study, chosen: Chosen, use: Measured | None) -> Finding:
    same = [c for c in choices(study) if c.model is chosen.model and c.rows.paths == chosen.rows.paths]
    what = " and ".join(dict.fromkeys(c.what for c in same))
    which = "the test set" if is_test(chosen.rows) else described(chosen.rows)
    effect = "the best of several looks at these rows is better by luck than the network is"
    if use is not None:
        value = figure(study, use)
        shown = f": {percent(value)}" if value is not None else ""
        effect = f"{spoken(use)}{shown}, on {which}; but it also chose {what}"
    return rule.finding(
        chosen.place,
        f"{which} chooses {what} ({', '.join(dict.fromkeys(c.by for c in same))})",
        says=study.line(chosen.place),
        fix="give fit a validation part of the training set (validation_split=0.1), and keep the test set for the end",
        effect=effect,
        evidence=(f"{study.line(use.at)} ({use.at})" if use is not None else "",),
    )


def _called_test(chosen: Chosen) -> bool:
    """Whether the rows that choose are called a test, and do not come from a folder or file for validation."""
    kinds = {path.root.kind for path in chosen.rows.paths}
    return names_say(chosen.rows) == "test" and "validation" not in kinds


def _tried_on_test(study: Study, chosen: Chosen) -> bool:
    """Whether settings are tried on what is called a test where it is measured on, and on nothing else afterwards."""
    on = [use for use in measured(study) if use.rows.paths == chosen.rows.paths]
    return tried(chosen) and any("test" in (called(study, use), rows_called(use)) for use in on)


def _measured_on(study: Study, chosen: Chosen) -> Measured | None:
    """The measurement, not called validation, of the model that was chosen, on the rows that chose."""
    later = study.events.uses[study.events.uses.index(chosen) :]
    for use in measured(study):
        if chosen.model is None and (use.repeated or use not in later):
            continue  # one of those that were chosen among
        if chosen.model is not None and use.model is not chosen.model and not _reloaded(use):
            continue
        if relation(use.rows.paths, chosen.rows.paths) not in ("inside", "contains"):
            continue
        names = (called(study, use), names_say(use.rows), names_say(chosen.rows))
        if mistaken_for_test(study, use):
            continue
        if is_test(use.rows) or "test" in names or not {"validation"} & set(names):
            return use
    return None


def _reloaded(use: Measured) -> bool:
    return "load_model" in getattr(use.model, "path", "")
