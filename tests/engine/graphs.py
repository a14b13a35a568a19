"""Networks that branch: one by hand, and random ones, whose cells' layers take any earlier value, summed, joined and
grouped."""

from __future__ import annotations

import random
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Branching(nn.Module):
    """A depthwise residual network: the images branch, a block in full, a dilated convolution with a stride, a join,
    both global poolings."""

    def __init__(self, channels: int = 3) -> None:
        super().__init__()
        self.a, self.b = nn.Conv2d(channels, 8, 3, padding=1, bias=False), nn.Conv2d(channels, 8, 1, bias=False)
        self.n1, self.n2, self.n3 = nn.BatchNorm2d(8), nn.BatchNorm2d(8), nn.BatchNorm2d(8)
        self.deep, self.wide = nn.Conv2d(8, 8, 3, padding=1, groups=8, bias=False), nn.Conv2d(8, 8, 1, bias=False)
        self.drop, self.down = nn.Dropout2d(0.0), nn.Conv2d(8, 8, 3, 2, 2, dilation=2, groups=2)
        self.acts = nn.ModuleList([nn.SiLU(), nn.LeakyReLU(0.2), nn.Hardswish(), nn.GELU()])
        self.most, self.last = nn.AdaptiveMaxPool2d(1), nn.Linear(16, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.acts[0](self.n1(self.a(x) + self.b(x)))
        x = self.drop(self.acts[1](self.n3(self.wide(self.acts[2](self.n2(self.deep(x)))))) + x)
        y = self.down(x)
        x = torch.cat((self.acts[3](y), F.avg_pool2d(y, 1)), 1)
        return self.last((F.adaptive_avg_pool2d(x, 1) + self.most(x)).flatten(1))


class Gated(nn.Module):
    """Squeeze-and-excite, then a layer norm and a linear layer over the channels at each place, with a sum."""

    def __init__(self, channels: int = 3) -> None:
        super().__init__()
        self.first, self.norm = nn.Conv2d(channels, 6, 3, bias=False), nn.BatchNorm2d(6)
        self.squeeze, self.excite = nn.Linear(6, 3), nn.Linear(3, 6)
        self.layer_norm, self.wide, self.last = nn.LayerNorm(6), nn.Linear(6, 6), nn.Linear(6, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = F.silu(self.norm(self.first(x)))
        x = x * torch.sigmoid(self.excite(F.silu(self.squeeze(x.mean((2, 3))))))[:, :, None, None]
        y = self.wide(self.layer_norm(x.permute(0, 2, 3, 1)))
        return self.last(F.adaptive_avg_pool2d(F.gelu(y).permute(0, 3, 1, 2) + x, 1).flatten(1))


class LayerNorm2d(nn.LayerNorm):
    """As networks for pictures write it: the channels are put last and first again."""

    def forward(self, x: Tensor) -> Tensor:
        x = x.permute(0, 2, 3, 1)
        x = F.layer_norm(x, self.normalized_shape, self.weight, self.bias, self.eps)
        return x.permute(0, 3, 1, 2)


class Gate(nn.Module):
    """Squeeze-and-excite in one."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.excite = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.sigmoid(self.excite(F.adaptive_avg_pool2d(x, 1)))


class Graph(nn.Module):
    """Values one after the other, each made of earlier ones (0: the images); the last one is the answer."""

    def __init__(self, steps: Sequence[tuple[str, tuple[int, ...]]], layers: Sequence[nn.Module]) -> None:
        super().__init__()
        self.steps, self.parts = tuple(steps), nn.ModuleList(layers)

    def forward(self, x: Tensor) -> Tensor:
        values = [x]
        for (how, takes), layer in zip(self.steps, self.parts, strict=True):
            given = [values[i] for i in takes]
            joined = given[0] if how == "layer" else torch.cat(given, 1) if how == "concat" else given[0] + given[1]
            values.append(layer(joined))
        return values[-1]


class _Draws:
    """Steps with the channels of what they make; all values of a cell have one size."""

    def __init__(self, rng: random.Random, channels: int) -> None:
        self.rng, self.channels = rng, [channels]
        self.steps: list[tuple[str, tuple[int, ...]]] = []
        self.layers: list[nn.Module] = []

    def add(self, how: str, takes: tuple[int, ...], layer: nn.Module, channels: int) -> int:
        self.steps.append((how, takes))
        self.layers.append(layer)
        self.channels.append(channels)
        return len(self.steps)

    def convolution(self, at: int) -> int:
        """One that keeps the size: of all channels, in groups or depthwise."""
        channels, rows, columns = self.channels[at], self.rng.choice((1, 3, 5)), self.rng.choice((1, 3))
        groups = self.rng.choice([1, channels, *(n for n in range(2, channels) if channels % n == 0)])
        out = groups * self.rng.randint(1, max(1, 9 // groups))
        gaps, bias = (self.rng.randint(1, 2), self.rng.randint(1, 2)), self.rng.random() < 0.5
        window = {"padding": (rows // 2 * gaps[0], columns // 2 * gaps[1]), "dilation": gaps}
        layer = nn.Conv2d(channels, out, (rows, columns), groups=groups, bias=bias, **window)
        return self.add("layer", (at,), layer, out)

    def step(self, values: list[int]) -> int:
        """One more value of a cell, of what `values` are."""
        at, kind = self.rng.choice(values), self.rng.random()
        alike = [value for value in values if self.channels[value] == self.channels[at]]
        if kind < 0.25:
            return self.add("add", (at, self.rng.choice(alike)), self.behind(at), self.channels[at])
        if kind < 0.35 and self.channels[at] < 20:
            other = self.rng.choice(values)
            return self.add("concat", (at, other), nn.Identity(), self.channels[at] + self.channels[other])
        if kind < 0.6:
            return self.add("layer", (at,), self.behind(at), self.channels[at])
        return self.convolution(at)

    def behind(self, at: int) -> nn.Module:
        """A layer that any value may go through."""
        curves = [nn.SiLU(), nn.ReLU6(), nn.Hardswish(), nn.GELU(), nn.ELU(), nn.Sigmoid(), nn.Tanh()]
        channels = self.channels[at]
        if self.rng.random() < 0.2:  # a layer norm of one or two channels gives little else than signs
            return Gate(channels) if channels < 3 or self.rng.random() < 0.5 else LayerNorm2d(channels, 0.1)
        plain = [nn.Identity(), nn.LeakyReLU(0.2), nn.ReLU(), nn.BatchNorm2d(channels)]
        return self.rng.choice([*plain, *plain, *curves])


def random_graph(case: int, rng: random.Random) -> tuple[nn.Module, nn.Module, tuple[int, ...]]:
    """A network of two or three cells, again as what shows its kinks, and the images' shape, colour in turn."""
    shape = (3 if case % 2 else 1, rng.randint(7, 13), rng.randint(7, 13))
    draws, size = _Draws(rng, shape[0]), shape[1:]
    at = 0
    for cell in range(rng.randint(2, 3)):
        values = [at] if cell or case % 3 == 0 else [draws.convolution(at)]
        for _ in range(rng.randint(2, 6)):
            values.append(draws.step(values))
        taken = {value for _, takes in draws.steps for value in takes}
        left = tuple(value for value in values if value not in taken and value)
        at = left[0]
        if len(left) > 1:
            at = draws.add("concat", left, nn.Identity(), sum(draws.channels[value] for value in left))
        stride, out = rng.randint(1, 2), rng.randint(2, 9)
        at = draws.add("layer", (at,), nn.Conv2d(draws.channels[at], out, 3, stride), out)
        size = tuple((side - 3) // stride + 1 for side in size)
        if min(size) < 3:
            break
    draws.add("layer", (at,), nn.Flatten(), 0)
    draws.add("layer", (len(draws.steps),), nn.Linear(draws.channels[at] * size[0] * size[1], 10), 10)
    module = Graph(draws.steps, draws.layers)
    return module, module, shape
