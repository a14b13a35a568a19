"""`fast`, made narrower or wider: the networks with which `tinyproof frontier` fills its tiers (docs/frontier.md).

tinyproof prove examples/tiers.py:Under700 --recipe fast,epochs=14 --seeds 5 --target 95 --threads 1
"""

from torch import nn


class Narrowed(nn.Sequential):
    """A stride of 2 first, then four 3x3 convolutions on small images, for grey images of 28x28 and ten classes."""

    def __init__(self, *widths: int) -> None:
        layers: list[nn.Module] = []
        for inputs, outputs in zip((1, *widths), widths, strict=False):
            size, stride, padding = (3, 1, 0) if layers else (5, 2, 2)
            layers += [nn.Conv2d(inputs, outputs, size, stride, padding, bias=False), nn.ReLU()]
            layers.append(nn.BatchNorm2d(outputs))
        whole, last = nn.AvgPool2d(6), nn.Conv2d(widths[-1], 10, 1, bias=False)
        super().__init__(*layers, whole, last, nn.Flatten(), nn.LogSoftmax(1))


class Under700(Narrowed):
    """693 parameters."""

    def __init__(self) -> None:
        super().__init__(3, 4, 4, 4, 4)


class Under1k(Narrowed):
    """970 parameters."""

    def __init__(self) -> None:
        super().__init__(4, 4, 5, 5, 5)


class Under2k(Narrowed):
    """1,937 parameters."""

    def __init__(self) -> None:
        super().__init__(4, 7, 7, 8, 7)


class Under4k(Narrowed):
    """3,955 parameters."""

    def __init__(self) -> None:
        super().__init__(6, 10, 11, 11, 10)


class Under20k(Narrowed):
    """19,984 parameters."""

    def __init__(self) -> None:
        super().__init__(12, 22, 26, 26, 24)
