"""The reading half of the door to .xlsx files: cells (formula and cached value together), names, charts' ranges.

Written for files from strangers: sizes are checked before anything is unpacked, XML goes through defusedxml (no
entities, no external anything), nothing is executed, fetched or evaluated. openpyxl's own loader is not used for the
sheets: it gives formulas and cached values only in two separate loads, reads every style first (and raises IndexError
where a file's styles are incomplete) and streams XML without protection. Its tokenizer, translator and coordinate
functions are.

Source: ECMA-376 part 1, 18.3 "Worksheets" and 21.2 "Charts"; part 2 "Open Packaging Conventions".
"""

from __future__ import annotations

import posixpath
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple
from xml.etree.ElementTree import Element

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from tinyproof.check.workbook.read import xml_parts
from tinyproof.check.workbook.read.guard import refuse_bombs, refuse_others
from tinyproof.check.workbook.read.references import MAX_COLUMN, MAX_ROW
from tinyproof.check.workbook.read.xml_names import (
    Chart,
    attribute,
    every,
    is_true,
    local_name,
    position,
    read_chart,
    text_of,
)
from tinyproof.core.archives import opened
from tinyproof.core.errors import DataError, one_line
from tinyproof.core.files import read_bounded

MAX_FILE_BYTES = 40_000_000
MAX_CELLS = 400_000
MAX_SHEETS = 5_000  # the cells of all of them together are bounded too
MAX_STRINGS = 400_000
MAX_TREE_BYTES = 10_000_000  # of a part that is read whole: the list of sheets and names, relations, a chart
_PICTURES = ("xl/media/", "xl/charts/chartex", "xl/embeddings/", "xl/diagrams/")
_INSIDE = frozenset(("f", "v", "is", "t", "r", "rPh"))  # what a cell or a text is made of


Value = float | str | None


class Cell(NamedTuple):
    """A cell that holds something.

    `formula`: its text as written at (`from_row`, `from_col`), which is another cell where Excel shares one formula
    among many; None for a typed value. `value`: the number or text that the file stores for it; None where there is
    none. `kind` is "n" number, "s" text, "b" truth value, "e" error, "x" an array formula (`array`: the cells that it
    fills, as written) or a data table.
    """

    value: Value
    kind: str
    formula: str | None = None
    from_row: int = 0
    from_col: int = 0
    array: str = ""


@dataclass(frozen=True)
class ReadSheet:
    """A sheet: its name and the cells that hold something, by (row, column) from 1."""

    name: str
    cells: dict[tuple[int, int], Cell]
    hidden: bool = False


@dataclass(frozen=True)
class Book:
    """A workbook as stored.

    `names`: (name in lower case, sheet that it is defined for or "") -> what it stands for. `recalculates`: its program
    is told to calculate everything anew when it opens it. `iterates`: circular references are allowed. `pictures`: it
    holds pictures, or charts of a kind that is not read; None where that is not known.
    """

    sheets: tuple[ReadSheet, ...]
    names: dict[tuple[str, str], str] = field(default_factory=dict)
    charts: tuple[Chart, ...] = ()
    recalculates: bool = False
    iterates: bool = False
    remarks: tuple[str, ...] = ()
    pictures: bool | None = None


def read_book(path: Path | str) -> Book:
    """Read a workbook whatever its name. Raises DataError that says what the file is when it is no .xlsx workbook.

    Bounds: 40 MB packed, 300 MB unpacked, 400,000 cells, 5,000 sheets.
    """
    shown = Path(path).name
    content = read_bounded(path, MAX_FILE_BYTES)
    refuse_others(content, shown)
    try:
        with opened(content) as archive:
            refuse_bombs(archive, shown)
            return _Reader(archive, shown).book()
    except zipfile.BadZipFile as error:
        raise DataError(shown, f"is a damaged or half-written .xlsx file ({one_line(str(error), 80)})") from error
    except DefusedXmlException as error:
        raise DataError(shown, "has a part that is not plain XML (it declares entities)") from error
    except xml_parts.BROKEN as error:
        what = f"{type(error).__name__}: {one_line(str(error), 100)}"
        raise DataError(shown, f"is not a workbook that can be read ({what})") from error


