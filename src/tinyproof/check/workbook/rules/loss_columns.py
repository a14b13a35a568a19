"""Pasted loss columns (one per learning rate): judged by running the training again, with and without each mistake."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from tinyproof.backprop.expr import Expr, Var, substitute
from tinyproof.check.workbook.rules.effects import wrong_formulas
from tinyproof.check.workbook.rules.judge import Judge
from tinyproof.check.workbook.rules.mistake import Mistake
from tinyproof.check.workbook.rules.numbers import digits_of
from tinyproof.check.workbook.rules.retraining import compiled, losses, outside_numbers, prepare, train
from tinyproof.check.workbook.rules.table_audit import TableAudit
from tinyproof.check.workbook.thresholds import LEAST_LOSSES
from tinyproof.check.workbook.understand.grid import Grid, Place, address
from tinyproof.check.workbook.understand.heading_words import is_rate_word, rate_in
from tinyproof.check.workbook.understand.patterns import current
from tinyproof.core.arrays import np

MAX_ROWS = 1_000
MAX_COLUMNS = 60


@dataclass(frozen=True)
class Pasted:
    """A column of typed losses below a label that states its rate."""

    sheet: int
    col: int
    rows: tuple[int, ...]
    numbers: tuple[float, ...]
    rate: float


def check_loss_columns(grid: Grid, audits: Sequence[TableAudit]) -> tuple[list[Mistake], list[str]]:
    """Mistakes in pasted loss columns, and one line for those that are right."""
    audit = next((a for a in audits if a.judge is not None and not a.problem), None)
    if audit is None or audit.judge is None:
        return [], []
    judge = audit.judge
    start = _start_loss(judge)
    if start is None:
        return [], []
    columns = list(_columns(grid, audits, start))[:MAX_COLUMNS]
    rates = list(dict.fromkeys(column.rate for column in columns))
    found, right = [], 0
    for column in columns:
        mistake = _judge_column(judge, audits, column, rates)
        if mistake is None:
            right += 1
        else:
            found.append(mistake)
    lines = [f"{right} pasted loss column{'s' if right > 1 else ''} run again: right"] if right else []
    return found, lines


def rates_of_columns(grid: Grid, audits: Sequence[TableAudit]) -> tuple[float, ...]:
    """The rates of the pasted loss columns, right or wrong, each once."""
    audit = next((a for a in audits if a.judge is not None and not a.problem), None)
    start = _start_loss(audit.judge) if audit is not None and audit.judge is not None else None
    if start is None:
        return ()
    return tuple(dict.fromkeys(column.rate for column in list(_columns(grid, audits, start))[:MAX_COLUMNS]))


def _start_loss(judge: Judge) -> float | None:
    run = train(judge, 0.0, 1, prepare(judge))
    return losses(run, prepare(judge))[0] if run is not None else None


def _columns(grid: Grid, audits: Sequence[TableAudit], start: float) -> Iterator[Pasted]:
    """Columns of typed numbers, outside the tables, that begin with the loss of the start values."""
    coarsest = 1e-3 * abs(start)  # what rounding may have taken away
    for index in range(len(grid.book.sheets)):
        inside = set[tuple[int, int]]()
        for row, col, number in _near(grid, audits, index, start, coarsest * 1.01 + 1e-9):
            if (row, col) in inside or digits_of(number) > coarsest:
                continue
            if abs(number - start) > digits_of(number) * 1.01 + 1e-9 or abs(number) < 1e-9:
                continue
            column = _down(grid, index, row, col)
            if column is not None:
                inside.update((below, col) for below in column.rows)  # its second loss may look like its first
                yield column


def _near(
    grid: Grid, audits: Sequence[TableAudit], sheet: int, start: float, room: float
) -> list[tuple[int, int, float]]:
    """The typed numbers of a sheet, outside its tables, that are about as large: row, column, number, in order."""
    found = [
        (row, col, cell.value)
        for (row, col), cell in grid.sheet(sheet).cells.items()
        if cell.formula is None and isinstance(cell.value, float) and abs(cell.value - start) <= room
    ]
    tables = [a.table for a in audits if a.table.sheet == sheet]
    return sorted(p for p in found if not any(p[0] in t.position and p[1] in t.cols for t in tables))


def _down(grid: Grid, sheet: int, row: int, col: int) -> Pasted | None:
    rate = _label(grid, sheet, row - 1, col)
    cells = grid.sheet(sheet).cells
    numbers: list[float] = []
    while len(numbers) < MAX_ROWS:
        cell = cells.get((row + len(numbers), col))
        if cell is None or cell.formula is not None or not isinstance(cell.value, float):
            break
        numbers.append(cell.value)
    if rate is None or not 0 < rate <= 1000 or len(numbers) < LEAST_LOSSES:
        return None
    rows = tuple(range(row, row + len(numbers)))
    return Pasted(sheet, col, rows, tuple(numbers), rate)


def _label(grid: Grid, sheet: int, row: int, col: int) -> float | None:
    """The rate in the cell above a column: a text that states it, or a number in a row of such numbers."""
    label = grid.cell(Place(sheet, row, col))
    if label is None or label.formula is not None:
        return None
    if not isinstance(label.value, float):
        return rate_in(label.value or "")
    if grid.number(Place(sheet, row - 1, col)) is not None:
        return None  # a number in the middle of a column of numbers
    beside = [grid.number(Place(sheet, row, c)) is not None for c in (col - 1, col + 1)]
    words = is_rate_word(grid.text(Place(sheet, row, col - 1))) or is_rate_word(grid.text(Place(sheet, row - 1, col)))
    return label.value if words or any(beside) else None


def _judge_column(judge: Judge, audits: Sequence[TableAudit], column: Pasted, rates: list[float]) -> Mistake | None:
    count = len(column.numbers)
    typed = np.array(column.numbers)
    right = _losses(judge, column.rate, count, {})
    if right is None:
        return None
    good = _fits(typed, right)
    if np.all(good):
        return None
    for words, wrong in _alternatives(judge, audits):
        other = _losses(judge, column.rate, count, wrong)
        if other is not None and np.all(_fits(typed, other)):
            worst = float(np.max(np.abs(typed - other)))
            return _mistake(column, good, right, f"they are the losses of a training with {words} (to {worst:.0e})")
    for rate in rates:
        other = _losses(judge, rate, count, {}) if rate != column.rate else None
        if other is not None and np.all(_fits(typed, other)):
            return _mistake(column, good, right, f"they are the losses of the learning rate {rate:g}")
    if np.count_nonzero(good) >= max(2, 0.5 * count):
        return _mistake(column, good, right, "some numbers are not those of the training")
    message = "they are the losses of no training that could be run again"
    return _mistake(column, good, right, message, certain=False)


def _losses(judge: Judge, rate: float, count: int, wrong: dict[str, Expr]) -> np.ndarray | None:
    training = prepare(judge, wrong)
    updates = {
        col: compiled(expr, outside_numbers(judge))
        for name, expr in wrong.items()
        if (col := _parameter(judge, name)) is not None
    }
    run = train(judge, rate, count, training, updates)
    return np.array(losses(run, training)) if run is not None else None


def _parameter(judge: Judge, name: str) -> int | None:
    return next((col for col in judge.network.parameters if current(col) == name), None)


def _fits(typed: np.ndarray, computed: np.ndarray) -> np.ndarray:
    room = np.array([digits_of(number) for number in typed]) * 1.01
    return np.asarray(np.abs(typed - computed) <= room + 1e-9 * np.abs(computed))


def _alternatives(judge: Judge, audits: Sequence[TableAudit]) -> Iterator[tuple[str, dict[str, Expr]]]:
    """Mistakes found in this file, alone and together; then the commonest one of all."""
    found: dict[str, tuple[str, Expr]] = {}
    for audit in audits:
        if audit.judge is None or audit.judge.columns.keys() != judge.columns.keys():
            continue
        wrong = [m for m in audit.mistakes if m.severity == "error" and m.wrong is not None]
        for mistake in wrong:
            for name, expr in wrong_formulas(audit.judge, [mistake]).items():
                found.setdefault(name, (f"the mistake in {mistake.column}", expr))
    if found:
        yield "the mistakes of this workbook", {name: expr for name, (_, expr) in found.items()}
        for name, (words, expr) in found.items():
            yield words, {name: expr}
    common = _first_unit_everywhere(judge)
    if common:
        yield "the slope of the first hidden unit in the gradients of the others", common


def _first_unit_everywhere(judge: Judge) -> dict[str, Expr]:
    """The commonest mistake: a_h1*(1-a_h1) where a_h2*(1-a_h2) belongs."""
    if len(judge.network.equations) > 40:
        return {}
    hidden = [name for col in judge.roles.of("act") if (name := judge.roles.names[col]).startswith("a_h")]
    found: dict[str, Expr] = {}
    for first, other in combinations(sorted(hidden), 2):
        a, b = (current(judge.roles.named(name) or 0) for name in (first, other))
        for col in judge.network.parameters:
            expr = judge.network.chain_rule(col)
            net = judge.roles.named(other.removeprefix("a_"))
            own = judge.network.equation(current(net)) if net is not None else None
            if own is not None and current(col) in repr(own) and first.endswith("1"):
                found[name] = substitute(expr, {b: Var(a)})
    return found


def _mistake(column: Pasted, good: np.ndarray, right: np.ndarray, words: str, certain: bool = True) -> Mistake:
    position = int(np.argmin(good))
    row, typed = column.rows[position], column.numbers[position]
    where = f"{address(row, column.col)}:{address(column.rows[-1], column.col)}"
    return Mistake(
        kind="pasted-loss",
        severity="error" if certain else "warning",
        sheet=column.sheet,
        column="E_total",
        message=f"pasted losses for the learning rate {column.rate:g} are not those of its training: {words}",
        col=column.col,
        rows=(row,),
        cells=where,
        says=f"{typed:.12g}",
        should_say=f"{right[position]:.12g}",
        why="the training was run again from the sheet's own start values",
        fix="replace them with references to the table",
        effect=f"off by {abs(typed - right[position]):.2g} in {address(row, column.col)}",
    )
