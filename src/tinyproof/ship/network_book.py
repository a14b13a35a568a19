"""A network as a workbook that classifies a picture with live formulas, layer by layer."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping, Sequence
from io import BytesIO

import numpy as np
from numpy.typing import NDArray

from tinyproof.backprop.sheet import MOST_COLUMNS, MOST_FORMULA, MOST_ROWS, Book, Formula, Sheet
from tinyproof.backprop.xlsx import book_bytes
from tinyproof.core.errors import DataError
from tinyproof.ship.front_sheet import CHOICE, FRONT, Shown, front_sheet, picture_maps, pictures_sheet
from tinyproof.ship.network_sheets import layer_sheet
from tinyproof.ship.stage_values import values
from tinyproof.ship.stages import Stage, words

FILE = "network.xlsx"
PICTURES = 10
MOST_CELLS = 400_000
_CACHED = re.compile(rb"(</f>)<v>([^<]*)</v>")
_CLOSE = 1e-9


def chosen(labels: NDArray[np.int64]) -> list[int]:
    """The numbers of ten test images: the first one of each class, then the second ones, in the order of the classes.

    >>> chosen(np.array([1, 1, 0, 2, 1]))
    [2, 0, 3, 1, 4]
    """
    order = np.argsort(labels, kind="stable")
    sorted_ = labels[order]
    turn = np.arange(len(labels)) - np.searchsorted(sorted_, sorted_)
    return [int(order[at]) for at in np.lexsort((sorted_, turn))[:PICTURES]]


def workbook_bytes(steps: Sequence[Stage], shown: Shown, where: str) -> bytes:
    """The workbook. Raises DataError where a network is too large for one."""
    _fits(steps, where)
    found, maps = list[Sheet](), {-1: picture_maps(shown, steps[0])}
    numbers = values(steps, shown.images[0])
    for number, (step, told) in enumerate(zip(steps, words(steps), strict=True)):
        parts = [maps[taken] for taken in step.takes]
        sheet, maps[number] = layer_sheet(number + 1, steps, told, parts, numbers[number])
        found.append(sheet)
    front = front_sheet(shown, steps, maps[len(steps) - 1], numbers[-1].ravel())
    book = Book(shown.title, (front, *found, pictures_sheet(shown)), names=(("choice", FRONT, *CHOICE),), dated=False)
    _check(book, where)
    return book_bytes(book)


def _fits(steps: Sequence[Stage], where: str) -> None:
    cells = sum(step.numbers + int(np.prod(step.given)) for step in steps) + int(np.prod(steps[0].taken)) * 12
    if cells > MOST_CELLS:
        told = f"needs a workbook of {cells:,} cells, where {MOST_CELLS:,} can be used; onnx, torch and html take it"
        raise DataError(where, told)


def _check(book: Book, where: str) -> None:
    """Refuse what no spreadsheet holds."""
    for sheet in book.sheets:
        longest = max((len(cell.value.text) for cell in sheet.cells if isinstance(cell.value, Formula)), default=0)
        row, column = (max(getattr(cell, side) for cell in sheet.cells) for side in ("row", "column"))
        if longest >= MOST_FORMULA or row >= MOST_ROWS or column >= MOST_COLUMNS:
            told = f"needs a formula of {longest:,} characters, or {column:,} columns: no workbook holds it"
            raise DataError(where, told, "onnx, torch and html take it")


def same_workbook(one: bytes, other: bytes) -> bool:
    """Whether two workbooks are the same but for how they are packed, and for rounding in the cached values."""
    try:
        mine, theirs = _parts(one), _parts(other)
    except (zipfile.BadZipFile, OSError, ValueError):
        return False
    return mine.keys() == theirs.keys() and all(_same(mine[name], theirs[name]) for name in mine)


def _parts(content: bytes) -> Mapping[str, bytes]:
    with zipfile.ZipFile(BytesIO(content)) as file:
        if sum(item.file_size for item in file.infolist()) > 200_000_000:
            raise ValueError("too large")
        return {item.filename: file.read(item) for item in file.infolist()}


def _same(one: bytes, other: bytes) -> bool:
    if one == other:
        return True
    if _CACHED.sub(rb"\1", one) != _CACHED.sub(rb"\1", other):
        return False
    pairs = zip(_CACHED.findall(one), _CACHED.findall(other), strict=True)
    return all(a == b or _near(a[1], b[1]) for a, b in pairs)


def _near(one: bytes, other: bytes) -> bool:
    try:
        return abs(float(one) - float(other)) <= _CLOSE * (1 + abs(float(other)))
    except ValueError:
        return False
