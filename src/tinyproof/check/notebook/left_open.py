"""What stays open although the rows of every measurement are known: what was learned from, what chose."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tinyproof.check.code.interpreter.events import Preferred
from tinyproof.check.code.interpreter.flows import Quantity
from tinyproof.check.code.interpreter.relations import relation
from tinyproof.check.code.interpreter.uses import Measured
from tinyproof.check.finding import Finding
from tinyproof.check.notebook.measured import (
    called,
    held_out_by_name,
    left_to_learn_from,
    measured,
    names_say,
    spoken,
    to_learned,
)
from tinyproof.check.notebook.study import Study


def left_open(study: Study, findings: Sequence[Finding]) -> str:
    """Why nothing is said of a measurement whose rows are known; empty where something can be said."""
    told = any(finding.rule == "test-set-chooses" for finding in findings)
    return _unread_before(study) or ("" if told else _preferred(study))


def _unread_before(study: Study) -> str:
    """That a model learned from something of which nothing is known, where a piece of code was not read."""
    unread = study.events.unread
    taught = [fit.rows for use in measured(study) for fit in use.fits if fit.rows is not None]
    if unread and any(path.root.key[:1] == ("value",) for rows in taught for path in rows.paths):
        return f"a piece of code could not be read ({unread[0]}), and what a model learned from stays open"
    return ""


def _preferred(study: Study) -> str:
    """That the best of several figures was looked for, on the rows that the result is measured on, too."""
    chose = [one for one in _choosing(study) if _held_out(one.measured)]
    places = [(one.measured.place, one.measured.rows.paths) for one in chose]
    rest = [use for use in measured(study) if _held_out(use) and (use.place, use.rows.paths) not in places]
    once = any(_held_out(use) and not use.repeated for use in measured(study))
    for one in chose:
        use = one.measured
        apart = any(_is_result_beside(study, other, use) for other in rest)
        if not apart and not (one.alone and (once or _of_folds(use))) and not _for_choosing(study, use):
            said = f"{spoken(use)} chooses among the turns of a loop ({one.place})"
            return f"{said}: what is told may be the best of them"
    return ""


def _is_result_beside(study: Study, other: Measured, use: Measured) -> bool:
    """Whether another measurement is the result where this one chooses: on rows apart, not there to choose."""
    return relation(other.rows.paths, use.rows.paths) == "apart" and not (
        other.place == use.place and _for_choosing(study, other)
    )


def _choosing(study: Study) -> Iterator[Preferred]:
    yield from study.events.preferred
    for step in study.events.steps:
        figure = step.values[0] if step.values and step.scheduler.short == "ReduceLROnPlateau" else None
        if isinstance(figure, Quantity) and isinstance(figure.turn, Measured):
            yield Preferred(figure.turn, step.place)


def _of_folds(use: Measured) -> bool:
    """Whether each turn measures on a fold of its own: the least and the largest say how far they lie apart."""
    return any(cut.key[:1] == ("fold",) for path in use.rows.paths for cut in path.cuts)


def _held_out(use: Measured) -> bool:
    lies = to_learned(use)
    return lies == "apart" or (lies == "unknown" and held_out_by_name(use.rows))


def _for_choosing(study: Study, use: Measured) -> bool:
    """Whether the rows are there to choose by: a part for validation, or of the training part."""
    if "validation" in (called(study, use), names_say(use.rows)):
        return True
    return all(path.root.kind == "validation" or left_to_learn_from(path) for path in use.rows.paths)
