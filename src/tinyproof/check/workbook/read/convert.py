"""Old and foreign workbooks by way of LibreOffice, where it is installed and the user asks for it.

It runs without a window, in a profile of its own that is thrown away, and a new profile runs no macro of a document.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from tinyproof.check.workbook.read.cells import MAX_FILE_BYTES, Book
from tinyproof.check.workbook.read.open_book import needs_conversion, open_book
from tinyproof.core.errors import DataError, one_line
from tinyproof.core.files import read_bounded

SECONDS = 50


def open_converted(path: Path | str) -> Book:
    """As `open_book`; what that cannot read is converted first. Raises DataError, also where LibreOffice is missing."""
    content = read_bounded(path, MAX_FILE_BYTES)
    if not needs_conversion(content):
        return open_book(path)
    shown = Path(path).name
    program = shutil.which("soffice") or shutil.which("libreoffice")
    if program is None:
        raise DataError(shown, f"{needs_conversion(content).partition(';')[0]}; LibreOffice is not installed")
    with tempfile.TemporaryDirectory(prefix="tinyproof-") as folder:
        copy = Path(folder) / f"copy{Path(path).suffix or '.xls'}"
        copy.write_bytes(content)
        made = Path(folder) / "out" / "copy.xlsx"
        command = [
            program, "--headless", "--norestore", f"-env:UserInstallation=file://{folder}/profile", "--convert-to",
            "xlsx", "--outdir", str(made.parent), str(copy),
        ]  # fmt: skip
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
        except (subprocess.TimeoutExpired, OSError) as error:
            raise DataError(shown, f"LibreOffice could not convert it ({one_line(str(error), 80)})") from error
        if not made.is_file():
            raise DataError(shown, f"LibreOffice could not convert it ({one_line(done.stderr or done.stdout, 80)})")
        return open_book(made)
