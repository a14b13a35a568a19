"""Runs one batch through compiled kernels and through torch autograd, with the same weights."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional as F

from tinyproof.train.engine.native.build import find_compiler, library
from tinyproof.train.engine.native.compiled import Library, Optimizer
from tinyproof.train.engine.native.native_engine import plan_of
from tinyproof.train.engine.native.source import source

QUICK = ("-O1",)  # the kernels are the same; only compiling is quicker
NORMALISE = (1.0 / 100.0, -0.7)
CORNERS = {nn.ReLU6: (0, 6), nn.Hardswish: (-3, 3), nn.Hardsigmoid: (-3, 3), nn.ELU: (0,)}  # where a slope jumps


@dataclass
class Native:
    """A network in the library with arrays of its own; `gradient` is one forward and backward pass."""

    module: nn.Module
    shape: tuple[int, int, int] = (1, 12, 11)
    threads: int = 1
    lanes: int = 0
    max_batch: int = 64
    extra: tuple[str, ...] = QUICK
    smoothing: float = 0.0

    def __post_init__(self) -> None:
        compiler = find_compiler()
        self.plan = plan_of(self.module, self.shape)
        path = library(source(self.plan, self.lanes or compiler.lanes), compiler, extra=self.extra)
        pixels = tuple([value] * self.shape[0] for value in NORMALISE)
        self.library = Library(path, self.threads, self.max_batch, self.plan.classes, pixels)
        self.params = torch.cat([p.detach().reshape(-1) for p in self.module.parameters()]).numpy().copy()
        norms = [self.module.get_submodule(name) for name in self.plan.norms]
        running = [b for n in norms for b in (n.running_mean, n.running_var)] + [torch.zeros(1)]
        self.running = torch.cat(running).numpy().copy()
        self.moments = (np.zeros_like(self.params), np.zeros_like(self.params))
        self.decay = np.zeros_like(self.params)
        optimizer = Optimizer(0, 0, 0.0, 0.9, 0.999, 1e-8, self.smoothing)
        self.library.bind(self.params, self.running, self.decay, optimizer, self.moments)

    def gradient(self, images: NDArray[np.uint8], labels: NDArray[np.int64], seed: int = 1) -> Any:
        batch = self.library.batch(images, None, labels)
        return self.library.gradient(batch, len(images), seed, self.plan.parameters)

    def evaluate(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        return self.library.evaluate(self.library.batch(images), len(images), self.params, self.running)


def torch_gradient(
    module: nn.Module, images: NDArray[np.uint8], labels: NDArray[np.int64], smoothing: float = 0.0
) -> Any:
    """Gradient [parameters] and log-probabilities in training mode, by autograd in float32."""
    module.train()
    module.zero_grad()
    out = module(channelled(images).float() * NORMALISE[0] + NORMALISE[1])
    F.cross_entropy(out, torch.from_numpy(labels), label_smoothing=smoothing).backward()
    gradient = torch.cat([p.grad.reshape(-1) for p in module.parameters()])  # type: ignore[union-attr]
    return gradient.numpy(), F.log_softmax(out, 1).detach().numpy()


def exact_gradient(module: nn.Module, images: NDArray[np.uint8], labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """Gradient [parameters] in training mode, by autograd in float64; the module itself is left alone."""
    twin = copy.deepcopy(module).double().train()
    out = twin(channelled(images).double() * NORMALISE[0] + NORMALISE[1])
    F.cross_entropy(out, torch.from_numpy(labels)).backward()
    return torch.cat([p.grad.reshape(-1) for p in twin.parameters()]).numpy()  # type: ignore[union-attr]


def channelled(images: NDArray[np.uint8]) -> torch.Tensor:
    """Images [N, C, H, W] of [N, H, W] or of themselves."""
    given = torch.from_numpy(images)
    return given if given.ndim == 4 else given[:, None]


def difference(ours: NDArray[Any], theirs: NDArray[Any]) -> float:
    """The norm of the difference as a share of the norm."""
    return float(np.linalg.norm(ours.astype(np.float64) - theirs) / np.linalg.norm(theirs.astype(np.float64)))


def by_parameter(module: nn.Module, ours: NDArray[Any], theirs: NDArray[Any]) -> dict[str, float]:
    """The difference for each parameter, as a share of the whole gradient's norm where its own is tiny."""
    result, at = {}, 0
    floor = 1e-3 * np.linalg.norm(theirs) / len(theirs) ** 0.5
    for name, parameter in module.named_parameters():
        part = slice(at, at + parameter.numel())
        norm = max(float(np.linalg.norm(theirs[part])), float(floor * parameter.numel() ** 0.5))
        result[name] = float(np.linalg.norm(ours[part] - theirs[part])) / norm
        at += parameter.numel()
    return result


