"""The native engine: C++ made for the network at hand, compiled by the machine's own compiler, for the CPU.

Reading order: native_trace and native_layers (what the network is), native_plan (stages), native_tiles (how their work
is cut), native_scratch (memory), native_source (C++), native_build (compiler and cache), native_library (the C
interface), this file (the engine that `train` uses).
kernels/stage.hpp has the idea that makes it fast.
"""

from __future__ import annotations

import itertools
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from tinyproof.core.errors import DataError, InputError
from tinyproof.data.dataset import Dataset
from tinyproof.train.augment import borders
from tinyproof.train.engine import Batch, Evaluation, Tally
from tinyproof.train.engine.native.build import NoCompiler, find_compiler, library, load
from tinyproof.train.engine.native.chain import compare_answers, read_layers
from tinyproof.train.engine.native.compiled import Library, Optimizer
from tinyproof.train.engine.native.layers import Unsupported
from tinyproof.train.engine.native.plan import Plan, Shape
from tinyproof.train.engine.native.planning import make_plan
from tinyproof.train.engine.native.source import source
from tinyproof.train.recipe import Recipe

Images = tuple[int, ...]

# With more than this share of the multiply-adds in linear layers torch is quicker, unless there are so few of them that
# its calls cost more than its arithmetic.
_LINEAR_SHARE, _LINEAR_LEAST = 0.5, 40_000
_ADAMW_EPSILON = 1e-8  # torch.optim.AdamW's default


def refusal(module: nn.Module, recipe: Recipe, images: Images = (60_000, 1, 28, 28)) -> str:
    """Why the native engine cannot train this network here, in one line; "" when it can.

    `images`: number, channels, height and width of the training images. Compiles the kernels when they are not in the
    cache yet, so that a broken compiler is found here.
    """
    try:
        load(_compiled(module, recipe, images)[1])
    except (Unsupported, NoCompiler) as error:
        return str(error)
    return ""


def slower(module: nn.Module, images: Images = (60_000, 1, 28, 28)) -> str:
    """Why torch is the quicker engine for this network, in one line; "" where it is not, or where native cannot.

    Linear layers are where a general framework is at its best (benchmarks/linear_layers.py). Compiles nothing.
    """
    try:
        plan = plan_of(module, _shape(images))
    except Unsupported:
        return ""
    if plan.linear_multiply_adds < _LINEAR_LEAST or plan.linear_share <= _LINEAR_SHARE:
        return ""
    return f"{plan.linear_share:.0%} of the multiply-adds lie in linear layers"


def _shape(images: Images) -> Shape:
    channels, height, width = images[1:]
    return channels, height, width


def plan_of(module: nn.Module, shape: Shape = (1, 28, 28)) -> Plan:
    """The module as stages for images of `shape`. Raises Unsupported."""
    layers = read_layers(module)
    offsets, total = {}, 0
    for name, parameter in module.named_parameters():
        if parameter.dtype != torch.float32 or not parameter.requires_grad:
            raise Unsupported(f"{name}: only float32 parameters that are trained are supported")
        offsets[name] = total
        total += parameter.numel()
    places = sorted((p.data_ptr(), p.numel() * 4, name) for name, p in module.named_parameters())
    for (start, size, _), (following, _, name) in itertools.pairwise(places):
        if start + size > following:
            raise Unsupported(f"{name} shares its memory with other weights")
    plan = make_plan(layers, offsets, total, shape)
    compare_answers(module, shape, plan.classes)
    return plan


def _compiled(module: nn.Module, recipe: Recipe, images: Images) -> tuple[Plan, Path]:
    plan, size = plan_of(module, _shape(images)), recipe.batch_size
    if 1 in (size, images[0] % size) and any(stage.norm and stage.after[1:] == (1, 1) for stage in plan.stages):
        raise Unsupported(
            f"{images[0]:,} images in batches of {size} leave one alone, and a batch norm needs two values"
        )
    compiler = find_compiler()
    return plan, library(source(plan, compiler.lanes), compiler, lambda line: print(line, file=sys.stderr))


