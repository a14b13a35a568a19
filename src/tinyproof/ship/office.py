"""A workbook of this package computed by LibreOffice, where it is installed: caches zeroed, one copy a picture."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
import zipfile
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinyproof.backprop.sheet import letters
from tinyproof.core.errors import DataError
from tinyproof.core.files import reason
from tinyproof.ship.front_sheet import CHOICE, TOP
from tinyproof.ship.tool import ToolTrouble

# Recalculate on loading: always (0); LibreOffice otherwise trusts the values in the file.
ALWAYS = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Office.Calc/Formula/Load"><prop oor:name="OOXMLRecalcMode" oor:op="fuse">
<value>0</value></prop></item></oor:items>"""
_FRONT = "xl/worksheets/sheet1.xml"
_CACHED = re.compile(rb"(</f>)<v>[^<]*</v>")
_SECONDS = 300


def program() -> str | None:
    """LibreOffice's command line, None where it is not installed."""
    return shutil.which("soffice") or shutil.which("libreoffice")


def version(office: str) -> str:
    """What computes, with its version."""
    try:
        told = subprocess.run([office, "--version"], capture_output=True, text=True, timeout=60, check=False).stdout
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):  # what is wrong with it, `scores` says
        told = ""
    return " ".join(told.split()[:2]) or "LibreOffice"


def scores(office: str, content: bytes, pictures: int, classes: int) -> NDArray[np.float64]:
    """The column of scores for each of the pictures, float64 [pictures, classes]. Raises ToolTrouble
    where LibreOffice fails, DataError where the workbook gives none."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "user" / "user").mkdir(parents=True)
        (folder / "user" / "user" / "registrymodifications.xcu").write_text(ALWAYS)
        names = [f"{number}.xlsx" for number in range(1, pictures + 1)]
        for number, name in enumerate(names, 1):
            (folder / name).write_bytes(with_choice(content, number))
        options = [f"-env:UserInstallation={(folder / 'user').as_uri()}", "--headless", "--convert-to", "xlsx"]
        command = [office, *options, "--outdir", str(folder / "done"), *(str(folder / name) for name in names)]
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=_SECONDS)
            return np.array([_column((folder / "done" / name).read_bytes(), classes) for name in names])
        except (OSError, subprocess.SubprocessError, zipfile.BadZipFile) as error:
            why = reason(error) if isinstance(error, OSError) else "it fails"
            raise ToolTrouble("the workbook", f"was not computed by LibreOffice: {why}") from error
        except (KeyError, ValueError) as error:
            raise DataError("the workbook", "gives no scores in LibreOffice") from error


def with_choice(content: bytes, number: int) -> bytes:
    """The workbook with another picture chosen and every cached value 0."""
    cell = f"{letters(CHOICE[1])}{CHOICE[0] + 1}".encode()
    choice, out = re.compile(rb'(<c r="' + cell + rb'"[^>]*><v>)[^<]*(</v>)'), BytesIO()
    with zipfile.ZipFile(BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for item in old.infolist():
            part = old.read(item)
            if item.filename.startswith("xl/worksheets/"):
                part = _CACHED.sub(rb"\1<v>0</v>", part)
            if item.filename == _FRONT:
                part, found = choice.subn(rb"\g<1>" + str(number).encode() + rb"\2", part)
                if found != 1:
                    raise ValueError("no cell to choose in")
            new.writestr(item, part)
    return out.getvalue()


def _column(content: bytes, classes: int) -> list[float]:
    with zipfile.ZipFile(BytesIO(content)) as file:
        sheet = file.read(_FRONT)
    found = []
    for row in range(TOP + 2, TOP + 2 + classes):
        match = re.search(rb'<c r="B%d"[^>]*><f[^>]*>[^<]*</f><v>([^<]*)</v>' % row, sheet)
        if match is None:
            raise ValueError("no score")
        found.append(float(match[1]))
    return found
