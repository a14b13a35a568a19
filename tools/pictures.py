"""Make the documentation's pictures anew, with the program itself: `python tools/pictures.py` (Chromium, LibreOffice,
pdftoppm; about two minutes). MNIST is used where it can be found, else the digits.

Two networks drawn, the stepping page, the workbook as LibreOffice shows it, the page of a class, the reports of
`tinyproof run` and of a proof.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"


def call(*words: str | Path, cwd: Path, fine: tuple[int, ...] = (0,)) -> None:
    done = subprocess.run([str(word) for word in words], cwd=cwd, capture_output=True, text=True)
    if done.returncode not in fine:
        raise SystemExit(f"{' '.join(map(str, words))}\n{done.stdout}{done.stderr}")


def tinyproof(folder: Path, *words: str, fine: tuple[int, ...] = (0,)) -> None:
    call(sys.executable, "-m", "tinyproof", *words, cwd=folder, fine=fine)


def screenshot(page: Path, name: str, *more: str, dark: bool = True) -> None:
    """A picture of a page, and one of it for dark pages, which the site shows there."""
    other = [(f"{Path(name).stem}-dark.png", "dark")] * dark
    for picture, scheme in ((name, "light"), *other):
        words = (page, IMAGES / picture, "--scheme", scheme, *more)
        call(sys.executable, ROOT / "tools" / "screenshot.py", *words, cwd=ROOT)


ONE_PAGE_A_SHEET = 'pdf:calc_pdf_Export:{"SinglePageSheets":{"type":"boolean","value":"true"}}'


def workbook(folder: Path) -> None:
    """The workbook with one learning rate, drawn by LibreOffice: the sheet of the rate, its table with its chart."""
    tinyproof(folder, "workbook", "course", "--rates", "0.5", "--iterations", "24", "--out", "sheet.xlsx")
    profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
    call("soffice", profile, "--headless", "--convert-to", ONE_PAGE_A_SHEET, "sheet.xlsx", cwd=folder)
    call("pdftoppm", "-r", "200", "-png", "-f", "3", "-l", "3", "-singlefile", "sheet.pdf", "sheet", cwd=folder)
    crop(folder / "sheet.png", IMAGES / "workbook.png")


OPEN_FIRST = "(e => { e.open = true; e.querySelector('.file details').open = true; })(document.querySelector('.one'))"


def crop(source: Path, target: Path) -> None:
    """The first columns of a wide sheet, up to the outputs, as a picture 1,600 pixels wide."""
    from PIL import Image, ImageChops

    page = Image.open(source).convert("RGB")
    for part in (1, 0.517):
        page = page.crop((0, 0, round(page.width * part), page.height))
        page = page.crop(ImageChops.difference(page, Image.new("RGB", page.size, "white")).getbbox())
    page.resize((1600, round(page.height * 1600 / page.width)), Image.Resampling.LANCZOS).quantize(64).save(target)


def main() -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    for network in ("course", "s7-8k"):
        tinyproof(IMAGES, "draw", network, "--out", f"{network}.svg")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tinyproof(folder, "page", "course", "--out", "page.html")
        screenshot(folder / "page.html", "page.png", "--size", "1280x700", "--script", "go(12, 20)")
        call(sys.executable, ROOT / "tests" / "classes" / "invented.py", folder / "class", "20", cwd=folder)
        tinyproof(folder, "audit", "class", "--html", "class.html", fine=(1,))
        screenshot(folder / "class.html", "audit.png", "--size", "1100x2000", "--script", OPEN_FIRST)
        tinyproof(folder, "run", "--out", "out")
        screenshot(folder / "out" / "report.html", "report.png", "--size", "900x1250", dark=False)
        shutil.copy(ROOT / "records" / "s7-8k-30.zip", folder)
        tinyproof(folder, "report", "s7-8k-30.zip")
        screenshot(folder / "s7-8k-30-report.html", "proof.png", "--size", "900x1000")
        workbook(folder)


if __name__ == "__main__":
    main()
