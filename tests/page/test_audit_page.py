"""The audit in a browser: the same results as the command's, nothing asked for, and no file stops another."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cli.test_without_numpy import differences, homework

from .audit_page import AuditPage, command, served
from .browser import Browser
from .given_files import ten_notebooks, ten_workbooks

pytestmark = [pytest.mark.oracle("chromium"), pytest.mark.xdist_group("audit_page")]
AXE = "axe.run(document, {resultTypes: ['violations']}).then(r => r.violations.map(v => [v.id, v.nodes[0].html]))"


@pytest.fixture
def page(built: Path, tab: Browser) -> Iterator[AuditPage]:
    """The page, ready; afterwards nothing may have been asked for, and nothing have gone wrong."""
    opened = AuditPage(tab)
    opened.open(built)
    yield opened
    assert opened.quiet() == []
    assert tab.errors == []


def test_several_files_get_the_report_of_the_command(page: AuditPage, tmp_path: Path) -> None:
    names = homework(tmp_path)
    said, outcome = page.give([tmp_path / name for name in names])
    assert said == []
    theirs = command(tmp_path, names)
    assert differences(page.result(), theirs) == []
    assert outcome.startswith("Judged: ")
    assert page.download("csv").startswith("file,")
    assert page.download("html").startswith("<!doctype html>")
    frame = page.tab.run("(f => [f.sandbox.value, f.srcdoc.length])(document.getElementById('report'))")
    assert frame[0] == "allow-scripts"
    assert frame[1] > 10_000


@pytest.mark.parametrize("kind", ["workbooks", "notebooks"])
def test_ten_of_a_kind_get_the_report_of_the_command(page: AuditPage, tmp_path: Path, kind: str) -> None:
    make = ten_workbooks if kind == "workbooks" else ten_notebooks
    names = make(tmp_path / "given")
    assert page.give([tmp_path / "given" / name for name in names])[0] == []
    theirs = command(tmp_path / "given", names)
    assert differences(page.result(), theirs) == []
    assert len(theirs["files"]) == 10
    assert len({file["status"] for file in theirs["files"]}) >= 2


def test_a_folder_and_a_zip_are_a_class(page: AuditPage, tmp_path: Path) -> None:
    for name in ("ann", "ben"):
        (tmp_path / "class" / name).mkdir(parents=True)
    names = homework(tmp_path)
    shutil.copy(tmp_path / names[0], tmp_path / "class" / "ann" / "sheet.xlsx")
    shutil.copy(tmp_path / names[3], tmp_path / "class" / "ben" / "S7.ipynb")
    assert page.give([tmp_path / "class"], "folder")[0] == []
    theirs = command(tmp_path, ["class"])
    assert differences(page.result(), theirs) == []
    assert len(theirs["submissions"]) == 2
    with zipfile.ZipFile(tmp_path / "class.zip", "w") as packed:
        for file in sorted((tmp_path / "class").rglob("*.*")):
            packed.write(file, file.relative_to(tmp_path / "class").as_posix())
    assert page.give([tmp_path / "class.zip"])[0] == []
    assert differences(page.result(), command(tmp_path, ["class.zip"])) == []


@pytest.mark.corpus
def test_workbooks_of_the_corpus_get_the_report_of_the_command(page: AuditPage, corpus_folder: Path) -> None:
    """A sample; all of them: python tools/audit_page_check.py audit.html FILE..."""
    folder, names = corpus_folder / "workbooks", ["w07.xlsx", "w06.csv", "w18.xlsx"]
    page.give([folder / name for name in names])
    assert differences(page.result(), command(folder, names)) == []


def test_a_file_that_hangs_costs_its_own_worker_only(page: AuditPage, tmp_path: Path) -> None:
    names = homework(tmp_path)
    wide = "+".join(f"A{row}*B{row}" for row in range(1, 2000))
    (tmp_path / "bomb.csv").write_text("\n".join(f"a,b,={wide}" for _ in range(2000)), encoding="utf-8")
    page.tab.run("document.documentElement.dataset.seconds = '0.05'")
    page.give([tmp_path / "bomb.csv"])
    said, outcome = page.end()
    page.tab.run("document.documentElement.dataset.seconds = '60'")
    assert (
        said == ["bomb.csv cannot be looked through: took longer than 0.05 s and was stopped."]
        or "unreadable" in outcome
    )
    page.give([tmp_path / names[0]])
    assert page.result()["files"][0]["status"] == "right"


def test_hostile_files_are_a_line_each(page: AuditPage, tmp_path: Path) -> None:
    """Bombs of two kinds, an entity, a name that leads out, an empty file; the right one beside them is judged."""
    names = homework(tmp_path)
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("zeros.csv", bytes(60_000_000))
        bomb.writestr("../out.csv", "1,2")
    (tmp_path / "nested.xlsx").write_bytes(b"PK\x03\x04 nothing")
    (tmp_path / "empty.xlsx").write_bytes(b"")
    (tmp_path / "deep.ipynb").write_text("[" * 100_000, encoding="utf-8")
    given = [tmp_path / name for name in ("bomb.zip", "nested.xlsx", "empty.xlsx", "deep.ipynb", names[0])]
    said, _ = page.give(given)
    assert said == []
    found = {file["file"]: file for file in page.result()["files"]}
    assert found[names[0]]["status"] == "right"
    assert all(found[name]["problem"] and "\n" not in found[name]["problem"] for name in ("nested.xlsx", "empty.xlsx"))
    assert found["deep.ipynb"]["problem"] == "is nested too deeply"
    assert not page.tab.errors or "fatal error" in page.tab.errors[0]  # Python ended there, and only there
    page.tab.errors.clear()
    left = {one["file"]: one["why"] for one in page.result()["left_out"]}
    assert "leads out" in left["bomb.zip/../out.csv"]


def test_bad_input_is_one_line(page: AuditPage, tmp_path: Path) -> None:
    """Too large, gone while it is read, too many, and another while one is going on."""
    with (tmp_path / "large.xlsx").open("wb") as large:
        large.truncate(200_000_000)
    assert page.give([tmp_path / "large.xlsx"])[0] == [
        "large.xlsx has 200 MB: this page takes files of at most 100 MB."
    ]
    gone = tmp_path / "gone.xlsx"
    gone.write_bytes(b"PK")
    page.tab.run(
        "(f => { f.prototype.arrayBuffer = () => Promise.reject(new DOMException('', 'NotFoundError')) })(File)"
    )
    assert page.give([gone])[0] == ["gone.xlsx could not be read: it was removed or changed in the meantime."]
    more = [tmp_path / f"gone{number}.xlsx" for number in range(3)]
    for path in more:
        path.write_bytes(b"PK")
    page.wait()
    assert page.give(more)[0] == [
        "gone0.xlsx and 2 more could not be read: they were removed or changed in the meantime."
    ]


def test_a_folder_of_two_thousand_files_is_judged(page: AuditPage, tmp_path: Path) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(2000):
        (folder / f"{number}.dat").write_bytes(b"\0")
    shutil.copy(tmp_path / homework(tmp_path)[0], folder / "sheet.xlsx")
    said, outcome = page.give([folder], "folder")
    assert (said, outcome) == ([], "Judged: 1 right.")


def test_one_at_a_time_and_it_can_be_cancelled(page: AuditPage, tmp_path: Path) -> None:
    names = homework(tmp_path)
    page.choose([tmp_path / name for name in names])
    drop = "document.dispatchEvent(Object.assign(new Event('drop'), {dataTransfer: {items: []}}))"
    page.tab.run(drop)
    page.tab.run("document.getElementById('cancel').click()")
    said, outcome = page.end()
    assert said == ["An audit is going on: wait for it, or cancel it.", "Cancelled: nothing was reported."]
    assert outcome == ""
    assert page.give([tmp_path / names[0]]) == ([], "Judged: 1 right.")


def test_over_http_and_for_everybody(built: Path, tab: Browser, axe: str, tmp_path: Path) -> None:
    """From a server too; on a phone, light and dark, axe-core finds nothing and nothing is wider than the screen."""
    page = AuditPage(tab)
    with served(built.parent) as address:
        page.open(f"{address}/{built.name}")
        page.give([tmp_path / homework(tmp_path)[1]])
        assert page.quiet() == []
    assert page.result()["files"][0]["status"] == "wrong"
    for width, scheme in ((1280, "light"), (390, "dark")):
        tab.size(width, 800)
        tab.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}], media="")
        tab.run("document.documentElement.getBoundingClientRect()")
        tab.call("Page.setBypassCSP", enabled=False)
        tab.call("Runtime.evaluate", expression=axe)
        assert tab.run(AXE) == []
        assert tab.run("document.documentElement.scrollWidth") <= width
    assert tab.run("document.activeElement.id") == "outcome"  # where the report begins
    seen = []
    for back in (True, True, False, False, False, False, False):
        tab.key("Tab", shift=back)
        seen.append(tab.run("document.activeElement.id"))
    assert seen == ["folder", "files", "folder", "as-html", "as-csv", "as-json", "report"]


def test_a_browser_without_webassembly_is_told(built: Path, tab: Browser, tmp_path: Path) -> None:
    old = tab.call("Page.addScriptToEvaluateOnNewDocument", source="delete globalThis.WebAssembly;")["identifier"]
    try:
        tab.open(built)
        told = tab.run("document.getElementById('getting').textContent")
    finally:
        tab.call("Page.removeScriptToEvaluateOnNewDocument", identifier=old)
    assert told == "This browser cannot run the audit (it has no WebAssembly): use a newer one."
