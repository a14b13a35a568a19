"""`make numerics` asks the processor first: instructions that it lacks end a process, and prove nothing."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# Stands in for the virtual environment's python: says what the processor has, and notes what it was called with.
PYTHON = """#!/bin/sh
case "$*" in
  *get_cpu_capability*) test -z "$ATEN_CPU_CAPABILITY" || exit 9; echo "{best}" ;;
  *) echo "$ATEN_CPU_CAPABILITY $ONEDNN_MAX_CPU_ISA $OMP_NUM_THREADS" >> "{asked}"; test -d "$TINYPROOF_TEST_KERNELS" ;;
esac
"""


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
@pytest.mark.parametrize(
    ("best", "tried"),
    [
        ("AVX512", ["default SSE41", "avx2 AVX2", "avx512 AVX512_CORE"]),
        ("AVX2", ["default SSE41", "avx2 AVX2"]),
        ("DEFAULT", ["default SSE41"]),
        ("SVE256", ["default SSE41"]),
    ],
)
def test_only_instructions_that_the_processor_has_are_tried(best: str, tried: list[str], tmp_path: Path) -> None:
    venv, asked = tmp_path / "venv", tmp_path / "asked"
    (venv / "bin").mkdir(parents=True)
    python = venv / "bin" / "python"
    python.write_text(PYTHON.format(best=best, asked=asked), encoding="utf-8")
    python.chmod(0o755)
    for stamp in (".torch", ".installed-train", ".installed-dev"):
        (venv / stamp).touch()
    old = [f"--old-file={venv / stamp}" for stamp in (".torch", ".installed-train", ".installed-dev")]
    told = subprocess.run(
        ["make", "-C", str(ROOT), *old, f"VENV={venv}", "numerics"],
        capture_output=True, text=True, timeout=60, env={"PATH": "/usr/bin:/bin", "ATEN_CPU_CAPABILITY": "avx512"},
    )  # fmt: skip
    assert told.returncode == 0, told.stderr
    assert asked.read_text(encoding="utf-8").splitlines() == [f"{isa} {threads}" for isa in tried for threads in (1, 2)]
    assert f"this processor has {best}" in told.stdout
