"""A trained network as a Python file of its own: an `nn.Sequential`, its weights beside, its reading of pictures.

One that branches has a forward, which says line by line what is kept and joined. The file needs torch, and numpy and
Pillow to read pictures; it needs nothing of this package. The readers in it are this package's own, word for word.
Every text that comes from a record stands in it as a Python literal.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyproof.data import as_prepared, brightness, digit_reader, ink_parts, paper, picture_reader
from tinyproof.data.reading import Reading
from tinyproof.ship import reading_alone
from tinyproof.train.engine.native.layers import Layer

CODE, WEIGHTS = "network.py", "network.safetensors"
_BRANCHES = ("keep", "take", "add", "concat")
_ACTIVATIONS = {
    "relu6": "nn.ReLU6()", "silu": "nn.SiLU()", "sigmoid": "nn.Sigmoid()", "tanh": "nn.Tanh()", "gelu": "nn.GELU()",
    "hardswish": "nn.Hardswish()", "hardsigmoid": "nn.Hardsigmoid()", "gelu_tanh": 'nn.GELU(approximate="tanh")',
}  # fmt: skip
_HEAD = '''"""A trained network, with its weights in network.safetensors beside it.

    python network.py picture.png          the class of a picture, and how sure
    from network import load, classify     load() gives the network in evaluation mode, a torch.nn.Module

It takes float32 [N, channels, height, width] from normalised(bytes), and gives scores [N, classes].
"""

from __future__ import annotations
'''
# One after the other in the file, where all that they define has a name of its own.
_READERS = (picture_reader, brightness, paper, ink_parts, as_prepared, digit_reader)
_ONE_PLACE = """READING = Reading(KIND, *SHAPE, INVERTED, BOX)
INK = {"mnist": READING}
paper = brightness = ink_parts = picture_reader = sys.modules[__name__]
"""


@dataclass(frozen=True)
class Words:
    """What the file says of itself: the classes, how pixels are normalised, how pictures are read, the origin."""

    classes: tuple[str, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    reading: Reading
    origin: Mapping[str, str]


def code(layers: tuple[Layer, ...], words: Words) -> str:
    """The text of the Python file."""
    reading = words.reading
    facts = {
        "CLASSES": words.classes, "MEAN": words.mean, "STD": words.std, "SHAPE": reading.shape,
        "KIND": reading.kind, "BOX": reading.box, "INVERTED": reading.inverted, "ORIGIN": dict(words.origin),
    }  # fmt: skip
    literals = "\n".join(f"{name} = {value!r}" for name, value in facts.items())
    network = _network(layers)
    readers = "\n\n".join(map(_body, _READERS))
    before, after = _body(reading_alone).split("# ---\n")
    return "\n".join([_HEAD, _imports(), "", literals, "", "", network, "", before, _ONE_PLACE, "", readers, "", after])


def _network(layers: tuple[Layer, ...]) -> str:
    """The function that makes the network; before it the class of one that branches."""
    lines = "".join(f"        {line},\n" for _, layer, flat in _numbered(layers) for line in _line(layer, flat))
    if not any(layer.kind in _BRANCHES for layer in layers):
        return f"def network() -> nn.Sequential:\n    return nn.Sequential(\n{lines}    )\n"
    steps = "".join(f"        {line}\n" for line in _steps(layers))
    forward = f"    def forward(self, x: torch.Tensor) -> torch.Tensor:\n{steps}        return x\n"
    made = f"def network() -> nn.Sequential:\n    return Network(\n{lines}    )\n"
    return f"class Network(nn.Sequential):\n{forward}\n\n{made}"


def _steps(layers: tuple[Layer, ...]) -> Iterator[str]:
    """What the forward of a network that branches does, line by line."""
    for number, layer, _ in _numbered(layers):
        kept = [f"kept_{slot}" for slot in layer.slots]
        if layer.kind == "keep":
            yield f"{kept[0]} = x"
        elif layer.kind in _BRANCHES:
            yield {
                "take": f"x = {kept[0]}",
                "add": f"x = {' + '.join(kept)}",
                "concat": f"x = torch.cat([{', '.join(kept)}], 1)",
            }[layer.kind]
        else:
            places = range(number, number + len(_line(layer, False)))
            yield from (f"x = self[{place}](x)" for place in places)


def _imports() -> str:
    """What the parts of the file import, of others than this package."""
    plain: set[str] = set()
    names: dict[str, set[str]] = {}
    for module in (*_READERS, reading_alone):
        for node in ast.parse(Path(inspect.getfile(module)).read_text(encoding="utf-8")).body:
            if isinstance(node, ast.Import):
                plain.add(ast.unparse(node))
            elif isinstance(node, ast.ImportFrom) and not str(node.module).startswith(("tinyproof", "__future__")):
                names.setdefault(str(node.module), set()).update(ast.unparse(part) for part in node.names)
    return "\n".join([*sorted(plain), *(f"from {of} import {', '.join(sorted(names[of]))}" for of in sorted(names))])


def weights(layers: tuple[Layer, ...], stored: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """The weights by their names in the file's own network."""
    places = {layer.name: number for number, layer, _ in _numbered(layers) if layer.kind in ("conv", "linear", "norm")}
    parts = ((name.rpartition("."), value) for name, value in stored.items())
    return {f"{places[of]}.{part}": np.asarray(value) for (of, _, part), value in parts if of in places}


