"""What a result was made with: versions, machine, digest of the code. Read without importing any of it."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import platform
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from tinyproof import __version__

_PACKAGES = ("torch", "numpy", "scipy", "safetensors", "scikit-learn")
_SOURCES = {".py", ".cpp", ".hpp", ".h"}


def versions() -> dict[str, str]:
    """Versions of Python, of this package and of the packages that compute; a package that is not there is left out."""
    found = {"python": platform.python_version(), "tinyproof": __version__}
    for name in _PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def hardware() -> dict[str, Any]:
    """The machine: system, processor, how many cores this process may use, memory in bytes (None where unknown)."""
    return {
        "system": f"{platform.system()} {platform.release()}",
        "processor": _processor(),
        "cores": cores(),
        "memory_bytes": _memory(),
    }


def cores() -> int:
    """How many cores this process may use (a container or `taskset` may give it fewer than the machine has)."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def now() -> str:
    """The time in UTC, to the second, as ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")


@functools.cache
def code_digest() -> str:
    """SHA-256 over the names and contents of this package's source files, in the order of their names."""
    root = Path(__file__).resolve().parent.parent
    digest = hashlib.sha256()
    for path in sorted(p for p in root.rglob("*") if p.suffix in _SOURCES and "__pycache__" not in p.parts):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(root).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def digest_of(value: Any) -> str:
    """SHA-256 of plain data, written as canonical JSON (keys sorted, no spaces), so that equal data has one digest.

    >>> digest_of({"b": 1, "a": 2}) == digest_of({"a": 2, "b": 1})
    True
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.lower().startswith(("model name", "hardware")):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _memory() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None
