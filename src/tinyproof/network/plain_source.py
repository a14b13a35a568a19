"""A network by name as plain PyTorch that needs nothing of this package: its layers, one a line, for its own images."""

from __future__ import annotations

from torch import nn

from tinyproof.core.errors import InputError


def source(module: nn.Module, name: str) -> str:
    """The text of a `model.py` with a class `Net` that makes the layers of an `nn.Sequential`. Raises InputError."""
    if not isinstance(module, nn.Sequential):
        raise InputError("model", name, "a network by name", problem="is no row of layers")
    lines = [f"            {written(layer)}," for layer in module]
    return "\n".join(
        [
            f'"""The network {name} in plain PyTorch."""',
            "",
            "from torch import nn",
            "",
            "",
            "class Net(nn.Sequential):",
            "    def __init__(self):",
            "        super().__init__(",
            *lines,
            "        )",
            "",
        ]
    )


def written(layer: nn.Module) -> str:
    """A layer as it is made, without what is so anyway.

    >>> written(nn.Conv2d(1, 8, 3, padding=1, bias=False)), written(nn.Dropout2d(0.1))
    ('nn.Conv2d(1, 8, 3, padding=1, bias=False)', 'nn.Dropout2d(0.1)')
    """
    kind = f"nn.{type(layer).__name__}"
    match layer:
        case nn.Conv2d():
            return f"{kind}({layer.in_channels}, {layer.out_channels}, {_side(layer.kernel_size)}{_more(layer)})"
        case nn.Linear():
            return (
                f"{kind}({layer.in_features}, {layer.out_features}{'' if layer.bias is not None else ', bias=False'})"
            )
        case nn.BatchNorm2d():
            return f"{kind}({layer.num_features})"
        case nn.MaxPool2d() | nn.AvgPool2d():
            return f"{kind}({_side(layer.kernel_size)})"
        case nn.Dropout() | nn.Dropout2d():
            return f"{kind}({layer.p:g})"
        case nn.LogSoftmax():
            return f"{kind}(dim=1)"
        case nn.ReLU() | nn.Flatten():
            return f"{kind}()"
    raise InputError("layer", kind, "a layer of the networks by name", problem="cannot be written out")


def _more(layer: nn.Conv2d) -> str:
    values = (("stride", layer.stride, (1, 1)), ("padding", layer.padding, (0, 0)))
    said = [f"{name}={_side(value)}" for name, value, usual in values if value != usual]
    return "".join(f", {part}" for part in [*said, *([] if layer.bias is not None else ["bias=False"])])


def _side(value: object) -> str:
    """One number where both sides are alike."""
    return str(value[0]) if isinstance(value, tuple) and len(set(value)) == 1 else str(value)
