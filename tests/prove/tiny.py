"""A network small enough to train in a second: a user's own file."""

from torch import Tensor, nn


class Tiny(nn.Module):
    """One stride-2 convolution with batch norm, one linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 5, stride=3)
        self.norm = nn.BatchNorm2d(4)
        self.drop = nn.Dropout(0.05)
        self.out = nn.Linear(4 * 8 * 8, 10)

    def forward(self, x: Tensor) -> Tensor:
        """Log-probabilities [B, 10] of images [B, 1, 28, 28]."""
        x = self.drop(self.norm(self.conv(x).relu()))
        return self.out(x.flatten(1)).log_softmax(1)
