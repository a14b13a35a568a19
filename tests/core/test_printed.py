"""A result prints itself: text and HTML say the same, and nothing in it is taken for markup."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tinyproof.core.printed import Part, Printed, printed
from tinyproof.core.table import Column, Table

HOSTILE = "<script>alert('&')</script>"


@dataclass(frozen=True)
class Record:
    name: str


@dataclass(frozen=True, repr=False)
class Result(Printed, Record):
    more: str = ""

    def parts(self) -> Sequence[Part]:
        return [f"first line of {self.name}\nsecond line", Table("", (Column("name"),), ((self.name,),)), self.more]


def test_text_and_html_come_from_the_same_parts() -> None:
    result = printed(Result, Record("a"), more="the end")
    assert str(result) == "first line of a\nsecond line\n\nname\n----\na\n\nthe end"
    assert repr(result) == str(result)
    assert result._repr_html_() == (
        '<p style="white-space: pre-wrap">first line of a\nsecond line</p>\n'
        "<table><thead><tr><th>name</th></tr></thead><tbody><tr><td>a</td></tr></tbody></table>\n"
        '<p style="white-space: pre-wrap">the end</p>'
    )


def test_everything_is_escaped_in_a_notebook() -> None:
    shown = Result(HOSTILE, HOSTILE)._repr_html_()
    assert "<script" not in shown
    assert shown.count("&lt;script&gt;alert(&#x27;&amp;&#x27;)&lt;/script&gt;") == 3


def test_a_table_prints_itself() -> None:
    table = Table("title", (Column(HOSTILE),), (("x",),))
    assert str(table) == repr(table) == table.text()
    assert table._repr_html_() == table.html()
    assert "<script" not in table.html()
