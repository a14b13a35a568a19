"""The door to every kind of spreadsheet: what a file is, its content says, not its name."""

from __future__ import annotations

import zipfile
from pathlib import Path

from defusedxml import DefusedXmlException

from tinyproof.check.workbook.read.cells import MAX_FILE_BYTES, Book, read_book
from tinyproof.check.workbook.read.delimited import read_delimited
from tinyproof.check.workbook.read.ods import MIMETYPE, read_flat, read_ods
from tinyproof.check.workbook.read.xml_parts import BROKEN
from tinyproof.core.archives import opened
from tinyproof.core.errors import DataError, one_line
from tinyproof.core.files import read_bounded

_OLD = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_TEXT = (".csv", ".tsv", ".tab")
_NO_TEXT = (b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"{\\rtf", b"<html", b"<!DOCTYPE")
CONVERTIBLE = "save it as .xlsx, or let LibreOffice do it: tinyproof audit --convert"


def open_book(path: Path | str) -> Book:
    """Read an .xlsx, .xlsm, .ods, .fods or .csv file. Raises DataError that says what else it is, and the remedy."""
    shown = Path(path).name
    content = read_bounded(path, MAX_FILE_BYTES)
    remedy = needs_conversion(content)
    if remedy:
        raise DataError(shown, remedy)
    try:
        if content.startswith(b"PK\x03\x04"):
            with opened(content) as archive:
                if _is_ods(archive):
                    return read_ods(archive, shown)
        elif b"opendocument" in content[:2_000] and content.lstrip()[:1] == b"<":
            return read_flat(content, shown)
        elif shown.lower().endswith(_TEXT) and content and not content.startswith(_NO_TEXT):
            return read_delimited(content, shown)
    except zipfile.BadZipFile:
        pass  # the reader of .xlsx says what is wrong with it
    except DefusedXmlException as error:
        raise DataError(shown, "has a part that is not plain XML (it declares entities)") from error
    except BROKEN as error:
        what = f"{type(error).__name__}: {one_line(str(error), 100)}"
        raise DataError(shown, f"is not a workbook that can be read ({what})") from error
    return read_book(path)


def needs_conversion(content: bytes) -> str:
    """What a workbook is that another program must convert first, and the remedy; "" for every other file."""
    if content.startswith(_OLD):
        if "EncryptedPackage".encode("utf-16-le") in content:
            return ""  # a password: no program can help
        return f"is an old .xls file; {CONVERTIBLE}" if _holds(content, "Workbook", "Book") else ""
    if not content.startswith(b"PK\x03\x04"):
        return ""
    try:
        with opened(content) as archive:
            names = archive.namelist()[:5_000]
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return ""
    if any(name.endswith(".iwa") for name in names) or "Index.zip" in names:
        return f"is an Apple Numbers document; {CONVERTIBLE}"
    if any(name.lower() == "xl/workbook.bin" for name in names):
        return f"is a binary workbook (.xlsb); {CONVERTIBLE}"
    return ""


def _holds(content: bytes, *streams: str) -> bool:
    return any(name.encode("utf-16-le") in content for name in streams)


def _is_ods(archive: zipfile.ZipFile) -> bool:
    names = archive.namelist()
    if "mimetype" in names and archive.getinfo("mimetype").file_size < 200:
        return archive.read("mimetype").strip().startswith(MIMETYPE)
    return "content.xml" in names and not any(name.lower().startswith("xl/") for name in names)
