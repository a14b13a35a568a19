"""The same sheet as .xlsx, .ods, .fods, .csv in several languages and as Google Sheets writes it: the same answer."""

from __future__ import annotations

import re
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from html import escape
from pathlib import Path

import pytest
from tests.workbook.mutants import Mutant, mutant, numbers, right
from tests.workbook.sheets import Cells, name
from tests.workbook.test_hostile import cells as worksheet
from tests.workbook.test_hostile import workbook

from tinyproof.api.audit import audit
from tinyproof.api.file_kinds import kind_of
from tinyproof.check.finding import FileReport
from tinyproof.check.workbook import audit_workbook
from tinyproof.check.workbook.read.delimited import read_delimited
from tinyproof.check.workbook.read.function_names import in_english
from tinyproof.check.workbook.read.open_book import open_book
from tinyproof.check.workbook.read.openformula import as_excel
from tinyproof.core.errors import DataError

REF = re.compile(r"(?<![A-Za-z$\d])(\$?[A-Z]{1,3}\$?\d+)(?![\d(])")
SPACES = (
    'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
    'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"'
)
TYPE = "application/vnd.oasis.opendocument.spreadsheet"


def ods_cell(held: str | float | None, number: float | None) -> str:
    if held is None:
        return "<table:table-cell/>"
    if isinstance(held, str) and held.startswith("="):
        formula = escape("of:" + REF.sub(r"[.\1]", held).replace(",", ";"))
        value = f' office:value-type="float" office:value="{number!r}"' if number is not None else ""
        return f'<table:table-cell table:formula="{formula}"{value}/>'
    if isinstance(held, str):
        return f'<table:table-cell office:value-type="string"><text:p>{escape(held)}</text:p></table:table-cell>'
    return f'<table:table-cell office:value-type="float" office:value="{held!r}"/>'


def content(rows: str, more: str = "", title: str = "S") -> str:
    body = f'<table:table table:name="{escape(title)}">{rows}</table:table>{more}'
    sheets = f"<office:body><office:spreadsheet>{body}</office:spreadsheet></office:body>"
    return f"<office:document-content {SPACES}>{sheets}</office:document-content>"


def ods_rows(made: Cells) -> str:
    known = numbers(made)
    wide = max(col for _, col in made)
    lines = []
    for row in range(1, max(row for row, _ in made) + 1):
        line = "".join(ods_cell(made.get((row, col)), known.get((row, col))) for col in range(1, wide + 1))
        lines.append(f"<table:table-row>{line}</table:table-row>")
    return "".join(lines)


def pack(path: Path, xml: str | bytes, **more: str) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", TYPE)
        archive.writestr("content.xml", xml)
        for part, text in more.items():
            archive.writestr(part.replace("__", "/"), text)
    return path


def as_ods(made: Mutant, folder: Path) -> Path:
    return pack(folder / "a.ods", content(ods_rows(made.cells), title=made.title or "S"))


def as_fods(made: Mutant, folder: Path) -> Path:
    path = folder / "a.fods"
    xml = content(ods_rows(made.cells), title=made.title or "S").replace("document-content", "document")
    path.write_text('<?xml version="1.0" encoding="UTF-8"?>\n' + xml, encoding="utf-8")
    return path


GERMAN = {"IF": "WENN", "MAX": "MAX", "POWER": "POTENZ", "TANH": "TANHYP", "SUM": "SUMME"}
FRENCH = {"IF": "SI", "POWER": "PUISSANCE", "SUM": "SOMME"}


def as_csv(made: Mutant, folder: Path, separator: str, words: dict[str, str], coding: str) -> Path:
    """As a program of that language shows its formulas: a decimal comma where `;` is the separator."""

    def shown(held: str | float | None) -> str:
        if held is None:
            return ""
        comma = separator == ";"
        text = str(held) if not isinstance(held, float) else repr(held)
        if isinstance(held, str) and not held.startswith("="):
            return f'"{held}"'
        if isinstance(held, str) and comma:
            text = re.sub(r"[A-Z]+(?=\()", lambda m: words.get(m[0], m[0]), text.replace(",", ";"))
        if comma:
            text = re.sub(r"(?<=\d)\.(?=\d)", ",", text)
        return f'"{text}"' if separator in text else text

    rows = max(row for row, _ in made.cells)
    cols = max(col for _, col in made.cells)
    lines = [separator.join(shown(made.cells.get((r, c))) for c in range(1, cols + 1)) for r in range(1, rows + 1)]
    path = folder / "a.csv"
    path.write_bytes("\n".join(lines).encode(coding))
    return path


