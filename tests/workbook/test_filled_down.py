"""The key of a formula is the same, whether it was found or only compared with what a filled-down one reads."""

from __future__ import annotations

import pytest

from tinyproof.check.workbook.read.references import rough_references
from tinyproof.check.workbook.understand import filled_down
from tinyproof.check.workbook.understand.filled_down import FilledDown, relative

ROWS = [*range(5, 12), 99, 100, 3, 2, 1_048_576, 9_999_990, 9_999_999]


@pytest.mark.parametrize(
    "formula",
    [
        "=A{0}*$B$2-(C{1}+c{0})/AB${0}",
        "={{A{0}}}",
        "=IF(A{0}>1,\"B{0}\",'S {0}'!C{1})",
        "=LOG10(A{0})+x1.A{0}",
        "=A{0}*{0}",
        "=A{2}",
        "=1+1",
        "=größe{0}*A{0}",
        "=gro\u0308a{0}*A{0}",
        "=XFE{0}+XFD{0}+xyz{1}",
        "=A{0}ß+ß.A{0}+A{0}?+x\\A{0}",
        "=A0{0}",
    ],
)
def test_a_column_that_was_filled_down_has_the_keys_that_its_texts_have(formula: str) -> None:
    keys = FilledDown()
    for row in ROWS:
        text = formula.format(row, row - 1, row - 4)
        assert keys.key(text, row, 9) == relative(text, row, 9), text


def test_what_was_changed_in_a_row_has_a_key_of_its_own() -> None:
    keys = FilledDown()
    texts = [f"=A{row}-$G$1*B{row - 1}" for row in range(2, 9)]
    texts[5] = "=A7-$G$1*B7"
    held = [keys.key(text, row, 3) for row, text in enumerate(texts, 2)]
    assert [key == held[0] for key in held] == [True] * 5 + [False, True]


@pytest.mark.parametrize(
    "name",
    [
        "größe{}",
        "gro\u0308a{}",
        "XFE{}",
        "XYZ{}",
        "ZZZ{}",
        "A104857{}9",
        "A{}ß",
        "A{}?",
        "A{}\\",
        "x\\A{}",
        "ηA{}",
        "A_{}",
        "T[w{}]",
    ],
)
def test_a_name_with_a_number_is_no_cell(name: str) -> None:
    """Two of them are two names, and not one cell and its neighbour."""
    one, other = (f"={name.format(row)}*B{row}" for row in (5, 7))
    keys = FilledDown()
    assert relative(one, 5, 3) != relative(other, 7, 3)
    assert keys.key(one, 5, 3) != keys.key(other, 7, 3)
    assert set(rough_references(one)) == {"B5"}


@pytest.mark.parametrize("cell", ["A{}", "xfd{}", "$AA{}", "S1!A{}", "'S 1'!$A{}", "Größe!A{}", "A0{}"])
def test_a_cell_is_one_whatever_stands_before_it(cell: str) -> None:
    one, other = (f"=2*{cell.format(row)}" for row in (5, 7))
    assert relative(one, 5, 3) == relative(other, 7, 3)
    (ref,) = rough_references(one).values()
    assert ref.row == 5


def test_the_third_row_of_a_column_and_all_below_are_only_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    read = list[str]()

    def counted(text: str, row: int, col: int) -> object:
        read.append(text)
        return relative(text, row, col)

    monkeypatch.setattr(filled_down, "relative", counted)
    keys = FilledDown()
    assert len({keys.key(f"=A{row}-$G$1*B{row - 1}", row, 3) for row in range(2, 90)}) == 1
    assert read == ["=A2-$G$1*B1", "=A3-$G$1*B2"]
