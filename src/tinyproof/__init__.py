"""Small neural networks you can check by hand, and results you can prove.

Every command has a Python twin of the same name here: `tinyproof.audit(path)` does what `tinyproof audit PATH` does.
They are loaded when first used, so `import tinyproof` stays light.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import Any

from tinyproof._moved import Moved

__version__ = "0.1.0"

# Public name -> the module that holds it. One line a name; a command's twin has the command's name.
_WHERE: dict[str, str] = {
    "audit": "tinyproof.api.audit",
    "Net": "tinyproof.backprop.net",
    "derive": "tinyproof.backprop.derivation",
    "drawn": "tinyproof.backprop.draw",
    "find_net": "tinyproof.backprop.presets",
    "page": "tinyproof.api.page",
    "preset": "tinyproof.backprop.presets",
    "read_net": "tinyproof.backprop.toml",
    "compare": "tinyproof.api.compare",
    "data": "tinyproof.api.data",
    "journal": "tinyproof.api.journal",
    "lr_test": "tinyproof.api.lr_test",
    "models": "tinyproof.api.models",
    "predict": "tinyproof.api.predict",
    "prove": "tinyproof.api.prove",
    "report": "tinyproof.api.report",
    "reproduce": "tinyproof.api.reproduce",
    "run": "tinyproof.api.run",
    "summary": "tinyproof.api.models",
    "sweep": "tinyproof.backprop.sweep",
    "trace": "tinyproof.backprop.trace",
    "train": "tinyproof.api.train",
    "verify": "tinyproof.api.verify",
    "workbook": "tinyproof.api.workbook",
}

if Moved not in sys.meta_path:
    sys.meta_path.append(Moved)

__all__ = ["__version__", *_WHERE]


class _Package(ModuleType):
    """`data`, `train` and `prove` are verbs here and rooms below: an import of the room must not take the verb's place.

    The import system sets every submodule as an attribute of its package; `from tinyproof.train import loop` does not
    need that attribute.
    """

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in _WHERE and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def __getattr__(name: str) -> Any:
    if name in _WHERE:
        return getattr(import_module(_WHERE[name]), name)
    raise AttributeError(f"module 'tinyproof' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