def as_google(made: Mutant, folder: Path) -> Path:
    """As Google Sheets exports: every formula in full, texts in the cells, numbers of ten digits."""
    known = numbers(made.cells)
    lines = []
    for row in range(1, max(row for row, _ in made.cells) + 1):
        line = ""
        for (r, col), held in sorted(made.cells.items()):
            if r != row:
                continue
            if isinstance(held, str) and held.startswith("="):
                text = held[1:]
                if "*" in text and col % 5 == 0:
                    quoted = text.replace('"', '""')
                    text = f'IFERROR(__xludf.DUMMYFUNCTION("ARRAYFORMULA({quoted})"),{known[r, col]:.10g})'
                line += f'<c r="{name(r, col)}"><f>{escape(text)}</f><v>{known[r, col]:.10g}</v></c>'
            elif isinstance(held, str):
                line += f'<c r="{name(r, col)}" t="inlineStr"><is><t>{escape(held)}</t></is></c>'
            else:
                line += f'<c r="{name(r, col)}"><v>{held!r}</v></c>'
        lines.append(f'<row r="{row}">{line}</row>')
    return workbook(folder / "a.xlsx", worksheet(*lines))


WRITERS: dict[str, Callable[[Mutant, Path], Path]] = {
    "ods": as_ods,
    "flat ods": as_fods,
    "csv": lambda m, f: as_csv(m, f, ",", {}, "utf-8"),
    "csv with tabs": lambda m, f: as_csv(m, f, "\t", {}, "utf-16"),
    "German csv": lambda m, f: as_csv(m, f, ";", GERMAN, "utf-8-sig"),
    "French csv": lambda m, f: as_csv(m, f, ";", FRENCH, "utf-8"),
    "Google Sheets": as_google,
}


def told(report: FileReport) -> object:
    """What the answer is, without the sheet's name, which a text file has not."""
    kinds = ("rate-label", "chart-range", "stale-values")
    findings = [(f.rule, f.severity, f.place.column, f.place.cells, f.fix) for f in report.findings  # type: ignore[union-attr]
                if f.rule not in kinds]  # fmt: skip
    return report.status, findings, [line.partition(": ")[2] for line in report.checked if "columns" in line]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", WRITERS)
def test_a_right_sheet_is_right_in_every_format(kind: str, seed: int, tmp_path: Path) -> None:
    made = right(300 + seed)
    expected = audit_workbook(made.write(tmp_path))
    assert expected.status == "right"
    assert told(audit_workbook(WRITERS[kind](made, tmp_path))) == told(expected)


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("mistake", ["wrong-gradient", "wrong-update", "wrong-forward", "inconsistent-rows"])
@pytest.mark.parametrize("kind", WRITERS)
def test_a_wrong_sheet_is_wrong_at_the_same_cell(kind: str, mistake: str, seed: int, tmp_path: Path) -> None:
    made = mutant(mistake, 320 + seed)
    expected = audit_workbook(made.write(tmp_path))
    assert expected.status == "wrong"
    assert told(audit_workbook(WRITERS[kind](made, tmp_path))) == told(expected)


@pytest.mark.parametrize(
    ("written", "excel"),
    [
        ("of:=[.A1]+[.$B$2]*[.C$3]", "=A1+$B$2*C$3"),
        ("of:=SUM([.A1:.B3];1)", "=SUM(A1:B3,1)"),
        ("of:=[$Data.$A$1]-['my sheet'.B2]", "=Data!$A$1-'my sheet'!B2"),
        ('of:=IF([.A1]>0;"a;b[.C1]";0)', '=IF(A1>0,"a;b[.C1]",0)'),
        ("oooc:=[.A1]*2", "=A1*2"),
        ("of:=SUMPRODUCT([.A1:.A3];{1;2|3;4})", "=SUMPRODUCT(A1:A3,{1;2|3;4})"),
        ("=[.A1]", "=A1"),
    ],
)
def test_openformula_is_written_as_excel_has_it(written: str, excel: str) -> None:
    assert as_excel(written) == excel


