"""The pages of a class and of one submission for everybody: axe-core finds nothing; all of it works by keyboard."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from tests.classes.invented import make

from tinyproof.api.audit import AuditResult, audit
from tinyproof.check.classes.class_changes import Change

from .browser import Browser

pytestmark = [pytest.mark.oracle("chromium"), pytest.mark.xdist_group("accessible")]
LOOKS = [(1280, {}), (390, {}), (1280, {"prefers_color_scheme": "dark"}), (390, {"prefers_color_scheme": "dark"})]


@pytest.fixture(scope="module")
def ten(tmp_path_factory: pytest.TempPathFactory) -> AuditResult:
    """Right and wrong ones, a notebook, an archive, nonsense; and what changed."""
    folder = tmp_path_factory.mktemp("class")
    make(folder, 10)
    found = audit(folder, quiet=True)
    return replace(found, changes=(Change("student11", "student11/s.xlsx", "", "right"),))


def violations(tab: Browser, axe: str) -> list[str]:
    """What axe-core finds, a line each: the rule, how often, the first place and why."""
    tab.run(axe + "; 0")
    told: list[dict[str, Any]] = tab.run(
        "axe.run(document, {resultTypes: ['violations']}).then(found => found.violations.map(each => ({rule: each.id,"
        " count: each.nodes.length, where: each.nodes[0].target.join(), why: each.nodes[0].failureSummary})))"
    )
    return [f"{each['rule']} x {each['count']}: {each['where']}: {each['why']}" for each in told]


def opened(tab: Browser, path: Path, width: int, media: dict[str, str]) -> Browser:
    tab.open(path, width=width, **media)
    tab.run("(() => { for (const each of document.querySelectorAll('details')) each.open = true; })()")
    tab.settle()
    return tab


@pytest.mark.parametrize(("width", "media"), LOOKS, ids=str)
def test_axe_finds_nothing_on_the_page_of_a_class(
    tab: Browser, axe: str, ten: AuditResult, tmp_path: Path, width: int, media: dict[str, str]
) -> None:
    path = tmp_path / "class.html"
    path.write_text(ten.html(), encoding="utf-8")
    assert violations(opened(tab, path, width, media), axe) == []


@pytest.mark.parametrize(("width", "media"), LOOKS, ids=str)
def test_axe_finds_nothing_on_what_is_handed_back(
    tab: Browser, axe: str, ten: AuditResult, tmp_path: Path, width: int, media: dict[str, str]
) -> None:
    pages = [path for path in ten.feedback(tmp_path / "back") if path.suffix == ".html"]
    assert len(pages) == 10
    told = {path.name: violations(opened(tab, path, width, media), axe) for path in pages[:4]}
    assert {name: found for name, found in told.items() if found} == {}


def test_axe_is_seen_to_find_something(tab: Browser, axe: str, ten: AuditResult, tmp_path: Path) -> None:
    path = tmp_path / "class.html"
    broken = ten.html().replace('<html lang="en">', "<html>").replace("--quiet: #57606a", "--quiet: #c0c0c0")
    path.write_text(broken.replace(' aria-label="Order"', ""), encoding="utf-8")
    found = {line.split(" ")[0] for line in violations(opened(tab, path, 1280, {}), axe)}
    assert {"html-has-lang", "color-contrast", "select-name"} <= found


def test_headings_go_down_one_step_at_a_time(tab: Browser, ten: AuditResult, tmp_path: Path) -> None:
    path = tmp_path / "class.html"
    path.write_text(ten.html(), encoding="utf-8")
    levels = opened(tab, path, 1280, {}).run("[...document.querySelectorAll('h1,h2,h3,h4')].map(e => +e.tagName[1])")
    assert levels[0] == 1
    assert [(a, b) for a, b in pairwise(levels) if b > a + 1] == []


def test_a_class_is_read_with_the_keyboard_alone(tab: Browser, ten: AuditResult, tmp_path: Path) -> None:
    """Search, a status, the order, then the first submission, opened; the place is always seen."""
    path = tmp_path / "class.html"
    path.write_text(ten.html(), encoding="utf-8")
    tab.open(path)
    tab.run("document.getElementById('search').focus()")
    tab.key("Tab")
    assert tab.run("document.activeElement.dataset.status")
    tab.key(" ")
    assert tab.run("document.activeElement.getAttribute('aria-pressed')") == "true"
    seen = []
    for _ in range(30):
        tab.key("Tab")
        seen.append(tab.run("document.activeElement.tagName + (document.activeElement.id || '')"))
        assert tab.run("getComputedStyle(document.activeElement).outlineStyle") != "none", json.dumps(seen)
        if seen[-1] == "SUMMARY" and tab.run("document.activeElement.parentElement.className") == "one":
            break
    assert "SELECTorder" in seen
    assert seen[-1] == "SUMMARY"
    tab.key("Enter")
    assert tab.run("document.activeElement.parentElement.open") is True
