"""The most memory that a program of its own takes: of that program alone, and not of the process that starts it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

# Linux counts into ru_maxrss what the process was before it became this program: a copy of the tests' own process.
PRINT_PEAK = """
import resource, sys
from pathlib import Path
status = Path("/proc/self/status")
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
if status.exists():
    peak = 1024 * int(status.read_text().split("VmHWM:")[1].split()[0])
print("PEAK", peak)
"""
readable = pytest.mark.skipif(sys.platform == "win32", reason="the peak of a process is not read on Windows")


def peak_bytes(program: str, *words: str, seconds: float = 300) -> int:
    """The largest resident size, in bytes, of a Python process that runs this program with these words."""
    call = [sys.executable, "-c", program + PRINT_PEAK, *words]
    ended = subprocess.run(call, capture_output=True, text=True, timeout=seconds, env=dict(os.environ))
    assert ended.returncode == 0, ended.stderr
    return int(ended.stdout.rpartition("PEAK")[2])
