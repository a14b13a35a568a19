"""A run's network as C, and in whole numbers: the files, and what they answer."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from tinyproof.core.errors import DataError
from tinyproof.core.files import read_bounded, sha256
from tinyproof.ship import c_float, c_run, c_text, c_whole, onnx_whole, whole_answers
from tinyproof.ship.c_stages import Chain
from tinyproof.ship.onnx_answers import OnnxFile
from tinyproof.ship.quantise import Quantised, quantised
from tinyproof.ship.tool import ToolTrouble

FORMATS = ("c", "c-int8", "onnx-int8")
ONNX = "network.onnx"
_MOST_BYTES = 100_000_000


@dataclass(frozen=True, eq=False)
class Answered:
    """What exported files answered. `log_probabilities`: float32 [N, classes]; `runner`: what computed them;
    `compiler`: SHA-256 of the compiler, `scores` of scores in whole numbers (int32, the lowest byte first), ""
    where there is none.
    """

    log_probabilities: NDArray[np.float32]
    runner: str
    compiler: str = ""
    scores: str = ""


@dataclass(frozen=True, eq=False)
class Prepared:
    """A network for one of FORMATS, ready to be written. `whole`: in whole numbers, where the format is of them."""

    to: str
    model: str
    about: c_text.About
    chain: Chain
    whole: Quantised | None = None

    def files(self) -> dict[str, bytes]:
        """The exported files by name. Raises DataError."""
        if self.whole is None:
            return c_float.files(self.chain, self.about)
        if self.to == "c-int8":
            return c_whole.files(self.whole, self.about)
        told = {"classes": json.dumps(self.about.classes), **self.about.origin}
        return {ONNX: onnx_whole.model_bytes(self.whole, self.model, len(self.about.classes), told)}

    def answered(self, folder: Path, images: NDArray[np.uint8]) -> Answered:
        """What the files in a folder answer: C is compiled and run, so they must be known to be what `files` makes.

        Without a compiler whole numbers are computed here: they are the same. Raises DataError: without one, for C in
        floating point; and where scores in whole numbers are not the same.
        """
        if self.to == "onnx-int8":
            return self._by_node(folder, images)
        command = c_run.compiler()
        if command is None:
            return self._here(images)
        names = (f"{self.about.name}.c", f"{self.about.name}.h")
        files = {name: read_bounded(folder / name, _MOST_BYTES) for name in names}
        kind = np.float32 if self.whole is None else np.int32
        found = c_run.scores(command, files, self.about.name, images, len(self.about.classes), kind)
        if self.whole is not None and not np.array_equal(found, whole_answers.scores(self.whole, images)):
            raise DataError(self.model, "answers otherwise as C than in whole numbers here: its compiler is at fault")
        return self._told(found, f"{c_run.version(command)}, {' '.join(c_run.FLAGS)}", sha256(Path(command[0])))

    def _here(self, images: NDArray[np.uint8]) -> Answered:
        if self.whole is None:
            said = "cannot be exported to c: no C compiler is here to let it answer"
            raise ToolTrouble(self.model, said, "set CC or install gcc or clang; c-int8 and onnx need none")
        found = whole_answers.scores(self.whole, images)
        return self._told(found, "numpy, in whole numbers (no C compiler was found)")

    def _told(self, scores: NDArray[Any], runner: str, compiler: str = "") -> Answered:
        digest = "" if self.whole is None else sha256(scores.astype("<i4").tobytes())
        unit = 1.0 if self.whole is None else self.whole.unit
        return Answered(_log_softmax(scores * unit), runner, compiler, digest)

    def _by_node(self, folder: Path, images: NDArray[np.uint8]) -> Answered:
        content = read_bounded(folder / ONNX, _MOST_BYTES)
        found = OnnxFile(content, str(folder / ONNX)).scores(images, lambda part: part)
        return Answered(_log_softmax(found), f"torch {torch.__version__}, node by node from the file's bytes")


def prepared(to: str, model: str, about: c_text.About, chain: Chain, training: NDArray[np.uint8]) -> Prepared:
    """A network for one of FORMATS; `training`: the training images, some are measured on. Raises DataError."""
    return Prepared(to, model, about, chain, None if to == "c" else quantised(model, chain, training))


def _log_softmax(values: NDArray[Any]) -> NDArray[np.float32]:
    found: NDArray[np.float32] = F.log_softmax(torch.from_numpy(values.astype(np.float64)), 1).float().numpy()
    return found
