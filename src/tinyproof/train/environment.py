"""What a run ran on and with: hardware and versions; and whether torch is there at all."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tinyproof import __version__
from tinyproof.core.errors import InputError, MissingDependency
from tinyproof.core.fields import one_of
from tinyproof.core.files import sha256

DEVICES = ("auto", "cpu", "cuda", "mps")


def need_torch(purpose: str) -> None:
    """Raise MissingDependency when torch or what is installed with it is missing."""
    _need(("torch", "safetensors"), purpose)


def need_training() -> None:
    """Raise MissingDependency where what training needs is missing, or what its page needs afterwards."""
    _need(("torch", "safetensors", "matplotlib"), "training")


def _need(packages: Sequence[str], purpose: str) -> None:
    for package in packages:
        if find_spec(package) is None:
            raise MissingDependency(package, purpose, "train")


def device(name: str = "auto") -> str:
    """The device to compute on: `auto` takes cuda, then mps, then cpu. Raises InputError when it is not there,
    MissingDependency without torch.
    """
    one_of("device", name, DEVICES)
    need_torch("computing")
    import torch

    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        return next(kind for kind, found in there.items() if found)
    if not there[name]:
        found = ", ".join(kind for kind, yes in there.items() if yes)
        raise InputError("device", name, f"auto, {found}", "torch does not see it on this machine")
    return name


def versions(engine: str = "torch") -> dict[str, str]:
    """Versions of everything that the numbers of a run depend on; of the C++ compiler too for the native engine."""
    found = {"tinyproof": __version__, "python": platform.python_version()}
    for package in ("torch", "numpy"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    if engine == "native":
        from tinyproof.train.engine.native.build import find_compiler

        found["C++ compiler"] = find_compiler().version
    return found


def hardware(device: str = "cpu") -> dict[str, Any]:
    """The machine in words: system, processor, cores, accelerator."""
    found: dict[str, Any] = {
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "cores": os.cpu_count(),
        "instructions": _instructions(),
        "device": device,
    }
    if device == "cuda":
        import torch

        found["accelerator"] = torch.cuda.get_device_name()
    return found


def _instructions() -> str:
    """What decides how torch and the native engine add up on this processor: the instructions that they may use, and
    how torch was built, as some words and a digest."""
    import torch

    flags = next((line for line in _cpu_lines() if line.startswith(("flags", "Features"))), "")
    limit = os.environ.get("ONEDNN_MAX_CPU_ISA", "")
    told = sha256(f"{flags}{limit}{torch.__config__.show()}".encode())[:12]
    return f"{torch.backends.cpu.get_cpu_capability()} {told}"


def _cpu_lines() -> list[str]:
    info = Path("/proc/cpuinfo")
    return info.read_text(encoding="utf-8", errors="replace").splitlines() if info.is_file() else []


@cache
def _processor() -> str:
    for line in _cpu_lines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
