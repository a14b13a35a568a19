"""How long a search takes until its first run begins: with all kernels compiled before it, and with those of the first
candidate alone; each with an empty cache of kernels.

    python benchmarks/search_start.py [--candidates 9]      digits, the family chains, the native engine
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path
from unittest import mock

from tinyproof.search import declaring, engines


def seconds(candidates: int) -> tuple[float, float]:
    """Wall and processor seconds, those of the compiler included, until a search is declared."""
    with tempfile.TemporaryDirectory() as name, mock.patch.dict(os.environ, {"TINYPROOF_CACHE": name}):
        wanted = declaring.Search(
            dataset="digits", target=90, limits={"parameters_below": 4000}, family="chains", engine="native",
            recipe="digits,epochs=1", candidates=candidates, threads=1,
        )  # fmt: skip
        begun, spent = time.perf_counter(), os.times()
        declaring.draft(wanted, Path(name, "out"))
        now = os.times()
    processor = sum(now[:4]) - sum(spent[:4])
    return time.perf_counter() - begun, processor


def main() -> None:
    """Print both ways, after one search that loads what all need."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--candidates", type=int, default=9)
    count = parser.parse_args().candidates
    seconds(1)
    with mock.patch.object(engines.Engines, "_is_native", return_value=False):
        before = seconds(count)
    after = seconds(count)
    for words, (wall, processor) in (("all compiled before the first run", before), ("the first one alone", after)):
        print(f"{words}: {wall:.1f} s, {processor:.1f} s of processor time, {count} candidates")


if __name__ == "__main__":
    main()
