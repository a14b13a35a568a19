"""The page of a class in a real browser: folded, the gravest first, found by status, name and mistake."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tinyproof.check.finding import FileReport, Finding, LeftOut, Report, SheetPlace, SheetView
from tinyproof.show.audit_page import audit_page

from .browser import Browser

pytestmark = pytest.mark.oracle("chromium")
VISIBLE = "[...document.querySelectorAll('.one')].filter(e => e.getClientRects().length).map(e => e.dataset.name)"
LETTERS = tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ")


def sheet(number: int, *findings: Finding) -> FileReport:
    cells = tuple((f"0.{number}", f"=A{number}*2") for _ in LETTERS)
    rows = tuple((row, cells) for row in range(5, 14))
    marks = ((9, 3, 0),) if findings else ()
    name = f"student{number}"
    return FileReport(
        f"/class/{name}/sheet.xlsx", "workbook", "wrong" if findings else "right", findings,
        checked=("31 columns checked",), submission=name, views=(SheetView("1", LETTERS, LETTERS, rows, marks),),
    )  # fmt: skip


def mistake(severity: str = "error", message: str = "dE/dw3 is not the gradient") -> Finding:
    return Finding("wrong-gradient", severity, SheetPlace("1", "dE/dw3", "D9"), message)  # type: ignore[arg-type]


def mixed(count: int) -> Report:
    """Every fifth submission is wrong, one archive cannot be read."""
    files = tuple(sheet(n, *([mistake()] * (n // 5 % 3 + 1) if n % 5 == 2 else [])) for n in range(count))
    return Report(files, (LeftOut("/class/zoe.zip", "it is no archive that can be read", submission="zoe.zip"),))


def opened(tab: Browser, folder: Path, report: Report, width: int = 1280, **media: str) -> Browser:
    path = folder / "class.html"
    path.write_text(audit_page(report), encoding="utf-8")
    tab.open(path, width=width, **media)
    assert tab.errors == []
    assert tab.run("document.documentElement.scrollWidth") <= width
    return tab


def test_the_gravest_stand_first_and_everything_is_folded(tab: Browser, tmp_path: Path) -> None:
    opened(tab, tmp_path, mixed(20))
    names = tab.run(VISIBLE)
    assert names[:5] == ["student2", "student7", "student12", "student17", "zoe.zip"]
    assert len(names) == 21
    assert tab.run("document.querySelectorAll('.one[open]').length") == 0
    assert tab.run("document.querySelectorAll('.one .file h3')[0].textContent").startswith("student2/sheet.xlsx")


def test_one_finds_by_status_by_name_and_by_mistake(tab: Browser, tmp_path: Path) -> None:
    opened(tab, tmp_path, mixed(20))
    tab.click("#tools [data-status=wrong]")
    assert tab.run(VISIBLE) == ["student2", "student7", "student12", "student17"]
    assert tab.run("document.getElementById('shown').textContent") == "4 of 21 shown"
    tab.click("#tools [data-status=wrong]")
    tab.type("#search", "student19")
    assert tab.run(VISIBLE) == ["student19"]
    tab.type("#search", "is not the gradient")
    assert len(tab.run(VISIBLE)) == 4
    tab.type("#search", "nobody")
    assert tab.run(VISIBLE) == []


def test_a_mistake_shows_those_who_make_it_and_their_names_lead_to_them(tab: Browser, tmp_path: Path) -> None:
    """With the keyboard alone."""
    other = replace(mistake("warning"), rule="slow")
    held = replace(mixed(20), files=(*mixed(20).files, sheet(30, other), sheet(31, replace(other, severity="note"))))
    opened(tab, tmp_path, held)
    for rule in ("wrong-gradient", "slow"):
        tab.run(f"document.querySelector('.only[data-mistake={rule}]').closest('details').open = true")
    only = "document.querySelector('.only[data-mistake=slow]')"
    tab.run(f"{only}.focus()")
    tab.key("Enter")
    assert tab.run(VISIBLE) == ["student30"]
    assert tab.run(f"{only}.getAttribute('aria-pressed')") == "true"
    assert tab.run("document.getElementById('shown').textContent") == "1 of 23 shown"
    tab.run("[...document.querySelectorAll('.broken a')].find(e => e.textContent === 'student7').focus()")
    tab.key("Enter")
    tab.settle()
    assert tab.run(VISIBLE) == ["student7", "student30"]
    assert tab.run("document.querySelector('.one[open]').dataset.name") == "student7"


def test_the_order_can_be_chosen(tab: Browser, tmp_path: Path) -> None:
    opened(tab, tmp_path, mixed(20))
    choose = "(e => {{ e.value = '{}'; e.dispatchEvent(new Event('change')); }})(document.getElementById('order'))"
    tab.run(choose.format("name"))
    assert tab.run(VISIBLE)[:3] == ["student0", "student1", "student2"]
    tab.run(choose.format("errors"))
    assert tab.run(VISIBLE)[0] == "student12"
    tab.run(choose.format("rank"))
    assert tab.run(VISIBLE)[0] == "student2"


def test_by_keyboard_a_submission_opens_and_its_mark_is_in_view(tab: Browser, tmp_path: Path) -> None:
    opened(tab, tmp_path, mixed(20), width=480)
    tab.run("document.querySelector('.one > summary').focus()")
    tab.key("Enter")
    assert tab.run("document.querySelectorAll('.one[open]').length") == 1
    tab.settle()
    seen = "(m => { const f = m.closest('.scroll').getBoundingClientRect(), b = m.getBoundingClientRect(); "
    assert tab.run(seen + "return b.left >= f.left && b.right <= f.right; })(document.querySelector('td.error'))")


def test_a_link_to_a_finding_opens_its_submission(tab: Browser, tmp_path: Path) -> None:
    opened(tab, tmp_path, mixed(20))
    number = tab.run("document.querySelectorAll('.one')[2].querySelector('.file').id")
    tab.run(f"location.hash = '{number}-1'")
    tab.settle()
    assert tab.run("[...document.querySelectorAll('.one[open]')].map(e => e.dataset.name)") == ["student12"]


def test_paper_gets_what_is_shown(tab: Browser, tmp_path: Path) -> None:
    opened(tab, tmp_path, mixed(20))
    tab.click("#tools [data-status=wrong]")
    tab.run("dispatchEvent(new Event('beforeprint'))")
    assert len(tab.run("[...document.querySelectorAll('.one[open]')].map(e => e.dataset.name)")) == 4
    tab.run("dispatchEvent(new Event('afterprint'))")
    assert tab.run("document.querySelectorAll('.one[open]').length") == 0


@pytest.mark.parametrize(("width", "scheme"), [(360, "light"), (360, "dark"), (1280, "dark")])
def test_it_fits_a_phone_and_the_dark(tab: Browser, tmp_path: Path, width: int, scheme: str) -> None:
    opened(tab, tmp_path, mixed(12), width, prefers_color_scheme=scheme)
    tab.click(".one > summary")
    assert tab.run("document.documentElement.scrollWidth") <= width


def test_six_hundred_files_take_at_most_three_megabytes(tab: Browser, tmp_path: Path) -> None:
    report = mixed(600)
    page = audit_page(report)
    assert len(page.encode()) <= 3_000_000
    opened(tab, tmp_path, report)
    assert tab.run("document.documentElement.scrollHeight") < 40_000  # some 60 pixels a submission, folded
    assert tab.run("document.querySelectorAll('.grid').length") > 0
    assert "audit it alone to see them" in page


def test_one_file_alone_is_open_with_its_table(tab: Browser, tmp_path: Path) -> None:
    opened(tab, tmp_path, Report((sheet(1, mistake()),)))
    assert tab.run("document.querySelectorAll('.one[open] .grid').length") == 1
    assert tab.run("document.getElementById('tools')") is None


@pytest.mark.parametrize("width", [360, 1280])
def test_a_name_without_end_stays_in_its_place(tab: Browser, tmp_path: Path, width: int) -> None:
    """Names, files and reasons of strangers may be two hundred letters without a space."""
    long = "n" * 200
    files = tuple(
        replace(sheet(n, mistake()), submission=f"{long}{n}", file=f"/c/{long}{n}/{long}.xlsx") for n in (1, 2)
    )
    opened(tab, tmp_path, Report(files, (LeftOut(f"/c/{long}", long, submission=long),)), width)
    tab.run("document.querySelectorAll('details').forEach(e => e.open = true)")
    assert tab.run("document.documentElement.scrollWidth") <= width
    box = "(e => { const r = document.createRange(); r.selectNodeContents(e); return r.getBoundingClientRect(); })"
    beside = "(([a, b]) => a.right <= b.left || a.bottom <= b.top)"
    assert tab.run(f"{beside}([...document.querySelectorAll('.one > summary > span')].slice(0, 2).map({box}))")


def test_text_of_strangers_does_nothing(tab: Browser, tmp_path: Path) -> None:
    """In names of submissions, files, sheets, in headings, cells, formulas and findings, and in attributes."""
    evil = "'\"><script>window.done=1</script><img src=x onerror=window.done=1>"
    finding = Finding(evil, "error", SheetPlace(evil, evil, evil, ((evil, evil),)), *[evil] * 6, (evil,))
    view = SheetView(evil, (evil,), (evil,), ((1, ((evil, evil),)),), ((1, 0, 0),))
    file = FileReport(evil, "workbook", "wrong", (finding,), (evil,), evil, submission=evil, views=(view,))
    path = tmp_path / "class.html"
    path.write_text(audit_page(Report((file, sheet(1)), (LeftOut(evil, evil),)), [evil], evil, evil), encoding="utf-8")
    tab.open(path)
    tab.run("document.querySelectorAll('details').forEach(e => e.open = true)")
    assert tab.run("window.done") is None
    assert tab.run("document.images.length") == 0
    assert tab.run("document.querySelector('.one').dataset.name") == evil


def test_a_link_to_a_finding_is_not_hidden_by_the_tools(tab: Browser, tmp_path: Path) -> None:
    opened(tab, tmp_path, mixed(60))
    number = tab.run("document.querySelectorAll('.one')[8].querySelector('.file').id")
    tab.run(f"location.hash = '{number}-1'")
    tab.settle()
    top = "document.getElementById('{}').getBoundingClientRect().{}"
    assert tab.run(top.format(f"{number}-1", "top")) >= tab.run(top.format("tools", "bottom"))
