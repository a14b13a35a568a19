"""Files from strangers: bounded time and memory, one clear line, nothing fetched or executed, and the rest goes on."""

from __future__ import annotations

import io
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from tests import peak_memory
from tests.workbook.mutants import right

from tinyproof.api.audit import audit
from tinyproof.check.workbook import audit_workbook
from tinyproof.check.workbook.read.cells import read_book
from tinyproof.check.workbook.read.open_book import open_book
from tinyproof.core.errors import DataError

Cli = Callable[..., CompletedProcess[str]]

BOOK = (
    '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">'
    '<sheets><sheet name="S" sheetId="1" r:id="rId1"/></sheets></workbook>'
)
RELS = (
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="rId1" '
    'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/{kind}" '
    'Target="{target}"/></Relationships>'
)
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def workbook(path: Path, sheet: str | bytes, **more: str | bytes) -> Path:
    """A minimal workbook around the XML of one sheet."""
    parts: dict[str, str | bytes] = {
        "_rels/.rels": RELS.format(kind="officeDocument", target="xl/workbook.xml"),
        "xl/workbook.xml": BOOK,
        "xl/_rels/workbook.xml.rels": RELS.format(kind="worksheet", target="worksheets/sheet1.xml"),
        "xl/worksheets/sheet1.xml": sheet,
        **{name.replace("__", "/"): content for name, content in more.items()},
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


def cells(*rows: str, head: str = "") -> str:
    return f'<worksheet xmlns="{MAIN}">{head}<sheetData>{"".join(rows)}</sheetData></worksheet>'


def formula(text: str, place: str = "A1") -> str:
    return f'<row r="1"><c r="{place}"><f>{text}</f><v>1</v></c></row>'


LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">'
    '<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]>' + cells('<row r="1"><c r="A1" t="str"><v>&c;</v></c></row>')
)
EXTERNAL = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]>' + cells(
    '<row r="1"><c r="A1" t="str"><v>&f;</v></c></row>'
)


def refused(path: Path) -> str:
    with pytest.raises(DataError) as caught:
        read_book(path)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_zip_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = workbook(tmp_path / "bomb.xlsx", cells() + " " * 200_000_000)
    assert path.stat().st_size < 1_000_000
    start = time.perf_counter()
    assert "zip bomb" in refused(path)
    assert time.perf_counter() - start < 1


def test_bomb_of_many_parts_is_refused(tmp_path: Path) -> None:
    more = {f"xl__media__{n}.bin": b"" for n in range(6_000)}
    assert "parts" in refused(workbook(tmp_path / "parts.xlsx", cells(), **more))


