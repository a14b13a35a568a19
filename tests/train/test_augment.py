"""Augmentation against scipy.ndimage on single images, and the statistics of its draws."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import ndimage

from tinyproof.train.augment import Transforms, affine, draw
from tinyproof.train.engine.torch_engine import apply
from tinyproof.train.recipe import Augment

EVERYTHING = Augment(25, 3.5, 0.2, 15, crop_to=22, crop_probability=0.5, erase_probability=0.5)


def generator(seed: int = 0) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(seed))


def by_scipy(image: np.ndarray, matrix: np.ndarray, box: np.ndarray) -> np.ndarray:
    """The same map, by scipy: its coordinates are (row, column) from the corner, ours (x, y) from the centre."""
    height, width = image.shape
    centre = np.array([(height - 1) / 2, (width - 1) / 2])
    linear, offset = matrix[::-1, 1::-1].astype(np.float64), matrix[::-1, 2].astype(np.float64)
    # mode="grid-constant" blends towards the background outside, as a zero border does.
    out = ndimage.affine_transform(
        image, linear, centre + offset - linear @ centre, order=1, mode="grid-constant", cval=0.0
    )
    top, left, tall, wide = box
    out[top : top + tall, left : left + wide] = 0
    return out


@pytest.mark.parametrize("shape", [(28, 28), (28, 20), (15, 31)])
def test_applied_transforms_are_scipys(shape: tuple[int, int]) -> None:
    rng = generator(3)
    images = rng.uniform(0, 255, (24, *shape))
    transforms = draw(EVERYTHING, 24, rng, size=shape)
    assert transforms is not None
    ours = apply(torch.from_numpy(images)[:, None].float(), transforms)[:, 0].numpy()
    theirs = np.stack(
        [by_scipy(i, m, b) for i, m, b in zip(images, transforms.matrices, transforms.boxes, strict=True)]
    )
    np.testing.assert_allclose(ours, theirs, atol=0.02)


def one(angle: float = 0, shear: float = 0, scale: float = 1, shift: tuple[float, float] = (0, 0)) -> np.ndarray:
    """A bright dot 6 pixels right of the centre of a 29x29 image, transformed."""
    image = np.zeros((1, 1, 29, 29), np.float32)
    image[0, 0, 14, 20] = 1
    matrix = affine(np.array([angle]), np.array([shear]), np.array([scale]), np.array([shift]))
    out = apply(torch.from_numpy(image), Transforms(matrix, np.zeros((1, 4), np.int32)))[0, 0].numpy()
    rows, columns = np.mgrid[:29, :29]
    return np.array([(columns * out).sum(), (rows * out).sum()]) / out.sum() - 14


def test_shift_moves_right_and_down() -> None:
    np.testing.assert_allclose(one(shift=(2, 3)), [8, 3], atol=1e-5)


def test_scale_enlarges_about_the_centre() -> None:
    np.testing.assert_allclose(one(scale=1.5), [9, 0], atol=1e-5)


def test_rotation_turns_by_its_angle() -> None:
    np.testing.assert_allclose(one(angle=np.pi / 2), [0, 6], atol=1e-4)


def test_shear_moves_x_by_its_tangent_times_y() -> None:
    turned = one(angle=0.0, shear=0.5)
    np.testing.assert_allclose(turned, [6, 0], atol=1e-5)
    matrix = affine(np.zeros(1), np.array([0.5]), np.ones(1), np.zeros((1, 2)))[0]
    np.testing.assert_allclose(matrix[:, :2] @ [6 + 0.5 * 4, 4], [6, 4], atol=1e-5)


def test_no_augmentation_draws_nothing() -> None:
    rng = generator()
    assert draw(Augment(), 8, rng) is None
    assert rng.random() == generator().random()


def test_draws_stay_in_their_range_and_fill_it() -> None:
    found = draw(Augment(max_degrees=10, max_shift_pixels=2), 4000, generator())
    assert found is not None
    angles = np.rad2deg(np.arctan2(-found.matrices[:, 1, 0], found.matrices[:, 0, 0]))
    assert np.abs(angles).max() <= 10 + 1e-4
    assert angles.std() == pytest.approx(10 / np.sqrt(3), rel=0.05)
    assert np.linalg.norm(found.matrices[:, :, 2], axis=1).max() <= 2 * np.sqrt(2) + 1e-5


def test_crop_happens_with_its_probability_and_enlarges() -> None:
    found = draw(Augment(crop_to=22, crop_probability=0.1), 5000, generator())
    assert found is not None
    scale = found.matrices[:, 0, 0]
    np.testing.assert_allclose(np.unique(scale), [22 / 28, 1], rtol=1e-6)
    assert (scale < 1).mean() == pytest.approx(0.1, abs=0.02)


def test_erased_boxes_lie_inside_and_have_the_right_size() -> None:
    found = draw(Augment(erase_probability=0.4, erase_max_area=0.2), 5000, generator())
    assert found is not None
    top, left, tall, wide = found.boxes.T
    assert (tall > 0).mean() == pytest.approx(0.4, abs=0.03)
    assert (top >= 0).all()
    assert (left >= 0).all()
    assert (top + tall <= 28).all()
    assert (left + wide <= 28).all()
    area = (tall * wide)[tall > 0] / 784
    assert area.min() > 0.01
    assert area.max() < 0.25


def test_annealing_weakens_image_by_image() -> None:
    augment = Augment(max_degrees=30, anneal_from=0.5, anneal_to=0.0)
    progress = np.repeat([0.0, 0.5, 0.75, 1.0], 500)
    found = draw(augment, 2000, generator(), progress)
    assert found is not None
    angles = np.abs(np.rad2deg(np.arctan2(found.matrices[:, 1, 0], found.matrices[:, 0, 0]))).reshape(4, 500)
    assert angles.max(axis=1) == pytest.approx([30, 30, 15, 0], abs=0.5)
    assert [augment.strength(p) for p in (0.0, 0.5, 0.75, 1.0)] == [1, 1, 0.5, 0]