class NativeEngine:
    """Trains `module` with compiled kernels; see `tinyproof.train.engine.Engine` for what each method does.

    `threads`: None for one per core that this process may use. Same recipe, seed, machine and threads: same bits.
    Raises InputError where the engine does not apply (`refusal` says so beforehand).
    """

    name = "native"
    device = "cpu"

    def __init__(
        self,
        module: nn.Module,
        recipe: Recipe,
        dataset: Dataset,
        seed: int = 0,
        threads: int | None = None,
    ) -> None:
        self.threads = threads or _cores()
        self._module, self._recipe = module, recipe
        self._images = np.ascontiguousarray(dataset.train_images)
        self._labels = np.ascontiguousarray(dataset.train_labels, dtype=np.int64)
        self._borders = None if recipe.augment.nothing else borders(self._images)
        try:
            self.plan, path = _compiled(module, recipe, self._images.shape)
            if len(dataset.classes) > self.plan.classes:
                raise Unsupported(f"the network gives {self.plan.classes} values for {len(dataset.classes)} classes")
            mean, std = dataset.normalisation
            pixels = (1.0 / (255.0 * std), -mean / std)
            self._library = Library(path, self.threads, recipe.batch_size, self.plan.classes, pixels)
        except (Unsupported, NoCompiler) as error:
            raise InputError("engine", "native", "torch here", str(error)) from error
        self._norms = [module.get_submodule(name) for name in self.plan.norms]
        self._params, self._running = self._read()
        self._first, self._second = np.zeros_like(self._params), np.zeros_like(self._params)
        averages = recipe.ema is not None
        self._ema = self._params.copy() if averages else None
        self._ema_running = self._running.copy() if averages else None
        self._steps = 0
        self._batches = [int(norm.get_buffer("num_batches_tracked")) for norm in self._norms]
        decay = np.full_like(self._params, recipe.weight_decay)
        moments = (self._first, self._second)
        self._library.bind(self._params, self._running, decay, _optimizer(recipe), moments, self._ema)

    def _read(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Parameters and running statistics of the module, flat."""
        parameters = [p.detach().numpy().ravel() for p in self._module.parameters()]
        running = [norm.get_buffer(n).numpy() for norm in self._norms for n in ("running_mean", "running_var")]
        return np.concatenate(parameters), np.concatenate([*running, np.zeros(1, np.float32)])

    def step(self, batch: Batch, rate: float) -> None:
        """One update; the rows of the batch must lie within the training images."""
        rows = np.ascontiguousarray(batch.indices, dtype=np.int64)
        if not 0 < len(rows) <= self._library.max_batch or rows.min() < 0 or rows.max() >= len(self._images):
            problem = f"has {len(rows)} rows, or rows outside the {len(self._images)} training images"
            raise DataError("the batch", problem, f"at most {self._recipe.batch_size} rows are expected")
        keep, changed = self._ema_keep(), batch.transforms
        # The arrays must stay alive until the step is done, so they are named here.
        matrices = None if changed is None else np.ascontiguousarray(changed.matrices, dtype=np.float32)
        boxes = None if changed is None else np.ascontiguousarray(changed.boxes, dtype=np.int32)
        given = self._library.batch(self._images, rows, self._labels, matrices, boxes, self._borders)
        self._steps += 1
        self._library.step(given, len(rows), batch.seed & (2**64 - 1), self._steps, rate, keep)
        if self._ema_running is not None:
            self._ema_running += np.float32(1.0 - keep) * (self._running - self._ema_running)

    def _ema_keep(self) -> float:
        """The share of the old average that stays; small at first, so that the start is soon forgotten."""
        return 0.0 if self._recipe.ema is None else min(self._recipe.ema, (1 + self._steps) / (10 + self._steps))

    def tally(self) -> Tally:
        """Sums since the last call."""
        return Tally(*self._library.tally())

    def evaluate(self, images: NDArray[np.uint8], labels: NDArray[np.int64], batch_size: int = 500) -> Evaluation:
        """Log-probabilities in evaluation mode, and the sum of the losses. `batch_size` changes nothing here."""
        images, shape = np.ascontiguousarray(images), self._images.shape[1:]
        if images.dtype != np.uint8 or images.shape[1:] != shape:
            problem = f"are {images.dtype} {list(images.shape[1:])}"
            raise DataError("the images", problem, f"bytes {list(shape)} are expected, as in training")
        params, running = self._final()
        log_p = self._library.evaluate(self._library.batch(images), len(images), params, running)
        loss = -log_p[np.arange(len(labels)), labels].sum(dtype=np.float64)
        return Evaluation(float(loss), log_p)

    def _final(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        if self._ema is not None and self._ema_running is not None:
            return self._ema, self._ema_running
        return self._params, self._running

    @torch.no_grad()
    def write_back(self) -> None:
        """Put the final weights and running statistics into the module, in evaluation mode."""
        params, running = self._final()
        at = 0
        for parameter in self._module.parameters():
            values = params[at : at + parameter.numel()].reshape(parameter.shape)
            parameter.copy_(torch.from_numpy(values.copy()))
            at += parameter.numel()
        at = 0
        for norm, before in zip(self._norms, self._batches, strict=True):
            for name in ("running_mean", "running_var"):
                buffer = norm.get_buffer(name)
                buffer.copy_(torch.from_numpy(running[at : at + len(buffer)].copy()))
                at += len(buffer)
            norm.get_buffer("num_batches_tracked").fill_(before + self._steps)
        self._module.eval()

    def _arrays(self) -> dict[str, NDArray[Any]]:
        named = {
            "params": self._params,
            "running": self._running,
            "first": self._first,
            "second": self._second,
            "ema": self._ema,
            "ema_running": self._ema_running,
        }
        return {name: array for name, array in named.items() if array is not None}

    def state(self) -> dict[str, NDArray[Any]]:
        """Weights, running statistics, the optimiser's moments, averages and the step count, as arrays of their own."""
        return {name: array.copy() for name, array in self._arrays().items()} | {"steps": np.asarray(self._steps)}

    def restore(self, state: dict[str, NDArray[Any]]) -> None:
        """Take everything from arrays that `state` gave. Raises DataError when they are of another network."""
        for name, array in self._arrays().items():
            if name not in state or state[name].shape != array.shape:
                raise DataError("the saved state", f"does not fit this network ({name})", "start the run again")
            array[...] = state[name]
        self._steps = int(state["steps"])
        self._library.tally()


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _optimizer(recipe: Recipe) -> Optimizer:
    return Optimizer(
        recipe.optimizer == "adamw",
        recipe.nesterov,
        recipe.momentum,
        recipe.momentum,
        recipe.beta2,
        _ADAMW_EPSILON,
        recipe.label_smoothing,
    )
