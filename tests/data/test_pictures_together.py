"""Small pictures are read many at once: each as it is read alone, whatever stands beside it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage
from scipy.spatial import ConvexHull
from tools.photographs import WAYS, photograph

from tinyproof.core.errors import DataError
from tinyproof.data import brightness, digit_reader, read_alike
from tinyproof.data.load import INK, load_digits
from tinyproof.data.reading import Reading

READINGS = [INK["mnist"], INK["digits"], Reading(kind="ink", channels=1, height=28, width=28, inverted=True, box=20)]


def small(side: int) -> list[np.ndarray]:
    """Pictures of one size that go all ways through the reader: dark, light, on a desk, noise, rows, nothing."""
    draw, digits = np.random.default_rng(side), load_digits().test_images[:40, 0]
    fitted = [np.asarray(Image.fromarray(one).resize((side, side), Image.Resampling.BICUBIC)) for one in digits]
    found = [*fitted, *(255 - one for one in fitted[:10]), *(225 - (0.7 * one).astype(np.uint8) for one in fitted)]
    half = side // 2
    found += [np.tile(one[::2, ::2][:half, :half], (2, 2)) for one in fitted[:5]]
    for one in fitted[:20]:
        desk = np.full((side, side), draw.integers(10, 70), np.uint8)
        inner = slice(2, side - 2)
        desk[inner, inner] = 225 - (0.7 * one[inner, inner]).astype(np.uint8)
        found.append(desk)
    for way in WAYS:
        large = photograph(digits[0], way, draw)
        grey = large if large.ndim == 2 else large[..., 2]
        found.append(np.asarray(Image.fromarray(grey).resize((side, side), Image.Resampling.BOX)))
    found += [draw.integers(0, 256, (side, side), dtype=np.uint8) for _ in range(10)]
    found += [np.full((side, side), value, np.uint8) for value in (0, 90, 255)]
    return [found[place] for place in draw.permutation(len(found))]


def alone(picture: np.ndarray, reading: Reading) -> tuple[list[list[list[int]]], tuple[str, ...]]:
    try:
        found = digit_reader.digits_of(picture, reading, "a", ["first"])
    except DataError:
        return [], ("nothing",)
    return [one.tolist() for one in found.inputs], found.steps


def together(pictures: list[np.ndarray], reading: Reading) -> list[tuple[list[list[list[int]]], tuple[str, ...]]]:
    found = digit_reader.digits_of_each(np.stack(pictures), reading, [["first"]] * len(pictures))
    return [([i.tolist() for i in one.inputs], one.steps) if one else ([], ("nothing",)) for one in found]


@pytest.mark.parametrize("reading", READINGS, ids=["mnist", "digits", "inverted"])
@pytest.mark.parametrize("side", [8, 28, 62])
def test_each_is_read_as_it_is_alone(side: int, reading: Reading) -> None:
    pictures = small(side)
    found = together(pictures, reading)
    assert found == [alone(picture, reading) for picture in pictures]
    said = {step for _, steps in found for step in steps}
    assert "nothing" in said
    assert "inverted (dark ink on a light ground)" in said
    assert any(step.startswith("warning: the ink touches the edge") for step in said)


def test_each_in_colour_too() -> None:
    """Some of them shown best by one of their channels, and not all by the same."""
    pairs = [((245, 225, 90), (30, 60, 170)), ((170, 210, 240), (190, 40, 60)), ((250, 248, 240), (240, 190, 40)),
             ((120, 120, 60), (60, 150, 60)), ((250, 250, 250), (40, 40, 40))]  # fmt: skip
    pictures = []
    for number, digit in enumerate(load_digits().test_images[:30, 0]):
        ground, pen = (np.array(colour, np.float32) for colour in pairs[number % len(pairs)])
        pictures.append((ground + (pen - ground) * (digit[..., None] / 255)).astype(np.uint8))
    found = together(pictures, INK["mnist"])
    assert found == [alone(picture, INK["mnist"]) for picture in pictures]
    assert {step.split()[2] for _, steps in found for step in steps if step.startswith("by its")} == {"red", "blue"}


def test_a_folder_of_all_sizes_is_read_as_each_file(tmp_path: Path) -> None:
    """What is broken, large or shows nothing among them costs only itself, and the order stays."""
    sides = (28, 40, 28, 300, 64, 28)
    for number, (side, digit) in enumerate(zip(sides * 5, load_digits().test_images[:, 0], strict=False)):
        Image.fromarray(225 - digit // 2).resize((side, side)).save(tmp_path / f"{number:02}.png")
    (tmp_path / "03.png").write_bytes(b"no picture")
    Image.new("L", (28, 28), 200).save(tmp_path / "07.png")
    (found,) = read_alike.read_many([tmp_path], INK["mnist"])
    assert [Path(read.name).name for read in found] == [f"{number:02}.png" for number in range(30)]
    assert [read.number for read in found] == list(range(1, 31))
    for place, read in enumerate(found):
        if place in (3, 7):
            with pytest.raises(DataError, match=read.problem[:20]):
                read_alike.read_file(Path(read.name), INK["mnist"])
            continue
        one = read_alike.read_file(Path(read.name), INK["mnist"])
        assert read.inputs is not None
        assert one.inputs is not None
        assert read.inputs.tolist() == one.inputs.tolist()
        assert (read.steps, read.problem) == (one.steps, "")
    assert [place for place, read in enumerate(found) if read.problem] == [3, 7]


@pytest.mark.parametrize("side", [6, 8, 10, 12])
def test_a_sheet_of_a_few_pixels_on_a_desk_is_read(side: int) -> None:
    """Three pixels are taken off its edge, and nothing would be left of it."""
    picture = np.full((side, side), 30, np.uint8)
    picture[1:-1, 1:-1] = 230
    picture[2:-2, side // 2] = 40
    inputs, steps = alone(picture, INK["mnist"])
    assert inputs or steps == ("nothing",)


def test_masks_are_filled_as_scipy_fills_them() -> None:
    draw = np.random.default_rng(3)
    for height, width in ((2, 9), (9, 2), (13, 17), (28, 28)):
        masks = draw.random((40, height, width)) < np.linspace(0.05, 0.95, 40)[:, None, None]
        wanted = np.stack([ndimage.binary_fill_holes(mask) for mask in masks])
        assert (brightness._without_holes(masks) == wanted).all()
        assert (wanted != masks).any() or 2 in (height, width)


def test_a_sheet_is_convex_by_its_hull() -> None:
    """Also where its rows alone decide."""
    draw, answers = np.random.default_rng(4), []
    for _ in range(300):
        mask = np.zeros((20, 24), bool)
        for _ in range(draw.integers(1, 4)):
            top, left = draw.integers(0, 12, 2)
            mask[top : top + draw.integers(1, 9), left : left + draw.integers(1, 12)] = True
        rows, columns = np.nonzero(mask)
        corners = [np.stack([rows + down, columns + right], 1) for down in (0, 1) for right in (0, 1)]
        wanted = mask.sum() > 0.92 * ConvexHull(np.concatenate(corners)).volume
        answers.append(brightness._is_convex(mask, int(mask.sum())))
        assert answers[-1] == wanted
    assert 20 < sum(answers) < 280


def test_which_is_rare_where_sums_are_near_to_nothing() -> None:
    """The sign of a sum of cubes: those computed in a quarter of the time have the sign of numpy's power."""
    draw = np.random.default_rng(5)
    pictures = draw.integers(0, 256, (200, 12, 12)).astype(np.float32)
    pictures[:100, :, 6:] = 255 - pictures[:100, :, :6]  # as much above its surroundings as below
    away = pictures - np.stack([ndimage.gaussian_filter(one, 1.5) for one in pictures])
    wanted = [float((one**3).mean()) < 0 for one in away]
    assert brightness._rare_is_dark(pictures, 3).tolist() == wanted
    assert 0 < sum(wanted) < len(wanted)
