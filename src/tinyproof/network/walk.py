"""One forward pass as it went: every layer, and every function that does a layer's work, in order of their calls."""

from __future__ import annotations

import contextlib
import math
import sys
from collections.abc import Iterable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

from tinyproof.network.called_layer import Join, Layer, Window
from tinyproof.network.forward_pass import Count, Trace
from tinyproof.network.functional import Call, Watching, spent
from tinyproof.network.operator_call import storage, tensors
from tinyproof.network.receptive_field import NotKnown


class Walk:
    """Visits layers and functions while `image` [1, C, H, W] goes through a network in evaluation mode.

    `layers` in the order of their calls; `beside`: parameters that no called layer holds, and layers never called;
    `answer`: what the network gave; `drops`: a dropout was called; `macs`: None where some were not counted.
    `joins`: where values of several layers meet; `ends`: what the answer is made of, as `Join.after`.
    """

    def __init__(self, module: nn.Module, image: Tensor) -> None:
        self.layers: list[Layer] = []
        self.drops = False
        self.trace = Trace(image, module.parameters())
        self._module = module
        self._names = {m: name or type(module).__name__ for name, m in module.named_modules()}
        self._counted = set[int]()
        self._called = set[nn.Module]()
        self._held = {storage(image)}
        self._inside = 0
        # For each layer at work: the count when it began, and how many layers were listed.
        self._begun: list[tuple[Count, int, tuple[int, ...]]] = []
        self.answer: Any = self._run(image)
        self.beside = tuple(self._beside())
        self.joins: tuple[Join, ...] = tuple(self.trace.flow.joins)
        self.ends = self.trace.flow.nodes(tensors(self.answer))

    @property
    def macs(self) -> int | None:
        """Multiply-adds of the whole pass."""
        return spent(Count(0, 0, 0), self.trace.count)

    def _run(self, image: Tensor) -> Any:
        leaves = [m for m in self._module.modules() if _is_layer(m) and not isinstance(m, torch.jit.ScriptModule)]
        hooks = [m.register_forward_hook(self._visit) for m in leaves]
        hooks += [m.register_forward_pre_hook(self._enter) for m in leaves]
        watching = Watching(lambda: self._inside > 0, self._function, lambda: self.trace.count)
        try:
            # What a network prints is no part of what is said about it.
            with torch.no_grad(), _uncompiled(), contextlib.redirect_stdout(sys.stderr), self.trace, watching:
                answer = self._module(image)
                self.trace.end(answer)
                return answer
        finally:
            for hook in hooks:
                hook.remove()

    def _enter(self, module: nn.Module, inputs: tuple[Any, ...]) -> None:
        """A layer begins. What one of torch's calls inside is the layer itself; a layer of your own is looked into."""
        self._inside += _of_torch(module)
        self._begun.append((self.trace.count, len(self.layers), self.trace.flow.nodes(tensors(inputs))))

    def _function(self, call: Call, output: Tensor) -> None:
        """A function did what a layer might have done."""
        self.drops |= call.dropout_active
        size = self._new_bytes(output)
        training = _bytes(output) if call.dropout_active else size
        self.layers.append(
            Layer(
                "(function)", call.kind, call.output, 0, call.macs, *self._place(output),
                forward_bytes=size, training_bytes=training,
                window=call.window, after=self.trace.flow.nodes([output]),
            )
        )  # fmt: skip
        self.trace.flow.made(output, len(self.layers))

    def _visit(self, module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        """A layer is done."""
        self._inside -= _of_torch(module)
        self._called.add(module)
        before, listed, after = self._begun.pop()
        first = next(tensors(output), None)
        if first is None:
            return
        fresh = [p for p in module.parameters() if id(p) not in self._counted]
        self._counted |= {id(p) for p in fresh}
        drops = _drops(module)
        self.drops |= drops
        # What functions inside it cost stands in their own lines.
        theirs = [layer.macs for layer in self.layers[listed:]]
        macs = spent(before, self.trace.count)
        rest = None if macs is None or None in theirs else macs - sum(x or 0 for x in theirs)
        size = self._new_bytes(first)
        # Dropout hands its input on here; in training it makes another, if it does not work in place.
        training = _bytes(first) if drops and not getattr(module, "inplace", False) else size
        own = not _of_torch(module)
        self.layers.append(
            Layer(
                self._names.get(module, "?"), type(module).__name__, tuple(first.shape[1:]),
                _values(fresh), rest, *self._place(first), own=own,
                forward_bytes=size, training_bytes=training,
                window=_window(module), after=self.trace.flow.nodes([first]) if own else after,
            )
        )  # fmt: skip
        self.trace.flow.made(first, len(self.layers))

    def _beside(self) -> Iterator[Layer]:
        """Parameters that stand in no line yet, and layers that were never called, in the order they were made in."""
        within = {part for module in self._called for part in module.modules()}
        for module, name in self._names.items():
            if module in within or isinstance(module, nn.modules.loss._Loss):
                continue
            whole = _is_layer(module)
            fresh = {n: p for n, p in module.named_parameters(recurse=whole) if id(p) not in self._counted}
            self._counted |= {id(p) for p in fresh.values()}
            used = [self.trace.touched(p) for p in fresh.values()]
            if isinstance(module, torch.jit.ScriptModule):
                yield Layer(name, "scripted, not looked into", (), _values(fresh.values()), None, None, None)
            elif whole and _of_torch(module):
                kind = f"{type(module).__name__}, {'weights used' if any(used) else 'never called'}"
                yield Layer(name, kind, (), _values(fresh.values()), 0, None, None)
            else:
                prefix = "" if module is self._module else f"{name}."
                for (own, parameter), was in zip(fresh.items(), used, strict=True):
                    kind = "parameter" if was else "parameter, never used"
                    yield Layer(prefix + own, kind, (), parameter.numel(), 0, None, None)

    def _new_bytes(self, output: Tensor) -> int:
        """The memory that an output takes; 0 where it lies in memory that was there before."""
        place = storage(output)
        if place in self._held:
            return 0
        self._held.add(place)
        return _bytes(output)

    def _place(self, output: Tensor) -> tuple[int | None, int | float | None, bool]:
        try:
            layout = self.trace.layout(output)
        except NotKnown:
            return None, None, False
        return (layout.field, layout.jump, True) if layout else (None, None, True)


def _window(module: nn.Module) -> Window | None:
    """What a convolution or a pooling looks at; None for other layers, and where it is said in no usual way."""
    if not _of_torch(module) or not isinstance(getattr(module, "kernel_size", None), int | tuple):
        return None
    kernel, stride, dilation = (_pair(getattr(module, name, ())) for name in ("kernel_size", "stride", "dilation"))
    groups = getattr(module, "groups", 1)
    return Window(kernel, stride, dilation, groups, depthwise=1 < groups == getattr(module, "in_channels", 0))


def _pair(value: Any) -> tuple[int, ...]:
    return (value,) if isinstance(value, int) else tuple(value or ())


def _values(parameters: Iterable[Tensor]) -> int:
    return sum(parameter.numel() for parameter in parameters)


def _bytes(output: Tensor) -> int:
    return math.prod(output.shape[1:]) * output.element_size()


def _uncompiled() -> contextlib.AbstractContextManager[Any]:
    """Compiled parts of a network run as they are written, so that every operator is seen."""
    set_stance = getattr(torch.compiler, "set_stance", None)  # since torch 2.6
    loaded = "torch._dynamo" in sys.modules  # else nothing of it was compiled
    return set_stance("force_eager") if loaded and set_stance else contextlib.nullcontext()


def _is_layer(module: nn.Module) -> bool:
    return not list(module.children()) or isinstance(module, nn.MultiheadAttention)


def _of_torch(module: nn.Module) -> bool:
    return type(module).__module__.startswith("torch.nn.")


def _drops(module: nn.Module) -> bool:
    """Whether a layer that was called drops values in training."""
    if isinstance(module, nn.modules.dropout._DropoutNd):
        return module.p > 0
    if isinstance(module, nn.RNNBase):
        return module.dropout > 0 and module.num_layers > 1
    return isinstance(module, nn.MultiheadAttention) and module.dropout > 0
