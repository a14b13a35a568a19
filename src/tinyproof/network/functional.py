"""What a forward pass does without a layer for it: `F.max_pool2d(x, 2)`, `x.mean((2, 3))`, `F.dropout(x)`, `x @ W`.

Hooks on modules do not see these calls; torch's own function mode does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from torch import Tensor
from torch.overrides import TorchFunctionMode

from tinyproof.network.called_layer import Window
from tinyproof.network.forward_pass import Count
from tinyproof.network.operator_call import tensors

_DROPOUTS = (
    "dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout", "feature_dropout", "feature_alpha_dropout",
)  # fmt: skip
_BATCH_NORMS = {4: "BatchNorm2d", 5: "BatchNorm3d"}
# Functions that stand for a layer, and the layer's name.
_KINDS = {
    **{f"conv{n}d": f"Conv{n}d" for n in (1, 2, 3)},
    **{f"conv_transpose{n}d": f"ConvTranspose{n}d" for n in (1, 2, 3)},
    **{f"{kind}_pool{n}d": f"{kind.title()}Pool{n}d" for kind in ("max", "avg") for n in (1, 2, 3)},
    **{f"adaptive_{kind}_pool{n}d": f"Adaptive{kind.title()}Pool{n}d" for kind in ("max", "avg") for n in (1, 2, 3)},
    **dict.fromkeys(_DROPOUTS, "Dropout"),
    "batch_norm": "BatchNorm", "layer_norm": "LayerNorm", "group_norm": "GroupNorm", "instance_norm": "InstanceNorm",
    "linear": "Linear", "bilinear": "Bilinear", "interpolate": "Upsample", "pixel_shuffle": "PixelShuffle",
    "pixel_unshuffle": "PixelUnshuffle",
}  # fmt: skip


@dataclass(frozen=True)
class Call:
    """One call that matters: `kind` as a layer would be called (MaxPool2d, Linear, ...) or the function's name, its
    output, what it costs (`macs`; None: not known), and whether it is a dropout whose probability is above 0.
    """

    kind: str
    output: tuple[int, ...]
    macs: int | None = 0
    dropout_active: bool = False
    window: Window | None = None


class Watching(TorchFunctionMode):
    """Calls `tell(call, output)` for each function call that matters while `busy()` is false: no layer is at work.

    `count()` says how much was counted so far; what a call adds is its own.
    """

    def __init__(
        self, busy: Callable[[], bool], tell: Callable[[Call, Tensor], None], count: Callable[[], Count]
    ) -> None:
        super().__init__()
        self._busy, self._tell, self._count = busy, tell, count

    def __torch_function__(
        self, func: Any, types: Iterable[type], args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Call the function and tell what it was."""
        words, before = kwargs or {}, self._count()
        result = func(*args, **words)
        output = next(tensors(result), None)
        if output is not None and not self._busy():
            name = getattr(func, "__name__", "").strip("_")
            call = _call(name, args, words, output, before, self._count())
            if call is not None:
                self._tell(call, output)
        return result


def spent(before: Count, after: Count) -> int | None:
    """The multiply-adds between two counts; None where some were not counted."""
    return None if after.uncounted > before.uncounted else after.macs - before.macs


def _call(
    name: str, args: tuple[Any, ...], words: dict[str, Any], output: Tensor, before: Count, after: Count
) -> Call | None:
    macs = spent(before, after)
    if name not in _KINDS and macs == 0 and after.averages == before.averages:
        return None
    kind = _KINDS.get(name, name)
    if kind == "BatchNorm":
        kind = _BATCH_NORMS.get(output.dim(), "BatchNorm1d")
    probability = words.get("p", args[1] if len(args) > 1 else 0.5) if kind == "Dropout" else 0.0
    return Call(kind, tuple(output.shape[1:]), macs, float(probability) > 0, _window(name, args, words))


def _window(name: str, args: tuple[Any, ...], words: dict[str, Any]) -> Window | None:
    """What a convolution or a pooling was told to look at; a pooling moves by its kernel where no stride is named."""
    pool = name.startswith(("max_pool", "avg_pool"))
    if not pool and not name.startswith("conv"):
        return None
    second = args[1] if len(args) > 1 else words.get("kernel_size" if pool else "weight")
    kernel = second.shape[2:] if isinstance(second, Tensor) else second
    at = 2 if pool else 3
    stride = words.get("stride", args[at] if len(args) > at else None)
    return Window(_sides(kernel), _sides(stride) or (_sides(kernel) if pool else ()))


def _sides(value: Any) -> tuple[int, ...]:
    return (value,) if isinstance(value, int) else tuple(value or ())
