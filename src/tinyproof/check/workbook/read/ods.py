"""OpenDocument spreadsheets (.ods, .fods): the same Book as from an .xlsx, with the same bounds.

Repeated rows and cells are counted, never unrolled where they are empty. Nothing is executed, fetched or evaluated.

Source: OASIS OpenDocument 1.3 part 3, 9 "Tables" and 19 "Attributes".
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from xml.etree.ElementTree import Element

from tinyproof.check.workbook.read import xml_parts
from tinyproof.check.workbook.read.cells import MAX_CELLS, MAX_SHEETS, Book, Cell, ReadSheet
from tinyproof.check.workbook.read.guard import refuse_bombs
from tinyproof.check.workbook.read.openformula import as_excel
from tinyproof.check.workbook.read.references import MAX_COLUMN, MAX_ROW
from tinyproof.check.workbook.read.xml_names import MAX_SERIES, Chart, Series, local_name
from tinyproof.core.errors import DataError, one_line

MIMETYPE = b"application/vnd.oasis.opendocument.spreadsheet"


def read_ods(archive: zipfile.ZipFile, shown: str) -> Book:
    """Read a packed document. Raises DataError where it is encrypted, a bomb or too big."""
    refuse_bombs(archive, shown)
    names = archive.namelist()
    if "META-INF/manifest.xml" in names and b"encryption-data" in archive.read("META-INF/manifest.xml"):
        raise DataError(shown, "is encrypted; save it without a password")
    if "content.xml" not in names:
        raise DataError(shown, "is an OpenDocument file without a content in it")
    remarks = ["the workbook has macros; they were not run"] if any(n.startswith("Basic/") for n in names) else []
    charts = [
        chart for name in names if name.endswith("/content.xml")
        for chart in _charts(archive.read(name), name, shown)
    ]  # fmt: skip
    return _Reader(shown, remarks).book(archive.read("content.xml"), charts)


def read_flat(content: bytes, shown: str) -> Book:
    """Read a document that is one XML file (.fods)."""
    return _Reader(shown, []).book(content, [])


def _elements(content: bytes, shown: str) -> Iterator[tuple[str, Element]]:
    """Every element, at its start and at its end."""
    yield from xml_parts.elements(io.BytesIO(content), ("start", "end"), "content.xml", shown)


def _attribute(node: Element, name: str) -> str:
    return next((value for key, value in node.attrib.items() if local_name(key) == name), "")


class _Reader:
    def __init__(self, shown: str, remarks: list[str]) -> None:
        self.shown, self.remarks = shown, remarks
        self.sheets: list[ReadSheet] = []
        self.names: dict[tuple[str, str], str] = {}
        self.iterates = False
        self.cells_left = MAX_CELLS
        self.row = 0
        self.col = 0
        self.linked = False

    def book(self, content: bytes, charts: list[Chart]) -> Book:
        depth = 0  # tables inside tables (of a chart) are no sheets
        sheet: Element | None = None
        for event, node in _elements(content, self.shown):
            tag = local_name(node.tag)
            if tag == "table":
                depth += 1 if event == "start" else -1
                if event == "start" and depth == 1:
                    sheet = node
                    self.open_sheet(node)
            elif depth == 1:
                self.inside(event, tag, node)
                if sheet is not None and tag == "table-row" and event == "end":
                    sheet.clear()  # rows that were read are dropped from memory
            elif event == "end" and depth == 0:
                self.beside(tag, node)
        if self.linked:
            self.remarks.append("the workbook links to other files; they were not opened")
        return Book(tuple(self.sheets), self.names, tuple(charts), False, self.iterates, tuple(self.remarks))

    def open_sheet(self, node: Element) -> None:
        if len(self.sheets) >= MAX_SHEETS:
            raise DataError(self.shown, f"has more than {MAX_SHEETS:,} sheets")
        self.sheets.append(ReadSheet(_attribute(node, "name"), {}))
        self.row = 0

    def inside(self, event: str, tag: str, node: Element) -> None:
        if tag == "table-row":
            if event == "start":
                self.row, self.col = self.row + 1, 0
            else:
                again = _times(node, "number-rows-repeated") - 1
                if again:
                    self.repeat_row(again)
                node.clear()
        elif tag in ("table-cell", "covered-table-cell") and event == "end":
            self.cell(node)
            node.clear()

    def beside(self, tag: str, node: Element) -> None:
        if tag in ("named-range", "named-expression"):
            meaning = _attribute(node, "cell-range-address") or _attribute(node, "expression")
            bracketed = f"of:=[{meaning}]" if tag == "named-range" else f"of:={meaning}"
            self.names[_attribute(node, "name").lower(), ""] = as_excel(bracketed)[1:]
        elif tag == "iteration":
            self.iterates = _attribute(node, "status") == "enable"

    def cell(self, node: Element) -> None:
        times = _times(node, "number-columns-repeated")
        first, self.col = self.col + 1, self.col + times
        value, kind = _value(node)
        formula = _attribute(node, "formula")
        if value is None and not formula:
            return
        if self.row > MAX_ROW or self.col > MAX_COLUMN:
            raise DataError(self.shown, "has a cell outside the sheet")
        self.linked = self.linked or "'file:" in formula
        spans = any(_times(node, f"number-matrix-{what}-spanned") > 1 for what in ("columns", "rows"))
        for col in range(first, self.col + 1):
            text = as_excel(formula) if formula else None
            self.put(self.row, col, Cell(value, "x" if spans else kind, text, self.row, col))

    def repeat_row(self, times: int) -> None:
        """What stands in this row, again below it; nothing where it is empty."""
        cells = self.sheets[-1].cells
        held = [(col, cells[self.row, col]) for col in range(1, self.col + 1) if (self.row, col) in cells]
        first = self.row
        self.row += times
        if held and self.row > MAX_ROW:
            raise DataError(self.shown, "has a cell outside the sheet")
        for row in range(first + 1, self.row + 1) if held else ():
            for col, cell in held:
                self.put(row, col, cell)

    def put(self, row: int, col: int, cell: Cell) -> None:
        self.sheets[-1].cells[row, col] = cell
        self.cells_left -= 1
        if self.cells_left < 0:
            raise DataError(self.shown, f"has more than {MAX_CELLS:,} filled cells")


def _times(node: Element, name: str) -> int:
    text = _attribute(node, name)
    return max(1, int(text)) if text.isdigit() else 1


def _value(node: Element) -> tuple[float | str | None, str]:
    kind = next((v for k, v in node.attrib.items() if k.endswith("office:1.0}value-type")), "")
    shown = "\n".join("".join(p.itertext()) for p in node if local_name(p.tag) == "p")
    if kind in ("float", "percentage", "currency"):
        return float(_attribute(node, "value")), "n"
    if kind == "boolean":
        return float(_attribute(node, "boolean-value") == "true"), "b"
    if not shown:
        return None, "n"
    return shown, "e" if shown.startswith("#") and shown.endswith(("!", "?", "/A")) else "s"


def _charts(content: bytes, part: str, shown: str) -> Iterator[Chart]:
    """The chart that an embedded object is: the ranges of its series."""
    series, title = list[Series](), ""
    for event, node in _elements(content, shown):
        if event == "start":
            continue
        if local_name(node.tag) == "series" and len(series) < MAX_SERIES:
            drawn = _attribute(node, "values-cell-range-address")
            if drawn:
                series.append(Series(as_excel(f"of:=[{drawn}]")[1:], "", ""))
        elif local_name(node.tag) == "title" and not title:
            title = one_line("".join(node.itertext()), 200)
    if series:
        yield Chart(series[0].values.rpartition("!")[0].strip("'"), title, tuple(series))
