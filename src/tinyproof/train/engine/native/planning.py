"""From layers to stages.

A layer that does not fit into the order of a stage starts one of its own, whose pooling is an average over one pixel. A
value that is kept ends its stage, and so is there for everybody who takes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from tinyproof.train.engine.native.layers import Layer, Unsupported
from tinyproof.train.engine.native.plan import Plan, Shape, Stage


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


@dataclass(frozen=True)
class _Value:
    """A stage's value, kept for those who take it later."""

    stage: int
    shape: Shape
    flattened: bool
    last: bool


_MOST_KERNEL = 11
_CHANNELS_LAST = (
    "linear", "rectify", "activation", "drop", "channel_norm", "channels_first", "keep", "take", "add", "multiply",
    "concat",
)  # fmt: skip


class _Maker:
    """Adds one layer after the other. `at` is the stage whose value goes on (0: the images), `filled` the last of its
    places that is taken."""

    def __init__(self, offsets: Mapping[str, int], input_shape: Shape) -> None:
        self.offsets = offsets
        self.at, self.shape, self.flattened, self.ended = 0, input_shape, False, False
        self.kept: dict[int, _Value] = {}
        self.last = False  # whether the channels are the last dimension
        self.stages: list[Stage] = []
        self.filled, self.running = 4, 0
        self.norms: list[str] = []
        self.used: set[str] = set()

    def add(self, layer: Layer) -> None:
        if self.ended:
            raise Unsupported("log_softmax must be the last layer")
        if self.last and layer.kind not in _CHANNELS_LAST:
            raise Unsupported(f"{layer.name or layer.kind} with the channels last is not supported")
        getattr(self, f"_{layer.kind}")(layer)

    def _at(self, name: str) -> int:
        """Where the parameter starts. A layer may hold one that the module does not list under that name."""
        if name not in self.offsets:
            raise Unsupported(f"{name} is shared or computed from other weights")
        self.used.add(name)
        return self.offsets[name]

    def _expect(self, layer: Layer, values: int) -> None:
        if layer.inputs != values:
            raise Unsupported(f"{layer.name} takes {layer.inputs} channels or values and gets {values}")

    def _begin(self, stage: Stage) -> None:
        if min(stage.after) < 1:
            raise Unsupported(
                f"a picture of {stage.before[1]}x{stage.before[2]} is too small for the layer that follows"
            )
        self.stages.append(stage)
        self.at, self.shape, self.filled = len(self.stages), stage.after, 0

    def _fill(self, slot: int, **values: object) -> None:
        if not self.stages or self.filled >= slot:
            self._begin(Stage(kind="avg_pool", sources=(self.at,), before=self.shape, after=self.shape))
        self.stages[-1] = replace(self.stages[-1], **values)  # type: ignore[arg-type]
        self.filled = slot

    def _windows(self, layer: Layer, channels: int) -> Shape:
        if self.flattened:
            raise Unsupported("a convolution or pooling after flattening is not supported")
        (k0, k1), (s0, s1), (p0, p1) = layer.reach, layer.stride, layer.padding
        return channels, (self.shape[1] + 2 * p0 - k0) // s0 + 1, (self.shape[2] + 2 * p1 - k1) // s1 + 1

    def _conv(self, layer: Layer) -> None:
        if max(layer.kernel) > _MOST_KERNEL:
            raise Unsupported(f"{layer.name}: kernels up to {_MOST_KERNEL} are supported")
        after = self._windows(layer, layer.out)
        self._expect(layer, self.shape[0])
        weight, bias = self._at(f"{layer.name}.weight"), self._at(f"{layer.name}.bias") if layer.bias else -1
        self._begin(
            Stage(
                kind="conv",
                sources=(self.at,),
                before=self.shape,
                after=after,
                kernel=layer.kernel,
                stride=layer.stride,
                padding=layer.padding,
                dilation=layer.dilation,
                groups=layer.groups,
                weight=weight,
                bias=bias,
            )
        )

    def _linear(self, layer: Layer) -> None:
        channels, rows, columns = self.shape
        if not self.flattened and not self.last:
            raise Unsupported("a linear layer needs flattened input")
        self._expect(layer, channels if self.last else channels * rows * columns)
        weight, bias = self._at(f"{layer.name}.weight"), self._at(f"{layer.name}.bias") if layer.bias else -1
        if self.last:  # at each place by itself
            after = (layer.out, rows, columns)
            self._begin(
                Stage(kind="conv", sources=(self.at,), before=self.shape, after=after, weight=weight, bias=bias)
            )
            return
        before = (channels * rows * columns, 1, 1)
        values = {"sources": (self.at,), "flat": rows * columns > 1, "weight": weight, "bias": bias}
        self._begin(Stage(kind="conv", before=before, after=(layer.out, 1, 1), **values))  # type: ignore[arg-type]

    def _pool(self, layer: Layer) -> None:
        after = self._windows(layer, self.shape[0])
        self._begin(
            Stage(
                kind=layer.kind,
                sources=(self.at,),
                before=self.shape,
                after=after,
                kernel=layer.kernel,
                stride=layer.stride,
                padding=layer.padding,
            )
        )

    _max_pool = _avg_pool = _pool

    def _global_pool(self, layer: Layer, kind: str = "avg_pool") -> None:
        kernel = self.shape[1:]
        self._pool(replace(layer, kind=kind, kernel=kernel, stride=kernel))
        self.flattened = self.flattened or layer.number == 1.0

    def _global_max(self, layer: Layer) -> None:
        self._global_pool(layer, "max_pool")

    def _norm(self, layer: Layer) -> None:
        if self.flattened and self.shape[1:] != (1, 1):
            raise Unsupported("batch norm over flattened pictures is not supported")
        self._expect(layer, self.shape[0])
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

    def _activation(self, layer: Layer) -> None:
        self._fill(3, curve=layer.function, alpha=layer.number)

    def _drop(self, layer: Layer) -> None:
        if not 0.0 < layer.number < 1.0:
            raise Unsupported(f"dropout with probability {layer.number} is not supported")
        whole = layer.kind == "drop_channels" and self.shape[1:] != (1, 1)
        if whole and self.flattened:
            raise Unsupported("dropout of channels after flattening is not supported")
        self._fill(4, drop="channels" if whole else "elements", probability=layer.number)

    _drop_channels = _drop

    def _keep(self, layer: Layer) -> None:
        self.kept[layer.slots[0]] = _Value(self.at, self.shape, self.flattened, self.last)
        self.filled = 4  # what is kept is what the stage gives; whatever follows is another stage's

    def _take(self, layer: Layer) -> None:
        self._go_on(self.kept[layer.slots[0]])

    def _go_on(self, value: _Value) -> None:
        self.at, self.shape, self.flattened, self.filled = value.stage, value.shape, value.flattened, 4
        self.last = value.last

    def _join(self, layer: Layer) -> None:
        parts = [self.kept[slot] for slot in layer.slots]
        if layer.kind == "concat" and any(part.last for part in parts):
            raise Unsupported(f"{layer.name}: a concatenation with the channels last is not supported")
        for part in parts[1:]:
            alike = (part.flattened, part.last) == (parts[0].flattened, parts[0].last)
            fits = part.shape[1:] == parts[0].shape[1:] and alike
            if not fits or (layer.kind == "add" and part.shape != parts[0].shape):
                sizes = " and ".join("x".join(map(str, value.shape)) for value in (parts[0], part))
                order = "" if alike else ", one flattened or with the channels last,"
                raise Unsupported(f"{layer.name}: joining values of {sizes}{order} is not supported")
        channels = parts[0].shape[0] if layer.kind == "add" else sum(part.shape[0] for part in parts)
        self._go_on(parts[0])
        sources = tuple(part.stage for part in parts)
        self._begin(Stage(kind=layer.kind, sources=sources, before=self.shape, after=(channels, *self.shape[1:])))

    _add = _concat = _join

    def _multiply(self, layer: Layer) -> None:
        """Of two alike, or of a picture and one number for each of its channels."""
        parts = [self.kept[slot] for slot in layer.slots]
        alike = (parts[0].flattened, parts[0].last) == (parts[1].flattened, parts[1].last)
        same = parts[0].shape == parts[1].shape
        gates = parts[0].shape[0] == parts[1].shape[0] and any(part.shape[1:] == (1, 1) for part in parts)
        if not alike or not (same or (gates and not parts[0].last and not parts[0].flattened)):
            sizes = " and ".join("x".join(map(str, part.shape)) for part in parts)
            raise Unsupported(f"{layer.name}: a product of values of {sizes} is not supported")
        self._go_on(max(parts, key=lambda part: part.shape[1] * part.shape[2]))
        self._begin(
            Stage(
                kind="multiply",
                sources=(parts[0].stage, parts[1].stage),
                before=parts[0].shape,
                after=self.shape,
            )
        )

    def _channel_norm(self, layer: Layer) -> None:
        if not self.last and not (self.flattened and self.shape[1:] == (1, 1)):
            raise Unsupported(f"{layer.name}: layer norm is supported over the channels alone, as the last dimension")
        self._expect(layer, self.shape[0])
        weight = self._at(f"{layer.name}.weight") if layer.affine else -1
        bias = self._at(f"{layer.name}.bias") if layer.affine else -1
        self._begin(
            Stage(
                kind="channel_norm",
                sources=(self.at,),
                before=self.shape,
                after=self.shape,
                weight=weight,
                bias=bias,
                layer_epsilon=layer.number,
            )
        )

    def _channels_last(self, layer: Layer) -> None:
        if self.flattened:
            raise Unsupported("dimensions of flattened values cannot change places here")
        self.last = True

    def _channels_first(self, layer: Layer) -> None:
        if not self.last:
            raise Unsupported("only channels that were put last can be put first again")
        self.last = False

    def _unflatten(self, layer: Layer) -> None:
        if not self.flattened or self.shape[1:] != (1, 1) or layer.inputs not in (0, self.shape[0]):
            raise Unsupported("only values of single places can become pictures again, of 1x1")
        self.flattened = False

    def _flatten(self, layer: Layer) -> None:
        size = self.shape[0] * self.shape[1] * self.shape[2]
        if layer.inputs not in (0, size):
            raise Unsupported(f"reshaping {size} values of an image to {layer.inputs} is not supported")
        self.flattened = True

    def _log_softmax(self, layer: Layer) -> None:
        if self.shape[1:] != (1, 1) and not self.flattened:
            raise Unsupported("log_softmax over pictures is not supported")
        self.ended = True
