"""LibreOffice as the oracle of workbooks: caches zeroed, recalculation forced, every formula cell compared."""

from __future__ import annotations

import html
import re
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

# Recalculate .xlsx files on loading: always (0); by default LibreOffice trusts the values in the file.
ALWAYS = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Office.Calc/Formula/Load"><prop oor:name="OOXMLRecalcMode" oor:op="fuse">
<value>0</value></prop></item></oor:items>"""
CELL = re.compile(rb'<c r="([A-Z]+[0-9]+)"[^>]*><f[^>]*>([^<]*)</f><v>([^<]*)</v>')
CACHED = re.compile(rb"(<f[ >].*?</f>)<v>[^<]*</v>", re.DOTALL)


def rewrite(source: Path, target: Path, change: Callable[[str, bytes], bytes]) -> None:
    """Copy a workbook, its parts changed one by one."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for item in old.infolist():
            new.writestr(item, change(item.filename, old.read(item)))


def without_caches(name: str, content: bytes) -> bytes:
    """Every cached value 0."""
    return CACHED.sub(rb"\1<v>0</v>", content) if name.startswith("xl/worksheets/sheet") else content


def recalculated(libreoffice: str, files: Iterable[Path], folder: Path) -> list[Path]:
    """Load each file, recalculate, save as .xlsx into `folder`: one call for all of them."""
    with tempfile.TemporaryDirectory() as profile:
        (Path(profile) / "user").mkdir()
        (Path(profile) / "user" / "registrymodifications.xcu").write_text(ALWAYS)
        options = [
            f"-env:UserInstallation=file://{profile}",
            "--headless",
            "--convert-to",
            "xlsx:Calc MS Excel 2007 XML",
        ]
        command = [libreoffice, *options, "--outdir", str(folder), *map(str, files)]
        subprocess.run(command, check=True, capture_output=True, timeout=240)
    return [folder / file.name for file in files]


def zeroed_and_recalculated(libreoffice: str, files: list[Path], folder: Path) -> list[Path]:
    """The same from zeroed caches."""
    zeroed, fresh = folder / "zeroed", folder / "fresh"
    for made in (zeroed, fresh):
        shutil.rmtree(made, ignore_errors=True)
        made.mkdir(parents=True)
    for file in files:
        rewrite(file, zeroed / file.name, without_caches)
    return recalculated(libreoffice, [zeroed / file.name for file in files], fresh)


def formula_cells(path: Path) -> dict[str, tuple[str, str]]:
    """`sheet2.xml!B5` -> (formula, value as text), of every cell with a formula; straight from the XML, to be quick."""
    found = {}
    with zipfile.ZipFile(path) as file:
        for name in file.namelist():
            if name.startswith("xl/worksheets/sheet"):
                for place, formula, value in CELL.findall(file.read(name)):
                    text = html.unescape(formula.decode())
                    found[f"{Path(name).name}!{place.decode()}"] = text, html.unescape(value.decode())
    return found


def differences(ours: Path, theirs: Path) -> tuple[int, list[str]]:
    """How many formula cells there are, and those whose recalculated value is not within 1e-12 of ours."""
    cached, fresh = formula_cells(ours), formula_cells(theirs)
    wrong = []
    for place, (formula, b) in cached.items():
        a = fresh.get(place, ("", "no formula"))[1]
        if not _agree(a, b):
            wrong.append(f"{place} ={formula}: {a!r}, ours {b!r}")
    return len(cached), wrong


def _agree(a: str, b: str) -> bool:
    try:
        return abs(float(a) - float(b)) <= 1e-12 * max(1.0, abs(float(b)))
    except ValueError:
        return a == b