class _Reader:
    def __init__(self, archive: zipfile.ZipFile, shown: str) -> None:
        self.archive, self.shown = archive, shown
        self.parts = {name.lstrip("/").lower(): name for name in archive.namelist()}
        self.cells_left = MAX_CELLS
        self.strings: list[str] = []
        self.remarks: list[str] = []

    def book(self) -> Book:
        root = self.rels("")
        main = next((target for kind, target in root.values() if kind == "officeDocument"), "xl/workbook.xml")
        if main.lower() not in self.parts:
            raise DataError(self.shown, "is a zip archive without a workbook in it")
        if main.lower().endswith(".bin"):
            raise DataError(self.shown, "is a binary workbook (.xlsb); save it as .xlsx")
        tree, rels = self.tree(main), self.rels(main)
        strings = next((target for kind, target in rels.values() if kind == "sharedStrings"), "")
        if strings.lower() in self.parts:
            self.strings = self.read_strings(strings)
        if any(kind == "vbaProject" for kind, _ in rels.values()):
            self.remarks.append("the workbook has macros; they were not run")
        if any(kind == "externalLink" for kind, _ in rels.values()):
            self.remarks.append("the workbook links to other files; they were not opened")
        sheets, charts = [], list[Chart]()
        nodes = every(tree, "sheet")
        if len(nodes) > MAX_SHEETS:
            raise DataError(self.shown, f"has {len(nodes):,} sheets; at most {MAX_SHEETS:,} are read")
        for node in nodes:
            kind, target = rels.get(attribute(node, "id"), ("", ""))
            if target.lower() not in self.parts:
                continue
            name = node.get("name", "")
            if kind == "worksheet":
                sheets.append(ReadSheet(name, self.read_cells(target), node.get("state", "visible") != "visible"))
            charts += self.read_charts(target, name)
        calculation = next(iter(every(tree, "calcPr")), None)
        flags = {} if calculation is None else calculation.attrib
        names = self.defined_names(tree)
        recalculates, iterates = (is_true(flags.get(flag, "")) for flag in ("fullCalcOnLoad", "iterate"))
        pictures = any(name.startswith(_PICTURES) for name in self.parts)
        return Book(tuple(sheets), names, tuple(charts), recalculates, iterates, tuple(self.remarks), pictures)

    def defined_names(self, tree: Element) -> dict[tuple[str, str], str]:
        """Defined names, each for the whole workbook or for one sheet."""
        order = [node.get("name", "") for node in every(tree, "sheet")]
        names = {}
        for node in every(tree, "definedName"):
            local = node.get("localSheetId")
            sheet = order[int(local)] if local is not None else ""
            if node.text:
                names[node.get("name", "").lower(), sheet] = node.text
        return names

    def tree(self, part: str) -> Element:
        name = self.parts[part.lower()]
        if self.archive.getinfo(name).file_size > MAX_TREE_BYTES:
            raise DataError(self.shown, f"has a part ({one_line(part, 60)}) of more than {MAX_TREE_BYTES:,} bytes")
        root: Element = fromstring(self.archive.read(name), forbid_dtd=True)
        return root

    def rels(self, part: str) -> dict[str, tuple[str, str]]:
        """Relationship id -> (last word of its type, part name), targets outside the file left out."""
        folder, name = posixpath.split(part)
        rels = posixpath.join(folder, "_rels", f"{name}.rels").lower()
        if rels not in self.parts:
            return {}
        found = {}
        for node in every(self.tree(rels), "Relationship"):
            if node.get("TargetMode") != "External":
                target = node.get("Target", "")
                inside = target.lstrip("/") if target.startswith("/") else posixpath.join(folder, target)
                found[node.get("Id", "")] = (posixpath.basename(node.get("Type", "")), posixpath.normpath(inside))
        return found

    def elements(self, part: str, wanted: tuple[str, ...]) -> Iterator[Element]:
        """Elements with one of these names, in order; what has been given out is dropped from memory."""
        with self.archive.open(self.parts[part.lower()]) as stream:
            for _, node in xml_parts.elements(stream, ("end",), part, self.shown):
                name = local_name(node.tag)
                if name in wanted:
                    yield node
                if name not in _INSIDE:
                    node.clear()

    def read_strings(self, part: str) -> list[str]:
        strings = []
        for node in self.elements(part, ("si",)):
            strings.append(text_of(node))
            if len(strings) > MAX_STRINGS:
                raise DataError(self.shown, f"has more than {MAX_STRINGS:,} texts")
        return strings

    def read_cells(self, part: str) -> dict[tuple[int, int], Cell]:
        cells: dict[tuple[int, int], Cell] = {}
        shared: dict[str, tuple[str, int, int]] = {}
        row, col = 1, 0
        for node in self.elements(part, ("c", "row")):
            if local_name(node.tag) == "row":
                row, col = int(node.get("r", row)) + 1, 0
                continue
            place = node.get("r", "")
            row, col = position(place) if place else (row, col + 1)
            if not (1 <= row <= MAX_ROW and 1 <= col <= MAX_COLUMN):
                raise DataError(self.shown, f"has a cell outside the sheet ({one_line(place, 20)})")
            cell = self.read_cell(node, row, col, shared)
            if cell is not None:
                cells[row, col] = cell
                self.cells_left -= 1
                if self.cells_left < 0:
                    raise DataError(self.shown, f"has more than {MAX_CELLS:,} filled cells")
        return cells

    def read_cell(self, node: Element, row: int, col: int, shared: dict[str, tuple[str, int, int]]) -> Cell | None:
        kind, raw, formula = node.get("t", "n"), None, None
        for child in node:
            name = local_name(child.tag)
            if name == "v":
                raw = child.text
            elif name == "f":
                formula = child
            elif name == "is":
                raw, kind = text_of(child), "str"
        value, kind = self.read_value(raw, kind)
        if formula is not None:
            return _with_formula(formula, value, kind, row, col, shared)
        return None if value is None else Cell(value, kind)

    def read_value(self, raw: str | None, kind: str) -> tuple[Value, str]:
        if raw is None:
            return None, "n"
        if kind == "s":
            index = int(raw)
            return (self.strings[index] if 0 <= index < len(self.strings) else ""), "s"
        if kind in ("str", "d"):
            return raw, "s"
        if kind == "e":
            return raw, "e"
        return float(raw), "b" if kind == "b" else "n"

    def read_charts(self, sheet_part: str, sheet: str) -> list[Chart]:
        found = []
        for kind, drawing in self.rels(sheet_part).values():
            if kind != "drawing" or drawing.lower() not in self.parts:
                continue
            for kind_of_part, target in self.rels(drawing).values():
                if kind_of_part == "chart" and target.lower() in self.parts:
                    found.append(read_chart(self.tree(target), sheet))
        return found


def _with_formula(
    node: Element, value: Value, kind: str, row: int, col: int, shared: dict[str, tuple[str, int, int]]
) -> Cell:
    text, form = node.text or "", node.get("t", "normal")
    if form == "shared":
        index = node.get("si", "")
        if text:
            shared[index] = (text, row, col)
        text, row, col = shared.get(index, ("#REF!", row, col))
    if form == "dataTable" or (form == "array" and ":" in node.get("ref", "")):
        return Cell(value, "x", "=" + text, row, col, node.get("ref", "") if form == "array" else "")
    return Cell(value, kind, "=" + text, row, col)
