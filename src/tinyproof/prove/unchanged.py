"""Is it still what was declared: the code that computes, a network's own file, the data? Nothing here needs torch."""

from __future__ import annotations

from pathlib import Path

from tinyproof.core.errors import InputError
from tinyproof.core.files import existing, sha256
from tinyproof.data import own_data
from tinyproof.data.dataset import NAMES
from tinyproof.prove.declaration import Declaration
from tinyproof.prove.worker import load_data
from tinyproof.train import environment


def same_code(declared: Declaration, folder: Path) -> None:
    """Before runs are trained: raise InputError when the code, or the network's own file, is not what was declared."""
    if ":" in declared.model:
        existing(model_file(declared.model), "model")
    same_model(declared, folder)
    if environment.code_digest() != declared.code_digest:
        raise InputError(
            "out", str(folder), "another folder, for a new proof", "its runs were declared with other code than this"
        )


def same_model(declared: Declaration, folder: Path) -> None:
    """Raise InputError when the file of a network of your own is there and has another content than was declared."""
    file = model_file(declared.model)
    if ":" in declared.model and file.is_file() and sha256(file) != declared.model_sha256:
        where = f"its content has changed; the changed network needs another --out than {folder}"
        raise InputError("model", str(file), "the file as it was declared", where)


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


def model_file(model: str) -> Path:
    """The Python file of `path/to/model.py:Class`."""
    return Path(model.rpartition(":")[0])
