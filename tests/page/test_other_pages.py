"""The derivation and the class report in a real browser: no error, no request, nothing wider than the screen."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tinyproof.api.derive import derivation_text
from tinyproof.backprop.derivation import derive
from tinyproof.backprop.presets import PRESETS, preset
from tinyproof.check.finding import FileReport, Finding, Report, SheetPlace, SheetView
from tinyproof.show.audit_page import audit_page

from .browser import Browser

pytestmark = pytest.mark.oracle("chromium")
HOSTILE = '</script><script>alert(1)</script><img src=x onerror=alert(2)>"' + "long" * 30
WIDE = tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
WRONG = 20  # the position of the wrong column in it


def opened(tab: Browser, folder: Path, page: str, width: int) -> Browser:
    path = folder / "page.html"
    path.write_text(page, encoding="utf-8")
    tab.open(path, width=width)
    assert tab.errors == []
    assert [address for address in tab.requests if not address.startswith(("file:", "data:"))] == []
    assert tab.run("document.documentElement.scrollWidth") <= width
    return tab


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("name", PRESETS)
def test_the_derivation(tab: Browser, tmp_path: Path, name: str, width: int) -> None:
    net = replace(preset(name), title=HOSTILE)
    opened(tab, tmp_path, derivation_text(derive(net), "html"), width)
    assert tab.run("document.querySelectorAll('math').length") > 10
    assert tab.run("document.querySelectorAll('img, script').length") == 0
    assert "alert(1)" in tab.run("document.body.textContent")


def class_report() -> str:
    place = SheetPlace(HOSTILE, "dE/dw3", "U33:U100", also=((HOSTILE, "U3:U9"),))
    says = "((a_o1-t1)*a_o1*(1-a_o1)*w6+(a_o2-t2)*a_o2*(1-a_o2)*w8)*a_h1*(1-a_h1)*i1"
    finding = Finding("wrong-gradient", "error", place, HOSTILE, says=says, should_say=says, fix="=" + HOSTILE)
    cells = tuple((f"0.{k}23456789", f"=A{k}+1") for k in range(len(WIDE)))
    view = SheetView(HOSTILE, WIDE, WIDE, ((33, cells), (34, cells)), ((33, WRONG, 0), (34, WRONG, 0)))
    files = (
        FileReport(HOSTILE + ".xlsx", "workbook", "wrong", (finding,), (HOSTILE,), views=(view,)),
        FileReport("b.xlsx", "workbook", "unreadable", problem=HOSTILE),
        FileReport("c.xlsx", "workbook", "right", checked=("31 columns checked",)),
    )
    return audit_page(Report(files), [HOSTILE])


@pytest.mark.parametrize("width", [360, 1280])
def test_the_class_report(tab: Browser, tmp_path: Path, width: int) -> None:
    opened(tab, tmp_path, class_report(), width)
    assert tab.run("document.querySelectorAll('img').length") == 0
    assert tab.run("[...document.querySelectorAll('td.error')].map(cell => cell.cellIndex).join()") == "21,21"


def test_a_wide_sheet_begins_at_its_first_mark(tab: Browser, tmp_path: Path) -> None:
    opened(tab, tmp_path, class_report(), 700)
    seen = tab.run(
        "(() => { const cell = document.querySelector('td.error').getBoundingClientRect();"
        " const frame = document.querySelector('[role=region]').getBoundingClientRect();"
        " return cell.left >= frame.left && cell.right <= frame.right; })()"
    )
    assert seen
    assert tab.run("document.querySelector('[role=region]').scrollLeft") > 0
