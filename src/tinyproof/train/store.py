"""The folder of one run: record, predictions, weights, checkpoint; each written whole, no pickle, one writer at a time.

`run.json` is written last: where it is, the run is finished.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyproof.core import lease
from tinyproof.core.errors import DataError, MissingDependency, OutputError, one_line
from tinyproof.core.files import output_folder, read_bounded, write_atomic, writing
from tinyproof.core.plain_data import parse_json, read_json
from tinyproof.data.arrays import MOST_BYTES, Arrays, load_arrays
from tinyproof.data.dataset import TARGETS
from tinyproof.network.budget import Budget, course
from tinyproof.train import checkpoint
from tinyproof.train.run_record import Predictions, Run

RECORD, PREDICTIONS, WEIGHTS = "run.json", "predictions.npz", "weights.safetensors"
BUDGET = "budget.json"
_FILES = (RECORD, BUDGET, checkpoint.FILE, PREDICTIONS, WEIGHTS)
_RECORD_BYTES = 10_000_000
_BUDGET_BYTES = 100_000


def finished(folder: Path) -> bool:
    """Whether the folder holds a finished run."""
    return (folder / RECORD).is_file()


def save(folder: Path, run: Run, predictions: Predictions, weights: Mapping[str, NDArray[Any]] | None = None) -> None:
    """Write a finished run; the record comes last, the checkpoint goes. Raises OutputError; Busy where another process
    has taken the folder over meanwhile, whose run has the same bits."""
    lease.check(folder)
    with writing(folder / PREDICTIONS) as beside, beside.open("wb") as file:
        np.savez_compressed(file, **predictions.arrays())  # type: ignore[arg-type]
    if weights is not None:
        write_atomic(folder / WEIGHTS, weight_bytes(weights))
    write_atomic(folder / RECORD, run.to_json())
    with contextlib.suppress(OSError):
        (folder / checkpoint.FILE).unlink(missing_ok=True)


def load(folder: Path) -> Run:
    """The record of a finished run. Raises DataError when there is none or it is broken."""
    path = folder / RECORD
    if not path.is_file():
        raise DataError(str(folder), "holds no finished run (no run.json)")
    return Run.from_json(read_bounded(path, _RECORD_BYTES), str(path))


def keep_budget(folder: Path, run: Run, asked: Budget) -> None:
    """Keep the budget that a run was made for, where it is not the one of its network and data set. OutputError."""
    if asked != usual_budget(run):
        write_atomic(folder / BUDGET, json.dumps(asked.to_dict(), indent=1) + "\n")
    else:
        with contextlib.suppress(OSError):
            (folder / BUDGET).unlink(missing_ok=True)


def load_budget(folder: Path, run: Run) -> Budget:
    """The budget that a run was made for. Raises DataError, InputError where the file is no budget."""
    path = folder / BUDGET
    return Budget.from_dict(read_json(path, _BUDGET_BYTES), str(path)) if path.is_file() else usual_budget(run)


def usual_budget(run: Run) -> Budget:
    """The course budget of a run's network with the target of its data set."""
    return replace(
        course(run.identity.model, run.shape, len(run.classes)), accuracy_percent=TARGETS.get(run.identity.dataset)
    )


def load_predictions(folder: Path) -> Predictions:
    """The stored answers of a run. Raises DataError when they are missing, broken or of the wrong shape."""
    return read_predictions(folder / PREDICTIONS)


def read_predictions(path: Path) -> Predictions:
    """Stored answers. Raises DataError when they are missing, broken or of the wrong shape."""
    arrays = load_arrays(path)
    answers = arrays.get("predicted", np.zeros(0, np.uint8))
    count, kind = answers.shape, "uint16" if answers.dtype == np.uint16 else "uint8"
    wanted = {"predicted": kind, "labels": kind, "confidence": "float32", "losses": "float32"}
    for name, kind in wanted.items():
        if name not in arrays or arrays[name].dtype != kind or arrays[name].ndim != 1 or arrays[name].shape != count:
            raise DataError(str(path), f"does not hold {name} as {kind} with one value an image")
    sure, losses = arrays["confidence"], arrays["losses"]
    # A loss is minus the logarithm of a probability; rounding may leave it a little below zero.
    if not (len(sure) and ((sure >= 0) & (sure <= 1.001)).all() and (np.isfinite(losses) & (losses > -1e-3)).all()):
        raise DataError(str(path), "holds confidences or losses that belong to no probabilities, or no answers at all")
    return Predictions(**{name: arrays[name] for name in wanted})


def weight_bytes(weights: Mapping[str, NDArray[Any]]) -> bytes:
    """Weights in the safetensors format."""
    try:
        from safetensors.numpy import save as serialise
    except ImportError as error:
        raise MissingDependency("safetensors", "saving weights", "train") from error
    return bytes(serialise({name: np.ascontiguousarray(value) for name, value in weights.items()}))


def load_weights(folder: Path) -> Arrays:
    """The saved weights. Raises DataError when they are missing or broken."""
    from safetensors import SafetensorError
    from safetensors.numpy import load as deserialise

    path = folder / WEIGHTS
    content = read_bounded(path, MOST_BYTES)
    try:
        values = dict(deserialise(content))
    except (SafetensorError, KeyError, ValueError) as error:
        raise DataError(str(path), "is not a whole safetensors file") from error
    # The library takes a name that stands twice in the header; this refuses it.
    parse_json(content[8 : 8 + int.from_bytes(content[:8], "little")], str(path))
    if odd := next((name for name, value in values.items() if value.dtype.kind not in "fiub"), None):
        raise DataError(str(path), f"holds {values[odd].dtype} for {one_line(odd, 40)!r}, where real numbers belong")
    return values


def clear(folder: Path) -> None:
    """Remove the files of a run, and nothing else, from the folder. The record goes first."""
    for name in _FILES:
        try:
            (folder / name).unlink(missing_ok=True)
        except OSError as error:
            raise OutputError(folder / name, str(error.strerror).lower()) from error


def runs(root: Path) -> list[tuple[Path, Run]]:
    """Every finished run in `root` and the folders in it, sorted by path. Raises DataError for a broken record."""
    if not root.is_dir():
        return []
    return [(path.parent, load(path.parent)) for path in sorted([*root.glob(RECORD), *root.glob(f"*/{RECORD}")])]


@contextlib.contextmanager
def locked(
    folder: Path,
    *,
    patience: float = 0.0,
    until_sign: bool = False,
    say: Callable[[str], None] = lambda line: None,
) -> Iterator[None]:
    """Keep every other process out of the folder's run, on this machine and on others (`core.lease`, which says what
    the arguments mean). Where its process is killed, this machine sees it at once, others after a minute.

    What a process that was killed left half-written goes. Raises Busy when another process has the folder.
    """
    with lease.hold(output_folder(folder), patience=patience, until_sign=until_sign, say=say):
        _sweep(folder)
        yield


def _sweep(folder: Path) -> None:
    for name in _FILES:
        for left in folder.glob(f".{name}.*.partial"):
            with contextlib.suppress(OSError):
                left.unlink()
