"""From the start of the command to the accuracy of one run: python benchmarks/time_to_accuracy.py [--seeds 1 2 3]

`tinyproof train` as a user calls it, in a process of its own: imports, data and training up to the stored accuracy,
then pictures and page. The first start compiles the network's kernels into an empty cache; the next find them there.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tinyproof.core.table import Column, Table


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", default="fast")
    parser.add_argument("--seeds", type=int, nargs="+", default=list(range(10)))
    parser.add_argument("--threads", type=int, default=None)
    given = parser.parse_args()
    rows: list[tuple[str, str, float, float, float, float]] = []
    with tempfile.TemporaryDirectory() as folder:
        for turn, seed in enumerate([given.seeds[0], *given.seeds]):
            out = Path(folder, f"run-{turn}")
            command = [
                sys.executable,
                "-m",
                "tinyproof",
                "train",
                given.model,
                "--dataset",
                "mnist",
                "--seed",
                str(seed),
            ]
            threads = ["--threads", str(given.threads)] if given.threads else []
            begun, started = time.perf_counter(), time.time()
            subprocess.run(
                [*command, *threads, "--engine", "native", "--out", str(out), "--quiet"],
                check=True,
                env={**os.environ, "TINYPROOF_CACHE": str(Path(folder, "cache"))},
            )
            took = time.perf_counter() - begun
            known = (out / "predictions.npz").stat().st_mtime - started
            run = json.loads((out / "run.json").read_text())
            rows.append(
                (
                    "compiles" if turn == 0 else "kernels cached",
                    str(seed),
                    known,
                    took,
                    run["seconds"],
                    100 * run["correct"] / run["test_count"],
                )
            )
    cached, reached = [row[2] for row in rows[1:]], [row[5] for row in rows[1:]]
    columns = (
        Column("start"), Column("seed"), Column("to the accuracy, s", "right", ".1f"),
        Column("to the end, s", "right", ".1f"), Column("of it training, s", "right", ".1f"),
        Column("test accuracy, last epoch, %", "right", ".2f"),
    )  # fmt: skip
    print(Table("", columns, tuple(rows)).markdown())
    print(f"with cached kernels: median {statistics.median(cached):.1f} s, slowest {max(cached):.1f} s")
    print(f"accuracy: mean {statistics.fmean(reached):.3f} %, lowest {min(reached):.2f} %")


if __name__ == "__main__":
    main()
