"""Where the tables are: any position, any number on a sheet, headings on one line or two, or none at all.

A table is a block of columns with one row per iteration. A row of headings announces it; where there is none, a run
of rows with formulas does.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from tinyproof.check.workbook.thresholds import (
    FILLED_PART,
    HEADING_PART,
    LEAST_BARE_ROWS,
    LEAST_HEADINGS,
    LEAST_ROW_FORMULAS,
    SAME_SHAPE,
    WIDEST_GAP,
)
from tinyproof.check.workbook.understand.grid import Grid, Place
from tinyproof.check.workbook.understand.heading_words import Word, rate_in, understand

MAX_ROWS, MAX_COLUMNS = 1_048_576, 16_384  # a sheet's own: the cells that are read at all are bounded


@dataclass(frozen=True)
class Table:
    """A table: its sheet, the heading's row (None where there is none), its rows and columns, headings by column."""

    sheet: int
    header: int | None
    rows: tuple[int, ...]
    cols: tuple[int, ...]
    texts: dict[int, str]
    words: dict[int, Word]

    @cached_property
    def position(self) -> dict[int, int]:
        """The position of each row, counted from 0."""
        return {row: position for position, row in enumerate(self.rows)}

    def __hash__(self) -> int:
        return hash((self.sheet, self.rows, self.cols))


def find_tables(grid: Grid, sheet: int) -> list[Table]:
    """The training tables of a sheet, from top to bottom and left to right."""
    cells = grid.sheet(sheet).cells
    by_row: dict[int, list[int]] = {}
    for row, col in cells:
        by_row.setdefault(row, []).append(col)
    found: list[Table] = []
    taken: set[tuple[int, int]] = set()
    for row in sorted(by_row):
        for header in _headings(grid, sheet, row, sorted(by_row[row])):
            if any((row, col) in taken for col in header):
                continue
            table = _with_header(grid, sheet, row, header, by_row)
            if table is not None:
                found.append(table)
                taken.update((r, c) for r in (row, *table.rows) for c in table.cols)
    return found + _without_header(grid, sheet, by_row, taken)


def _headings(grid: Grid, sheet: int, row: int, cols: list[int]) -> list[dict[int, str]]:
    """Runs of headings in a row; a new run begins after a gap, or where the names begin again."""
    runs: list[dict[int, str]] = []
    last = -99
    for col in cols:
        text = _heading_text(grid, Place(sheet, row, col))
        if not text:
            continue
        if col - last > (2 if runs and _has_loss(runs[-1]) else WIDEST_GAP):
            runs.append({})
        runs[-1][col] = text
        last = col
    return [part for run in runs for part in _split(run) if _is_header(part)]


def _has_loss(run: dict[int, str]) -> bool:
    """Whether a run of headings is a whole table: what stands further to the right is something else."""
    return any((word := understand(text)) is not None and word.kind in ("total", "gradient") for text in run.values())


def _split(run: dict[int, str]) -> list[dict[int, str]]:
    """Two tables side by side: the names begin again, and most of what follows was there before."""
    words = {col: word.name for col, text in run.items() if (word := understand(text)) is not None}
    seen: set[str] = set()
    for col, name in words.items():
        rest = [other for place, other in words.items() if place >= col]
        if name in seen and len(rest) >= LEAST_HEADINGS and sum(other in seen for other in rest) >= 0.6 * len(rest):
            first = {place: text for place, text in run.items() if place < col}
            return [first, *_split({place: text for place, text in run.items() if place >= col})]
        seen.add(name)
    return [run]


def _heading_text(grid: Grid, place: Place) -> str:
    """The heading in a cell; `∂E/` above `∂w1` is one heading on two lines."""
    text = grid.text(place)
    if not text or len(text) > 80:
        return ""
    above = grid.text(Place(place.sheet, place.row - 1, place.col)) if place.row > 1 else ""
    if above and len(above) <= 12 and above.rstrip().endswith(("/", "∂", "d", "𝟃", "δ", "by")):
        joined = understand(above + text)
        if joined is not None and joined.kind in ("gradient", "derivative"):
            return f"{above.strip()}{text.strip()}"
    return text


