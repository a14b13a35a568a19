"""A network as a graph of stages: what the native engine computes, with every size known.

A stage is `convolution, linear, pooling, sum, concatenation, product or layer norm -> act1 -> batch norm -> act2 ->
dropout`, each of the last four optional; it ends where memory is written (kernels/stage.hpp says why). Stages stand in
the order in which they are computed, so each takes from earlier ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

Shape = tuple[int, int, int]


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One stage. Shapes are (channels, rows, columns); a linear layer is a 1x1 convolution of a 1x1 picture.

    `sources`: the numbers of the stages whose values it takes, 0 for the images, n for the n-th stage; one of them, but
    for sums and products (two) and concatenations. `before` is the shape of the first of them.
    `weight`, `bias`, `gamma` (beta follows it) are offsets into the flat parameters, `running` into the flat running
    statistics (means, then variances); -1 where there is none. A slope is None where there is no activation.
    """

    kind: str  # "conv", "max_pool", "avg_pool", "add", "concat", "multiply", "channel_norm"
    sources: tuple[int, ...]
    before: Shape
    after: Shape
    kernel: tuple[int, int] = (1, 1)
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (0, 0)
    dilation: tuple[int, int] = (1, 1)
    groups: int = 1
    flat: bool = False
    weight: int = -1
    bias: int = -1
    slope1: float | None = None
    norm: bool = False
    gamma: int = -1
    running: int = -1
    epsilon: float = 0.0
    layer_epsilon: float = 0.0  # of a layer norm over the channels, whose weights are `weight` and `bias`
    momentum: float = 0.0
    slope2: float | None = None
    curve: str = ""  # an activation besides ReLU and leaky ReLU in the place of act2, with its `alpha`
    alpha: float = 0.0
    drop: str = ""  # "channels" or "elements"
    probability: float = 0.0

    @property
    def multiply_adds(self) -> int:
        """Multiply-adds of the forward pass for one image; of convolutions and linear layers alone."""
        if self.kind != "conv":
            return 0
        channels, rows, columns = self.after
        return channels * rows * columns * self.before[0] // self.groups * self.kernel[0] * self.kernel[1]


@dataclass(frozen=True)
class Plan:
    """A whole network: its stages, and where each named parameter and running statistic lies in the flat arrays."""

    input_shape: Shape
    stages: tuple[Stage, ...]
    parameters: int
    running: int
    norms: tuple[str, ...]

    @property
    def classes(self) -> int:
        """The number of values that the network gives for an image."""
        channels, rows, columns = self.stages[-1].after
        return channels * rows * columns

    @property
    def linear_multiply_adds(self) -> int:
        """Those of the forward pass for one image in layers that use each weight once, as linear layers do."""
        return sum(stage.multiply_adds for stage in self.stages if stage.after[1:] == (1, 1))

    @property
    def linear_share(self) -> float:
        """The share of `linear_multiply_adds` in all."""
        return self.linear_multiply_adds / max(1, sum(stage.multiply_adds for stage in self.stages))

    @property
    def training_multiply_adds(self) -> int:
        """Multiply-adds of one training step for one image: forward, weight and input gradients (not of the images)."""
        return sum((2 if stage.sources == (0,) else 3) * stage.multiply_adds for stage in self.stages)

    def backward_edges(self) -> Iterator[tuple[int, int, bool]]:
        """Who hands a gradient on, to which stage, and whether another one did so before; in the order of the backward
        pass."""
        delivered = set[int]()
        for number in range(len(self.stages), 0, -1):
            for source in self.stages[number - 1].sources:
                yield number, source, source in delivered
                delivered.add(source)

    @property
    def gradient_slots(self) -> tuple[int, ...]:
        """In which piece of memory each stage's gradient lies, the first stage's first.

        It is taken from the first that delivers to it until it has handed on, so a chain needs two.
        """
        slots, free, used = {len(self.stages): 0}, list[int](), 1
        for number in range(len(self.stages), 0, -1):
            for source in self.stages[number - 1].sources:
                if source and source not in slots:
                    if not free:
                        free, used = [used], used + 1
                    slots[source] = free.pop()
            free.append(slots[number])
        return tuple(slots[number] for number in range(1, len(self.stages) + 1))
