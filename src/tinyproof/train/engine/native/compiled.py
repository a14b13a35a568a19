"""The compiled network: the plain C interface of kernels/interface.hpp, with numpy arrays on this side.

The arrays (parameters, optimiser state, running statistics, EMA) belong to Python; the library only reads and writes
them.
"""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyproof.train.engine.native.build import NoCompiler, load

_P = ctypes.c_void_p


class _Batch(ctypes.Structure):
    _fields_ = (
        ("images", _P),
        ("rows", _P),
        ("labels", _P),
        ("matrices", _P),
        ("boxes", _P),
        ("borders", _P),
        ("scale", _P),
        ("shift", _P),
    )


class _Weights(ctypes.Structure):
    _fields_ = (("params", _P), ("first", _P), ("second", _P), ("ema", _P), ("decay", _P))


class Optimizer(ctypes.Structure):
    """The optimiser's values, as kernels/update.hpp reads them."""

    _fields_ = (
        ("adamw", ctypes.c_int32),
        ("nesterov", ctypes.c_int32),
        ("momentum", ctypes.c_float),
        ("beta1", ctypes.c_float),
        ("beta2", ctypes.c_float),
        ("epsilon", ctypes.c_float),
        ("label_smoothing", ctypes.c_float),
    )


def _address(array: NDArray[Any] | None) -> int | None:
    return None if array is None else array.ctypes.data


class Library:
    """One network in memory, with its threads. Every array given must be C-contiguous and stay alive.

    `pixels` is (scale, shift) of the normalisation, a number a channel: a network sees value * scale + shift.
    """

    def __init__(self, path: Path, threads: int, max_batch: int, classes: int, pixels: tuple[Any, Any]) -> None:
        self._c = load(path)
        self._c.tiny_create.restype = _P
        self._handle = _P(self._c.tiny_create(ctypes.c_int(threads), ctypes.c_int(max_batch)))
        if not self._handle:
            raise NoCompiler("there is not enough memory for the batch, or no thread can be started")
        self.classes, self.max_batch = classes, max_batch
        self._scale, self._shift = (np.atleast_1d(np.asarray(values, np.float32)) for values in pixels)
        self._kept: tuple[Any, ...] = ()

    def close(self) -> None:
        """End the threads and free the memory."""
        if self._handle:
            self._c.tiny_destroy(self._handle)
            self._handle = _P()

    def __del__(self) -> None:
        if getattr(self, "_handle", None):
            self.close()

    def bind(
        self,
        params: NDArray[np.float32],
        running: NDArray[np.float32],
        decay: NDArray[np.float32],
        optimizer: Optimizer,
        moments: tuple[NDArray[np.float32], NDArray[np.float32]],
        ema: NDArray[np.float32] | None = None,
    ) -> None:
        """Say where the weights and the optimiser's state are."""
        self._kept = (params, running, decay, moments, ema)
        weights = _Weights(*map(_address, (params, *moments, ema, decay)))
        self._c.tiny_bind(self._handle, ctypes.byref(weights), _P(_address(running)), ctypes.byref(optimizer))

    def step(self, batch: _Batch, count: int, seed: int, number: int, rate: float, ema_keep: float) -> None:
        """One training step on `count` images: forward, backward, update number `number` (from 1)."""
        self._c.tiny_step(
            self._handle,
            ctypes.byref(batch),
            ctypes.c_int(count),
            ctypes.c_uint64(seed),
            ctypes.c_int64(number),
            ctypes.c_float(rate),
            ctypes.c_float(ema_keep),
        )

    def gradient(
        self, batch: _Batch, count: int, seed: int, parameters: int
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The gradient of the mean loss [parameters] and the log-probabilities [count, classes], in training mode."""
        gradient = np.zeros(parameters, np.float32)
        log_p = np.zeros((count, self.classes), np.float32)
        self._c.tiny_gradient(
            self._handle,
            ctypes.byref(batch),
            ctypes.c_int(count),
            ctypes.c_uint64(seed),
            _P(gradient.ctypes.data),
            _P(log_p.ctypes.data),
        )
        return gradient, log_p

    def evaluate(
        self, batch: _Batch, count: int, params: NDArray[np.float32], running: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Log-probabilities [count, classes] in evaluation mode."""
        log_p = np.zeros((count, self.classes), np.float32)
        self._c.tiny_evaluate(
            self._handle,
            ctypes.byref(batch),
            ctypes.c_int64(count),
            _P(params.ctypes.data),
            _P(running.ctypes.data),
            _P(log_p.ctypes.data),
        )
        return log_p

    def tally(self) -> tuple[float, int, int]:
        """Loss sum, correct answers and images since the last call."""
        loss, correct, count = ctypes.c_double(), ctypes.c_int64(), ctypes.c_int64()
        self._c.tiny_tally(self._handle, ctypes.byref(loss), ctypes.byref(correct), ctypes.byref(count))
        return loss.value, correct.value, count.value

    def batch(
        self,
        images: NDArray[np.uint8],
        rows: NDArray[np.int64] | None = None,
        labels: NDArray[np.int64] | None = None,
        matrices: NDArray[np.float32] | None = None,
        boxes: NDArray[np.int32] | None = None,
        borders: NDArray[np.uint8] | None = None,
    ) -> _Batch:
        """A batch as the library reads it; the arrays must outlive its use."""
        given = (images, rows, labels, matrices, boxes, borders, self._scale, self._shift)
        return _Batch(*map(_address, given))
