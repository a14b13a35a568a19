"""The build of the site is seen to fail: on lost links, on what comes from elsewhere, on pages that nobody listed."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tools import site_faults, site_live, site_pages
from tools.site import build, check, cut, main, put, zensical
from tools.site_faults import Page, foreign, lost, unlisted
from tools.site_pages import SiteError, listed, placed, sources

from tinyproof.core.errors import Stopped

ROOT = Path(__file__).resolve().parents[2]
FOREIGN = (
    '<img src="https://example.org/a.png">',
    '<img srcset="a.png 1x, https://example.org/b.png 2x">',
    '<script src="//example.org/a.js"></script>',
    '<link rel="stylesheet" href="https://example.org/a.css">',
    '<link rel="preconnect" href="https://example.org">',
    '<meta http-equiv="refresh" content="0; url=https://example.org/">',
    '<iframe src="http://example.org/"></iframe>',
    '<form action="https://example.org/"></form>',
    '<video poster="https://example.org/a.png"></video>',
    '<svg><use href="https://example.org/a.svg#b"/></svg>',
    '<p style="background: url(https://example.org/a.png)">x</p>',
    "<style>@import 'https://example.org/a.css';</style>",
    '<script>fetch("https://example.org/")</script>',
    '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; connect-src https://example.org">',
    '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; img-src data: *.example.org">',
)
FINE = (
    '<a href="https://example.org/">a link is followed by a person</a>',
    '<svg xmlns="http://www.w3.org/2000/svg"></svg>',
    '<script>document.createElementNS("http://www.w3.org/2000/svg", "g")</script>',
    '<link rel="canonical" href="https://example.org/">',
    '<img src="data:image/png;base64,AAAA">',
    '<img src="images/a.png">',
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; script-src 'sha256-a.b+c=' 'self'\">",
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'\"><script>'https://example.org/'</script>",
)


@pytest.mark.parametrize("html", FOREIGN)
def test_what_a_browser_would_fetch_from_elsewhere_is_named(html: str) -> None:
    assert "example.org" in "".join(foreign(Page(html)))


@pytest.mark.parametrize("html", FINE)
def test_what_it_would_not_fetch_is_left_alone(html: str) -> None:
    assert list(foreign(Page(html))) == []


@pytest.mark.parametrize(
    ("link", "told"),
    [
        ("other.html", ""),
        ("other.html#there", ""),
        ("#here", ""),
        ("folder/", ""),
        ("https://example.org/x#y", ""),
        ("other.html#iteration=3", ""),
        ("nowhere.html", "leads nowhere"),
        ("other.html#nowhere", "leads to no place"),
        ("#nowhere", "leads to no place"),
        ("../outside.html", "leads nowhere"),
        ("%6Fther.html", ""),
    ],
)
def test_a_link_that_leads_nowhere_is_named(tmp_path: Path, link: str, told: str) -> None:
    site = tmp_path / "site"
    (site / "folder").mkdir(parents=True)
    (tmp_path / "outside.html").touch()
    texts = {"index.html": f'<p id="here"><a href="{link}">x</a></p>', "other.html": '<h2 id="there">x</h2>'}
    texts["folder/index.html"] = ""
    for name, text in texts.items():
        (site / name).write_text(text)
    pages = {site / name: Page(text) for name, text in texts.items()}
    found = list(lost(site / "index.html", pages[site / "index.html"], pages, site))
    assert [told in each for each in found] == [True] * bool(told)


def test_only_the_listed_pages_are_published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site_faults, "listed", lambda: ["index.md", "a.md"])
    (tmp_path / "step").mkdir()
    for name in ("index.html", "404.html", "step/course.html", "notes.html"):
        (tmp_path / name).touch()
    assert list(unlisted(tmp_path)) == ["notes.html is published and not listed", "a.html is listed and not there"]


def test_a_first_view_that_is_too_large_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site_faults, "listed", lambda: ["index.md"])
    (tmp_path / "index.html").write_text('<img src="a.png">')
    (tmp_path / "a.png").write_bytes(bytes(1_900_000))
    assert list(site_faults.faults(tmp_path)) == []
    (tmp_path / "a.png").write_bytes(bytes(2_000_000))
    assert [each.startswith("index.html: the first view has 2,000,0") for each in site_faults.faults(tmp_path)] == [
        True
    ]


def test_every_page_of_the_documentation_is_listed() -> None:
    """A new page in docs/ is published, or it is said here why not."""
    pages = listed()
    assert len(pages) == len(set(pages))
    assert {path.name for path in (ROOT / "docs").glob("*.md")} <= set(pages)
    assert {path.stem for path in (ROOT / "examples").glob("*.ipynb")} == {
        Path(page).stem for page in pages if page.startswith("notebooks/")
    }
    assert all(path.is_file() for path in sources(pages).values())


def placed_at(text: str, docs: Path, name: str = "class.md") -> str:
    return placed(text, name, ROOT / "docs" / name, sources(listed()), docs)


def test_links_are_those_of_the_site(tmp_path: Path) -> None:
    text = (
        "<!-- run: tinyproof models -->\n[a](prove.md#what-it-does-in-order) [b](../README.md) [c](https://example.org)\n"
        "[d](../examples/train-digits.ipynb) [e](../examples/audit-workflow.yml)\n\n```text\n[f](nowhere.md)\n```\n"
    )
    assert placed_at(text, tmp_path) == (
        "[a](prove.md#what-it-does-in-order) [b](index.md) [c](https://example.org)\n"
        "[d](notebooks/train-digits.md) [e](files/examples/audit-workflow.yml)\n\n```text\n[f](nowhere.md)\n```\n"
    )
    assert (tmp_path / "files/examples/audit-workflow.yml").is_file()


def test_a_picture_keeps_its_place_and_has_a_dark_one(tmp_path: Path) -> None:
    told = placed_at("[![The page](images/page.png)](page.md) ![drawn](images/course.svg)", tmp_path)
    assert told.startswith(
        '[![The page](images/page.png#only-light){ width="1280" height="700" loading=lazy }![The page]('
    )
    assert "images/page-dark.png#only-dark" in told
    assert "](page.md) ![drawn](images/course.svg){ width=" in told
    assert (tmp_path / "images/page-dark.png").is_file()


@pytest.mark.parametrize("link", ["nowhere.md", "../SECURITY.md", "../../outside.txt", "images/nowhere.png"])
def test_a_page_with_a_link_that_the_site_cannot_hold_is_refused(tmp_path: Path, link: str) -> None:
    with pytest.raises(SiteError, match=r"class\.md: the link to "):
        placed_at(f"[x]({link})", tmp_path)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [("[x](a.md#nowhere)", "anchor does not exist"), ("[x](nowhere.md)", "page does not exist"), ("[x](a.md#b)", "")],
)
def test_a_warning_ends_the_build(tmp_path: Path, text: str, complaint: str) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "mkdocs.yml").write_text("site_name: x\nuse_directory_urls: false\ntheme:\n  font: false\n")
    (tmp_path / "docs" / "index.md").write_text(f"# x\n\n{text}\n")
    (tmp_path / "docs" / "a.md").write_text("# a\n\n## b\n")
    if complaint:
        with pytest.raises(SiteError, match=complaint):
            zensical(tmp_path)
    else:
        zensical(tmp_path)
        assert (tmp_path / "site" / "a.html").is_file()


def test_the_addresses_that_the_theme_knows_are_cut_out(tmp_path: Path) -> None:
    script = tmp_path / "assets" / "x.js"
    script.parent.mkdir()
    script.write_text('load("https://example.org/m.js");space="http://www.w3.org/2000/svg";t=`https://a.b/${c}`')
    cut(tmp_path)
    assert script.read_text() == 'load("");space="http://www.w3.org/2000/svg";t=``'


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    command = [sys.executable, str(ROOT / "tools" / "site.py"), "--out", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "holds something else than a site" in done.stderr
    assert (tmp_path / "thesis.txt").read_text() == "mine"


@pytest.mark.parametrize("where", ["a.txt", "a.txt/site"])
def test_a_file_in_the_way_is_said_before_any_work(tmp_path: Path, where: str) -> None:
    (tmp_path / "a.txt").touch()
    with pytest.raises(SiteError, match=r"a\.txt is a file; name a folder"):
        check(tmp_path / where, None)


def test_what_is_missing_is_said_before_any_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SiteError, match=r"nowhere\.tgz is no file"):
        check(tmp_path / "site", tmp_path / "nowhere.tgz")
    check(tmp_path / "site", None)
    monkeypatch.setattr("tools.site.NEEDED", ("json", "no_such_package"))
    with pytest.raises(SiteError, match=r"^no_such_package cannot be imported: pip install "):
        check(tmp_path / "site", None)


def test_a_site_is_replaced_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made, out = tmp_path / "made", tmp_path / "deep" / "site"
    made.mkdir()
    (made / "index.html").write_text("new")
    put(made, out)
    assert (out / "index.html").read_text() == "new"
    (out / "index.html").write_text("old")
    (out / "gone.html").touch()
    with monkeypatch.context() as stopped:
        stopped.setattr("shutil.copytree", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            put(made, out)
    assert sorted(path.name for path in out.iterdir()) == ["gone.html", "index.html"]
    put(made, out)
    assert (out / "index.html").read_text() == "new"
    assert [path.name for path in out.iterdir()] == ["index.html"]
    assert [path.name for path in out.parent.iterdir()] == ["site"]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), AssertionError(), Stopped("stopped")])
def test_whoever_stops_it_reads_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: BaseException
) -> None:
    """Also where what is interrupted ends with an error of its own."""

    def build(out: Path, pyodide: Path | None, whole: bool) -> None:
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            raise error from None

    monkeypatch.setattr("tools.site.build", build)
    monkeypatch.setattr("sys.argv", ["site.py", "--out", str(tmp_path / "site")])
    before = signal.getsignal(signal.SIGINT)
    try:
        assert main() == 130
    finally:
        signal.signal(signal.SIGINT, before)
    assert capsys.readouterr().err == f"site: stopped; {tmp_path / 'site'} is as it was\n"


def test_the_first_screen_shows_the_command_that_the_record_answers() -> None:
    """The command as declared, the target of the verdict, the number of parameters: all from the record."""
    of = site_live.facts(site_live.THIRTY)
    assert of == {"model": "s7-8k", "seeds": 30, "target": 99.5, "parameters": 7904}
    assert site_live.declared() == "tinyproof prove s7-8k --seeds 30 --target 99.5"
    assert site_live.proved().endswith("the target is 99.5 %")
    assert site_live.facts(site_live.PROVED)["parameters"] == 7820


def test_no_figure_is_typed_where_a_record_has_it() -> None:
    for part in site_live.PARTS.glob("*.md"):
        text = part.read_text(encoding="utf-8").replace("fewer than 8,000 parameters", "")
        assert not re.search(r"\d,\d{3}|\d MB|--seeds", text), part.name


def test_what_is_left_out_is_said(tmp_path: Path) -> None:
    assert [*site_live.audit_page(tmp_path, None)] == [
        "left out: the audit in a browser, for $TINYPROOF_PYODIDE names no file (npm pack pyodide)"
    ]


def test_formulas_are_marked_where_they_differ() -> None:
    assert site_live.marked("a*b*c*d", "a*b*x*d") == ("…*<mark>c</mark>*d", "…*<mark>x</mark>*d")


def test_a_notebook_becomes_markdown_with_what_it_prints(tmp_path: Path) -> None:
    import nbformat

    book = nbformat.v4.new_notebook()
    book.cells = [
        nbformat.v4.new_markdown_cell("# Title"),
        nbformat.v4.new_code_cell("print(6 * 7)"),
        nbformat.v4.new_code_cell("from IPython.display import HTML\nHTML('<b>a</b>\\n\\n<i>b</i>')"),
    ]
    path = tmp_path / "book.ipynb"
    nbformat.write(book, path)
    text = site_pages.notebook(path, tmp_path / "out")
    assert text.startswith("# Title\n\n```python\nprint(6 * 7)\n```\n\n```text\n42\n```\n")
    assert '<div class="shown">\n<b>a</b>\n<i>b</i>\n</div>' in text
    book.cells.append(nbformat.v4.new_code_cell("1 / 0"))
    nbformat.write(book, path)
    with pytest.raises(SiteError, match=r"(?s)book\.ipynb cannot be executed: .*ZeroDivisionError"):
        site_pages.notebook(path, tmp_path / "out")


def test_a_site_with_faults_replaces_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out, found = tmp_path / "site", ["index.html: no such page: lost.html"]
    out.mkdir()
    for name in ("index.html", "sitemap.xml"):
        (out / name).write_text("before", encoding="utf-8")

    def made(work: Path, *_: object) -> list[str]:
        for name in ("site", "live"):
            (work / name).mkdir(exist_ok=True)
        (work / "site" / "index.html").write_text("after", encoding="utf-8")
        return []

    for name, stand_in in {"check": lambda *_: None, "stage": made, "zensical": made, "cut": lambda _: None}.items():
        monkeypatch.setattr(f"tools.site.{name}", stand_in)
    monkeypatch.setattr("tools.site.faults", lambda _: iter(found))
    monkeypatch.setattr("sys.argv", ["site.py", "--out", str(out)])
    before = signal.getsignal(signal.SIGINT)
    try:
        assert main() == 1
        assert (out / "index.html").read_text(encoding="utf-8") == "before"
        assert capsys.readouterr().err == f"site: {found[0]}\nsite: {out} is as it was\n"
        found.clear()
        assert main() == 0
    finally:
        signal.signal(signal.SIGINT, before)
    assert (out / "index.html").read_text(encoding="utf-8") == "after"


def test_a_page_that_is_left_out_ends_the_build_of_a_release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tools.site.stage", lambda *_: iter(["left out: the page that reads digits"]))
    monkeypatch.setattr("tools.site.check", lambda *_: None)
    assert build(tmp_path / "site", None, whole=True) == ["left out: the page that reads digits"]
    assert list(tmp_path.iterdir()) == []
