"""One table audited: understood, judged by every rule, and what was found right said too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from tinyproof.backprop.expr import names
from tinyproof.check.workbook.rules.circles import check_circles
from tinyproof.check.workbook.rules.compared import compared_columns
from tinyproof.check.workbook.rules.doubts import doubt
from tinyproof.check.workbook.rules.forward import check_forward
from tinyproof.check.workbook.rules.gradients import check_ascending, check_gradients
from tinyproof.check.workbook.rules.headings import check_headings
from tinyproof.check.workbook.rules.judge import Judge
from tinyproof.check.workbook.rules.mistake import Mistake
from tinyproof.check.workbook.rules.table_audit import TableAudit
from tinyproof.check.workbook.rules.updates import ascends, check_updates
from tinyproof.check.workbook.understand.copies import with_copies
from tinyproof.check.workbook.understand.grid import Grid
from tinyproof.check.workbook.understand.left_over import row_left_over
from tinyproof.check.workbook.understand.meaning import same
from tinyproof.check.workbook.understand.network_values import Network
from tinyproof.check.workbook.understand.patterns import ColumnPatterns, before, column_of, read_columns
from tinyproof.check.workbook.understand.roles import Roles, find_roles
from tinyproof.check.workbook.understand.tables import Table
from tinyproof.check.workbook.understand.trained_network import gradient_of, understand


def understood_wholly(audits: Sequence[TableAudit], sheet: int) -> bool:
    """Whether a sheet has tables, and each of them was understood wholly: nobody else needs to read it."""
    here = [audit for audit in audits if audit.table.sheet == sheet]
    return bool(here) and all(audit.wholly for audit in here)


def refuse_parts(grid: Grid, audits: Sequence[TableAudit]) -> None:
    """Of a sheet on which a table goes on outside of what was read as a table, nothing is called right or wrong."""
    by_sheet: dict[int, list[TableAudit]] = {}
    for audit in audits:
        by_sheet.setdefault(audit.table.sheet, []).append(audit)
    for own in by_sheet.values():
        row = row_left_over(grid, [audit.table for audit in own])
        for audit in own if row is not None else []:
            audit.problem = f"row {row} says what the rows of the table say, and stands outside of it"
            audit.wholly, audit.judge, audit.mistakes = False, None, []


def audit_table(grid: Grid, table: Table, known: Mapping[int, ColumnPatterns] | None = None) -> TableAudit:
    """Audit one table. `known`: columns that were read already."""
    columns = read_columns(grid, table, known or {})
    roles = find_roles(table, columns)
    columns = with_copies(grid, table, roles, columns)
    network = understand(table, roles, columns)
    audit = TableAudit(table, network)
    if not network.equations:
        audit.problem = _why_not(network)
        return audit
    judge = audit.judge = Judge(grid, network)
    renamed = _rename(judge)
    if renamed:
        network = audit.network = understand(table, roles, columns)
        judge = audit.judge = Judge(grid, network)
    mistakes, audit.rate, audit.updates = check_updates(judge)
    if ascends(judge, audit.updates):
        audit.mistakes = [*check_forward(judge), *check_ascending(judge), _ascent_note(judge)]
    else:
        audit.mistakes = [*check_forward(judge), *check_gradients(judge), *mistakes]
    if sum(m.severity == "error" for m in audit.mistakes) > 1:
        better = _with_exchanged_headings(grid, table, columns, roles, judge)
        if better is not None:
            return better
    audit.mistakes += check_circles(judge, audit.mistakes)
    audit.mistakes += check_headings(judge, renamed, _bad(audit))
    return _settled(audit, judge)


def _settled(audit: TableAudit, judge: Judge) -> TableAudit:
    """The audit as it is told. What was not understood wholly is not called wrong, and nothing in it right."""
    descends = [] if ascends(judge, audit.updates) else audit.updates
    audit.problem = _nothing_to_check(judge, audit) or doubt(judge, descends, audit.mistakes)
    audit.wholly = not audit.problem
    if audit.problem:
        audit.mistakes = [m for m in audit.mistakes if m.undecided and m.col in judge.network.unread]
        audit.judge = None
    else:
        audit.compared = frozenset(compared_columns(judge, audit.updates, audit.rate))
    audit.mistakes = [_with_dependents(judge, mistake) for mistake in audit.mistakes]
    return audit


def _with_dependents(judge: Judge, mistake: Mistake) -> Mistake:
    """A note on a column that could not be read, with what could not be judged because of it."""
    if not mistake.undecided or mistake.col not in judge.network.unread:
        return mistake
    cols = [p for p, cause in judge.network.tainted.items() if cause == mistake.col]
    slopes = [c for c in judge.roles.of("gradient") if gradient_of(judge.network, c) in cols]
    for col in judge.roles.of("gradient"):
        main = judge.columns[col].main
        if main is not None and main.expr is not None and judge.unread_in(main.expr) == mistake.col:
            slopes.append(col)
    told = [judge.roles.names[c] for c in sorted(set(slopes)) or cols if c != mistake.col]
    if not told:
        return mistake
    shown = ", ".join(told[:8]) + (f" and {len(told) - 8} more" if len(told) > 8 else "")
    return replace(
        mistake,
        message=f"{mistake.message}; so neither could {shown}, which depend{'s' if len(told) == 1 else ''} on it",
    )


def _with_exchanged_headings(
    grid: Grid, table: Table, columns: dict[int, ColumnPatterns], roles: Roles, judge: Judge
) -> TableAudit | None:
    """The audit with the weights named after the gradients that their updates read, if nothing is wrong then."""
    found: dict[int, str] = {}
    for col in judge.network.parameters:
        main = columns[col].main
        read = (
            [place.col for n in names(main.expr) if (place := column_of(n))] if main and main.expr is not None else []
        )
        slopes = [roles.names[c] for c in read if roles.kinds[c] == "gradient"]
        if len(slopes) == 1 and slopes[0].startswith("dE/d") and slopes[0] != f"dE/d{roles.names[col]}":
            found[col] = slopes[0].removeprefix("dE/d")
    if not found or sorted(found.values()) != sorted(roles.names[col] for col in found):
        return None
    kept = dict(roles.names)
    roles.names.update(found)
    audit = TableAudit(table, understand(table, roles, columns))
    if audit.network.equations:
        judge = audit.judge = Judge(grid, audit.network)
        mistakes, audit.rate, audit.updates = check_updates(judge)
        audit.mistakes = [*check_forward(judge), *check_gradients(judge), *mistakes]
        if not any(m.severity == "error" for m in audit.mistakes):
            audit.mistakes += check_headings(judge, found, set())
            return _settled(audit, judge)
    roles.names.update(kept)
    return None


def _why_not(network: Network) -> str:
    roles = network.roles
    if network.loops:
        return "the forward formulas go round in a circle"
    where = _rows_of(network.table)
    if not any(columns.patterns for columns in network.columns.values()):
        return f"the table {where} holds typed numbers only"
    if not roles.of("loss", "total"):
        return f"no column of the table {where} is called a loss (E1, E_total, loss) or computes one"
    return f"the loss of the table {where} is not computed by a formula that could be read"


def _rows_of(table: Table) -> str:
    return f"in rows {table.rows[0]} to {table.rows[-1]}"


def _nothing_to_check(judge: Judge, audit: TableAudit) -> str:
    where = _rows_of(judge.table)
    if not judge.network.parameters:
        return _no_weight(judge, where)
    gradients = [c for c in judge.roles.of("gradient") if judge.columns[c].patterns]
    if not gradients and not audit.updates:
        return f"the table {where} has no gradient columns and no updates in its rows: nothing to judge its formulas by"
    return ""


def _no_weight(judge: Judge, where: str) -> str:
    for col, columns in judge.columns.items():
        main = columns.main
        if main is not None and main.expr is not None and before(col) in names(main.expr) and len(names(main.expr)) > 1:
            name = judge.roles.names[col]
            return f"in the table {where} {name} goes on from the row before, but no sum that could be read uses it"
    return f"no column of the table {where} is called a weight (w1, b1) or goes on from its own value in the row before"


def _rename(judge: Judge) -> dict[int, str]:
    """Gradient columns whose heading names another weight than the one whose gradient they hold and whose update
    reads them: the heading is wrong, not the formula. Column -> the name it should have."""
    roles, network = judge.roles, judge.network
    found: dict[int, str] = {}
    for col in roles.of("gradient"):
        main = judge.columns[col].main
        readers = [p for p in network.parameters if _reads(judge, p, col)]
        if main is None or main.expr is None or len(readers) != 1:
            continue
        own = f"dE/d{roles.names[readers[0]]}"
        if own != roles.names[col] and same(judge.says(main.expr), judge.gradient(readers[0])):
            found[col] = own
    settled = {**roles.names, **found}
    if len(set(settled.values())) != len(settled):
        return {}
    roles.names.update(found)
    return found


def _reads(judge: Judge, parameter: int, col: int) -> bool:
    main = judge.columns[parameter].main
    return main is not None and main.expr is not None and before(col) in names(main.expr)


def _ascent_note(judge: Judge) -> Mistake:
    col = judge.roles.of("gradient")[0]
    name = judge.roles.names[col]
    message = (
        f"{name} and the other gradient columns hold the negative gradient, and the updates add it: right together"
    )
    return Mistake("header", "note", judge.table.sheet, name, message, col, judge.table.rows[:1])


def _bad(audit: TableAudit) -> set[int]:
    return {mistake.col for mistake in audit.mistakes if mistake.severity == "error" or mistake.undecided}
