"""One table, four renderings; none of them lets its content escape."""

from __future__ import annotations

import csv
import io
from html.parser import HTMLParser

import pytest

from tinyproof.core.errors import InputError
from tinyproof.core.table import Column, Table, harmless

TABLE = Table(
    "layers",
    (Column("layer"), Column("parameters", "right", ","), Column("ok")),
    (("conv1", 1288, True), ("<b>|x\ny</b>", None, False)),
    (("total", 1288, None),),
)


def test_text_lines_up() -> None:
    lines = Table("", (Column("name"), Column("n", "right")), (("é", 1), ("数字", 10))).text().splitlines()
    assert lines == ["name   n", "----  --", "é      1", "数字  10"]


def test_markdown_escapes_pipes_and_breaks() -> None:
    lines = TABLE.markdown().splitlines()
    assert lines[0] == "| layer | parameters | ok |"
    assert lines[1] == "| --- | ---: | --- |"
    assert lines[3] == "| <b>\\|x y</b> |  | no |"


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.add(tag)

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def test_html_escapes_cells() -> None:
    parser = _Tags()
    parser.feed(TABLE.html())
    assert "<b>|x\ny</b>" in parser.text
    assert parser.tags == {"table", "caption", "thead", "tbody", "tfoot", "tr", "th", "td"}


def test_csv_reads_back_in_full_precision() -> None:
    table = Table("", (Column("x", spec=".2f"), Column("s")), ((0.1 + 0.2, 'a "b", c'),))
    rows = list(csv.reader(io.StringIO(table.csv())))
    assert rows == [["x", "s"], [repr(0.1 + 0.2), 'a "b", c']]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_csv_cells_are_never_formulas(start: str) -> None:
    table = Table("", (Column(start + "name"),), ((start + "cmd|' /C calc'!A0",),))
    for row in csv.reader(io.StringIO(table.csv(), newline="")):
        assert row[0].startswith("'")
    assert harmless("5 - 3") == "5 - 3"


@pytest.mark.parametrize("text", ["-", "-3", "+2.5", "-1e-3", "-.5", "-1,234.50", "-5.00 %", "-3,5"])
def test_a_dash_and_a_number_with_a_sign_are_no_formulas(text: str) -> None:
    """So a list keeps its columns as they are: Moodle writes a dash for what is not graded."""
    assert harmless(text) == text


@pytest.mark.parametrize(
    "text", ["-2+3", "-A1", "+cmd", "--1", "-3\n", "- 3", "-1e", "-3|x", "+1(2)", "-\u0663", "-%", "-1,"]
)
def test_what_only_begins_like_one_stays_guarded(text: str) -> None:
    assert harmless(text) == "'" + text


def test_negative_numbers_stay_numbers_in_csv() -> None:
    assert "\r\n-1.5\r\n" in Table("", (Column("x"),), ((-1.5,),)).csv()


def test_a_short_row_is_refused() -> None:
    with pytest.raises(InputError, match="row 1 with 1 cells"):
        Table("t", (Column("a"), Column("b")), (("x",),))


def test_records_are_one_dict_a_row() -> None:
    assert TABLE.records()[0] == {"layer": "conv1", "parameters": 1288, "ok": True}


def test_headings_of_a_wide_table_stand_in_lines() -> None:
    columns = (Column("what it is called"), Column("a long number", "right"), Column("ok"))
    wide = Table("", columns, (("x" * 60, 1, "yes, it is"),)).text().splitlines()
    assert wide[:2] == [" " * 62 + "a long", "what it is called" + " " * 45 + "number  ok"]
    assert max(map(len, wide)) == 80
    assert Table("", columns, (("x", 1, "y"),)).text().splitlines()[0] == "what it is called  a long number  ok"


def test_a_line_break_in_a_cell_breaks_no_row_of_text() -> None:
    table = Table("", (Column("a"), Column("b")), (("x\ny", 1), ("z", 2)), footer=(("all\r\nof them", 3),))
    assert table.text().splitlines() == [
        "a            b", "-----------  -", "x y          1", "z            2", "-----------  -", "all of them  3"
    ]  # fmt: skip
