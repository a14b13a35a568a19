"""How fast and how big the workbook audit is.

    python benchmarks/audit.py              one sheet of 31 columns x 100 rows; 1,000 files; steady memory
    python benchmarks/audit.py FOLDER       also every workbook in a folder, from the command line, start-up included

Prints seconds, the processors used, and the largest memory of the command and of any of its workers.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "src")]


def command(folder: Path, report: Path) -> tuple[float, float]:
    """Seconds of `tinyproof audit FOLDER --brief`, and the largest memory of a process of it in MB."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    start = time.perf_counter()
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    with report.open("w") as out:
        subprocess.run(
            [sys.executable, "-m", "tinyproof", "audit", str(folder), "--brief"],
            stdout=out, stderr=subprocess.DEVNULL, env=environment, check=False,
        )  # fmt: skip
    seconds = time.perf_counter() - start
    return seconds, max(before, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) / 1024


def main() -> None:
    import random

    from tests.workbook.sheets import Plan, make, write

    from tinyproof.check.workbook import audit_workbook

    print(f"{len(os.sched_getaffinity(0))} processors")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sheet = make(Plan(rows=100), random.Random(1))
        path = write(folder / "one.xlsx", {"Sheet1": sheet.cells})
        audit_workbook(path)
        start = time.perf_counter()
        audit_workbook(path)
        print(f"one sheet, 31 columns x 100 rows: {time.perf_counter() - start:.2f} s")
        many = folder / "many"
        many.mkdir()
        small = make(Plan(rows=20), random.Random(2))
        content = write(folder / "small.xlsx", {"Sheet1": small.cells}).read_bytes()
        for number in range(1_000):
            (many / f"{number:04}.xlsx").write_bytes(content)
        seconds, megabytes = command(many, folder / "out.txt")
        print(f"1,000 files (31 columns x 20 rows): {seconds:.0f} s, at most {megabytes:.0f} MB in a process")
        for given in sys.argv[1:]:
            seconds, megabytes = command(Path(given), folder / "out.txt")
            print(f"{given}: {seconds:.1f} s, at most {megabytes:.0f} MB in a process")


if __name__ == "__main__":
    main()
