"""The two readers divide the work, sheet by sheet.

A table in the course's layout (one row an iteration, weights, forward pass, loss, gradients, updates, all understood)
is judged column by column, by `audit_table`: it knows the textbook's names, pasted and stale values, rates and charts.
Whatever else learns is judged as a graph of cells (`graph`). Where the first did not understand a table wholly, it
accuses nobody; where every change follows its gradient, a formula is not called wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tinyproof.check.facts import Training
from tinyproof.check.workbook.graph.verdict import GraphVerdict
from tinyproof.check.workbook.rules.mistake import Mistake
from tinyproof.check.workbook.rules.table_audit import TableAudit
from tinyproof.check.workbook.understand.grid import Place

FORMULA_KINDS = ("wrong-forward", "wrong-gradient", "wrong-update", "overwritten", "inconsistent-rows", "circular")


@dataclass(frozen=True)
class Divided:
    """What stands after both readers: tables judged by the first, mistakes of both; problems, lines (sheet, text) and
    trainings of the second."""

    audits: list[TableAudit]
    mistakes: list[Mistake]
    problems: list[tuple[int, str]]
    checked: list[tuple[int, str]]
    learns: bool
    still: bool
    trainings: list[Training]


def divide(
    audits: Sequence[TableAudit], mistakes: Sequence[Mistake], verdict: GraphVerdict, second: GraphVerdict
) -> Divided:
    """Each sheet to the reader that understands it. `second`: what the graph says of the sheets that a table's reader
    accuses."""
    by_sheet: dict[int, list[TableAudit]] = {}
    for audit in audits:
        by_sheet.setdefault(audit.table.sheet, []).append(audit)
    course = course_sheets(audits)
    course |= {
        sheet for sheet, own in by_sheet.items() if all(_unread_only(a) for a in own) and _doubted(verdict, sheet)
    }
    told = {m.sheet for m in verdict.mistakes} | {sheet for sheet, right in verdict.right.items() if right}
    knows = {sheet for sheet, own in by_sheet.items() if any(a.judge and a.network.parameters for a in own)}
    course |= knows - told  # the graph cannot tell: what the first reader understood of it stands
    course -= verdict.spread | _contradicted(mistakes, verdict)
    graphs = {sheet for sheet in verdict.right if sheet not in course}
    kept = [audit for audit in audits if audit.table.sheet not in graphs]
    if verdict.right and not course:  # a table that is no training stands beside one that was judged
        kept = [audit for audit in kept if not audit.problem]
    follow = verdict.follow | second.follow
    own = [m for m in mistakes if m.sheet not in graphs and not _untrue(m, course, verdict, follow)]
    own += [m for m in second.mistakes if m.sheet in second.follow]
    # A sheet without a table that shows one step of the judged training, for a place that is chosen, trains nothing.
    shown = verdict.unread - set(by_sheet) if course else set()
    problems = [
        (sheet, text)
        for sheet, texts in verdict.problems.items()
        if sheet not in (course | shown) - verdict.follow
        for text in texts
    ]
    problems += [(sheet, text) for sheet, texts in second.problems.items() if sheet in second.follow for text in texts]
    checked = [(sheet, line) for sheet, lines in verdict.checked.items() if sheet in graphs for line in lines]
    return Divided(
        kept,
        [*own, *[m for m in verdict.mistakes if m.sheet in graphs]],
        problems,
        checked,
        bool(verdict.right),
        verdict.still,
        [training for sheet, training in verdict.trainings if sheet in graphs],
    )


def course_sheets(audits: Sequence[TableAudit]) -> set[int]:
    """The sheets on which every table was understood wholly as a training in the course's layout."""
    others = {audit.table.sheet for audit in audits if not is_course(audit)}
    return {audit.table.sheet for audit in audits} - others


def accused_sheets(audits: Sequence[TableAudit], mistakes: Sequence[Mistake]) -> set[int]:
    """The sheets on which several columns are called wrong, or the gradient of the only parameter, which no other
    gradient bears out: then the reader may be, and the graph is asked too. The states of an optimiser are borne out by
    the updates that take them."""
    accused: dict[int, set[str]] = {}
    states = {(a.table.sheet, a.judge.roles.names[col]) for a in audits if a.judge is not None for col in _states(a)}
    for mistake in mistakes:
        borne_out = (mistake.sheet, mistake.column) in states
        if mistake.severity == "error" and mistake.kind in FORMULA_KINDS and not borne_out:
            accused.setdefault(mistake.sheet, set()).add(mistake.column)
    single = {audit.table.sheet for audit in audits if len(audit.network.parameters) == 1}
    return {sheet for sheet, columns in accused.items() if len(columns) > 1 or sheet in single}


def _states(audit: TableAudit) -> Sequence[int]:
    method = audit.judge.method if audit.judge is not None else None
    return tuple(method.states) if method is not None else ()


def refuse_contradicted(audits: Sequence[TableAudit], mistakes: Sequence[Mistake], second: GraphVerdict) -> None:
    """Of a sheet on which the first reader calls wrong what right changes use, it understood nothing."""
    sheets = _contradicted(mistakes, second)
    for audit in audits:
        if audit.table.sheet in sheets - second.follow:
            audit.problem = "what its formulas say is not what its headings say"
            audit.wholly, audit.judge, audit.mistakes = False, None, []


def _contradicted(mistakes: Sequence[Mistake], verdict: GraphVerdict) -> set[int]:
    """The sheets on which a cell of the way back is called wrong that changes use which follow their gradient."""
    wrong = [m for m in mistakes if m.severity == "error" and m.kind in ("wrong-gradient", "wrong-update")]
    return {m.sheet for m in wrong if any(Place(m.sheet, row, m.col) in verdict.used for row in m.rows)}


def is_course(audit: TableAudit) -> bool:
    """Whether a table was understood wholly as a training in the course's layout."""
    if audit.judge is None or audit.problem or any(m.undecided for m in audit.mistakes):
        return False
    roles = audit.network.roles
    gradients = [c for c in roles.of("gradient") if audit.network.columns[c].patterns]
    return bool(
        audit.network.parameters and audit.updates and gradients and roles.of("act") and roles.of("loss", "total")
    )


def _unread_only(audit: TableAudit) -> bool:
    """Whether a table is in the course's layout, and only formulas that could not be read keep it undecided."""
    return audit.wholly and audit.judge is not None and bool(audit.network.unread)


def _doubted(verdict: GraphVerdict, sheet: int) -> bool:
    """Whether the graph does not simply call a sheet right: it may have read the formula as little as the first reader,
    which knows what depends on it."""
    wrong = any(mistake.sheet == sheet and mistake.severity == "error" for mistake in verdict.mistakes)
    return wrong or sheet in verdict.rounded or not verdict.right.get(sheet, False) or bool(verdict.problems.get(sheet))


def _untrue(mistake: Mistake, course: set[int], verdict: GraphVerdict, follow: set[int]) -> bool:
    """An accusation of a formula that the graph contradicts, or in a table that was not understood."""
    if mistake.severity != "error":
        return False
    if mistake.sheet not in course and verdict.right and not mistake.kind.startswith("pasted"):
        return True
    return mistake.kind in FORMULA_KINDS and (mistake.sheet not in course or mistake.sheet in follow)
