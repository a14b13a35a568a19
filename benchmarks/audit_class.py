"""A class of a thousand: `tinyproof audit` on it anew, again from what was kept, and with one late submission.

    python benchmarks/audit_class.py [COUNT] [--against FOLDER] [--rounds N] [--given CLASS]

COUNT submissions of the course's size (workbooks of 48 to 100 rows) are invented (tests/classes/invented.py).
`--against`: a folder with another state of the project (its src), run in turns with this one on the same class. Prints
seconds, seconds of the processors (which what else runs on the machine changes less), the largest memory of all
processes together (Linux: what they share counts once), and whether both say the same.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "src")]


def audited(source: Path, folder: Path, *options: str) -> tuple[dict[str, object], str]:
    """The result of `tinyproof audit FOLDER --jobs 2 --json` with that source, and what it took."""
    command = [sys.executable, "-m", "tinyproof", "audit", str(folder), "--jobs", "2", "--json", *options]
    with tempfile.TemporaryFile() as out:
        start = time.perf_counter()
        child = subprocess.Popen(command, stdout=out, env={**os.environ, "PYTHONPATH": str(source)})
        largest = 0.0
        while os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            largest = max(largest, memory(child.pid))
            time.sleep(0.2)
        _, _, used = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - start
        child.returncode = 0
        out.seek(0)
        found: dict[str, object] = json.loads(out.read())
    cpu = used.ru_utime + used.ru_stime
    return found, f"{seconds:6.1f} s, {cpu:6.1f} s of the processors, at most {largest:4.0f} MB"


def memory(process: int) -> float:
    """MB of a process and all below it, what several share divided among them; 0 where the system does not tell."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text(encoding="ascii").splitlines()
        below = Path(f"/proc/{process}/task/{process}/children").read_text(encoding="ascii").split()
    except OSError:
        return 0.0
    own = sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return own / 1024 + sum(memory(int(child)) for child in below)


def main() -> None:
    parser = argparse.ArgumentParser(description="How fast a class is audited.")
    parser.add_argument("count", type=int, nargs="?", default=1_000)
    parser.add_argument("--against", type=Path)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--given", type=Path, help="a class that is there, which is copied")
    asked = parser.parse_args()
    from tests.classes.invented import COURSE, make

    with tempfile.TemporaryDirectory() as name:
        folder, kept = Path(name) / "class", Path(name) / "kept"
        if asked.given is not None:
            shutil.copytree(asked.given, folder)
        else:
            make(folder, asked.count, COURSE)
        count, load = len(list(folder.iterdir())), os.getloadavg()[0]
        print(f"{count} submissions, two processes, {os.cpu_count()} processors; load {load:.1f}", flush=True)
        for _ in range(asked.rounds):
            answers = []
            if asked.against is not None:
                before, told = audited(asked.against / "src", folder)
                answers.append([(file["file"], file["status"], file["findings"]) for file in before["files"]])  # type: ignore[attr-defined]
                print(f"before:             {told}", flush=True)
            now, told = audited(ROOT / "src", folder, "--no-cache")
            answers.append([(file["file"], file["status"], file["findings"]) for file in now["files"]])  # type: ignore[attr-defined]
            print(f"now:                {told}", flush=True)
            if len(answers) == 2:
                print("both say the same of every file" if answers[0] == answers[1] else "THEY DIFFER")
        audited(ROOT / "src", folder, "--cache", str(kept))
        print(f"again:              {audited(ROOT / 'src', folder, '--cache', str(kept))[1]}", flush=True)
        shutil.copytree(folder / "student02", folder / "late")
        (folder / "late" / "backprop.xlsx").rename(folder / "late" / "backprop of late.xlsx")
        print(f"one late submission: {audited(ROOT / 'src', folder, '--cache', str(kept))[1]}", flush=True)
        print(f"kept: {sum(path.stat().st_size for path in kept.iterdir()) / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
