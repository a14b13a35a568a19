"""From mistakes to findings: grouped over sheets, the first wrong cell first, and what is right said too."""

from __future__ import annotations

from collections.abc import Sequence

from tinyproof.check.finding import SEVERITIES, Finding, SheetPlace
from tinyproof.check.workbook.rules.mistake import Mistake
from tinyproof.check.workbook.rules.table_audit import TableAudit
from tinyproof.check.workbook.understand.grid import Grid
from tinyproof.core.errors import one_line


def to_findings(grid: Grid, mistakes: Sequence[Mistake]) -> tuple[Finding, ...]:
    """One finding for one mistake, however many sheets have it; errors first, each by its first cell."""
    return tuple(_finding(grid, group) for group in grouped(mistakes))


def grouped(mistakes: Sequence[Mistake]) -> list[list[Mistake]]:
    """Mistakes that are one and the same, together: errors first, each group by its first cell."""
    groups: dict[object, list[Mistake]] = {}
    for mistake in sorted(mistakes, key=lambda m: (SEVERITIES.index(m.severity), m.order())):
        key = mistake.kind, mistake.severity, mistake.column, mistake.says or mistake.message, mistake.should_say
        groups.setdefault(key, []).append(mistake)
    return list(groups.values())


def _finding(grid: Grid, group: list[Mistake]) -> Finding:
    first, *rest = group
    place = SheetPlace(
        one_line(grid.sheet(first.sheet).name, 80),
        one_line(first.column, 80),
        first.where(),
        tuple((one_line(grid.sheet(m.sheet).name, 80), m.where()) for m in rest),
    )
    return Finding(
        rule=first.kind,
        severity=first.severity,
        place=place,
        message=one_line(first.message, 500),
        says=one_line(first.says, 1000),
        should_say=one_line(first.should_say, 1000),
        why=one_line(first.why, 500),
        fix=one_line(first.fix, 9000),
        effect=one_line(first.effect, 500),
    )


def what_is_right(grid: Grid, audits: Sequence[TableAudit]) -> tuple[str, ...]:
    """`31 columns checked over 68 iterations: right`. Only columns that were compared with something are counted."""
    lines = []
    for audit in audits:
        if audit.judge is None:
            continue
        wrong = {m.col for m in audit.mistakes if m.severity == "error" or m.undecided}
        checked = sorted(audit.compared)
        right = [col for col in checked if col not in wrong]
        if not right:
            continue
        rate = (
            f", learning rate {audit.rate.value:g}" if audit.rate is not None and audit.rate.value is not None else ""
        )
        sheet = one_line(grid.sheet(audit.table.sheet).name, 60)
        count = len(audit.table.rows)
        rows = f"{count} iteration{'' if count == 1 else 's'}"
        if not wrong:
            lines.append(f'sheet "{sheet}": {len(checked)} columns checked over {rows}{rate}: right')
        else:
            lines.append(f'sheet "{sheet}": {len(right)} of {len(checked)} columns checked over {rows}{rate} are right')
    return tuple(lines)
