"""What an unfinished run goes on from: its epochs until now, and the state of the engine after them."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyproof.core.errors import DataError, InputError, TinyproofError
from tinyproof.core.fields import from_mapping
from tinyproof.core.files import writing
from tinyproof.core.plain_data import parse_json
from tinyproof.data.arrays import Arrays, load_arrays
from tinyproof.train.origin import FORMAT, Origin, refusal
from tinyproof.train.run_record import EpochLog

FILE = "checkpoint.npz"


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """When the run began, its epochs until now, the seconds that they took, and the engine's state after them."""

    started: str
    epochs: tuple[EpochLog, ...]
    seconds: float
    state: Arrays


def save(folder: Path, origin: Origin, checkpoint: Checkpoint) -> None:
    """Write what is needed to go on, in one file: JSON, and the state as arrays. Raises OutputError."""
    meta = {
        "format": FORMAT,
        **origin.to_dict(),
        "started": checkpoint.started,
        "spent": checkpoint.seconds,
        "epochs": [asdict(log) for log in checkpoint.epochs],
    }
    text = np.frombuffer(json.dumps(meta).encode(), np.uint8)
    arrays: dict[str, NDArray[Any]] = {f"state/{name}": value for name, value in checkpoint.state.items()}
    with writing(folder / FILE) as beside, beside.open("wb") as file:
        np.savez(file, **{"meta": text, **arrays})  # type: ignore[arg-type]


def load(folder: Path, origin: Origin) -> Checkpoint | None:
    """What is kept in the folder, or None where nothing is. Raises DataError when it is broken, InputError where it was
    made with anything else than `origin`."""
    path = folder / FILE
    if not path.is_file():
        return None
    remedy = "remove it, or use --force where there is one: the run begins again from its first epoch"
    try:
        arrays = load_arrays(path)
    except DataError as error:
        raise DataError(str(path), error.problem, remedy) from error
    try:
        meta = parse_json(arrays.pop("meta").tobytes(), str(path))
        why = refusal(meta, origin)
        epochs = () if why else tuple(from_mapping(EpochLog, entry, "checkpoint") for entry in meta["epochs"])
        started, seconds = str(meta["started"]), float(meta["spent"])
    except (KeyError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise DataError(str(path), "is not a checkpoint", "start again with --force") from error
    if why:
        remedy = "name a new folder, or start again there with --force"
        raise InputError("out", str(folder), remedy, problem=f"holds epochs {why}")
    return Checkpoint(started, epochs, seconds, {name.removeprefix("state/"): a for name, a in arrays.items()})


def spent(folder: Path) -> float:
    """How many seconds the epochs took that are kept in the folder; 0 where none are, or they cannot be read."""
    try:
        return float(parse_json(load_arrays(folder / FILE)["meta"].tobytes(), FILE)["spent"])
    except (TinyproofError, OSError, KeyError, ValueError, TypeError, RecursionError):
        return 0.0
