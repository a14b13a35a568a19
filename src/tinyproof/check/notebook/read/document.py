"""Read a notebook (nbformat 3 and 4), a script or a text file into cells, bounded; nothing is executed.

nbformat's own reader validates against a schema and keeps every picture; here a damaged notebook should still be
read and a hostile one must not fill the memory, so the JSON is taken as it is, within bounds.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from tinyproof.core.errors import DataError, one_line
from tinyproof.core.files import read_bounded

MAX_NOTEBOOK_BYTES = 64_000_000
MAX_TEXT_BYTES = 4_000_000
_SAVED_AS = re.compile(r"\.json$|\.ipynb(?: ?\(\d+\)|\.\w+)$")
_FORMAT = re.compile(rb'"nbformat"\s*:\s*[34]\b')
_ENDS = 4_096  # bytes
MAX_JSON_VALUES = 4_000_000
MAX_CELLS = 5_000
MAX_OUTPUT_CHARACTERS = 4_000_000

DocumentKind = Literal["notebook", "script", "text"]


@dataclass(frozen=True)
class Cell:
    """One cell: its number (counted from 1 over all cells), its text, the text it printed, its execution count.

    `stopped`, `error`: an error ended it, of this name. A script is one code cell without a number, a README one text
    cell without a number.
    """

    number: int | None
    kind: Literal["code", "text"]
    source: str
    output: str = ""
    count: int | None = None
    stopped: bool = False
    error: str = ""


@dataclass(frozen=True)
class Document:
    """A file as cells. `name` is what findings call it; `language`: what a notebook says its code is written in."""

    path: Path
    name: str
    kind: DocumentKind
    cells: tuple[Cell, ...]
    language: str = "python"

    @property
    def code(self) -> tuple[Cell, ...]:
        return tuple(cell for cell in self.cells if cell.kind == "code")

    @property
    def texts(self) -> tuple[Cell, ...]:
        return tuple(cell for cell in self.cells if cell.kind == "text")


def is_notebook(path: Path) -> bool:
    """Whether it is one by its name; behind the number or the ending that a browser appends, and as .json, its content
    has to say so too."""
    name = path.name.lower()
    if name.endswith(".ipynb"):
        return True
    try:
        return _SAVED_AS.search(name) is not None and path.is_file() and _says_notebook(path)
    except OSError:
        return False


def _says_notebook(path: Path) -> bool:
    """Whether the number of the format stands at the beginning or at the end, where all programs write it."""
    with path.open("rb") as file:
        head = file.read(_ENDS)
        file.seek(max(0, path.stat().st_size - _ENDS))
        tail = file.read(_ENDS)
    return head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{") and _FORMAT.search(head + b"\n" + tail) is not None


def read_document(path: Path | str, name: str = "") -> Document:
    """Read notebooks, .py and text files. Raises DataError when it is too large, damaged or not what its name says."""
    path = Path(path)
    name = name or path.name
    if is_notebook(path):
        book = _book(path)
        return Document(path, name, "notebook", tuple(_cells(path, book)), _language(book))
    text = _text(read_bounded(path, MAX_TEXT_BYTES))
    if path.suffix.lower() == ".py":
        return Document(path, name, "script", (Cell(None, "code", text),))
    return Document(path, name, "text", (Cell(None, "text", text),))


def _text(content: bytes) -> str:
    return content.decode("utf-8-sig", errors="replace").replace("\r\n", "\n").replace("\r", "\n")


def _book(path: Path) -> Any:
    content = read_bounded(path, MAX_NOTEBOOK_BYTES)
    if not content.strip():
        raise DataError(path.name, "is not a notebook: the file is empty")
    # A file of nothing but brackets and commas would take fifty times its size as Python objects.
    if content.count(b",") + content.count(b"[") + content.count(b"{") > MAX_JSON_VALUES:
        raise DataError(path.name, f"holds more than {MAX_JSON_VALUES:,} JSON values")
    try:
        return json.loads(content.decode("utf-8-sig", errors="replace"))
    except RecursionError as error:
        raise DataError(path.name, "is nested too deeply to be a notebook") from error
    except ValueError as error:
        raise DataError(path.name, "is not a notebook: its JSON is damaged") from error


def _cells(path: Path, book: Any) -> Iterator[Cell]:
    raw = _raw_cells(book)
    if raw is None:
        raise DataError(path.name, "is not a notebook: it has no list of cells")
    if len(raw) > MAX_CELLS:
        raise DataError(path.name, f"has more than {MAX_CELLS:,} cells")
    budget = MAX_OUTPUT_CHARACTERS
    for number, item in enumerate(raw, start=1):
        cell = _cell(number, item, budget)
        budget -= len(cell.output)
        yield cell


def _language(book: Any) -> str:
    """What the notebook's kernel speaks, where it says so."""
    metadata = book.get("metadata") if isinstance(book, dict) else None
    for where, key in (("kernelspec", "language"), ("language_info", "name")):
        told = metadata.get(where) if isinstance(metadata, dict) else None
        language = told.get(key) if isinstance(told, dict) else None
        if isinstance(language, str) and language.strip():
            return one_line(language, 30)
    return "python"


