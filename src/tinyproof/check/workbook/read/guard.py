"""What is refused before a workbook is unpacked: other kinds of file, and bombs."""

from __future__ import annotations

import zipfile

from tinyproof.core.errors import DataError

MAX_UNPACKED_BYTES = 300_000_000
MAX_PARTS = 5_000
MAX_RATIO = 400  # a sheet of zeros packs about 50 : 1; a bomb thousands to one

_OTHERS = (
    (b"%PDF", "is a PDF document, not a workbook"),
    (b"\xd0\xcf\x11\xe0", "is an encrypted workbook or an old .xls file; save it as .xlsx without a password"),
    (b"{\\rtf", "is a text document (RTF), not a workbook"),
    (b"\x89PNG", "is a picture, not a workbook"),
    (b"\xff\xd8\xff", "is a picture, not a workbook"),
    (b"<", "is an XML or HTML page, not an .xlsx workbook"),
    (b"", "is not an .xlsx workbook"),
)


def refuse_others(content: bytes, shown: str) -> None:
    """Raise DataError that says what a file is when it is no zip archive."""
    if content.startswith(b"PK\x03\x04"):
        return
    if not content:
        raise DataError(shown, "is empty")
    head = content[:512].lstrip()
    raise DataError(shown, next(what for magic, what in _OTHERS if head.startswith(magic)))


def refuse_bombs(archive: zipfile.ZipFile, shown: str) -> None:
    """Raise DataError for an archive that unpacks to too much, by what its directory declares."""
    parts = archive.infolist()
    if len(parts) > MAX_PARTS:
        raise DataError(shown, f"has {len(parts):,} parts; at most {MAX_PARTS:,} are read")
    total = sum(part.file_size for part in parts)
    if total > MAX_UNPACKED_BYTES:
        raise DataError(shown, f"unpacks to {total:,} bytes; at most {MAX_UNPACKED_BYTES:,} are read")
    for part in parts:
        if part.flag_bits & 1:
            raise DataError(shown, "is encrypted; save it without a password")
        if part.file_size > 5_000_000 and part.file_size > MAX_RATIO * max(1, part.compress_size):
            raise DataError(shown, f"has a part packed more than {MAX_RATIO} : 1, as a zip bomb has")
