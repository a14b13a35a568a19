"""Reads an `nn.Module` as layers in plain data (`branches`: where it branches), or says in one line why it cannot.

The module's forward is traced (torch.fx), so `nn.Sequential` and hand-written forwards, modules and functions all read
the same. A trace does not see all that torch does: hooks, replaced methods, a forward that reads `self.training`. So
what it cannot see is looked for beforehand, both modes are traced, and in the end torch computes the traced chain
beside the module itself.
"""

from __future__ import annotations

import copy
from typing import Any

import torch
import torch.fx
from torch import Tensor, nn
from torch.nn import functional as F

from tinyproof.train.engine.native import branches
from tinyproof.train.engine.native.layers import Layer, Unsupported

_MODULE_HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
_TENSOR_HOOKS = ("_backward_hooks", "_post_accumulate_grad_hooks")
_DROPS = ("drop", "drop_channels")


def read_layers(module: nn.Module) -> tuple[Layer, ...]:
    """The layers in the order in which the data pass through them in training. Raises Unsupported.

    >>> [layer.kind for layer in read_layers(nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten()))]
    ['conv', 'rectify', 'flatten']
    """
    twin = _twin(module)
    training, evaluation = _chain(twin, True), _chain(twin, False)
    if any(layer.kind in _DROPS for layer in evaluation):
        raise Unsupported("dropout that stays on in evaluation (F.dropout without training=self.training)")
    if _chain(twin, True, _DROPS) != evaluation:
        raise Unsupported(f"the forward of {type(module).__name__} does other things in evaluation than in training")
    return training


def compare_answers(module: nn.Module, shape: tuple[int, ...], classes: int) -> None:
    """Raise Unsupported unless torch, computing the traced chain, gives what the module itself gives.

    Two random images of `shape` go through both in both modes; every parameter must get a gradient. This finds what
    the trace misses, such as `torch.no_grad()` or `torch.autocast` around a part of the forward.
    """
    twin = _twin(module)
    images = torch.randn(2, *shape, generator=torch.Generator().manual_seed(0))
    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        for mode in (True, False):
            graph = _trace(twin, mode)
            ours, theirs = _answer(graph, images), _answer(twin, images)
            if not isinstance(theirs, Tensor) or theirs.shape != (2, classes) or theirs.dtype != torch.float32:
                got = f"{theirs.dtype} {list(theirs.shape)}" if isinstance(theirs, Tensor) else type(theirs).__name__
                raise Unsupported(f"the answer for 2 images must be float32 [2, {classes}] and is {got}")
            if not torch.allclose(ours, theirs, 1e-4, 1e-5, equal_nan=True):
                raise Unsupported(f"the forward of {type(module).__name__} does something that its trace does not show")
            if mode:
                _go_back(theirs)
    for name, parameter in twin.named_parameters():
        if parameter.grad is None:
            raise Unsupported(f"{name} gets no gradient from torch")


def _answer(module: nn.Module, images: Tensor) -> Any:
    torch.manual_seed(0)  # for dropout
    try:
        return module(images.clone())
    except Exception as error:
        size = "x".join(map(str, images.shape[2:]))
        raise Unsupported(f"torch cannot compute it for images of {size} ({_first_line(error)})") from error


def _go_back(answers: Tensor) -> None:
    try:
        F.cross_entropy(answers, torch.zeros(2, dtype=torch.int64)).backward()  # type: ignore[no-untyped-call]
    except RuntimeError as error:
        raise Unsupported(f"torch cannot compute its gradient ({_first_line(error)})") from error


def _twin(module: nn.Module) -> nn.Module:
    """A copy to try things on. Raises Unsupported where something that a trace cannot see changes what torch does."""
    if torch.nn.modules.module._has_any_global_hook():  # type: ignore[no-untyped-call]
        raise Unsupported("torch has hooks for all modules, which only torch runs")
    for name, m in module.named_modules():
        name = name or type(m).__name__
        if any(getattr(m, hooks, None) for hooks in _MODULE_HOOKS):
            raise Unsupported(f"{name} has hooks, which only torch runs")
        if "forward" in vars(m) or type(m).__call__ is not nn.Module.__call__:
            raise Unsupported(f"{name} has a forward of its own put in place of the usual one")
    for name, parameter in module.named_parameters():
        if any(getattr(parameter, hooks, None) for hooks in _TENSOR_HOOKS):
            raise Unsupported(f"{name} has hooks, which only torch runs")
    try:
        return copy.deepcopy(module)
    except Exception as error:
        raise Unsupported(f"{type(module).__name__} cannot be copied ({_first_line(error)})") from error


def _trace(module: nn.Module, training: bool) -> torch.fx.GraphModule:
    module.train(training)
    for name, m in module.named_modules():
        if m.training != training:
            mode = "training" if m.training else "evaluation"
            raise Unsupported(f"{name} stays in {mode} mode when the network leaves it")
    try:
        return torch.fx.symbolic_trace(module)
    except Exception as error:
        raise Unsupported(f"the forward of {type(module).__name__} cannot be traced ({_first_line(error)})") from error


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:120]


def _chain(module: nn.Module, training: bool, without: tuple[str, ...] = ()) -> tuple[Layer, ...]:
    return branches.read(_trace(module, training).graph, dict(module.named_modules()), without)
