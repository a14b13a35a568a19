"""What a file is: by its content, and by its name where the content does not say."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Literal

from tinyproof.check.notebook import is_notebook
from tinyproof.core.archives import opened
from tinyproof.core.files import is_plain

Kind = Literal["workbook", "notebook", "script", "text", "other"]

TEXT_TABLES = (".csv", ".tsv", ".tab")
_WORKBOOK_NAMES = (".xlsx", ".xlsm", ".xltx", ".xls", ".xlsb", ".ods", ".fods", ".numbers")
_HEAD = 1_000_000


def kind_of(path: Path) -> Kind:
    """What a file is: by its content, and by its name where the content does not say."""
    name = path.name.lower()
    if not is_plain(path):
        return "other"  # a pipe or a device: to open it could wait for ever
    try:
        with path.open("rb") as file:
            head = file.read(8)
        if head.startswith(b"PK\x03\x04") and _holds_workbook(path):
            return "workbook"
    except OSError:
        pass
    if name.endswith(_WORKBOOK_NAMES):
        return "workbook"
    if name.endswith(TEXT_TABLES) and _holds_formulas(path):
        return "workbook"
    if is_notebook(path):
        return "notebook"
    if name.endswith(".py"):
        return "script"
    return "text" if name.endswith((".md", ".txt", ".rst")) else "other"


def _holds_formulas(path: Path) -> bool:
    """Whether a text file has cells that begin with `=`; one with numbers only is data, and no submission."""
    from tinyproof.check.workbook import holds_formulas

    try:
        with path.open("rb") as file:
            return holds_formulas(file.read(_HEAD))
    except OSError:
        return False


def _holds_workbook(path: Path) -> bool:
    try:
        with opened(path) as archive:
            names = archive.namelist()[:5_000]
            if any(name.lstrip("/").lower().startswith("xl/") or name.endswith(".iwa") for name in names):
                return True
            return "mimetype" in names and b"opendocument.spreadsheet" in archive.open("mimetype").read(200)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return path.suffix.lower() in _WORKBOOK_NAMES


def is_archive(path: Path) -> bool:
    """Whether a file is a zip that is opened as a folder: no workbook, and called .zip."""
    return path.name.lower().endswith(".zip") and kind_of(path) == "other" and is_plain(path)