def batch_of(
    module: nn.Module, count: int, shape: tuple[int, ...], rng: np.random.Generator, margin: float = 8e-6
) -> Any:
    """Random images and labels whose values keep clear of every kink of the network.

    A value within rounding of zero before a ReLU (or two nearly equal ones in a max-pooling window) may fall on either
    side in either engine, and both are right; such batches are drawn again, not excused by a wider tolerance. The
    `margin` is what a value may be off by, as a share of its layer's spread: long sums round more than short ones.
    """
    for _ in range(1000):
        images = rng.integers(0, 256, (count, *shape), dtype=np.uint8)
        if clear_of_kinks(module, images, margin):
            return images, rng.integers(0, 10, count)
    raise AssertionError("no batch keeps clear of the kinks")


@torch.no_grad()
def clear_of_kinks(
    module: nn.Module, images: NDArray[np.uint8], margin: float, normalise: tuple[float, float] = NORMALISE
) -> bool:
    """Whether every input of a ReLU and its kin is further from its kinks, and every pooling window's lead larger, than
    `margin` times the layer's spread."""
    clear = [True]

    def rectifier(layer: nn.Module, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        x = inputs[0]  # an exact zero comes from a ReLU before and is exact in both engines
        clear[0] &= not bool(((x != 0) & (x.abs() < margin * x.std())).any())

    def pool(layer: nn.MaxPool2d, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        x = inputs[0]
        k, s, p = layer.kernel_size, layer.stride, layer.padding
        padded = F.pad(
            x, [p if isinstance(p, int) else p[1]] * 2 + [p if isinstance(p, int) else p[0]] * 2, value=-1e30
        )
        windows = F.unfold(padded, k, stride=s).reshape(len(x), x.shape[1], -1, output.shape[2] * output.shape[3])
        first, second = windows.topk(2, dim=2).values.unbind(2)
        gap = first - second  # exact ties come from equal values (ReLU's zeros) and are equal in both engines
        clear[0] &= not bool(((gap > 0) & (gap < margin * x.std())).any())

    def corners(layer: nn.Module, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        for corner in CORNERS[type(layer)]:
            rectifier(layer, (inputs[0] - corner,), output)

    def most(layer: nn.Module, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        first, second = inputs[0].flatten(2).topk(2).values.unbind(2)
        clear[0] &= not bool(((first > second) & (first - second < margin * inputs[0].std())).any())

    hooks = [m.register_forward_hook(rectifier) for m in module.modules() if isinstance(m, (nn.ReLU, nn.LeakyReLU))]
    hooks += [m.register_forward_hook(pool) for m in module.modules() if isinstance(m, nn.MaxPool2d)]
    hooks += [m.register_forward_hook(corners) for m in module.modules() if type(m) in CORNERS]
    hooks += [m.register_forward_hook(most) for m in module.modules() if isinstance(m, nn.AdaptiveMaxPool2d)]
    state = {name: value.clone() for name, value in module.state_dict().items()}
    module.train()
    module(channelled(images).to(next(module.parameters()).dtype) * normalise[0] + normalise[1])
    module.load_state_dict(state)
    for hook in hooks:
        hook.remove()
    return clear[0]
