"""Networks that branch, for benchmarks/engine.py: a depthwise residual one under 8,000 parameters, one in colour."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from tinyproof.network import nets
from tinyproof.train.recipe import Recipe, named


class Block(nn.Module):
    """A depthwise convolution and a 1x1 one, each with norm and ReLU, and what went in added to it."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.deep = nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False)
        self.wide = nn.Conv2d(channels, channels, 1, bias=False)
        self.norm1, self.norm2, self.relu = nn.BatchNorm2d(channels), nn.BatchNorm2d(channels), nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm2(self.wide(self.relu(self.norm1(self.deep(x)))))
        return self.relu(y + x)


def residual(colours: int, widths: tuple[int, ...], blocks: int) -> nn.Module:
    """A convolution, then for each width `blocks` blocks at half the size of those before."""
    layers: list[nn.Module] = []
    before = colours
    for number, width in enumerate(widths):
        stride = 1 if number == 0 else 2
        layers += [nn.Conv2d(before, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
        layers += [Block(width) for _ in range(blocks)]
        before = width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(before, 10), nn.LogSoftmax(1))


# By name: the images' colours and size, and what `residual` takes besides.
SHAPES = {
    "depthwise-8k": ((1, 28, 28), (14, 30), 2),
    "colour-48k": ((3, 32, 32), (24, 48, 64), 1),
}


def build(name: str) -> nn.Module:
    """A network of this file or of the package, from seed 0, without its recipe's dropout."""
    if name not in SHAPES:
        return nets.build(name, 0)
    torch.manual_seed(0)
    (colours, _, _), widths, blocks = SHAPES[name]
    return residual(colours, widths, blocks)


def recipe_of(name: str) -> Recipe:
    """A published network's own recipe; that of `s7-8k` for those of this file."""
    return named("s7-8k" if name in SHAPES else name)
