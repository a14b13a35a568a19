"""Receptive field and jump of every value that a network computes, whatever its branches: followed call by call.

Source of the arithmetic: Araujo, Norris, Sim, "Computing receptive fields of convolutional neural networks",
Distill (2019). A sum or concatenation sees what the larger of its inputs sees.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from torch import Tensor
from torch.overrides import TorchFunctionMode

# Pixels of the input seen along one side, and pixels of the input between two neighbours. The jump is None where there
# are no neighbours any more (flattened), the field too behind a fully connected layer, which sees everything.
Place = tuple[int | None, int | None]

_WINDOWS = ("conv2d", "max_pool2d", "_max_pool2d", "max_pool2d_with_indices", "avg_pool2d")
_GLOBAL = ("adaptive_avg_pool2d", "adaptive_max_pool2d", "_adaptive_max_pool2d", "mean", "amax")


class Places(TorchFunctionMode):
    """While active, knows the place of every tensor that comes from `image` [1, C, H, W]."""

    def __init__(self, image: Tensor) -> None:
        super().__init__()
        # Tensors are kept, so that no id is used twice.
        self._known: dict[int, tuple[Tensor, Place]] = {id(image): (image, (1, 1))}

    def of(self, tensor: Tensor) -> Place | None:
        """The place of a tensor, or None when it does not depend on the image."""
        found = self._known.get(id(tensor))
        return found[1] if found else None

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Call the function and note where its results lie."""
        out = func(*args, **(kwargs or {}))
        inputs = [tensor for tensor in _tensors((args, kwargs)) if id(tensor) in self._known]
        if inputs:
            place = _after(func, args, kwargs or {}, inputs[0], self._joined(inputs))
            for tensor in _tensors(out):
                flat = tensor.dim() < 4 and inputs[0].dim() == 4
                self._known[id(tensor)] = (tensor, (place[0], None) if flat else place)
        return out

    def _joined(self, inputs: list[Tensor]) -> Place:
        places = [self._known[id(tensor)][1] for tensor in inputs]
        fields, jumps = ([v for p in places if (v := p[i]) is not None] for i in (0, 1))
        whole = len(places)
        return max(fields) if len(fields) == whole else None, max(jumps) if len(jumps) == whole else None


def _after(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any], image: Tensor, before: Place) -> Place:
    name = getattr(func, "__name__", "")
    field, jump = before
    if name == "linear":
        return None, None
    if field is None or jump is None or image.dim() < 4:
        return before
    side = int(image.shape[-1])
    if name in _WINDOWS:
        size, stride, dilation = _window(name, args, kwargs)
        return field + dilation * (size - 1) * jump, jump * stride
    if name in _GLOBAL:
        return field + (side - 1) * jump, jump * side
    return before


def _window(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[int, int, int]:
    """(size, stride, dilation) of a convolution or a pooling, along one side."""
    if name == "conv2d":
        weight = args[1] if len(args) > 1 else kwargs["weight"]
        stride = args[3] if len(args) > 3 else kwargs.get("stride", 1)
        dilation = args[5] if len(args) > 5 else kwargs.get("dilation", 1)
        return int(weight.shape[-1]), _side(stride), _side(dilation)
    size = args[1] if len(args) > 1 else kwargs["kernel_size"]
    stride = args[2] if len(args) > 2 else kwargs.get("stride")
    dilation = 1 if name == "avg_pool2d" else (args[4] if len(args) > 4 else kwargs.get("dilation", 1))
    # torch takes an empty stride for "as the kernel".
    return _side(size), _side(stride) if stride not in (None, (), []) else _side(size), _side(dilation)


def _side(value: Any) -> int:
    return int(value[-1]) if isinstance(value, tuple | list) else int(value)


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, tuple | list):
        for item in value:
            yield from _tensors(item)
    elif isinstance(value, dict):
        yield from _tensors(list(value.values()))
