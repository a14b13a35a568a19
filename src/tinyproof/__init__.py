"""Small neural networks you can check by hand, and results you can prove.

Every command has a Python twin of the same name here: `tinyproof.audit(path)` does what `tinyproof audit PATH` does.
They are loaded when first used, so `import tinyproof` stays light.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

# Public name -> the module that holds it. One line a name; a command's twin has the command's name.
_WHERE: dict[str, str] = {
    "audit": "tinyproof.jobs.audit",
    "Net": "tinyproof.backprop.net",
    "derive": "tinyproof.backprop.derivation",
    "drawn": "tinyproof.backprop.draw",
    "find_net": "tinyproof.backprop.presets",
    "page": "tinyproof.jobs.page",
    "preset": "tinyproof.backprop.presets",
    "read_net": "tinyproof.backprop.toml",
    "compare": "tinyproof.jobs.compare",
    "data": "tinyproof.jobs.data",
    "journal": "tinyproof.jobs.journal",
    "lr_test": "tinyproof.jobs.rates",
    "models": "tinyproof.jobs.models",
    "predict": "tinyproof.jobs.predict",
    "prove": "tinyproof.jobs.prove",
    "report": "tinyproof.jobs.report",
    "reproduce": "tinyproof.jobs.reproduce",
    "run": "tinyproof.jobs.run",
    "summary": "tinyproof.jobs.models",
    "sweep": "tinyproof.backprop.sweep",
    "trace": "tinyproof.backprop.trace",
    "train": "tinyproof.jobs.train",
    "verify": "tinyproof.jobs.verify",
    "workbook": "tinyproof.jobs.workbook",
}

__all__ = ["__version__", *_WHERE]


def __getattr__(name: str) -> Any:
    if name in _WHERE:
        return getattr(import_module(_WHERE[name]), name)
    raise AttributeError(f"module 'tinyproof' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
