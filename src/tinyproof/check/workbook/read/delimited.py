"""A .csv or .tsv file as a workbook of one sheet. Most hold numbers only; some programs save the formulas instead.

The separator, the decimal comma and the language of function names are those of the file.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator

from tinyproof.check.workbook.read.cells import MAX_CELLS, Book, Cell, ReadSheet
from tinyproof.check.workbook.read.function_names import in_english
from tinyproof.check.workbook.read.references import MAX_COLUMN, MAX_ROW
from tinyproof.core.errors import DataError, one_line

MAX_FIELD = 100_000
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?%?")
_QUOTED = re.compile(r'("(?:[^"]|"")*")')


def read_delimited(content: bytes, shown: str) -> Book:
    """Read a text file of cells. Raises DataError where it is no text, or too big."""
    text = _decoded(content, shown)
    if text.startswith("sep=") and "\n" in text[:10]:  # Excel's own first line
        separator, text = text[4], text.partition("\n")[2]
    else:
        separator = _separator(text)
    comma = separator != "," and _decimal_comma(text)
    cells: dict[tuple[int, int], Cell] = {}
    for row, fields in enumerate(_rows(text, separator, shown), 1):
        if row > MAX_ROW or len(fields) > MAX_COLUMN:
            raise DataError(shown, "has more rows or columns than a spreadsheet")
        for col, field in enumerate(fields, 1):
            cell = _cell(field.strip(), comma, separator, row, col)
            if cell is not None:
                cells[row, col] = cell
        if len(cells) > MAX_CELLS:
            raise DataError(shown, f"has more than {MAX_CELLS:,} filled cells")
    # A program that opens such a file computes every formula: none has a stored number.
    return Book((ReadSheet("Sheet1", cells),), recalculates=True)


def holds_formulas(head: bytes) -> bool:
    """Whether the beginning of a text file has a cell that begins with `=`."""
    return re.search(rb'(?:^|[,;\t\n\r"])"?=[^=\s]', head.replace(b"\0", b"")) is not None


def _decoded(content: bytes, shown: str) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        codings: tuple[str, ...] = ("utf-16",)
    elif b"\0" in content[:4_096]:
        raise DataError(shown, "is not a text file of cells (.csv)")
    else:
        codings = ("utf-8-sig", "cp1252")
    for coding in codings:
        try:
            return content.decode(coding)
        except UnicodeDecodeError:
            continue
    raise DataError(shown, "is not a text file of cells (.csv) in UTF-8, UTF-16 or Windows-1252")


def _separator(text: str) -> str:
    """The sign that cuts most lines into the same number of fields; what stands in quotes does not count."""
    lines = [_QUOTED.sub("", line) for line in text[:20_000].splitlines()[:50] if line.strip()]
    counts = {sign: [_outside(line).count(sign) for line in lines] for sign in ("\t", ";", ",")}
    return max(counts, key=lambda sign: (sum(count > 0 for count in counts[sign]), min(counts[sign], default=0)))


def _outside(line: str) -> str:
    """A line without what stands in brackets: `=SUM(A1;B1)` has no separator."""
    return re.sub(r"\([^()]*\)", "", re.sub(r"\([^()]*\)", "", line))


def _decimal_comma(text: str) -> bool:
    """Whether numbers are written 0,5."""
    sample = _QUOTED.sub(lambda m: m[1].strip('"'), text[:200_000])
    return len(re.findall(r"(?<![\d.,])\d+,\d+(?![\d.,])", sample)) > len(re.findall(r"\d\.\d", sample))


def _rows(text: str, separator: str, shown: str) -> Iterator[list[str]]:
    csv.field_size_limit(MAX_FIELD)
    try:
        yield from csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    except csv.Error as error:
        raise DataError(shown, f"is not a text file of cells (.csv): {one_line(str(error), 80)}") from error


def _cell(field: str, comma: bool, separator: str, row: int, col: int) -> Cell | None:
    if not field:
        return None
    if field.startswith("=") and len(field) > 1:
        return Cell(None, "n", _formula(field, comma, separator), row, col)
    plain = field.replace(",", ".") if comma else field
    if _NUMBER.fullmatch(plain):
        number = float(plain.rstrip("%"))
        return Cell(number / 100 if plain.endswith("%") else number, "n")
    return Cell(field, "e" if field.startswith("#") and field.endswith(("!", "?", "/A")) else "s")


def _formula(field: str, comma: bool, separator: str) -> str:
    """The formula in English, with `,` between arguments and a decimal point."""
    parts = []
    for part in _QUOTED.split(in_english(field)):
        if not part.startswith('"'):
            if comma:
                part = re.sub(r"(?<=\d),(?=\d)", ".", part)
            if comma or (";" in part and "{" not in part):
                part = part.replace(";", ",")
        parts.append(part)
    return "".join(parts)
