"""`predict`: read a picture of one digit with the weights of a run, and say how the picture was turned into an input."""

from __future__ import annotations

import io
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyproof.cnn import store
from tinyproof.cnn.machine import need_torch
from tinyproof.cnn.run import Run
from tinyproof.core.errors import DataError, MissingDependency
from tinyproof.core.files import read_bounded, sha256

_MAX_BYTES = 30_000_000
_MAX_PIXELS = 30_000_000
# MNIST: a digit fits a box of 20 pixels whose ink has its centre of mass in the middle of 28 x 28.
_SIDE, _BOX = 28, 20


@dataclass(frozen=True)
class Prediction:
    """The answer: class, probability (0 to 1), all probabilities by class, and what was done to the picture."""

    image: str
    predicted: str
    probability: float
    probabilities: dict[str, float]
    steps: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {**asdict(self), "steps": list(self.steps)}

    def words(self) -> str:
        """The answer for people."""
        ranked = sorted(self.probabilities.items(), key=lambda item: -item[1])[1:3]
        others = ", ".join(f"{name} {100 * value:.1f} %" for name, value in ranked)
        return (
            f"{self.image}: {self.predicted} ({100 * self.probability:.1f} %; then {others})\n"
            f"how it was read: {'; '.join(self.steps)}"
        )


def predict(run: str | Path, image: str | Path) -> Prediction:
    """Classify the picture in file `image` with the run in folder `run`.

    Raises DataError when there is no run, no weights, or the file is not a picture with anything on it.
    """
    need_torch("predicting")
    import torch
    from torch.nn import functional as F

    from tinyproof.cnn import nets

    folder = Path(run)
    record = store.load(folder)
    content = read_bounded(folder / store.WEIGHTS, 2_000_000_000)
    if sha256(content) != record.weights_digest:
        raise DataError(str(folder / store.WEIGHTS), "is not the file that this run wrote", "train again with --force")
    pixels, steps = read_picture(Path(image), MNIST_LIKE if record.identity.dataset == "mnist" else TIGHT)
    module = nets.build(record.identity.model)
    module.load_state_dict({k: torch.from_numpy(v.copy()) for k, v in store.load_weights(folder).items()})
    module.eval()
    with torch.inference_mode():
        inputs = (torch.from_numpy(pixels)[None, None].float() / 255 - record.mean) / record.std
        probabilities = F.softmax(F.log_softmax(module(inputs), 1), 1)[0].tolist()
    by_class = dict(zip(record.classes, probabilities, strict=True))
    best = max(by_class, key=lambda name: by_class[name])
    return Prediction(str(image), best, by_class[best], by_class, tuple(steps))
