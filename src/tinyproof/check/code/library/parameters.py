"""The weights of networks as they were read: how many there are, and whether there are any."""

from __future__ import annotations

from tinyproof.check.code.interpreter.attributes import library_bases
from tinyproof.check.code.interpreter.values import Const, Made, Object, Seq, Value, constant, number, options
from tinyproof.check.code.library.loaders import argument
from tinyproof.check.code.library.modules import WEIGHTED, pair
from tinyproof.check.code.library.sequentials import sequential_children

_PLAIN = ("torch.nn.Module", "pytorch_lightning.LightningModule", "builtins.object")


def parameter_count(value: Value) -> int | None:
    """The number of weights of a layer or network, each counted once; None where one is not known."""
    seen: set[int] = set()

    def count(part: Value) -> int | None:
        if id(part) in seen:
            return 0
        seen.add(id(part))
        if isinstance(part, Object):
            if any(path not in _PLAIN for path in library_bases(part.cls)):
                return None
            return added([count(child) for child in part.attrs.values()])
        if isinstance(part, Seq):
            return added([count(child) for child in part.items])
        if isinstance(part, Made):
            if part.path in ("torch.nn.Sequential", "torch.nn.ModuleList", "torch.nn.ModuleDict"):
                children, whole = sequential_children(part)
                return added([count(child) for child in children]) if whole else None
            return weights_of(part) if part.path.startswith("torch.nn.") else 0
        return None if len(options(part)) > 1 else 0

    return count(value)


def added(counts: list[int | None]) -> int | None:
    known = [c for c in counts if c is not None]
    return sum(known) if len(known) == len(counts) else None


_WEIGHTLESS = (
    "Dropout Dropout2d ReLU ReLU6 LeakyReLU ELU GELU SELU SiLU Mish Tanh Sigmoid MaxPool2d AvgPool2d Hardswish "
    "AdaptiveAvgPool2d AdaptiveMaxPool2d Flatten Softmax LogSoftmax Identity CrossEntropyLoss NLLLoss ZeroPad2d"
)


def weights_of(layer: Made) -> int | None:
    """The number of weights of one layer of torch.nn."""
    bias_given = layer.kwargs.get("bias")
    if bias_given is not None and not isinstance(constant(bias_given), bool):
        return None
    bias = constant(bias_given) is not False
    if layer.open_kwargs:
        return None
    if layer.short == "Conv2d":
        into, out = number(argument(layer, "in_channels", 0)), number(argument(layer, "out_channels", 1))
        window, groups = pair(argument(layer, "kernel_size", 2)), number(argument(layer, "groups", 6) or Const(1))
        if into is None or out is None or window is None or not groups or len(layer.args) > 7:
            return None
        return int(out * into / groups * window[0] * window[1] + (out if bias else 0))
    if layer.short == "Linear":
        into, out = number(argument(layer, "in_features", 0)), number(argument(layer, "out_features", 1))
        flag = argument(layer, "bias", 2)
        if into is None or out is None or (flag is not None and not isinstance(constant(flag), bool)):
            return None
        return int(into * out + (0 if constant(flag) is False else out))
    if layer.short in ("BatchNorm2d", "BatchNorm1d", "GroupNorm"):
        width = number(
            argument(layer, "num_features" if "Batch" in layer.short else "num_channels", "Group" in layer.short)
        )
        affine = constant(layer.kwargs.get("affine", Const(True)))
        return None if width is None or not isinstance(affine, bool) else int(2 * width * affine)
    return 0 if layer.short in _WEIGHTLESS.split(" ") else None


def has_weights(value: Value) -> bool:
    """Whether a layer, or something in it, has weights that training changes."""
    if isinstance(value, Made):
        if value.path in ("torch.nn.Sequential", "torch.nn.ModuleList"):
            return any(has_weights(child) for child in sequential_children(value)[0])
        return value.path.startswith("torch.nn.") and (value.short in WEIGHTED or value.short.startswith("BatchNorm"))
    if isinstance(value, Object):
        return any(has_weights(child) for child in value.attrs.values())
    return False
