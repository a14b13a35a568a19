"""What computes a training step: one interface, two engines (torch everywhere, native on the CPU).

An engine is made as `Engine(module, recipe, dataset, seed, ...)`. The module comes with its initial weights and with
the recipe's dropout already set, and the batches (which images, how changed, at which rate) come from `train`, so
every engine does the same work; only the noise of dropout is its own, drawn from `Batch.seed`.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tinyproof.core.errors import InputError
from tinyproof.core.fields import one_of
from tinyproof.train.augment import Transforms

NAMES = ("auto", "torch", "native")


@dataclass(frozen=True)
class Batch:
    """One training step's input: rows of the training images int64 [B], their transforms, a seed for dropout."""

    indices: NDArray[np.int64]
    transforms: Transforms | None
    seed: int


@dataclass(frozen=True)
class Tally:
    """Sums over some training images: loss (training mode, before the update), correct answers, images."""

    loss_sum: float
    correct: int
    count: int


@dataclass(frozen=True)
class Evaluation:
    """The sum of the losses (no label smoothing), and log-probabilities float32 [N, classes] of N images."""

    loss_sum: float
    log_probabilities: NDArray[np.float32]


class Engine(Protocol):
    """What `train` needs of an engine."""

    name: str
    threads: int
    device: str

    def step(self, batch: Batch, rate: float) -> None:
        """One update at learning rate `rate`; adds to the running tally."""

    def tally(self) -> Tally:
        """What accumulated since the last call; starts again from zero."""

    def evaluate(self, images: NDArray[np.uint8], labels: NDArray[np.int64], batch_size: int = 500) -> Evaluation:
        """Evaluation mode on uint8 [N, channels, height, width]; the averaged weights when the recipe averages."""

    def write_back(self) -> None:
        """Put the final weights (the averaged ones when the recipe averages) into the module that was given."""

    def state(self) -> dict[str, NDArray[Any]]:
        """Everything needed to go on with the same bits."""

    def restore(self, state: dict[str, NDArray[Any]]) -> None:
        """Go on from what `state` gave."""


def choose(
    name: str, module: Any, recipe: Any, device: str, images: tuple[int, ...] = (60_000, 1, 28, 28)
) -> tuple[type[Any], str]:
    """The engine class for `name` (auto, torch, native), and one line that says why.

    `images`: number, channels, height and width of the training images. The native engine says itself what it cannot
    do: `native.refusal(module, recipe, images)` gives the reason, or ""; `native.slower` where torch is the quicker.
    Raises InputError for an unknown name, and for `native` where it does not apply.
    """
    one_of("engine", name, NAMES)
    torch_engine: type[Any] = import_module("tinyproof.train.engine.torch_engine").TorchEngine
    if name == "torch":
        return torch_engine, "torch, as asked"
    if device != "cpu":
        why_not = f"it computes on the CPU only and the device is {device}"
    elif find_spec("tinyproof.train.engine.native.native_engine") is None:
        why_not = "it is not part of this installation"
    else:
        native = import_module("tinyproof.train.engine.native.native_engine")
        slower = native.slower(module, images) if name == "auto" else ""
        if slower:
            return torch_engine, f"torch, the quicker one here: {slower}"
        why_not = native.refusal(module, recipe, images)
        if not why_not:
            return native.NativeEngine, "native, as asked" if name == "native" else "native: it applies"
    if name == "native":
        raise InputError("engine", name, "torch or auto here", f"native does not apply: {why_not}")
    return torch_engine, f"torch; native does not apply: {why_not}"