def test_functions_of_other_languages() -> None:
    assert in_english('=WENN(A1>0;POTENZ(A1;2);"WENN(")') == '=IF(A1>0;POWER(A1;2);"WENN(")'
    assert in_english("=SOMME(A1:A3)+RACINE(4)+EXP(1)") == "=SUM(A1:A3)+SQRT(4)+EXP(1)"
    assert in_english("=MATR.SOMMA.PRODOTTO(A1:A2;B1:B2)") == "=SUMPRODUCT(A1:A2;B1:B2)"


def test_names_repeats_and_arrays_of_an_ods(tmp_path: Path) -> None:
    rows = (
        '<table:table-row table:number-rows-repeated="3"><table:table-cell table:number-columns-repeated="16384"/>'
        "</table:table-row>"
        '<table:table-row table:number-rows-repeated="2"><table:table-cell table:number-columns-repeated="2" '
        'office:value-type="float" office:value="0.5"/><table:covered-table-cell/>'
        '<table:table-cell table:formula="of:=RATE_*2" office:value-type="float" office:value="1"/></table:table-row>'
        '<table:table-row><table:table-cell table:formula="of:=MMULT([.A1:.B2];[.A1:.B2])" '
        'table:number-matrix-columns-spanned="2" table:number-matrix-rows-spanned="2" office:value-type="float" '
        'office:value="1"/></table:table-row>'
        '<table:table-row table:number-rows-repeated="1048570"><table:table-cell/></table:table-row>'
    )
    named = (
        '<table:named-expressions><table:named-range table:name="rate_" table:cell-range-address="$S.$B$1"/>'
        "</table:named-expressions>"
    )
    book = open_book(pack(tmp_path / "a.ods", content(rows, named)))
    sheet = book.sheets[0]
    assert sorted(sheet.cells) == [(4, 1), (4, 2), (4, 4), (5, 1), (5, 2), (5, 4), (6, 1)]
    assert sheet.cells[4, 4].formula == "=RATE_*2"
    assert sheet.cells[6, 1].kind == "x"
    assert book.names == {("rate_", ""): "S!$B$1"}


