"""The files of an export, made from a run's layers and weights: the same run and version give the same bytes."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from tinyproof import __version__
from tinyproof.core.errors import DataError, one_line
from tinyproof.core.files import read_bounded
from tinyproof.data.dataset import Dataset
from tinyproof.data.load import INK
from tinyproof.ship import c_count, c_size, c_text, claim, for_people, torch_file, whole_answers
from tinyproof.ship.c_stages import chain
from tinyproof.ship.c_text import About
from tinyproof.ship.claim import Proved
from tinyproof.ship.exported import IN_C, NAME, Exported
from tinyproof.ship.fold import Repeats, folded
from tinyproof.ship.in_c_or_whole import FORMATS, Answered, Prepared, prepared
from tinyproof.ship.onnx_answers import OnnxFile
from tinyproof.ship.onnx_file import model_bytes
from tinyproof.ship.operations import normalising, operations
from tinyproof.train import store
from tinyproof.train.engine.native.layers import Layer
from tinyproof.train.run_record import Run

ONNX = "network.onnx"
_BATCH = 1000
_MOST_WORDS = 1_000_000  # bytes of an ONNX file besides its weights


@dataclass(frozen=True, eq=False)
class Made:
    """Exported files by name, and what lets them answer (`prepared`, where the format has it)."""

    to: str
    run: Run
    files: dict[str, bytes]
    prepared: Prepared | None = None

    def answered(self, folder: Path, images: NDArray[np.uint8]) -> Answered:
        """What the files, which stand in a folder, give for images. They are run: they must be known to be these files.
        Raises DataError."""
        if self.prepared is not None:
            return self.prepared.answered(folder, images)
        if self.to == "torch":
            code = self.files[torch_file.CODE]
            return Answered(_of_module(code, folder / torch_file.CODE, images), runner(self.to))
        return Answered(scores(self.to, folder, self.run, images), runner(self.to))

    def classes(self, images: NDArray[np.uint8]) -> NDArray[np.int64] | None:
        """The classes [N] that a network in whole numbers gives, computed here without its files; None of others."""
        if self.prepared is None or self.prepared.whole is None:
            return None
        return np.asarray(whole_answers.scores(self.prepared.whole, images).argmax(1), np.int64)

    def counted(self, images: NDArray[np.uint8]) -> dict[str, Any]:
        """What the record of an export says of instructions there, or of why they could not be counted."""
        if self.to not in IN_C:
            return {}
        try:
            name = self.prepared.about.name if self.prepared else NAME
            count = c_count.most(self.files, name, images, len(self.run.classes))
            return {"instructions": count, "counted_by": c_count.by()}
        except DataError as error:  # what this machine lacks stops nothing
            return {"not_counted": one_line(str(error), 200)}

    def sized(self) -> dict[str, Any]:
        """What the record of an export says of bytes on a microcontroller; nothing where there is nothing to say."""
        try:
            if self.to not in IN_C or not c_size.by():
                return {}
            size = c_size.measured(self.files, self.prepared.about.name if self.prepared else NAME)
            return {"flash": size.flash, "ram": size.ram, "sized_by": c_size.by()}
        except DataError:  # a compiler for another processor that does not work stops nothing
            return {}


def made(
    to: str, input: str, run: Run, layers: tuple[Layer, ...], weights: Mapping[str, NDArray[Any]], *,
    dataset: Dataset, proved: Proved | None = None, name: str = NAME, version: str = __version__,
) -> Made:  # fmt: skip
    """An export of a run; `layers`, `weights` and `dataset` are the run's, `proved` what its proof says, `name` what
    names in C begin with, `version` the one that the files name. Raises DataError for what the format does not take."""
    try:
        return _made(to, input, run, layers, weights, dataset=dataset, proved=proved, name=name, version=version)
    except Repeats as error:  # what is folded has no name
        said = f"cannot be exported to {to}: {error.what} {error.problem}"
        raise DataError(claim.model_title(run), said, error.remedy) from error


def _made(
    to: str, input: str, run: Run, layers: tuple[Layer, ...], weights: Mapping[str, NDArray[Any]], *,
    dataset: Dataset, proved: Proved | None, name: str, version: str,
) -> Made:  # fmt: skip
    if to in for_people.FORMATS:
        return Made(to, run, for_people.files(to, run, layers, weights, dataset, proved))
    if to not in FORMATS:
        return Made(to, run, files(to, input, run, layers, weights, version))
    model = run.identity.model
    if to != "onnx-int8":
        c_text.check_classes(model, run.classes)
    stages = chain(model, [normalising(*_normalisation(run)), *operations(layers, weights)], run.shape)
    about = About(c_text.checked_name(name), run.shape, run.classes, origin_of(run, version))
    ready = prepared(to, model, about, stages, dataset.train_images)
    return Made(to, run, ready.files(), ready)


def origin_of(run: Run, version: str = __version__) -> dict[str, str]:
    """What an exported file says of where it came from; `version`: of this package, that it was made by."""
    return {
        "model": run.identity.model, "recipe": run.recipe.name, "data": run.identity.dataset,
        "seed": str(run.identity.seed), "run_accuracy": f"{run.correct} of {run.test_count} test images",
        "weights_sha256": run.weights_digest, "made_by": f"tinyproof {version}",
    }  # fmt: skip


def files(
    to: str, input: str, run: Run, layers: tuple[Layer, ...], weights: Mapping[str, NDArray[Any]],
    version: str = __version__,
) -> dict[str, bytes]:  # fmt: skip
    """The files of `onnx` and `torch` by name; `layers` and `weights` are the run's. Raises DataError."""
    mean, std = _normalisation(run)
    origin = origin_of(run, version)
    if to == "torch":
        reading = run.reading or INK.get(run.identity.dataset, INK["mnist"])
        words = torch_file.Words(run.classes, tuple(mean.tolist()), tuple(std.tolist()), reading, origin)
        kept = store.weight_bytes(torch_file.weights(layers, weights))
        return {torch_file.CODE: torch_file.code(layers, words).encode(), torch_file.WEIGHTS: kept}
    of_bytes = input == "bytes"
    chain = [*([normalising(mean, std)] if of_bytes else []), *operations(layers, weights)]
    told = {"classes": json.dumps(run.classes), **origin}
    told |= {} if of_bytes else {"mean": json.dumps(mean.tolist()), "std": json.dumps(std.tolist())}
    return {ONNX: model_bytes(folded(chain, run.shape), run.shape, len(run.classes), of_bytes, told)}