def _raw_cells(book: Any) -> list[Any] | None:
    if not isinstance(book, dict):
        return None
    cells = book.get("cells")
    if isinstance(cells, list):
        return cells
    sheets = book.get("worksheets")  # nbformat 3 kept its cells in worksheets
    if not isinstance(sheets, list):
        return None
    found: list[Any] = []
    for sheet in sheets:
        if isinstance(sheet, dict) and isinstance(sheet.get("cells"), list):
            found.extend(sheet["cells"])
    return found


def _cell(number: int, item: Any, budget: int) -> Cell:
    if not isinstance(item, dict):
        return Cell(number, "text", "")
    source = _joined(item.get("source", item.get("input", "")))
    if item.get("cell_type") != "code":
        level = item.get("level")  # nbformat 3: a heading cell
        return Cell(number, "text", f"{'#' * level} {source}" if isinstance(level, int) and 0 < level < 7 else source)
    count = item.get("execution_count", item.get("prompt_number"))
    outputs = item.get("outputs")
    pieces: list[str] = []
    stopped, error = False, ""
    for output in outputs if isinstance(outputs, list) else []:
        if not isinstance(output, dict):
            continue
        if output.get("output_type") in ("error", "pyerr"):
            stopped, error = True, str(output.get("ename", ""))[:80]
        piece = _printed(output)
        if len(piece) > budget:
            piece = piece[: max(0, budget)]
        budget -= len(piece)
        pieces.append(piece)
    return Cell(number, "code", source, "".join(pieces), count if isinstance(count, int) else None, stopped, error)


def _printed(output: dict[str, Any]) -> str:
    """What an output shows as text: a stream, or the plain form of a result; a table of figures from its HTML."""
    if output.get("output_type") in ("error", "pyerr"):
        return "\n"
    if output.get("output_type") == "stream" or "text" in output:
        return _joined(output.get("text", ""))
    data = output.get("data", output)
    if not isinstance(data, dict):
        return ""
    page = _joined(data.get("text/html", data.get("html", "")))
    if "<table" in page and "epoch" in page and len(page) < 400_000:
        rows = re.sub(r"</t[dh]>\s*<t[dh][^>]*>", " | ", page)
        return re.sub(r"<[^>]{0,300}>", " ", re.sub(r"</tr>", "\n", rows)) + "\n"
    plain = _joined(data.get("text/plain", ""))
    return plain + "\n" if plain else ""


def _joined(value: Any) -> str:
    text = "".join(line for line in value if isinstance(line, str)) if isinstance(value, list) else value
    return text.replace("\r\n", "\n") if isinstance(text, str) else ""
