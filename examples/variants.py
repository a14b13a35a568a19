"""Networks that differ from those of the package in one thing, to settle what that one thing does.

tinyproof compare s6-12k@s6-12k examples/variants.py:MaxPooling12k@s6-12k --seeds 5
tinyproof compare s6-19k@s6-19k examples/variants.py:NoBatchNorm19k@s6-19k --seeds 5
tinyproof compare s6-19k@s6-19k s6-19k@s6-19k,dropout=0 --seeds 5
"""

from torch import nn

from tinyproof.network.nets import S6Net12k, S6Net19k


class MaxPooling12k(S6Net12k):
    """s6-12k with max pooling where it has average pooling; the parameters are the same."""

    def __init__(self) -> None:
        super().__init__()
        for index, layer in enumerate(self):
            if isinstance(layer, nn.AvgPool2d):
                self[index] = nn.MaxPool2d(layer.kernel_size)


class NoBatchNorm19k(S6Net19k):
    """s6-19k without its batch norms."""

    def __init__(self) -> None:
        super().__init__()
        for index, layer in reversed(list(enumerate(self))):
            if isinstance(layer, nn.BatchNorm2d):
                del self[index]
