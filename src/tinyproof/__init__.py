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

# Public name -> the module that holds it; __init__.pyi says the same to type checkers and editors.
_WHERE: dict[str, str] = {
    # The verbs: one for each command.
    "audit": "tinyproof.api.audit",
    "collect": "tinyproof.api.collect",
    "compare": "tinyproof.api.compare",
    "data": "tinyproof.api.data",
    "derive": "tinyproof.api.derive",
    "draw": "tinyproof.api.draw",
    "exercise": "tinyproof.api.exercise",
    "export": "tinyproof.api.export",
    "frontier": "tinyproof.api.frontier",
    "journal": "tinyproof.api.journal",
    "lr_test": "tinyproof.api.lr_test",
    "models": "tinyproof.api.models",
    "pack": "tinyproof.api.pack",
    "page": "tinyproof.api.page",
    "predict": "tinyproof.api.predict",
    "predict_many": "tinyproof.api.predict_many",
    "prove": "tinyproof.api.prove",
    "report": "tinyproof.api.report",
    "reproduce": "tinyproof.api.reproduce",
    "run": "tinyproof.api.run",
    "search": "tinyproof.api.search",
    "summary": "tinyproof.api.summary",
    "sweep": "tinyproof.api.sweep",
    "trace": "tinyproof.api.trace",
    "train": "tinyproof.api.train",
    "verify": "tinyproof.api.verify",
    "workbook": "tinyproof.api.workbook",
    # What the verbs give back; each prints itself.
    "AuditResult": "tinyproof.api.audit",
    "CollectResult": "tinyproof.api.collect",
    "CompareResult": "tinyproof.api.compare",
    "DeriveResult": "tinyproof.api.derive",
    "DrawResult": "tinyproof.api.draw",
    "ExerciseResult": "tinyproof.api.exercise",
    "ExportResult": "tinyproof.api.export",
    "FrontierResult": "tinyproof.api.frontier",
    "JournalResult": "tinyproof.api.journal",
    "LrSweepResult": "tinyproof.api.lr_sweep",
    "LrTestResult": "tinyproof.api.lr_test",
    "PackResult": "tinyproof.api.pack",
    "PageResult": "tinyproof.api.page",
    "PredictResult": "tinyproof.api.predict",
    "PredictManyResult": "tinyproof.api.predict_many",
    "ProveResult": "tinyproof.api.prove",
    "ReportResult": "tinyproof.api.report",
    "ReproduceResult": "tinyproof.api.reproduce",
    "SearchResult": "tinyproof.api.search",
    "SummaryResult": "tinyproof.api.summary",
    "SweepResult": "tinyproof.api.sweep",
    "Table": "tinyproof.core.table",
    "TraceResult": "tinyproof.api.trace",
    "TrainResult": "tinyproof.api.train",
    "VerifyResult": "tinyproof.api.verify",
    "WorkbookResult": "tinyproof.api.workbook",
    # What they are given: networks to write out; recipes and budgets.
    "Example": "tinyproof.backprop.net",
    "Layer": "tinyproof.backprop.net",
    "Net": "tinyproof.backprop.net",
    "Optimizer": "tinyproof.backprop.optimizer",
    "drawn": "tinyproof.backprop.random_net",
    "find_net": "tinyproof.backprop.presets",
    "preset": "tinyproof.backprop.presets",
    "read_net": "tinyproof.backprop.toml",
    "Augment": "tinyproof.train.recipe",
    "Budget": "tinyproof.network.budget",
    "Recipe": "tinyproof.train.recipe",
    "Schedule": "tinyproof.train.recipe",
    # What is raised: every mistake is a TinyproofError.
    "DataError": "tinyproof.core.errors",
    "InputError": "tinyproof.core.errors",
    "MissingDependency": "tinyproof.core.errors",
    "OutputError": "tinyproof.core.errors",
    "Stopped": "tinyproof.core.errors",
    "TinyproofError": "tinyproof.core.errors",
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
