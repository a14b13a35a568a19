"""Is it still what was declared: the code that computes, a network's own file, the data? Nothing here needs torch."""

from __future__ import annotations

from pathlib import Path

from tinyproof.core.errors import InputError
from tinyproof.core.files import existing
from tinyproof.data import own_data
from tinyproof.data.dataset import NAMES
from tinyproof.network import own_files
from tinyproof.prove.declaration import FORMATS, Declaration
from tinyproof.prove.worker import load_data
from tinyproof.train import environment
from tinyproof.train.computes import code_digest
from tinyproof.train.origin import other_versions


def same_code(declared: Declaration, folder: Path) -> None:
    """Before runs are trained: raise InputError, naming each reason, where they would not be computed as declared."""
    allowed = "another folder, for a new proof"
    if declared.format == FORMATS[0]:
        why = "an earlier version declared it, whose code cannot be compared with this one's: no run can be added"
        raise InputError("out", str(folder), allowed, why)
    if own_files.is_own(declared.model):
        file = existing(own_files.file_of(declared.model), "model")
        _refuse(file, own_files.changed(file.parent, declared.files), folder)
    same = code_digest(declared.model, declared.engine) == declared.code_digest
    reasons = [] if same else ["with other code than this"]
    reasons += other_versions(declared.versions, environment.versions(declared.engine))
    if reasons:
        told = "; ".join(reason.removeprefix("made ") for reason in reasons)
        raise InputError("out", str(folder), allowed, f"its runs were declared {told}")


def same_model(declared: Declaration, folder: Path) -> None:
    """Raise InputError when a file of a network of your own is there and has another content than was declared.

    Where it is not there the stored runs can be judged without it.
    """
    file = own_files.file_of(declared.model)
    if own_files.is_own(declared.model) and file.is_file():
        told = own_files.changed(file.parent, declared.files)
        _refuse(file, [words for words in told if words.endswith("has changed")], folder)


def _refuse(file: Path, told: list[str], folder: Path) -> None:
    if told:
        where = f"{', '.join(told)}; the changed network needs another --out than {folder}"
        raise InputError("model", str(file), "the files as they were declared", where)


def same_data(dataset: str, data: str | None, declared: Declaration, folder: Path) -> None:
    """Raise InputError when the data set is another one: ours go by their names, your own by its content.

    Where your own is not at hand its name must do: stored runs can be judged without it.
    """
    if dataset in NAMES or not Path(dataset).exists():
        name = dataset if dataset in (*NAMES, declared.data.name) else own_data.name_of(dataset)
        same = name == declared.data.name
    else:
        same = load_data(dataset, data).digest == declared.data.digest
    if not same:
        hint = f"{folder} was declared with other images or labels; a new proof needs another --out"
        raise InputError("dataset", dataset, f"{declared.data.name}, as declared", hint)
