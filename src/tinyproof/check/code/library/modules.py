"""Networks as they were read: the last operations, the shapes, the layers that nothing uses."""

from __future__ import annotations

import ast
import math
import re
from dataclasses import dataclass

from tinyproof.check.code.interpreter.attributes import library_bases
from tinyproof.check.code.interpreter.flows import Flow, Op
from tinyproof.check.code.interpreter.values import Class, Const, Made, Object, Seq, Value, constant, number
from tinyproof.check.code.library.loaders import argument
from tinyproof.check.code.library.sequentials import sequential_children
from tinyproof.core.trees import nodes

WEIGHTED = ("Conv1d", "Conv2d", "Conv3d", "Linear", "ConvTranspose2d", "LazyLinear", "LazyConv2d", "Bilinear")
_ACTIVATIONS = {"relu", "relu6", "leakyrelu", "elu", "gelu", "selu", "silu", "hardswish", "mish", "prelu", "tanh"}
_ACTIVATIONS |= {"sigmoid", "hardtanh", "softplus", "celu", "rrelu", "relu_", "hardsigmoid"}
_NORMS = {"batchnorm1d", "batchnorm2d", "groupnorm", "layernorm", "instancenorm2d", "batch_norm"}
_DROPOUTS = {"dropout", "dropout1d", "dropout2d", "alphadropout", "featurealphadropout"}
_NEUTRAL = {"view", "reshape", "flatten", "squeeze", "unsqueeze", "identity", "contiguous", "size", "mean", "float"}
_NEUTRAL |= {"adaptive_avg_pool2d", "avg_pool2d", "adaptiveavgpool2d", "avgpool2d", "permute", "clone", "sum", "to"}
_NEUTRAL |= {"max_pool2d", "maxpool2d", "adaptive_max_pool2d", "adaptivemaxpool2d"}
_FINAL = {"log_softmax", "softmax", "logsoftmax", "logits", "argmax", "exp"}


@dataclass(frozen=True)
class Tail:
    """What follows the last layer with weights: `extra` changes the class scores, `softmax` ends them."""

    last: Op
    extra: tuple[Op, ...]
    softmax: Op | None


def kind_of(op: Op) -> str:
    """activation, norm, dropout, weights, softmax, neutral or other."""
    name = op.name.lower().replace("leaky_relu", "leakyrelu")
    if op.name in WEIGHTED or name in ("conv2d", "linear"):
        return "weights"
    for kind, names in (("activation", _ACTIVATIONS), ("norm", _NORMS), ("dropout", _DROPOUTS)):
        if name in names:
            return kind
    if name in ("softmax", "log_softmax", "logsoftmax"):
        return "softmax"
    return "neutral" if name in _NEUTRAL or name in _FINAL else "other"


def tail_of(flow: Flow) -> Tail | None:
    """The end of a network; None where an operation after the last layer is not known."""
    if not flow.certain:
        return None
    extra: list[Op] = []
    softmax: Op | None = None
    for op in reversed(flow.ops):
        kind = kind_of(op)
        if kind == "weights":
            return Tail(op, tuple(reversed(extra)), softmax)
        if kind == "other":
            return None
        if kind == "softmax":
            softmax = op
        elif kind in ("activation", "norm", "dropout"):
            extra.append(op)
    return None


def output_width(flow: Flow, shape: tuple[int, ...]) -> int | None:
    """How many figures the network gives for one image of `shape` (channels, height, width); None if not known."""
    if not flow.straight or not flow.certain:
        return None
    current: tuple[int, ...] | None = shape
    for op in flow.ops:
        if current is None:
            return None
        current = _shape_after(op, current)
    return math.prod(current) if current is not None else None


def _shape_after(op: Op, shape: tuple[int, ...]) -> tuple[int, ...] | None:
    kind = kind_of(op)
    name = op.name.lower()
    if kind in ("activation", "norm", "dropout", "softmax"):
        return shape
    if op.layer is not None:
        if op.name == "Conv2d" and len(shape) == 3:
            return _after_conv(op.layer, shape)
        if op.name == "Linear":
            width = number(argument(op.layer, "out_features", 1))
            return None if width is None else (*shape[:-1], int(width))
        if op.name in ("MaxPool2d", "AvgPool2d") and len(shape) == 3:
            window = argument(op.layer, "kernel_size", 0)
            return _after_pool(window, op.layer.kwargs, op.layer.args[1:], shape)
        if op.name == "AdaptiveAvgPool2d" and len(shape) == 3:
            return _adaptive(argument(op.layer, "output_size", 0), shape)
        return (math.prod(shape),) if op.name == "Flatten" and not op.layer.args and not op.layer.kwargs else None
    keywords = dict(op.kwargs)
    if name in ("max_pool2d", "avg_pool2d") and len(shape) == 3:
        return _after_pool(op.args[0] if op.args else keywords.get("kernel_size"), keywords, op.args[1:], shape)
    if name == "adaptive_avg_pool2d" and len(shape) == 3:
        return _adaptive(op.args[0] if op.args else keywords.get("output_size"), shape)
    if name in ("view", "reshape"):
        return _viewed(op, shape)
    if name == "flatten":
        start = op.args[0] if op.args else keywords.get("start_dim")
        return (math.prod(shape),) if number(start) == 1 else None
    if name == "squeeze":
        return tuple(side for side in shape if side != 1) or (1,)
    if name == "mean" and len(shape) == 3:
        sides = op.args[0] if op.args else keywords.get("dim")
        axes = [number(i) for i in sides.items] if isinstance(sides, Seq) else [number(a) for a in op.args]
        return (shape[0],) if sorted(a % 4 for a in axes if a is not None) == [2, 3] and len(axes) == 2 else None
    return None