@pytest.mark.parametrize("sheet", [LAUGHS, EXTERNAL], ids=["entities", "external entity"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_entities_are_refused_in_sheets(sheet: str, encoding: str, tmp_path: Path) -> None:
    assert "not plain XML" in refused(workbook(tmp_path / "x.xlsx", sheet.encode(encoding)))


def test_entities_are_refused_in_the_workbook_too(tmp_path: Path) -> None:
    path = tmp_path / "x.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("_rels/.rels", RELS.format(kind="officeDocument", target="xl/workbook.xml"))
        archive.writestr("xl/workbook.xml", LAUGHS.replace("<worksheet", "<workbook"))
    assert "not plain XML" in refused(path)


NOT_WORKBOOKS = {
    "renamed pdf": (b"%PDF-1.7\n%abc", "PDF"),
    "encrypted or old": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "encrypted"),
    "empty": (b"", "empty"),
    "html": (b"<html><body>moved</body></html>", "HTML"),
    "text": (b"w1,w2\n1,2\n", "not an .xlsx"),
    "cut off": (b"PK\x03\x04" + b"\0" * 100, "damaged"),
}


@pytest.mark.parametrize("name", NOT_WORKBOOKS)
def test_what_is_no_workbook_is_said_in_one_line(name: str, tmp_path: Path) -> None:
    content, words = NOT_WORKBOOKS[name]
    path = tmp_path / "sheet.xlsx"
    path.write_bytes(content)
    assert words in refused(path)


def test_half_written_workbook(tmp_path: Path) -> None:
    whole = right(1).write(tmp_path).read_bytes()
    path = tmp_path / "half.xlsx"
    path.write_bytes(whole[: len(whole) // 2])
    assert "damaged or half-written" in refused(path)


def test_zip_without_a_workbook(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("word/document.xml", "<x/>")
    path = tmp_path / "letter.xlsx"
    path.write_bytes(buffer.getvalue())
    assert "without a workbook" in refused(path)


HARMLESS = {
    "a million rows in the dimension": cells(formula("1+1"), head='<dimension ref="A1:XFD1048576"/>'),
    "a formula of 8,000 characters": cells(formula("+".join(["A2"] * 2_600))),
    "brackets 4,000 deep": cells(formula("(" * 4_000 + "1" + ")" * 4_000)),
    "signs 4,000 deep": cells(formula("-" * 4_000 + "1")),
    "a link to another file": cells(formula("[1]Sheet1!A1+A2")),
    "a web service": cells(formula("WEBSERVICE(&quot;http://127.0.0.1:9/&quot;)")),
    "a circle": cells(formula("A1+1")),
    "a range of every cell": cells(formula("SUM(A1:XFD1048576)")),
    "an error value": cells('<row r="1"><c r="A1" t="e"><f>1/0</f><v>#DIV/0!</v></c></row>'),
    "a shared formula without its master": cells('<row r="1"><c r="A1"><f t="shared" si="7"/><v>1</v></c></row>'),
    "a cell without its place": cells("<row><c><v>1</v></c><c><f>A1</f></c></row>"),
    "elements 20,000 deep": cells("<x>" * 20_000 + "</x>" * 20_000),
}


@pytest.mark.parametrize("name", HARMLESS)
def test_odd_sheets_are_read_and_not_decided_within_a_second(name: str, tmp_path: Path) -> None:
    path = workbook(tmp_path / "odd.xlsx", HARMLESS[name])
    start = time.process_time()
    report = audit(path).files[0]
    assert report.status in ("undecided", "unreadable"), report
    assert report.problem
    assert "internal error" not in report.problem
    assert time.process_time() - start < 2


def _long_row(row: int) -> str:
    return f'<row r="{row}">' + "".join(f"<c><v>{row * col % 977}</v></c>" for col in range(1_000)) + "</row>"


BROKEN = {
    "a cell outside the sheet": (cells('<row r="1"><c r="ZZZ9999999"><v>1</v></c></row>'), "outside the sheet"),
    "a number that is none": (cells('<row r="1"><c r="A1"><v>abc</v></c></row>'), "that can be read"),
    "unfinished XML": (f'<worksheet xmlns="{MAIN}"><sheetData><row>', "that can be read"),
    "too many cells": (
        cells(*(_long_row(row) for row in range(1, 402))), "filled cells",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_broken_sheets_are_refused_with_a_reason(name: str, tmp_path: Path) -> None:
    sheet, words = BROKEN[name]
    assert words in refused(workbook(tmp_path / "broken.xlsx", sheet))


def test_hostile_table_of_deep_formulas_is_bounded(tmp_path: Path) -> None:
    """A whole training table of long formulas: the repairs that are tried are bounded too."""
    sheet = right(3)
    for row in range(sheet.sheet.first, sheet.sheet.last + 1):
        long = "+".join(["1"] * 700)
        sheet.cells[row, sheet.sheet.at["dE/dw1"]] = f"={long}+{sheet.sheet.ref('w1', row)}*0"
    start = time.process_time()
    report = audit(sheet.write(tmp_path)).files[0]
    assert report.status == "wrong"
    assert time.process_time() - start < 20


def test_one_unreadable_file_never_stops_the_rest(tmp_path: Path, cli: Cli) -> None:
    right(1).write(tmp_path)
    (tmp_path / "a\x1b[31m.xlsx").write_bytes(b"%PDF-")
    (tmp_path / "cut.xlsx").write_bytes(b"PK\x03\x04")
    (tmp_path / "notes.bin").write_bytes(b"\0\1\2")
    done = cli("audit", tmp_path)
    assert done.returncode == 1
    assert "1 right, 2 unreadable" in done.stdout
    assert "\x1b" not in done.stdout
    assert "Traceback" not in done.stderr


def test_csv_and_html_are_safe_to_open(tmp_path: Path, cli: Cli) -> None:
    broken = right(2)
    broken.title = "<b>=cmd|"
    sheet = broken.sheet
    broken.cells[sheet.plan.row, sheet.at["h1"]] = "=1+1"
    for row in range(sheet.first, sheet.last + 1):
        broken.cells[row, sheet.at["dE/dw1"]] = "=" + sheet.ref("w1", row)
    path = broken.write(tmp_path)
    path.rename(tmp_path / "=evil.xlsx")
    done = cli("audit", tmp_path / "=evil.xlsx", "--csv", tmp_path / "out.csv", "--html", tmp_path / "out.html")
    assert done.returncode == 1, done.stderr
    page = (tmp_path / "out.html").read_text(encoding="utf-8")
    assert "<b>=cmd" not in page
    assert "&lt;b&gt;=cmd" in page
    import csv

    with (tmp_path / "out.csv").open(newline="", encoding="utf-8") as file:
        fields = [field for line in csv.reader(file) for field in line]
    assert not [field for field in fields if field[:1] in ("=", "+", "-", "@")]


def big(unit: str, count: int = 200_001) -> str:
    """Many different elements, so that they do not pack like a bomb."""
    return "".join(unit.format(number) for number in range(count))


# Each within 400 : 1, far below the 300 MB that are unpacked; the sheet, then what the one line says.
LARGE = {
    "elements of no use": (cells(big("<x>{}</x>", 2_000_001)), "more than 4,000,000 XML tags"),
    "nested without end": (cells(big('<x a="{}">', 500_000)), "nested too deeply"),
}


@peak_memory.readable
@pytest.mark.parametrize("name", LARGE)
def test_xml_of_many_megabytes_is_one_line_in_bounded_memory(name: str, tmp_path: Path) -> None:
    sheet, words = LARGE[name]
    path = workbook(tmp_path / "large.xlsx", sheet)
    assert words in refused(path)
    assert peak_of(path) < 400


@peak_memory.readable
def test_one_text_of_sixty_megabytes_is_read_in_bounded_memory(tmp_path: Path) -> None:
    text = cells(f'<row r="1"><c r="A1" t="str"><v>{big("{:x}.", 8_000_000)}</v></c></row>')
    path = workbook(tmp_path / "text.xlsx", text)
    assert read_book(path).sheets[0].cells[1, 1].value
    assert peak_of(path) < 600


def peak_of(path: Path) -> float:
    """The most memory, in MB, that a process takes that reads this workbook and says nothing else."""
    program = "import sys\nfrom tinyproof.check.workbook import audit_workbook\naudit_workbook(sys.argv[1], 'x')\n"
    return peak_memory.peak_bytes(program, str(path)) / 2**20


def test_a_list_of_names_of_many_megabytes_is_refused_unread(tmp_path: Path) -> None:
    names = big('<definedName name="n{0}">S!$A${0}</definedName>', 400_000)
    path = workbook(tmp_path / "names.xlsx", cells())
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts["xl/workbook.xml"] = BOOK.replace("</workbook>", f"<definedNames>{names}</definedNames></workbook>").encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    assert "of more than 10,000,000 bytes" in refused(path)


@pytest.mark.parametrize("name", ["UTFm*", "rot13", "undefined", "utf-16-lf"])
@pytest.mark.parametrize("part", ["sheet", "workbook", "flat"])
def test_an_encoding_that_is_none_is_one_line(name: str, part: str, tmp_path: Path) -> None:
    declared = f'<?xml version="1.0" encoding="{name}"?>'
    if part == "sheet":
        path = workbook(tmp_path / "x.xlsx", declared + cells())
    elif part == "workbook":
        path = tmp_path / "x.xlsx"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("_rels/.rels", RELS.format(kind="officeDocument", target="xl/workbook.xml"))
            archive.writestr("xl/workbook.xml", declared + "<workbook/>")
    else:
        path = tmp_path / "x.fods"
        path.write_text(f'{declared}<a xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"/>')
    with pytest.raises(DataError, match=r"^x\.(xlsx|fods): [^\n]+$"):
        open_book(path)


@pytest.mark.parametrize("before", ["<!-- a -->", "<!-- <worksheet> -->", "<?a <b> ?>", f"<!-- <a {' ' * 70_000}-->"])
@pytest.mark.parametrize("kind", ["xlsx", "fods"])
def test_a_comment_before_a_document_type_hides_nothing(before: str, kind: str, tmp_path: Path) -> None:
    declared = LAUGHS.partition("?>")[2]
    sheet = f'<?xml version="1.0"?>{before}{declared}'
    if kind == "xlsx":
        assert "not plain XML" in refused(workbook(tmp_path / "x.xlsx", sheet))
        return
    path = tmp_path / "x.fods"
    path.write_text(sheet.replace("worksheet", "office:opendocument"), encoding="utf-8")
    report = audit(path, quiet=True).files[0]
    assert report.status == "unreadable"


def test_a_comment_before_the_sheet_is_read_over(tmp_path: Path) -> None:
    path = workbook(tmp_path / "x.xlsx", f"<?xml version='1.0'?><!-- <!DOCTYPE x> -->{cells(formula('1+1'))}")
    assert read_book(path).sheets[0].cells[1, 1].formula == "=1+1"


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_part_that_cannot_be_unpacked_is_one_line(method: int, tmp_path: Path) -> None:
    path = tmp_path / "x.xlsx"
    with zipfile.ZipFile(workbook(path, cells(formula("1+1")))) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    whole = path.read_bytes()
    for at in range(60, 160, 3):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :])
        report = audit_workbook(path, "x.xlsx")
        assert "internal error" not in report.problem