def _is_header(run: dict[int, str]) -> bool:
    kinds = [word.kind for text in run.values() if (word := understand(text)) is not None]
    computed = sum(kind in ("net", "act", "loss", "total", "gradient") for kind in kinds)
    return (
        len(kinds) >= LEAST_HEADINGS
        and computed >= 2
        and len(set(kinds)) >= 3
        and len(kinds) >= HEADING_PART * len(run)
    )


def _with_header(
    grid: Grid, sheet: int, header: int, texts: dict[int, str], by_row: dict[int, list[int]]
) -> Table | None:
    first, last = min(texts), min(max(texts), min(texts) + MAX_COLUMNS)
    start = next(
        (row for row in range(header + 1, header + 4) if _filled(grid, sheet, row, texts) >= FILLED_PART), None
    )
    if start is None:
        return None
    rows: list[int] = []
    row = start
    while len(rows) < MAX_ROWS and _filled(grid, sheet, row, texts) >= FILLED_PART:
        rows.append(row)
        row += 1
    runs = {col for col, text in texts.items() if rate_in(text) is not None and _typed_run(grid, sheet, rows, col)}
    texts = {col: text for col, text in texts.items() if col not in runs}
    cols = [col for col in range(first, last + 1) if col in texts or _has_formula(grid, sheet, rows, col)]
    words = {col: word for col, text in texts.items() if (word := understand(text)) is not None}
    return Table(sheet, header, tuple(rows), tuple(cols), texts, words)


def _typed_run(grid: Grid, sheet: int, rows: list[int], col: int) -> bool:
    """Whether a column under `η = 0.1` holds another run's typed losses, and not that rate in every row."""
    cells = grid.sheet(sheet).cells
    held = [cell for row in rows if (cell := cells.get((row, col))) is not None]
    return all(cell.formula is None for cell in held) and len({cell.value for cell in held}) > 1


def _filled(grid: Grid, sheet: int, row: int, cols: dict[int, str]) -> float:
    """Which part of a row's cells under headings hold a number or a formula."""
    held = 0
    cells = grid.sheet(sheet).cells
    for col in cols:
        cell = cells.get((row, col))
        if cell is not None and (cell.formula is not None or grid.number(Place(sheet, row, col)) is not None):
            held += 1
    return held / len(cols)


def _has_formula(grid: Grid, sheet: int, rows: list[int], col: int) -> bool:
    cells = grid.sheet(sheet).cells
    return any((cell := cells.get((row, col))) is not None and cell.formula is not None for row in rows[:3])


def _without_header(grid: Grid, sheet: int, by_row: dict[int, list[int]], taken: set[tuple[int, int]]) -> list[Table]:
    """Runs of rows with formulas in the same columns, that no header announced."""
    cells = grid.sheet(sheet).cells
    shapes: dict[int, tuple[int, ...]] = {}
    for row, cols in by_row.items():
        formulas = tuple(sorted(c for c in cols if cells[row, c].formula is not None and (row, c) not in taken))
        if len(formulas) >= LEAST_ROW_FORMULAS:
            shapes[row] = formulas
    tables, run = [], list[int]()
    for row in [*sorted(shapes), 10**9]:
        if run and (row != run[-1] + 1 or len(set(shapes[row]) & set(shapes[run[-1]])) < SAME_SHAPE * len(shapes[row])):
            if len(run) >= LEAST_BARE_ROWS:
                tables.append(_bare(grid, sheet, run, by_row))
            run = []
        run.append(row)
    return tables


def _bare(grid: Grid, sheet: int, rows: list[int], by_row: dict[int, list[int]]) -> Table:
    before = rows[0] - 1
    if _filled(grid, sheet, before, dict.fromkeys(by_row[rows[0]], "")) >= 0.5:
        rows = [before, *rows]  # a first row with typed weights has fewer formulas
    used = sorted({col for row in rows[:3] for col in by_row[row]})
    texts = {col: text for col in used if (text := grid.text(Place(sheet, rows[0] - 1, col)))}
    cols = [col for col in used if grid.number(Place(sheet, rows[-1], col)) is not None or col in texts][:MAX_COLUMNS]
    words = {col: word for col, text in texts.items() if (word := understand(text)) is not None}
    return Table(sheet, rows[0] - 1 if words else None, tuple(rows[:MAX_ROWS]), tuple(cols), texts, words)
