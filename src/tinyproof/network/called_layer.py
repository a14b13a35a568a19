"""What is known of a layer that was called, as plain data: no torch."""

from __future__ import annotations

from dataclasses import dataclass

IMAGE = -1  # stands for the image itself where a layer's number is asked


@dataclass(frozen=True)
class Window:
    """Kernel, stride and dilation along each side, and the groups of channels that do not meet."""

    kernel: tuple[int, ...]
    stride: tuple[int, ...] = ()
    dilation: tuple[int, ...] = ()
    groups: int = 1
    depthwise: bool = False


@dataclass(frozen=True)
class Join:
    """Where values of several layers meet outside of any layer, after `place` layers: `x + f(x)`, `torch.cat`.

    `after`: layers by their number, IMAGE, and other joins: -2 is the first of them, -3 the second.
    """

    operator: str
    after: tuple[int, ...]
    place: int


@dataclass(frozen=True)
class Layer:
    """One layer as it was called: its output shape (without the batch) and what it costs for one image.

    `parameters` counts a shared weight where it is first used; `macs` are multiply-adds of convolutions and matrix
    products (None: not known). `receptive_field`: pixels of the input, along the side where they are more, that one
    output value sees; `jump`: pixels of the input between two neighbouring outputs; None where a layer has no place in
    the image any more, or where `place_known` is false. `own`: not one of torch's layers or functions. `forward_bytes`:
    memory that its output takes (0 for a view and in place), `training_bytes`: the same in training. `window`: what a
    convolution or a pooling looks at. `after`: what it was given, see `Join`.
    """

    name: str
    kind: str
    output: tuple[int, ...]
    parameters: int
    macs: int | None
    receptive_field: int | None
    jump: int | float | None
    place_known: bool = True
    own: bool = False
    forward_bytes: int = 0
    training_bytes: int = 0
    window: Window | None = None
    after: tuple[int, ...] = ()
