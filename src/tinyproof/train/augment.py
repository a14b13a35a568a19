"""Augmentation: numpy draws the parameters of every image once; an engine only applies them.

So every engine sees the same images, and a draw can be checked without one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinyproof.train.recipe import Augment

# Random erasing, Zhong et al., arXiv 1708.04896: smallest area (share of the image) and most slender shape.
_ERASE_MIN_AREA = 0.02
_ERASE_MAX_ASPECT = 3.3
_AT_ONCE = 4096


@dataclass(frozen=True)
class Transforms:
    """What happens to a batch of B images.

    `matrices` float32 [B, 2, 3] maps an output pixel (x to the right, y down, in pixels from the image's centre) to
    the input pixel whose value it takes, bilinearly; outside lies the colour of the image's border (`borders`). `boxes`
    int32 [B, 4]: top, left, height, width, set to that colour afterwards; height 0 erases nothing.
    """

    matrices: NDArray[np.float32]
    boxes: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.matrices)

    def part(self, start: int, stop: int) -> Transforms:
        """The transforms of images `start` to `stop` (without `stop`)."""
        return Transforms(self.matrices[start:stop], self.boxes[start:stop])


def draw(
    augment: Augment,
    count: int,
    generator: np.random.Generator,
    progress: float | NDArray[np.float64] = 0.0,
    size: tuple[int, int] = (28, 28),
) -> Transforms | None:
    """Draw one transform for each of `count` images of `size` (height, width); None when the recipe changes nothing.

    `progress` (0 to 1, one number or one for each image) is how far training has come; only annealed recipes ask.
    """
    if augment.nothing:
        return None
    strength = np.broadcast_to(np.asarray(augment.strength(progress), dtype=np.float64), (count,))

    def spread(width: float, columns: int = 1) -> NDArray[np.float64]:
        return generator.uniform(-1.0, 1.0, (count, columns)) * (width * strength)[:, None]

    angle = np.deg2rad(spread(augment.max_degrees))[:, 0]
    shear = np.tan(np.deg2rad(spread(augment.max_shear_degrees)))[:, 0]
    scale = 1.0 + spread(augment.max_scale)[:, 0]
    shift = spread(augment.max_shift_pixels, 2)
    if augment.crop_probability:
        cropped = generator.random(count) < augment.crop_probability * strength
        scale = np.where(cropped, scale * min(size) / augment.crop_to, scale)
    boxes = np.zeros((count, 4), np.int32)
    if augment.erase_probability:
        boxes = _boxes(augment, count, generator, strength, size)
    return Transforms(affine(angle, shear, scale, shift), boxes)


def borders(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The colour of each image's border, its median by channel, [N, C] of [N, C, H, W]: what lies outside it."""
    found = np.empty(images.shape[:2], np.uint8)
    for at in range(0, len(images), _AT_ONCE):
        part = images[at : at + _AT_ONCE]
        edges = np.concatenate([part[..., 0, :], part[..., -1, :], part[..., 1:-1, 0], part[..., 1:-1, -1]], axis=-1)
        middle = edges.shape[-1] // 2
        found[at : at + _AT_ONCE] = np.partition(edges, middle, axis=-1)[..., middle]
    return found


def affine(
    angle: NDArray[np.float64], shear: NDArray[np.float64], scale: NDArray[np.float64], shift: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Output-to-input matrices [B, 2, 3] of images that are sheared along x, scaled, turned by `angle` and shifted.

    `angle` (radians), `shear` (a tangent) and `scale` are [B], `shift` is [B, 2] in pixels (x, y).
    """
    cos, sin = np.cos(angle), np.sin(angle)
    # Inverse of rotation @ shear / scale, applied to (output - shift).
    linear = np.stack([cos + shear * sin, sin - shear * cos, -sin, cos], axis=1).reshape(-1, 2, 2)
    linear = linear / scale[:, None, None]
    offset = -np.einsum("bij,bj->bi", linear, shift)
    return np.concatenate([linear, offset[:, :, None]], axis=2).astype(np.float32)


def _boxes(
    augment: Augment, count: int, generator: np.random.Generator, strength: NDArray[np.float64], size: tuple[int, int]
) -> NDArray[np.int32]:
    high, wide = size
    erased = generator.random(count) < augment.erase_probability * strength
    area = generator.uniform(_ERASE_MIN_AREA, augment.erase_max_area, count) * high * wide
    log = np.log(_ERASE_MAX_ASPECT)
    aspect = np.exp(generator.uniform(-log, log, count))
    height = np.clip(np.round(np.sqrt(area * aspect)), 1, high)
    width = np.clip(np.round(np.sqrt(area / aspect)), 1, wide)
    top = np.floor(generator.random(count) * (high - height + 1))
    left = np.floor(generator.random(count) * (wide - width + 1))
    boxes = np.stack([top, left, height, width], axis=1)
    return np.asarray(np.where(erased[:, None], boxes, 0), dtype=np.int32)
