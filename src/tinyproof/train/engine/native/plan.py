"""From layers to stages: what the native engine computes, with every size known.

A stage is `convolution, linear or pooling -> act1 -> batch norm -> act2 -> dropout`, each of the four optional;
it ends where memory is written (kernels/stage.hpp says why). A layer that does not fit into that order starts a stage
of its own, whose pooling is an average over one pixel.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from tinyproof.train.engine.native.layers import Layer, Unsupported

Shape = tuple[int, int, int]


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One stage. Shapes are (channels, rows, columns); a linear layer is a 1x1 convolution of a 1x1 picture.

    `weight`, `bias`, `gamma` (beta follows it) are offsets into the flat parameters, `running` into the flat running
    statistics (means, then variances); -1 where there is none. A slope is None where there is no activation.
    """

    kind: str  # "conv", "max_pool", "avg_pool"
    before: Shape
    after: Shape
    kernel: tuple[int, int] = (1, 1)
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (0, 0)
    flat: bool = False
    weight: int = -1
    bias: int = -1
    slope1: float | None = None
    norm: bool = False
    gamma: int = -1
    running: int = -1
    epsilon: float = 0.0
    momentum: float = 0.0
    slope2: float | None = None
    drop: str = ""  # "channels" or "elements"
    probability: float = 0.0

    @property
    def multiply_adds(self) -> int:
        """Multiply-adds of the forward pass for one image; pooling counts as none."""
        if self.kind != "conv":
            return 0
        channels, rows, columns = self.after
        return channels * rows * columns * self.before[0] * self.kernel[0] * self.kernel[1]


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
        """Multiply-adds of one training step for one image: forward, weight and input gradients (not the first)."""
        forward = [stage.multiply_adds for stage in self.stages]
        return 3 * sum(forward) - forward[0]


def make_plan(
    layers: tuple[Layer, ...], offsets: Mapping[str, int], parameters: int, input_shape: Shape = (1, 28, 28)
) -> Plan:
    """Lay the layers out as stages. `offsets` says where each named parameter starts. Raises Unsupported."""
    maker = _Maker(offsets, input_shape)
    for layer in layers:
        maker.add(layer)
    if not maker.stages:
        raise Unsupported("the network has no layers")
    plan = Plan(input_shape, tuple(maker.stages), parameters, maker.running, tuple(maker.norms))
    if not 2 <= plan.classes <= 1024:
        raise Unsupported(f"the network gives {plan.classes} values for an image; 2 to 1024 are supported")
    unused = [name for name in offsets if name not in maker.used]
    if unused:
        raise Unsupported(f"{unused[0]} is not used by the forward: torch leaves such a parameter as it is")
    return plan


