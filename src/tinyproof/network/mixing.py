"""Operators that mix values: convolutions, pools, up-sampling, averages, matrix products, normalisation."""

from __future__ import annotations

from fractions import Fraction
from functools import partial
from typing import Any

from torch import Tensor

from tinyproof.network.layout import Layout, Part
from tinyproof.network.operator_call import Step, nth, reduced
from tinyproof.network.receptive_field import NotKnown, Reach


def convolution(step: Step) -> Layout:
    """A convolution of any kind."""
    given = step.given
    if step.look(given["weight"]) is not None:
        raise NotKnown
    found = step.image.taking(1, (Part(int(step.out.shape[1])),))
    kind = Reach.transposed if given["transposed"] else Reach.window
    for i, size in enumerate(given["weight"].shape[2:]):
        stride, padding, dilation = (nth(given[word], i) for word in ("stride", "padding", "dilation"))
        change = partial(kind, size=int(size), stride=stride, padding=padding, dilation=dilation)
        found = found.moved(i + 2, int(step.out.shape[i + 2]), change)
    return found


def pool(step: Step) -> Layout:
    """Maximum or average of windows."""
    given, found = step.given, step.image
    count = int(step.name.partition("pool")[2][0])
    for i in range(count):
        size = nth(given["kernel_size"], i)
        # torch takes an empty stride for "as the kernel".
        stride = nth(given.get("stride") or size, i)
        change = partial(
            Reach.window, size=size, stride=stride, padding=nth(given["padding"], i),
            dilation=nth(given.get("dilation", 1), i),
        )  # fmt: skip
        axis = len(found.dims) - count + i
        found = found.moved(axis, int(step.out.shape[axis]), change)
    return found


def adaptive_pool(step: Step) -> Layout:
    """Pooling to a given size."""
    found, sizes = step.image, step.given["output_size"]
    for i, new in enumerate(sizes):
        axis = len(found.dims) - len(sizes) + i
        found = found.moved(axis, int(new), partial(Reach.parts, ratio=Fraction(found.shape[axis], int(new))))
    return found


def resize(step: Step) -> Layout:
    """Up-sampling, or down."""
    given, found = step.given, step.image
    scales = [given[word] for word in ("scales", "scales_d", "scales_h", "scales_w") if word in given]
    corners, count = bool(given.get("align_corners")), len(scales)
    for i, scale in enumerate(scales):
        axis = len(found.dims) - count + i
        old, new = found.shape[axis], int(step.out.shape[axis])
        ratio = Fraction(old, new) if not scale else (1 / Fraction(scale)).limit_denominator(1000)
        ratio = Fraction(old - 1, max(1, new - 1)) if corners else ratio
        if not ratio:
            raise NotKnown
        if "nearest" in step.name:
            change = partial(Reach.nearest, ratio=ratio, exact="exact" in step.name)
        else:
            change = partial(Reach.between, ratio=ratio, neighbours=1 + ("cubic" in step.name), corners=corners)
        found = found.moved(axis, new, change)
    return found


def shuffle(step: Step) -> Layout:
    """Channels to pixels, or back."""
    found, apart = step.image, step.name == "pixel_shuffle"
    factor = int(step.given["upscale_factor" if apart else "downscale_factor"])
    count = len(found.dims)
    change = (
        partial(Reach.nearest, ratio=Fraction(1, factor))
        if apart
        else partial(Reach.window, size=factor, stride=factor)
    )
    found = found.resized(count - 3, int(step.out.shape[count - 3]))
    for axis in (count - 2, count - 1):
        found = found.moved(axis, int(step.out.shape[axis]), change)
    return found


def over(step: Step) -> Layout:
    """A mean, sum or maximum over dimensions."""
    found, keep = step.image, bool(step.given.get("keepdim"))
    for axis in sorted(reduced(step, len(found.dims)), reverse=True):
        size = found.shape[axis]
        found = found.moved(axis, 1, partial(Reach.window, size=size, stride=size)) if keep else found.without(axis)
    return found


def product(step: Step) -> Layout:
    """A matrix product with weights: rows keep their place, and what is summed over is seen."""
    a, b = _factors(step.given)
    left, right = step.look(a), step.look(b)
    found = left or right
    if found is None or (left and right):
        raise NotKnown
    axis = len(found.dims) - 1 if left else max(0, b.dim() - 2)
    other = b if left else a
    if other.dim() == 1:
        found = found.without(axis)
    else:
        found = found.taking(axis, (Part(int(other.shape[-1] if left else other.shape[-2])),))
    return found if found.sides else Layout(found.dims, found.seen, everything=True)


def _factors(given: dict[str, Any]) -> tuple[Tensor, Tensor]:
    words = [
        ("mat1", "mat2"),
        ("batch1", "batch2"),
        ("mat", "vec"),
        ("self", "mat2"),
        ("self", "vec"),
        ("self", "tensor"),
    ]
    return next((given[a], given[b]) for a, b in words if a in given and b in given)


def softmax(step: Step) -> Layout:
    """Over channels it moves nothing."""
    return step.image.resized(step.axis(), int(step.out.shape[step.axis()]))


def batch_norm(step: Step) -> Layout:
    """With stored statistics it moves nothing."""
    if step.given.get("training", step.given.get("train", False)):
        raise NotKnown
    return step.image


def layer_norm(step: Step) -> Layout:
    """Over channels it moves nothing."""
    found = step.image
    for axis in range(len(found.dims) - len(step.given["normalized_shape"]), len(found.dims)):
        found = found.resized(axis, found.shape[axis])
    return found