def _viewed(op: Op, shape: tuple[int, ...]) -> tuple[int, ...] | None:
    sizes = op.args[0].items if len(op.args) == 1 and isinstance(op.args[0], Seq) else list(op.args)
    volume = math.prod(shape)
    if len(sizes) != 2:
        return None
    first, second = number(sizes[0]), number(sizes[1])
    if second == -1:
        return (volume,) if first != volume else None
    return (volume,) if second == volume else None


def pair(value: Value | None, default: int | None = None) -> tuple[int, int] | None:
    """Two whole numbers, given as two or as one for both; `default` where none are; None where they are not known."""
    if value is None or (isinstance(value, Const) and value.value is None):
        return None if default is None else (default, default)
    single = number(value)
    if single is not None and single == int(single) and 0 <= single < 10_000:
        return int(single), int(single)
    if isinstance(value, Seq) and len(value.items) == 2:
        a, b = (number(item) for item in value.items)
        return (int(a), int(b)) if a is not None and b is not None else None
    return None


def _after_conv(layer: Made, shape: tuple[int, ...]) -> tuple[int, ...] | None:
    channels = number(argument(layer, "out_channels", 1))
    window = pair(argument(layer, "kernel_size", 2))
    stride, dilation = pair(argument(layer, "stride", 3), 1), pair(argument(layer, "dilation", 5), 1)
    given = argument(layer, "padding", 4)
    if constant(given) == "same":
        return None if channels is None else (int(channels), *shape[1:])
    padding = (0, 0) if constant(given) == "valid" else pair(given, 0)
    if channels is None or window is None or stride is None or dilation is None or padding is None or 0 in stride:
        return None
    sides = [(shape[i + 1] + 2 * padding[i] - dilation[i] * (window[i] - 1) - 1) // stride[i] + 1 for i in (0, 1)]
    return (int(channels), *sides) if min(sides) > 0 else None


def _after_pool(
    window: Value | None, keywords: dict[str, Value], rest: list[Value] | tuple[Value, ...], shape: tuple[int, ...]
) -> tuple[int, ...] | None:
    size = pair(window)
    if size is None or 0 in size or {"dilation", "ceil_mode"} & set(keywords) or len(rest) > 2:
        return None
    stride = pair(keywords.get("stride", rest[0] if rest else None), None) or size
    padding = pair(keywords.get("padding", rest[1] if len(rest) > 1 else None), 0)
    if padding is None or 0 in stride:
        return None
    sides = [(shape[i + 1] + 2 * padding[i] - size[i]) // stride[i] + 1 for i in (0, 1)]
    return (shape[0], *sides) if min(sides) > 0 else None


def _adaptive(size: Value | None, shape: tuple[int, ...]) -> tuple[int, ...] | None:
    sides = pair(size)
    return (shape[0], *sides) if sides is not None else None


# Published networks that hold batch normalisation.
_NORMALISED = re.compile(
    r"torchvision\.models\.(?:resnet|resnext|wide_resnet|densenet|mobilenet|efficientnet|googlenet|inception|shufflenet"
    r"|mnasnet|regnet|vgg\d+_bn)"
)


def switches_mode(value: Value, depth: int = 0) -> bool:
    """Whether a network holds layers that work differently in training: dropout, batch normalisation."""
    if isinstance(value, Made):
        if value.path.startswith("transformers.") and value.short == "from_pretrained":
            return True  # these networks hold dropout
        if _NORMALISED.match(value.path):
            return True
        if value.path in ("torch.nn.Sequential", "torch.nn.ModuleList"):
            return any(switches_mode(child, depth + 1) for child in sequential_children(value)[0])
        if "Dropout" in value.short and not _drops(value):
            return False
        if value.path.startswith("keras.layers."):
            return value.short in ("Dropout", "BatchNormalization")
        return (
            value.path.startswith("torch.nn.")
            and kind_of(Op(value.short, value.place)) in ("norm", "dropout")
            and (value.short not in ("GroupNorm", "LayerNorm"))
        )
    if isinstance(value, Object) and depth < 12:
        if any("BatchNorm" in path or "Dropout" in path for path in library_bases(value.cls)):
            return True
        return any(switches_mode(child, depth + 1) for child in value.attrs.values())
    return False


def _drops(layer: Made) -> bool:
    """Whether a dropout layer is known to drop something: its share is not given (one half), or above zero."""
    share = argument(layer, "p", 0)
    return share is None or (number(share) or 0) > 0


def loaded_attributes(cls: Class) -> set[str] | None:
    """The attributes of self that the class's text reads; None when it reaches them in another way."""
    names: set[str] = set()
    for node in nodes(cls.node):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            if node.attr in ("children", "modules", "named_children", "_modules", "__dict__", "named_modules"):
                return None
            names.add(node.attr)
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in ("getattr", "vars", "eval")
        ):
            return None
    return names