class _Maker:
    """Adds one layer after the other. `filled` is the last slot of the stage at hand that is taken."""

    def __init__(self, offsets: Mapping[str, int], input_shape: Shape) -> None:
        self.offsets = offsets
        self.shape, self.flattened, self.ended = input_shape, False, False
        self.stages: list[Stage] = []
        self.filled, self.running = 4, 0
        self.norms: list[str] = []
        self.used: set[str] = set()

    def add(self, layer: Layer) -> None:
        if self.ended:
            raise Unsupported("log_softmax must be the last layer")
        getattr(self, f"_{layer.kind}")(layer)

    def _at(self, name: str) -> int:
        """Where the parameter starts. A layer may hold one that the module does not list under that name."""
        if name not in self.offsets:
            raise Unsupported(f"{name} is shared or computed from other weights")
        self.used.add(name)
        return self.offsets[name]

    def _take(self, layer: Layer, values: int) -> None:
        if layer.inputs != values:
            raise Unsupported(f"{layer.name} takes {layer.inputs} channels or values and gets {values}")

    def _begin(self, stage: Stage) -> None:
        if min(stage.after) < 1:
            raise Unsupported(
                f"a picture of {stage.before[1]}x{stage.before[2]} is too small for the layer that follows"
            )
        self.stages.append(stage)
        self.shape, self.filled = stage.after, 0

    def _fill(self, slot: int, **values: object) -> None:
        if not self.stages or self.filled >= slot:
            self._begin(Stage(kind="avg_pool", before=self.shape, after=self.shape))
        self.stages[-1] = replace(self.stages[-1], **values)  # type: ignore[arg-type]
        self.filled = slot

    def _windows(self, layer: Layer, channels: int) -> Shape:
        if self.flattened:
            raise Unsupported("a convolution or pooling after flattening is not supported")
        (k0, k1), (s0, s1), (p0, p1) = layer.kernel, layer.stride, layer.padding
        return channels, (self.shape[1] + 2 * p0 - k0) // s0 + 1, (self.shape[2] + 2 * p1 - k1) // s1 + 1

    def _conv(self, layer: Layer) -> None:
        after = self._windows(layer, layer.out)
        self._take(layer, self.shape[0])
        weight, bias = self._at(f"{layer.name}.weight"), self._at(f"{layer.name}.bias") if layer.bias else -1
        self._begin(
            Stage(
                kind="conv",
                before=self.shape,
                after=after,
                kernel=layer.kernel,
                stride=layer.stride,
                padding=layer.padding,
                flat=False,
                weight=weight,
                bias=bias,
            )
        )

    def _linear(self, layer: Layer) -> None:
        channels, rows, columns = self.shape
        if not self.flattened:
            raise Unsupported("a linear layer needs flattened input")
        self._take(layer, channels * rows * columns)
        weight, bias = self._at(f"{layer.name}.weight"), self._at(f"{layer.name}.bias") if layer.bias else -1
        before = (channels * rows * columns, 1, 1)
        flat = rows * columns > 1
        self._begin(Stage(kind="conv", before=before, after=(layer.out, 1, 1), flat=flat, weight=weight, bias=bias))

    def _pool(self, layer: Layer) -> None:
        after = self._windows(layer, self.shape[0])
        self._begin(
            Stage(
                kind=layer.kind,
                before=self.shape,
                after=after,
                kernel=layer.kernel,
                stride=layer.stride,
                padding=layer.padding,
            )
        )

    _max_pool = _avg_pool = _pool

    def _global_pool(self, layer: Layer) -> None:
        kernel = self.shape[1:]
        self._pool(replace(layer, kind="avg_pool", kernel=kernel, stride=kernel))
        self.flattened = self.flattened or layer.number == 1.0

    def _norm(self, layer: Layer) -> None:
        if self.flattened and self.shape[1:] != (1, 1):
            raise Unsupported("batch norm over flattened pictures is not supported")
        self._take(layer, self.shape[0])
        gamma = self._at(f"{layer.name}.weight") if layer.affine else -1
        if layer.affine and self._at(f"{layer.name}.bias") != gamma + self.shape[0]:
            raise Unsupported(f"{layer.name}.bias does not follow {layer.name}.weight among the parameters")
        self._fill(2, norm=True, gamma=gamma, running=self.running, epsilon=layer.number, momentum=layer.momentum)
        self.norms.append(layer.name)
        self.running += 2 * self.shape[0]

    def _rectify(self, layer: Layer) -> None:
        if self.stages and self.filled < 1:
            self._fill(1, slope1=layer.number)
        elif self.stages and self.filled < 3:
            self._fill(3, slope2=layer.number)
        else:
            self._fill(1, slope1=layer.number)

    def _drop(self, layer: Layer) -> None:
        if not 0.0 < layer.number < 1.0:
            raise Unsupported(f"dropout with probability {layer.number} is not supported")
        whole = layer.kind == "drop_channels" and self.shape[1:] != (1, 1)
        if whole and self.flattened:
            raise Unsupported("dropout of channels after flattening is not supported")
        self._fill(4, drop="channels" if whole else "elements", probability=layer.number)

    _drop_channels = _drop

    def _flatten(self, layer: Layer) -> None:
        size = self.shape[0] * self.shape[1] * self.shape[2]
        if layer.inputs not in (0, size):
            raise Unsupported(f"reshaping {size} values of an image to {layer.inputs} is not supported")
        self.flattened = True

    def _log_softmax(self, layer: Layer) -> None:
        if self.shape[1:] != (1, 1) and not self.flattened:
            raise Unsupported("log_softmax over pictures is not supported")
        self.ended = True
