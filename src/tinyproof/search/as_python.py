"""A drawn network as a Python file of its own, in plain PyTorch: what is trained, proved, and taken along."""

from __future__ import annotations

from tinyproof.data.reading import Shape
from tinyproof.search.family import Drawn, Stage

CLASS = "Network"
_SUM = '''

class Residual(nn.Sequential):
    """The layers, and what came in added to what they give."""

    def forward(self, x: Tensor) -> Tensor:
        return x + super().forward(x)
'''


def written(drawn: Drawn, shape: Shape, classes: int) -> str:
    """The file: one class without arguments, for images [B, *shape] and so many classes; log-probabilities come out.

    >>> print(written(Drawn((Stage(8, 5, 2),)), (1, 28, 28), 10).splitlines()[8].strip())
    nn.Conv2d(1, 8, 5, stride=2, padding=2, bias=False),
    """
    lines, inputs, (height, width) = list[str](), shape[0], shape[1:]
    for stage in drawn.stages:
        lines += _stage(stage, inputs)
        inputs, height, width = stage.width, -(-height // stage.stride), -(-width // stage.stride)
    size = f"{height}" if height == width else f"({height}, {width})"
    lines += [f"nn.AvgPool2d({size}),", f"nn.Conv2d({inputs}, {classes}, 1, bias=False),", "nn.Flatten(),"]
    lines.append("nn.LogSoftmax(1),")
    images = " x ".join(map(str, shape))
    summed = any(stage.residual for stage in drawn.stages)
    body = "\n".join(f"            {line}" for line in lines)
    head = f"from torch import {'Tensor, ' * summed}nn\n{_SUM if summed else ''}"
    made = (
        f"class {CLASS}(nn.Sequential):\n    def __init__(self) -> None:\n        super().__init__(\n{body}\n        )"
    )
    return f'"""{drawn.words}: a drawn network, for images of {images}."""\n\n{head}\n\n{made}\n'


def _stage(stage: Stage, inputs: int) -> list[str]:
    """The layers of a stage, a line each."""
    size, padding = f"{stage.kernel}", f"padding={stage.kernel // 2}"
    options = ", ".join([size, *([f"stride={stage.stride}"] if stage.stride > 1 else []), padding])
    if stage.depthwise:
        convolution = [
            f"nn.Conv2d({inputs}, {inputs}, {options}, groups={inputs}, bias=False),",
            f"nn.Conv2d({inputs}, {stage.width}, 1, bias=False),",
        ]
    else:
        convolution = [f"nn.Conv2d({inputs}, {stage.width}, {options}, bias=False),"]
    layers = [*convolution, "nn.ReLU(),", f"nn.BatchNorm2d({stage.width}),"]
    return ["Residual(", *(f"    {layer}" for layer in layers), "),"] if stage.residual else layers
