"""The audit in Firefox: from a file and from a server the same results as the command's, and nothing asked for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cli.test_without_numpy import differences

from .audit_page import AuditPage, command, served
from .firefox import Firefox, firefox
from .given_files import ten_notebooks, ten_workbooks

pytestmark = [pytest.mark.oracle("firefox"), pytest.mark.xdist_group("audit_page")]
GIVEN = {"workbooks": ten_workbooks, "notebooks": ten_notebooks}


@pytest.fixture(scope="module")
def fox(firefox_program: str) -> Iterator[Firefox]:
    """A tab of a headless Firefox."""
    with firefox(firefox_program) as started:
        yield started


@pytest.mark.parametrize("way", ["file", "http"])
@pytest.mark.parametrize("kind", GIVEN)
def test_ten_of_a_kind_get_the_report_of_the_command(
    built: Path, fox: Firefox, tmp_path: Path, kind: str, way: str
) -> None:
    names, page = GIVEN[kind](tmp_path / "given"), AuditPage(fox)
    with served(built.parent) as address:
        page.open(built if way == "file" else f"{address}/{built.name}")
        said, _ = page.give([tmp_path / "given" / name for name in names])
    assert said == []
    theirs = command(tmp_path / "given", names)
    assert differences(page.result(), theirs) == []
    assert len(theirs["files"]) == 10
    assert len({file["status"] for file in theirs["files"]}) >= 2
    assert page.download("html").startswith("<!doctype html>")
    assert page.quiet() == []
    assert fox.errors == []


def test_what_a_page_asks_for_is_seen_and_this_one_may_not_ask(built: Path, fox: Firefox, tmp_path: Path) -> None:
    """Another page that asks is noticed; this one is refused, and that is noticed too."""
    plain = tmp_path / "plain.html"
    with served(tmp_path) as address:
        plain.write_text(f"<!doctype html><title>asks</title><img src='{address}/seen.png'>", encoding="utf-8")
        fox.open(plain)
        assert fox.requests == [f"{address}/seen.png"]
        fox.open(built)
        asks = f"const image = new Image(); image.onload = image.onerror = () => done(0); image.src = '{address}/x.png'"
        fox.run(f"new Promise(done => {{ {asks} }})")
        assert fox.requests == []
        assert any("x.png" in error for error in fox.errors)