def test_a_csv_without_formulas_says_so(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("x,y\n1,2\n3,4\n", encoding="utf-8")
    report = audit(path).files[0]
    assert (report.kind, report.status) == ("workbook", "nothing to judge")
    assert "no formula" in report.problem
    assert not audit(tmp_path).files  # in a folder it is data, and no submission


def test_numbers_of_a_csv() -> None:
    book = read_delimited(b'a;b\n0,5;"1,25"\n-3;50%\n', "a.csv")
    values = {place: cell.value for place, cell in book.sheets[0].cells.items()}
    assert values == {(1, 1): "a", (1, 2): "b", (2, 1): 0.5, (2, 2): 1.25, (3, 1): -3.0, (3, 2): 0.5}


def test_what_a_file_is_its_content_says(tmp_path: Path) -> None:
    made = right(301)
    ods = as_ods(made, tmp_path).rename(tmp_path / "sheet.xlsx")
    assert kind_of(ods) == "workbook"
    assert audit_workbook(ods).status == "right"


# Bad input -----------------------------------------------------------------------------------------------------------

LAUGHS = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>'
NUMBER = '<table:table-cell table:number-columns-repeated="{n}" office:value-type="float" office:value="1"/>'
BAD_ODS: dict[str, tuple[Callable[[Path], Path], str]] = {
    "a bomb": (lambda p: pack(p, content("") + " " * 200_000_000), "zip bomb"),
    "a document type": (lambda p: pack(p, LAUGHS + content("")), "not plain XML"),
    "a million filled rows": (
        lambda p: pack(p, content(
            f'<table:table-row table:number-rows-repeated="1048576">{NUMBER.format(n=9)}</table:table-row>'
        )),
        "filled cells",
    ),
    "a row that is too wide": (lambda p: pack(p, content(
        f"<table:table-row>{NUMBER.format(n=99999)}</table:table-row>"
    )), "outside the sheet"),
    "a password": (
        lambda p: pack(p, "x", **{"META-INF__manifest.xml": "<m><encryption-data/></m>"}), "without a password",
    ),
    "cut off": (lambda p: pack(p, content("<table:table-row>")[:-60]), "that can be read"),
    "no content": (lambda p: _without_content(p), "without a content"),
}  # fmt: skip


def _without_content(path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", TYPE)
    return path


@pytest.mark.parametrize("case", BAD_ODS)
def test_a_bad_ods_gets_one_line(case: str, tmp_path: Path) -> None:
    make, words = BAD_ODS[case]
    report = audit_workbook(make(tmp_path / "bad.ods"))
    assert report.status == "unreadable"
    assert words in report.problem
    assert "\n" not in report.problem


@pytest.mark.parametrize("formula", ["of:=['file:///etc/passwd'#$S.A1]", 'of:=WEBSERVICE("http://127.0.0.1:9")'])
def test_nothing_is_fetched_for_an_ods(formula: str, tmp_path: Path) -> None:
    rows = f'<table:table-row><table:table-cell table:formula="{escape(formula)}"/></table:table-row>'
    report = audit_workbook(pack(tmp_path / "a.ods", content(rows), Basic__Standard__m="Sub x\nEnd Sub"))
    assert report.status == "undecided"
    assert "the workbook has macros; they were not run" in report.checked
    assert ("links to other files" in " ".join(report.checked)) == ("file:" in formula)


BAD_TEXT = {
    "a picture": (b"\x89PNG\r\n\x1a\n", "picture"),
    "zeros": (b"a,b\0\0\0\n", "not a text file"),
    "nothing": (b"", "empty"),
    "a page": (b"<html><body>a,b</body></html>", "HTML"),
}


@pytest.mark.parametrize("case", BAD_TEXT)
def test_a_bad_csv_gets_one_line(case: str, tmp_path: Path) -> None:
    held, words = BAD_TEXT[case]
    path = tmp_path / "bad.csv"
    path.write_bytes(held)
    with pytest.raises(DataError) as caught:
        open_book(path)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_csv_of_a_million_cells_is_bounded(tmp_path: Path) -> None:
    path = tmp_path / "big.csv"
    path.write_bytes(b"1,2,3,4,5\n" * 90_000)
    assert "filled cells" in audit_workbook(path).problem


def test_a_circle_over_sheets_and_a_long_formula_are_undecided(tmp_path: Path) -> None:
    long = "of:=" + "+".join(["[.A1]"] * 3_000)
    row = '<table:table-row><table:table-cell table:formula="{f}"/></table:table-row>'
    second = f'<table:table table:name="T">{row.format(f="of:=[$S.A1]+1")}</table:table>'
    rows = row.format(f="of:=[$T.A1]+1") + row.format(f=long)
    report = audit_workbook(pack(tmp_path / "a.ods", content(rows, second)))
    assert (report.status, report.findings) == ("undecided", ())
    assert "3 formulas" in report.problem


OTHERS = {
    "old.xls": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600 + "Workbook".encode("utf-16-le"), "an old .xls file"),
    "locked.xlsx": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), "without a password"),
}


@pytest.mark.parametrize("file", OTHERS)
def test_an_old_or_locked_workbook_gets_the_remedy(file: str, tmp_path: Path) -> None:
    held, words = OTHERS[file]
    (tmp_path / file).write_bytes(held)
    report = audit(tmp_path).files[0]
    assert report.status == "unreadable"
    assert words in report.problem
    assert ("--convert" in report.problem) == (file == "old.xls")


@pytest.mark.parametrize(("part", "words"), [("Index/Document.iwa", "Numbers"), ("xl/workbook.bin", ".xlsb")])
def test_numbers_and_xlsb_get_the_remedy(part: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "a.numbers"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(part, b"x")
    report = audit(tmp_path).files[0]
    assert (report.kind, report.status) == ("workbook", "unreadable")
    assert words in report.problem
    assert "--convert" in report.problem


def test_without_libreoffice_the_conversion_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "old.xls").write_bytes(OTHERS["old.xls"][0])
    monkeypatch.setattr(shutil, "which", lambda _: None)
    report = audit_workbook(tmp_path / "old.xls", convert=True)
    assert "LibreOffice is not installed" in report.problem


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
def test_libreoffice_converts_an_old_file_when_it_is_asked_to(tmp_path: Path) -> None:
    made = mutant("wrong-gradient", 77)
    path = made.write(tmp_path)
    subprocess.run(
        ["soffice", "--headless", f"-env:UserInstallation=file://{tmp_path}/profile", "--convert-to", "xls",
         "--outdir", str(tmp_path / "old"), str(path)], check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    old = tmp_path / "old" / "submission.xls"
    assert audit_workbook(old).status == "unreadable"
    assert told(audit(old, convert=True).files[0]) == told(audit_workbook(path))