def scores(to: str, folder: Path, run: Run, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The log-probabilities that exported files give for images, float32 [N, classes]. Raises DataError.

    Workbooks and pages are run: only where they are known to be what is made here.
    """
    if to in for_people.FORMATS:
        return _log_softmax(torch.from_numpy(for_people.scores(to, folder, run, images)))
    mean, std = (torch.from_numpy(part.astype(np.float32))[:, None, None] for part in _normalisation(run))

    def normalised(part: Tensor) -> Tensor:
        return (part.float() / 255 - mean) / std

    content = read_bounded(folder / ONNX, 8 * run.weight_bytes + _MOST_WORDS)
    found = OnnxFile(content, str(folder / ONNX)).scores(images, normalised)
    if found.shape != (len(images), len(run.classes)):
        raise DataError(str(folder / ONNX), f"gives scores of {list(found.shape)}")
    return _log_softmax(torch.from_numpy(found))


def asked(to: str, dataset: Dataset) -> list[int]:
    """The numbers of the test images that exported files answer; none where it is all."""
    return for_people.asked(to, dataset) if to in for_people.FORMATS else []


def runner(to: str) -> str:
    """What computes the scores; empty where nothing here does."""
    if to in for_people.FORMATS:
        return for_people.runner(to)
    return f"torch {torch.__version__}" + (", node by node from the file's bytes" if to == "onnx" else "")


def missing(to: str) -> str:
    """Why nothing here computes the scores."""
    return for_people.missing(to) if to in for_people.FORMATS else ""


def _of_module(code: bytes, path: Path, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """What network.py answers; its weights are read beside `path`. Never imported: a compiled file that somebody put
    into its `__pycache__` would be run in its place."""
    module = ModuleType("tinyproof_exported_network")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module  # its dataclasses ask for their module by its name
    try:
        exec(compile(code, str(path), "exec"), module.__dict__)  # noqa: S102 (bytes that are made here)
        network, parts = module.load(), []
        with torch.inference_mode():
            for at in range(0, len(images), _BATCH):
                parts.append(network(module.normalised(torch.from_numpy(images[at : at + _BATCH]))))
    finally:
        sys.modules.pop(module.__name__, None)
    return _log_softmax(torch.cat(parts))


def _log_softmax(values: Tensor) -> NDArray[np.float32]:
    found: NDArray[np.float32] = F.log_softmax(values, 1).numpy()
    return found


def _normalisation(run: Run) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and standard deviation of each channel."""
    mean, std = (np.atleast_1d(np.asarray(part, np.float64)) for part in (run.mean, run.std))
    channels = run.shape[0]
    return np.broadcast_to(mean, channels).copy(), np.broadcast_to(std, channels).copy()


def same(folder: Path, record: Exported, made: Mapping[str, bytes]) -> list[str]:
    """The names of exported files that are not what was made."""
    return [name for name in sorted({*record.files, *made}) if not _is(folder / name, made.get(name, b""))]


def _is(path: Path, content: bytes) -> bool:
    """Whether a file has this content; one much larger, which may be any, is not read."""
    if not path.is_file():
        return False
    if path.stat().st_size > 2 * len(content):
        return False
    return for_people.same(path.name, path.read_bytes(), content)
