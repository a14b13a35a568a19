"""Is it still what was declared: the code that computes, a network's own file, the data? Nothing here needs torch."""

from __future__ import annotations

from pathlib import Path

from tinyproof import __version__
from tinyproof.core.errors import DataError, InputError
from tinyproof.core.files import existing
from tinyproof.data import own_data
from tinyproof.data.dataset import NAMES
from tinyproof.data.reading import AS_IT_IS, Asked, size_words
from tinyproof.network import model_name, own_files
from tinyproof.prove import judged_export, proof
from tinyproof.prove.declaration import FORMATS, Declaration
from tinyproof.prove.worker import load_data, read_as
from tinyproof.ship import exported
from tinyproof.train import environment
from tinyproof.train.computes import code_digest
from tinyproof.train.origin import other_versions


def same_code(declared: Declaration, folder: Path) -> None:
    """Before runs are trained: raise InputError, naming each reason, where they would not be computed as declared."""
    remedy = "a new proof needs another folder"
    if declared.format == FORMATS[0]:
        why = "an earlier version declared it, whose code cannot be compared with this one's"
        raise InputError("out", str(folder), remedy, problem=f"takes no new runs: {why}")
    if model_name.is_own(declared.model):
        file = existing(model_name.file_of(declared.model), "model")
        _refuse(file, own_files.changed(file.parent, declared.files), folder)
    reasons = other_than_declared(declared)
    if reasons:
        told = "; ".join(reason.removeprefix("made ") for reason in reasons)
        raise InputError("out", str(folder), remedy, problem=f"takes no new runs: its runs were declared {told}")


def other_than_declared(declared: Declaration) -> list[str]:
    """Why runs would not be computed here as they were declared: other code, other versions of what it stands on."""
    same = code_digest(declared.model, declared.engine) == declared.code_digest
    reasons = [] if same else ["with other code than this"]
    return reasons + other_versions(declared.versions, environment.versions(declared.engine))


def same_version(declared: Declaration, folder: Path) -> None:
    """Before exports are made: raise DataError where another version of this package made some of those that are there,
    so that no proof could judge them together."""
    to = declared.judged_as
    places = [proof.seed_folder(folder, seed) for seed in declared.seeds] if to else []
    made = {place: exported.load(exported.folder_of(place, to)) for place in places if proof.ended(declared, place)}
    older = [place for place, record in made.items() if record.version != __version__]
    if older:
        whose = f"version {made[older[0]].version} made that of {older[0].name}, this is {__version__}"
        raise DataError(str(folder), f"takes no new exports: {whose}", judged_export.remedy(older, to))


def same_model(declared: Declaration, folder: Path) -> None:
    """Raise InputError when a file of a network of your own is there and has another content than was declared.

    Where it is not there the stored runs can be judged without it.
    """
    file = model_name.file_of(declared.model)
    if model_name.is_own(declared.model) and file.is_file():
        told = own_files.changed(file.parent, declared.files)
        _refuse(file, [words for words in told if words.endswith("has changed")], folder)


def _refuse(file: Path, told: list[str], folder: Path) -> None:
    if told:
        remedy = f"the changed network needs another --out than {folder}"
        raise InputError("model", str(file), remedy, problem=f"is not what was declared: {', '.join(told)}")


def same_data(dataset: str, data: str | None, declared: Declaration, folder: Path, asked: Asked = AS_IT_IS) -> None:
    """Raise InputError when the data set is another one: ours go by their names, your own by its content, read as it
    was declared.

    Where your own is not at hand its name must do: stored runs can be judged without it.
    """
    if dataset in NAMES or not Path(dataset).exists():
        name = dataset if dataset in (*NAMES, declared.data.name) else own_data.name_of(dataset)
        same = name == declared.data.name
    else:
        there = read_as(declared.data, dataset)
        if asked.anything and (asked.size or there.size, asked.channels or there.channels) != (
            there.size,
            there.channels,
        ):
            given = f"{asked.channels or '…'} channel(s) of {size_words(*asked.size) if asked.size else 'any size'}"
            was = f"{there.channels} of {size_words(*there.size) if there.size else 'any size'}"
            raise InputError("size", given, f"{was}, as declared", f"{folder} holds another declaration")
        same = load_data(dataset, data, there).digest == declared.data.digest
    if not same:
        hint = f"{folder} was declared with other images or labels; a new proof needs another --out"
        raise InputError("dataset", dataset, f"{declared.data.name}, as declared", hint)
