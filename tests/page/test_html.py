"""Every page is one file that asks nothing of the network, and text from outside stays text."""

from __future__ import annotations

import base64
import re
from html.parser import HTMLParser
from pathlib import Path

import jinja2
import pytest

import tinyproof.show
from tinyproof import __version__
from tinyproof.backprop.presets import preset
from tinyproof.core.table import Column, Table
from tinyproof.show.html import data_uri, render, safe
from tinyproof.show.stepper import stepper

TEMPLATES = Path(tinyproof.show.__file__).parent / "templates"
HOSTILE = "</title></style></script><script>alert(1)</script><b onclick='x'>\"&{{ 7*7 }}"
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'unsafe-inline'"


class Outside(HTMLParser):
    """Gathers every attribute that would load something."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.policy = ""
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        found = dict(attrs)
        if tag == "meta" and found.get("http-equiv") == "Content-Security-Policy":
            self.policy = found["content"] or ""
        loads = ("src", "srcset", "action", "data", "poster", "background", *(["href"] if tag != "a" else []))
        self.addresses += [found[key] or "" for key in loads if key in found]


def read(page: str) -> Outside:
    seen = Outside()
    seen.feed(page)
    return seen


def test_a_page_states_its_policy_and_its_maker() -> None:
    page = render("base.html.j2", title="a title")
    assert read(page).policy == POLICY
    assert f"Made by tinyproof {__version__}." in page
    assert "<title>a title</title>" in page


def test_text_is_escaped() -> None:
    page = render("base.html.j2", title=HOSTILE)
    assert "script" not in read(page).tags
    assert "&lt;script&gt;alert(1)" in page
    assert "{{ 7*7 }}" in page, "and a value is never run as a template"


def test_our_own_markup_is_not_escaped_again_but_what_is_in_it_is() -> None:
    table = Table("t", (Column("<i>"),), ((HOSTILE,),)).html()
    assert str(safe(table)) == table
    assert "<script>" not in table
    assert "<td>" in table


def test_a_forgotten_value_is_an_error() -> None:
    with pytest.raises(jinja2.UndefinedError, match="title"):
        render("base.html.j2")


def test_a_picture_becomes_a_data_address() -> None:
    png = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
    head, _, body = data_uri(png).partition(",")
    assert head == "data:image/png;base64"
    assert base64.b64decode(body, validate=True) == png


# What pages extend: the base of all, and the parts of one that stand in a page of somebody else's.
NO_PAGES = ("base.html.j2", "body_only.html.j2", "style_only.html.j2")


@pytest.mark.parametrize(
    "template", sorted(path.name for path in TEMPLATES.glob("*.html.j2") if path.name not in NO_PAGES)
)
def test_every_page_extends_the_base(template: str) -> None:
    text = (TEMPLATES / template).read_text(encoding="utf-8")
    assert text.startswith(('{% extends "base.html.j2" %}', '{% extends page | default("base.html.j2") %}'))


@pytest.mark.parametrize("path", sorted(TEMPLATES.iterdir()), ids=lambda path: path.name)
def test_no_template_names_an_address_on_the_network(path: Path) -> None:
    """Namespaces of SVG and MathML look like addresses, and are never fetched."""
    text = path.read_text(encoding="utf-8")
    addresses = [a for a in re.findall(r"https?://[^\s\"'`)<]+", text) if not a.startswith("http://www.w3.org/")]
    assert addresses == []
    assert "@import" not in text
    assert not re.search(r"url\((?!#|\"?data:)", text)


def test_the_stepping_page_loads_nothing() -> None:
    seen = read(stepper(preset("course"), 5))
    assert seen.policy == POLICY
    assert seen.addresses == []
    assert "link" not in seen.tags


def test_the_check_for_addresses_can_fail() -> None:
    assert read('<img src="http://x/y.png"><link href="//z">').addresses == ["http://x/y.png", "//z"]
