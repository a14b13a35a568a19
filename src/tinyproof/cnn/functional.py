"""What a forward pass does without a layer for it: `F.max_pool2d(x, 2)`, `x.mean((2, 3))`, `F.dropout(x)`.

Hooks on modules do not see these calls; torch's own function mode does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from torch import Tensor
from torch.overrides import TorchFunctionMode

_POOLS = {"max_pool2d", "avg_pool2d"}
_ADAPTIVE = {"adaptive_avg_pool2d"}
_DROPOUTS = {
    "dropout",
    "dropout1d",
    "dropout2d",
    "dropout3d",
    "alpha_dropout",
    "feature_dropout",
    "feature_alpha_dropout",
}
_NORMS = {
    "batch_norm": "BatchNorm",
    "layer_norm": "LayerNorm",
    "group_norm": "GroupNorm",
    "instance_norm": "InstanceNorm",
}


@dataclass(frozen=True)
class Call:
    """One call that matters: `kind` as a layer would be called (MaxPool2d, Linear, ...), its output, what it costs.

    `global_average`: it averages all pixels of a channel. `dropout_active`: its probability is above 0.
    """

    kind: str
    output: tuple[int, ...]
    macs: int = 0
    global_average: bool = False
    dropout_active: bool = False


class Watching(TorchFunctionMode):
    """Calls `tell(call, output)` for each function call that matters while `busy()` is false: no layer is at work."""

    def __init__(self, busy: Callable[[], bool], tell: Callable[[Call, Tensor], None]) -> None:
        super().__init__()
        self._busy, self._tell = busy, tell

    def __torch_function__(
        self, func: Any, types: Iterable[type], args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        words = kwargs or {}
        output = func(*args, **words)
        if not self._busy() and isinstance(output, Tensor):
            name = getattr(func, "__name__", "").strip("_")
            call = _call(name, args, words, output)
            if call is not None:
                self._tell(call, output)
        return output


def _call(name: str, args: tuple[Any, ...], words: dict[str, Any], output: Tensor) -> Call | None:
    def given(position: int, word: str, otherwise: Any = None) -> Any:
        return words.get(word, args[position] if len(args) > position else otherwise)

    shape = tuple(output.shape[1:])
    image = given(0, "input")
    if not isinstance(image, Tensor):
        return None
    if name in _POOLS:
        size = _side(given(1, "kernel_size"))
        whole = name == "avg_pool2d" and size >= image.shape[-1]
        return Call("MaxPool2d" if name == "max_pool2d" else "AvgPool2d", shape, global_average=whole)
    if name in _ADAPTIVE:
        whole = given(1, "output_size") in (1, (1, 1), [1, 1])
        return Call("AdaptiveAvgPool2d", shape, global_average=whole)
    if name == "mean" and image.dim() == 4:
        over = given(1, "dim", ())
        axes = {axis % 4 for axis in ([over] if isinstance(over, int) else over or ())}
        return Call("mean", shape, global_average=True) if axes >= {2, 3} else None
    if name in _DROPOUTS:
        return Call("Dropout", shape, dropout_active=float(given(1, "p", 0.5)) > 0)
    if name in _NORMS:
        return Call(_NORMS[name] + ("2d" if name == "batch_norm" and image.dim() == 4 else ""), shape)
    weight = given(1, "weight")
    if name == "linear" and isinstance(weight, Tensor):
        return Call("Linear", shape, weight.shape[1] * output.numel())
    if name == "conv2d" and isinstance(weight, Tensor):
        return Call("Conv2d", shape, weight[0].numel() * output.numel())
    return None


def _side(value: Any) -> int:
    return int(max(value)) if isinstance(value, tuple | list) else int(value)
