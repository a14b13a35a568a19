"""Elements of a workbook's XML by their local names, whatever their prefix and namespace; the ranges of a chart."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple
from xml.etree.ElementTree import Element

from tinyproof.check.workbook.read.references import column_number
from tinyproof.core.errors import one_line

MAX_SERIES = 500


class Series(NamedTuple):
    """One line of a chart: its values' range, its categories' range and its title (text or range), "" where none."""

    values: str
    categories: str
    title: str


@dataclass(frozen=True)
class Chart:
    """A chart: the sheet it stands on, its title and its series."""

    sheet: str
    title: str
    series: tuple[Series, ...]


def read_chart(tree: Any, sheet: str) -> Chart:
    """A chart part: its title, and of each series the ranges that it draws."""
    series = []
    for node in every(tree, "ser")[:MAX_SERIES]:
        found = {}
        for child in node:
            name = local_name(child.tag)
            if name in ("val", "yVal", "cat", "xVal", "tx"):
                texts = [one_line(f.text, 200) for f in every(child, "f") if f.text]
                literal = [one_line(v.text, 200) for v in every(child, "v") if v.text] if name == "tx" else []
                found[name] = (texts or literal or [""])[0]
        values = found.get("val") or found.get("yVal", "")
        series.append(Series(values, found.get("cat") or found.get("xVal", ""), found.get("tx", "")))
    chart = next(iter(every(tree, "chart")), None)
    title = next((node for node in chart if local_name(node.tag) == "title"), None) if chart is not None else None
    return Chart(sheet, one_line(text_of(title), 200) if title is not None else "", tuple(series))


@lru_cache(maxsize=4_096)
def local_name(tag: object) -> str:
    """`c` for `{http://..}c`."""
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def every(tree: Any, name: str) -> list[Element]:
    """Every element of that name below (and at) a node."""
    return [node for node in tree.iter() if local_name(node.tag) == name]


def attribute(node: Element, name: str) -> str:
    """An attribute by its local name (`r:id`, whatever its prefix)."""
    return next((value for key, value in node.attrib.items() if local_name(key) == name and "}" in key), "")


def text_of(node: Any) -> str:
    """Text of a rich string; phonetic guides are no part of it."""
    if local_name(node.tag) == "rPh":
        return ""
    if local_name(node.tag) == "t":
        return node.text or ""
    return "".join(text_of(child) for child in node)


def position(place: str) -> tuple[int, int]:
    """`AA33` as row and column."""
    letters = place.rstrip("0123456789")
    return int(place[len(letters) :]), column_number(letters)


def is_true(flag: str) -> bool:
    """A flag of the format: 1 or true."""
    return flag.lower() in ("1", "true")
