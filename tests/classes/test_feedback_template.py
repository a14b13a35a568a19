"""A teacher's own words around the feedback: what is filled in is text, what is wrong in them is one line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tinyproof.api.audit import AuditResult
from tinyproof.check.finding import CodePlace, FileReport, Finding
from tinyproof.core.errors import DataError, InputError
from tinyproof.show.feedback_template import PLACES, load_template

Cli = Callable[..., CompletedProcess[str]]
HTML = "<!doctype html><title>$title</title><style>$style</style><h1>Dear ${name}</h1>$body<p>$points, $how: $$5</p>"
MARKDOWN = "Dear $name, $sentence ($status)\n\n$body\n\n$points\n"
EVIL = "<script>alert(1)</script>"


def result(name: str = "ada") -> AuditResult:
    finding = Finding("wrong-loss", "error", CodePlace("n.ipynb", 1, 1), f"a message {EVIL}")
    return AuditResult((FileReport(f"class/{name}/n.ipynb", "notebook", "wrong", (finding,), submission=name),))


def saved(folder: Path, name: str, text: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_both_kinds_are_filled_in(tmp_path: Path) -> None:
    own = [saved(tmp_path, "mine.html", HTML), saved(tmp_path, "mine.md", MARKDOWN)]
    asked = saved(tmp_path, "a.toml", "[points]\nfull = 9\n")
    page, text = (path.read_text() for path in result().feedback(tmp_path / "back", asked, own))
    assert page.startswith("<!doctype html><title>ada: wrong</title><style>")
    assert "<h1>Dear ada</h1>" in page
    assert "<p>6 of 9, wrong-loss -3: $5</p>" in page
    assert "a message &lt;script&gt;alert" in page
    assert ".finding.error" in page
    assert (
        text.splitlines()[2]
        == "Dear ada, Something is wrong; each mistake is below, with what to write instead. (wrong)"
    )
    assert "1. **error**, cell 1, line 1: a message" in text
    assert text.rstrip().endswith("6 of 9")


def test_the_body_fits_into_a_page_of_ones_own(tmp_path: Path) -> None:
    own = saved(tmp_path, "mine.html", "<!doctype html><title>$title</title><body><main><h1>$name</h1>$body</main>")
    page = next(path.read_text() for path in result().feedback(tmp_path / "back", templates=[own]))
    assert page.count("<main>") == page.count("</main>") == 1
    assert page.count("<div") == page.count("</div>") > 0
    assert 'id="class"' not in page
    plain = next(path.read_text() for path in result().feedback(tmp_path / "plain"))
    assert plain.count("<main>") == plain.count("</main>") == 1


def test_of_one_kind_the_other_is_as_ever(tmp_path: Path) -> None:
    page, text = (
        path.read_text() for path in result().feedback(tmp_path / "b", templates=[saved(tmp_path, "m.md", "$name")])
    )
    assert "<h1>ada</h1>" in page
    assert text.splitlines()[-1] == "ada"


def test_a_second_time_it_is_written_anew(tmp_path: Path) -> None:
    own = [saved(tmp_path, "mine.html", HTML), saved(tmp_path, "mine.md", MARKDOWN)]
    first = result().feedback(tmp_path / "back", templates=own)
    assert result().feedback(tmp_path / "back") == first


def test_names_of_strangers_are_text(tmp_path: Path) -> None:
    name = "<img src=x onerror=alert(1)> $body *a*"
    own = [saved(tmp_path, "mine.html", HTML), saved(tmp_path, "mine.md", MARKDOWN)]
    page, text = (path.read_text() for path in result(name).feedback(tmp_path / "back", templates=own))
    assert "<img" not in page
    assert "&lt;img src=x onerror=alert(1)&gt; $body *a*" in page
    assert "<img" not in text.replace("\\<", "")
    assert EVIL not in page
    assert "*a*" not in text.replace("\\*", "")


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("m.html", "a\n$nam", "template: '$nam' is not allowed; allowed: $name, $status"),
        ("m.md", "a\n\n cost: 5 $ ", "line 3"),
        ("m.md", "${body", "template: '$'"),
        ("m.md", "$body.upper()$1", "template: '$'"),
        ("m.txt", "$body", "a file that ends in .html or .md"),
        ("m.md", b"\xff\xfe", "is not UTF-8"),
    ],
)
def test_a_wrong_template_is_one_line(name: str, text: str | bytes, says: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        load_template(saved(tmp_path, name, text))
    assert says in str(error.value)
    assert "\n" not in str(error.value)


def test_a_template_is_bounded_and_one_of_a_kind(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="larger than"):
        load_template(saved(tmp_path, "big.md", "x" * 200_001))
    two = [saved(tmp_path, "a.md", "$body"), saved(tmp_path, "b.MD", "$body")]
    with pytest.raises(InputError, match="one of HTML, and one of Markdown"):
        result().feedback(tmp_path / "back", templates=two)
    assert not (tmp_path / "back").exists()


@pytest.mark.parametrize("place", PLACES)
def test_every_place_can_be_named(place: str, tmp_path: Path) -> None:
    path = saved(tmp_path, "m.html", f"[${place}]")
    page, _ = result().feedback(tmp_path / "back", saved(tmp_path, "a.toml", "[points]\nfull = 9\n"), [path])
    text = page.read_text()
    assert text.startswith("[")
    assert not text.startswith("[]")
    assert "$" + place not in text


def test_the_command_says_it_before_it_works(tmp_path: Path, cli: Cli) -> None:
    (tmp_path / "class").mkdir()
    bad = saved(tmp_path, "m.md", "$nam")
    done = cli("audit", tmp_path / "class", "--template", bad)
    assert (done.returncode, done.stderr.startswith("tinyproof: feedback is missing")) == (2, True)
    done = cli("audit", tmp_path / "class", "--template", bad, "--feedback", tmp_path / "back")
    assert (done.returncode, done.stderr.startswith("tinyproof: template: '$nam'")) == (2, True)
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "back").exists()
