"""A workbook as a graph of cells: every formula over numbered cells, those that compute alike in one form.

A cell that only reads another is a copy: everything that reads it reads its source instead; the copy is remembered.
What cannot be read is a leaf of its own kind (`opaque`), and everything that depends on it is known to.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from tinyproof.backprop.expr import Expr, Var, names
from tinyproof.check.workbook.graph.formulas import Sheetful, parse_matrix
from tinyproof.check.workbook.graph.lookups import OwnPlace
from tinyproof.check.workbook.read.cells import Cell
from tinyproof.check.workbook.read.references import REFERENCE, Ref, column_number, parse_cell
from tinyproof.check.workbook.read.worksheet_functions import NotUnderstood
from tinyproof.check.workbook.understand.grid import Grid, Place, address, formula_at
from tinyproof.core.arrays import np

MAX_SLOTS = 6_000_000  # references in all, ranges counted cell by cell
MAX_CELLS = 600_000
MAX_DIFFERENT = 30_000  # formulas of which no two say the same: about a thousandth of a second each
MAX_ARRAY = 40_000  # cells that one array formula fills
MAX_READ = 1_500_000  # references in formulas that are read one by one: ranges that grow, formulas that all differ


@dataclass(slots=True)
class Meaning:
    """What one cell says: its expression over names, the cell each name is, and the key it shares when filled.

    `own`: read for this cell alone, because it hangs on the place that it stands in.
    """

    expr: Expr
    refs: dict[str, int]
    key: object
    text_at: tuple[int, int] = (0, 0)
    own: bool = False


@dataclass
class SheetGraph:
    """Cells by number. `typed`: the number in a cell, or the stored one; nan where there is none."""

    grid: Grid
    places: list[Place] = field(default_factory=list)
    number: dict[Place, int] = field(default_factory=dict)
    typed: list[float] = field(default_factory=list)
    meaning: dict[int, Meaning] = field(default_factory=dict)
    copies: dict[int, int] = field(default_factory=dict)  # a copy -> what it reads
    opaque: dict[int, str] = field(default_factory=dict)  # not read -> why
    opaque_reads: dict[int, list[int]] = field(default_factory=dict)
    rounds: set[int] = field(default_factory=set)
    means: dict[int, Meaning | None] = field(default_factory=dict)  # divided by another COUNT -> by its own, if sure
    carried: dict[int, tuple[int, Meaning]] = field(default_factory=dict)  # a circle's cell -> what it goes on with
    imagined: dict[int, int] = field(default_factory=dict)  # an update that the sheet lacks -> the gradient in it
    strange: list[int] = field(default_factory=list)  # behind the error beside such gradients, and whose is not known
    formulas: int = 0

    def cell(self, place: Place) -> int:
        known = self.number.get(place)
        return self.add(place) if known is None else known

    def add(self, place: Place) -> int:
        """The number of a cell that has none yet."""
        new = self.number[place] = len(self.places)
        self.places.append(place)
        number = self.grid.number(place)
        self.typed.append(np.nan if number is None else number)
        return new

    def name(self, cell: int) -> str:
        place = self.places[cell]
        return address(place.row, place.col)

    def source(self, cell: int) -> int:
        """What a copy, or a copy of a copy, reads in the end; in a ring of copies the last one before it closes."""
        seen = {cell}
        while cell in self.copies:
            following = self.copies[cell]
            if following in seen:
                return cell
            seen.add(following)
            cell = following
        return cell


def read_graph(grid: Grid, sheets: Iterable[int] | None = None) -> SheetGraph:
    """The graph of the workbook (of some sheets: the others are then read only where these read them)."""
    graph = SheetGraph(grid)
    reader = _Reader(graph)
    chosen = range(len(grid.book.sheets)) if sheets is None else sheets
    for index in chosen:
        reader.sheet(index)
    return graph


@dataclass
class _Template:
    row: int
    col: int
    parsed: Sheetful | None
    problem: str = ""
    own: bool = False  # it says another thing in every cell


class _Reader:
    def __init__(self, graph: SheetGraph) -> None:
        self.graph, self.grid = graph, graph.grid
        self.templates: dict[object, _Template] = {}
        self.named: dict[int, tuple[Expr, list[tuple[str, Ref]]]] = {}
        self.slots = self.read = 0

    def sheet(self, index: int) -> None:
        cells = self.grid.sheet(index).cells
        spans = [_span(cell.array) for cell in cells.values() if cell.kind == "x" and cell.array]
        if sum(_size(span) for span in spans if span is not None) > MAX_CELLS:
            raise NotUnderstood("the array formulas fill more cells than can be followed")
        covered = {(at.row, at.col) for span in spans if span is not None for at in _cells(index, span)}
        for (row, col), cell in cells.items():
            if cell.formula is None:
                continue
            self.graph.formulas += 1
            if cell.kind == "x" and cell.array:
                self.array(Place(index, row, col), cell)
            elif (row, col) not in covered or cell.formula != "=":
                self.plain(Place(index, row, col), cell)

    def plain(self, place: Place, cell: Cell) -> None:
        assert cell.formula is not None
        key = self.grid.key(cell, place.sheet)
        template = self.templates.get(key)
        if template is None:
            template = self.templates[key] = self.parse(cell, place.sheet)
        me = self.graph.cell(place)
        parsed, origin = template.parsed, (template.row, template.col)
        problem = template.problem
        if template.own or (parsed is not None and parsed.counts):
            parsed, problem = self.own(cell, place, template)
            origin = place.row, place.col
        if parsed is None:
            return self.unread(me, place, cell, problem or template.problem)
        if len(parsed.rows) != 1 or len(parsed.rows[0]) != 1:
            return self.unread(me, place, cell, "a range stands where one number should be")
        self.mean(me, place, parsed.rows[0][0], parsed, key, origin)
        if me in self.graph.meaning:
            self.graph.meaning[me].own |= template.own
            for odd in parsed.means:
                own = self.graph.meaning[me]
                mended = replace(own, expr=odd.within(own.expr), key=("mended", own.key))
                self.graph.means[me] = mended if odd.sure else None
        return None

    def own(self, cell: Cell, place: Place, template: _Template) -> tuple[Sheetful | None, str]:
        """A formula read for this cell alone: a range that grows or has empty cells in it, a place that it computes."""
        assert cell.formula is not None
        text = formula_at(cell, place.row, place.col)

        def blank(ref: Ref) -> bool:
            sheet = self.grid.find(ref.sheet) if ref.sheet else place.sheet
            if sheet is None:
                return True
            held = self.grid.sheet(sheet).cells.get((ref.row, ref.col))
            return held is None or (held.formula is None and not isinstance(held.value, float))

        try:
            at = place.row, place.col
            return self.counted(parse_matrix(text, self.grid.names_on(place.sheet), blank, at)), ""
        except NotUnderstood as problem:
            return None, str(problem)

    def counted(self, parsed: Sheetful) -> Sheetful:
        self.read += len(parsed.refs)
        return parsed

    def refuse_more(self) -> None:
        """Bounded time and memory, whatever the formulas read. Raises NotUnderstood."""
        if len(self.templates) > MAX_DIFFERENT:
            raise NotUnderstood(f"more than {MAX_DIFFERENT:,} formulas say something different each")
        if self.read > MAX_READ or self.slots > MAX_SLOTS or len(self.graph.places) > MAX_CELLS:
            raise NotUnderstood("the formulas read more cells than can be followed")

    def array(self, place: Place, cell: Cell) -> None:
        span = _span(cell.array)
        template = self.parse(cell, place.sheet)
        if span is None or template.parsed is None:
            for at in [place] if span is None else _cells(place.sheet, span):
                self.unread(self.graph.cell(at), at, cell, template.problem)
            return
        rows = template.parsed.rows
        for at in _cells(place.sheet, span):
            i, j = at.row - span[0], at.col - span[1]
            me = self.graph.cell(at)
            i, j = (0 if len(rows) == 1 else i), (0 if len(rows[0]) == 1 else j)
            if i >= len(rows) or j >= len(rows[0]):
                self.unread(me, at, cell, "the array formula fills more cells than it has")
                continue
            key = ("array", place)
            self.mean(me, at, rows[i][j], template.parsed, key, (template.row, template.col), fixed=True)

    def parse(self, cell: Cell, sheet: int) -> _Template:
        assert cell.formula is not None
        row, col = cell.from_row, cell.from_col
        if cell.kind == "x" and not cell.array:
            return _Template(row, col, None, "it is a data table")
        try:
            parsed = self.counted(parse_matrix(cell.formula, self.grid.names_on(sheet)))
        except NotUnderstood as problem:
            return _Template(row, col, None, str(problem), isinstance(problem, OwnPlace))
        unknown = next((r.sheet for r in parsed.refs.values() if r.sheet and self.grid.find(r.sheet) is None), None)
        if unknown is not None:
            return _Template(row, col, None, f"it reads the sheet {unknown!r}, which is not there")
        return _Template(row, col, parsed)

    def mean(
        self,
        me: int,
        place: Place,
        expr: Expr,
        parsed: Sheetful,
        key: object,
        origin: tuple[int, int],
        fixed: bool = False,
    ) -> None:
        refs: dict[str, int] = {}
        down, across = (0, 0) if fixed else (place.row - origin[0], place.col - origin[1])
        number = self.graph.number
        for name, ref in self.reads(expr, parsed):
            row = ref.row if ref.row_fixed else ref.row + down
            col = ref.col if ref.col_fixed else ref.col + across
            sheet: int | None = place.sheet
            if ref.sheet and (sheet := self.grid.find(ref.sheet)) is None:
                sheet = place.sheet
            if row < 1 or col < 1:
                self.graph.opaque[me] = "it reads a cell outside the sheet"
                return
            known = number.get((sheet, row, col))  # type: ignore[call-overload]
            refs[name] = self.graph.add(Place(sheet or 0, row, col)) if known is None else known
        self.slots += len(refs)
        self.refuse_more()
        if isinstance(expr, Var):
            self.graph.copies[me] = refs[expr.name]
        self.graph.meaning[me] = Meaning(expr, refs, key, origin)
        if parsed.rounds:
            self.graph.rounds.add(me)

    def reads(self, expr: Expr, parsed: Sheetful) -> list[tuple[str, Ref]]:
        """The names in an expression and what they refer to, found once for all cells that share it."""
        known = self.named.get(id(expr))
        if known is None:
            known = self.named[id(expr)] = expr, [(name, parsed.refs[name]) for name in names(expr)]
        return known[1]

    def unread(self, me: int, place: Place, cell: Cell, problem: str) -> None:
        self.graph.opaque[me] = problem
        self.refuse_more()
        reads = []
        down, across = place.row - cell.from_row, place.col - cell.from_col
        for match in list(REFERENCE.finditer(cell.formula or ""))[:200]:
            col_fixed, letters, row_fixed, digits = match.groups()
            row = int(digits) + (0 if row_fixed else down)
            col = column_number(letters) + (0 if col_fixed else across)
            if (row >= 1 and col >= 1 and (place.sheet, row, col) in self.graph.number) or (
                row,
                col,
            ) in self.grid.sheet(place.sheet).cells:
                reads.append(self.graph.cell(Place(place.sheet, row, col)))
        self.graph.opaque_reads[me] = reads


def says_alike(graph: SheetGraph, one: int, other: int) -> bool:
    """Whether two formulas with the same steps read the same cells, or cells at the same distance, slot by slot."""
    a, b = graph.places[one], graph.places[other]
    pairs = zip(graph.meaning[one].refs.values(), graph.meaning[other].refs.values(), strict=True)
    return all(
        left == right or _apart(graph.places[left], a) == _apart(graph.places[right], b) for left, right in pairs
    )


def _apart(place: Place, start: Place) -> tuple[int, int, int]:
    return place.sheet - start.sheet, place.row - start.row, place.col - start.col


def _span(text: str) -> tuple[int, int, int, int] | None:
    first, _, last = text.partition(":")
    start, end = parse_cell(first), parse_cell(last or first)
    if start is None or end is None:
        return None
    span = start.row, start.col, end.row, end.col
    return span if _size(span) <= MAX_ARRAY else None


def _size(span: tuple[int, int, int, int]) -> int:
    return (span[2] - span[0] + 1) * (span[3] - span[1] + 1)


def _cells(sheet: int, span: tuple[int, int, int, int]) -> Sequence[Place]:
    return [Place(sheet, r, c) for r in range(span[0], span[2] + 1) for c in range(span[1], span[3] + 1)]
