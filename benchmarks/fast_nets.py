"""Networks under 8,000 parameters that were tried for the name `fast`: an early stride, then few and small images.

Each is a first convolution (channels, size, stride, padding), then 3x3 convolutions (channels, padding, whether a max
pooling follows), all without bias and with ReLU and batch norm; global average pooling; a 1x1 convolution to 10.
`halved`: the images come at half their resolution.
"""

from __future__ import annotations

from torch import nn


class _Tried(nn.Sequential):
    first: tuple[int, int, int, int]
    rest: tuple[tuple[int, int, bool], ...]
    halved = False  # average pooling 2x2 before everything

    def __init__(self) -> None:
        width, size, stride, padding = self.first
        layers = [nn.AvgPool2d(2)] if self.halved else []
        layers += [nn.Conv2d(1, width, size, stride, padding, bias=False), nn.ReLU(), nn.BatchNorm2d(width)]
        for channels, pad, pooled in self.rest:
            layers += [nn.Conv2d(width, channels, 3, padding=pad, bias=False), nn.ReLU(), nn.BatchNorm2d(channels)]
            layers += [nn.MaxPool2d(2)] if pooled else []
            width = channels
        last = [nn.AdaptiveAvgPool2d(1), nn.Conv2d(width, 10, 1, bias=False), nn.Flatten(), nn.LogSoftmax(1)]
        super().__init__(*layers, *last)


class Pooled259k(_Tried):
    """6,232 parameters, 259,360 multiply-adds."""

    first = (8, 5, 2, 0)
    rest = ((16, 0, True), (16, 1, False), (16, 1, False))


class Pooled294k(_Tried):
    """6,916 parameters, 294,496 multiply-adds."""

    first = (12, 5, 2, 0)
    rest = ((16, 0, True), (16, 1, False), (16, 0, False))


class Deep346k(_Tried):
    """7,696 parameters, 345,760 multiply-adds."""

    first = (8, 5, 2, 0)
    rest = ((12, 0, False), (16, 0, False), (16, 0, False), (16, 0, False))


class Plain375k(_Tried):
    """6,232 parameters, 374,560 multiply-adds."""

    first = (8, 5, 2, 0)
    rest = ((16, 0, False), (16, 0, False), (16, 0, False))


class Low419k(_Tried):
    """6,724 parameters, 418,912 multiply-adds, at 14x14 pixels."""

    halved = True
    first = (12, 3, 1, 0)
    rest = ((16, 0, False), (16, 0, False), (16, 0, False))


class Wide1090k(_Tried):
    """6,104 parameters, 1,090,240 multiply-adds: two stages on whole images, then pooled."""

    first = (8, 3, 1, 0)
    rest = ((16, 0, True), (16, 0, False), (16, 0, False))


class Plain447k(_Tried):
    """6,916 parameters, 446,560 multiply-adds."""

    first = (12, 5, 2, 0)
    rest = ((16, 0, False), (16, 0, False), (16, 0, False))


class Deep606k(_Tried):
    """7,820 parameters, 606,124 multiply-adds: the first layer is padded, so that the images stay larger."""

    first = (8, 5, 2, 2)
    rest = ((14, 0, False), (16, 0, False), (16, 0, False), (14, 0, False))
