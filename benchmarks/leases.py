"""What does it cost to hold a folder, to show that one lives, and to look who holds it: processor time, this disk.

python benchmarks/leases.py [FOLDER]
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tinyproof.core.lease import BEAT_SECONDS, Watch, hold

ROUNDS = 2000


def microseconds(work: Callable[[], object]) -> float:
    """Processor time of one call, the mean of many."""
    begun = time.process_time()
    for _ in range(ROUNDS):
        work()
    return 1e6 * (time.process_time() - begun) / ROUNDS


def held(folder: Path) -> None:
    with hold(folder):
        pass


def main() -> None:
    with tempfile.TemporaryDirectory(dir=sys.argv[1] if len(sys.argv) > 1 else None) as name:
        folder, watch = Path(name), Watch()
        with hold(folder) as lease:
            beat, look = microseconds(lease._write), microseconds(lambda: watch.look(folder))
        print(f"a sign of life: {beat:.0f} µs every {BEAT_SECONDS:g} s, {beat / BEAT_SECONDS / 1e4:.5f} % of a core")
        print(f"a look at who holds a folder: {look:.0f} µs")
        print(f"to hold it and let it go: {microseconds(lambda: held(folder)):.0f} µs")


if __name__ == "__main__":
    main()
