"""How long LibreOffice takes to load and recalculate an exported workbook, beside one with a single formula.

    python benchmarks/workbook_speed.py fastrun/export-xlsx/network.xlsx

Every cached value is 0 and recalculation is forced; the file is then written as CSV. CPU seconds (user) of LibreOffice,
the least of `--times`; the start is what a workbook of one formula takes.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import tempfile
from pathlib import Path

from tinyproof.backprop.sheet import Book, Cell, Formula, Sheet
from tinyproof.backprop.xlsx import book_bytes
from tinyproof.ship import office


def seconds(program: str, content: bytes, place: Path) -> float:
    """CPU seconds to convert a workbook."""
    (place / "profile" / "user").mkdir(parents=True, exist_ok=True)
    (place / "profile" / "user" / "registrymodifications.xcu").write_text(office.ALWAYS)
    (place / "book.xlsx").write_bytes(content)
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    options = [f"-env:UserInstallation={(place / 'profile').as_uri()}", "--headless", "--convert-to", "csv"]
    command = [program, *options, "--outdir", str(place), str(place / "book.xlsx")]
    subprocess.run(command, check=True, capture_output=True)
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("workbook", type=Path)
    parser.add_argument("--times", type=int, default=5)
    asked = parser.parse_args()
    program = office.program()
    if program is None:
        raise SystemExit("LibreOffice is not installed")
    one = book_bytes(Book("one", (Sheet("one", (Cell(0, 0, Formula("1+1", 2.0)),)),)))
    whole = office.with_choice(asked.workbook.read_bytes(), 1)
    with tempfile.TemporaryDirectory() as folder:
        seconds(program, one, Path(folder))  # makes the profile
        start, both = (
            min(seconds(program, content, Path(folder)) for _ in range(asked.times)) for content in (one, whole)
        )
    size = asked.workbook.stat().st_size
    print(f"{office.version(program)}: {size:,} bytes; {both - start:.2f} s of CPU over the start of {start:.2f} s")


if __name__ == "__main__":
    main()
