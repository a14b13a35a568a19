"""What the workbooks claim of themselves: right ones are what torch computes, mutants are not; LibreOffice agrees."""

from __future__ import annotations

import math
from itertools import product
from pathlib import Path

import openpyxl
import pytest
from tests.backprop.recalculate import zeroed_and_recalculated
from tests.workbook.layouts.book import Book
from tests.workbook.layouts.catalogue import LAYOUTS, make
from tests.workbook.layouts.mistakes import MISTAKES, broken
from tests.workbook.layouts.terms import Address

SEEDS = range(300, 303)


def said(book: Book) -> dict[Address, float | str]:
    """What each cell says, those of an array formula included."""
    found = dict(book.cells)
    for (first, last), formula in book.arrays.items():
        for row, column in product(range(first.row, last.row + 1), range(first.column, last.column + 1)):
            spot = Address(first.sheet, row, column)
            if isinstance(book.cells.get(spot, ""), str):
                found[spot] = formula
    return found


@pytest.mark.parametrize("layout", LAYOUTS)
def test_right_ones_are_what_torch_computes(layout: str) -> None:
    for seed in SEEDS:
        made = make(layout, seed)
        places = [made.placed.where[key] for key in made.trees]
        assert len(set(places)) == len(places), "two quantities in one cell"
        assert not set(places) & {at for at, word in made.placed.words.items() if word}, "a word over a number"
        assert all(math.isfinite(value) for value in made.book.values.values())
        assert made.taken()
        assert made.wrong() == []
        assert all(shown == pytest.approx(right, rel=1e-9, abs=1e-12) for shown, right in made.losses())


@pytest.mark.parametrize("kind", MISTAKES)
def test_mutants_are_not(kind: str) -> None:
    found = 0
    for seed, layout in product(range(20), LAYOUTS):
        right = make(layout, seed)
        mutant = broken(right, kind, seed)
        if mutant is None:
            continue
        old, new = said(right.book), said(mutant.made.book)
        assert mutant.proof
        assert {at for at in old if old[at] != new.get(at)} == mutant.changed
        assert any(mutant.made.book.number(at) != right.book.number(at) for at in right.book.values)
        found += 1
        if found == 5:
            return
    pytest.fail(f"only {found} workbooks have a place for {kind}")


@pytest.mark.oracle("LibreOffice")
def test_libreoffice_computes_the_same_numbers(libreoffice: str, tmp_path: Path) -> None:
    books = {layout: make(layout, 77).book for layout in LAYOUTS if layout != "loop"}  # one turn of it is not fixed
    for layout, kind in zip(list(books), list(MISTAKES)[:: len(MISTAKES) // 12], strict=False):
        mutant = broken(make(layout, 78), kind, 0)
        if mutant is not None:
            books[f"{layout} {kind}"] = mutant.made.book
    assert len(books) > len(LAYOUTS) + 6
    files = [book.write(tmp_path / f"{layout}.xlsx") for layout, book in books.items()]
    fresh = zeroed_and_recalculated(libreoffice, files, tmp_path)
    compared = 0
    for (layout, book), path in zip(books.items(), fresh, strict=True):
        sheets = openpyxl.load_workbook(path, data_only=True)
        for at, value in book.values.items():
            theirs = sheets[book.titles[at.sheet]].cell(at.row + 1, at.column + 1).value
            assert theirs == pytest.approx(value, rel=1e-9, abs=1e-12), (layout, at)
            compared += 1
    assert compared > 1000