def _numbered(layers: tuple[Layer, ...]) -> Iterator[tuple[int, Layer, bool]]:
    """Each layer with its place in the file's network, and whether it takes [N, features]."""
    number, flat, kept = 0, False, dict[int, bool]()
    for layer in layers:
        yield number, layer, flat
        number += len(_line(layer, flat))
        flat = flat or layer.kind in ("flatten", "linear") or (layer.kind == "global_pool" and bool(layer.number))
        if layer.kind == "keep":
            kept[layer.slots[0]] = flat
        elif layer.kind in _BRANCHES:
            flat = kept[layer.slots[0]]


def _line(layer: Layer, flat: bool) -> list[str]:
    """How a layer is made; a mean without its dimensions is two, what keeps and joins is none."""
    if layer.kind in _BRANCHES:
        return []
    window = f"{layer.kernel}, stride={layer.stride}, padding={layer.padding}"
    sides = f"{layer.inputs}, {layer.out}"
    norm = f"nn.BatchNorm{1 if flat else 2}d({layer.inputs}, eps={layer.number!r}, momentum={layer.momentum!r}"
    groups = f", groups={layer.groups}" if layer.groups > 1 else ""
    dilation = f", dilation={layer.dilation}" if layer.dilation != (1, 1) else ""
    made = {
        "conv": f"nn.Conv2d({sides}, {window}{dilation}{groups}, bias={layer.bias})",
        "linear": f"nn.Linear({sides}, bias={layer.bias})",
        "norm": f"{norm}, affine={layer.affine})",
        "rectify": f"nn.LeakyReLU({layer.number!r})" if layer.number else "nn.ReLU()",
        "activation": _ACTIVATIONS.get(layer.function, f"nn.ELU({layer.number!r})"),
        "drop": f"nn.Dropout({layer.number!r})",
        "drop_channels": f"nn.Dropout2d({layer.number!r})",
        "max_pool": f"nn.MaxPool2d({window})",
        "avg_pool": f"nn.AvgPool2d({window})",
        "global_pool": "nn.AdaptiveAvgPool2d(1)",
        "flatten": "nn.Flatten()",
        "log_softmax": "nn.LogSoftmax(1)",
    }[layer.kind]
    return [made, "nn.Flatten()"] if layer.kind == "global_pool" and layer.number else [made]


def _body(module: ModuleType) -> str:
    """The source of a module without its docstring and its imports."""
    text = Path(inspect.getfile(module)).read_text(encoding="utf-8")
    nodes = ast.parse(text).body
    first = next(n for n in nodes[1:] if not isinstance(n, ast.Import | ast.ImportFrom))
    line = first.decorator_list[0].lineno if isinstance(first, ast.ClassDef) and first.decorator_list else first.lineno
    lines = text.splitlines()
    while lines[line - 2].startswith("#"):
        line -= 1
    return "\n".join(lines[line - 1 :]) + "\n"
