"""Photographs of digits: what is on the paper is read whatever the light, and doubtful readings are said to be so."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw
from tools.photographs import WAYS, photographs, read_back

from tinyproof.core.errors import DataError
from tinyproof.data import picture_reader
from tinyproof.data.as_prepared import prepared
from tinyproof.data.digit_reader import digits_of, read_digits
from tinyproof.data.load import INK, load_digits, load_mnist
from tinyproof.train import loop
from tinyproof.train.classifier import Classifier
from tinyproof.train.recipe import named

MNIST = INK["mnist"]
STROKES = {
    2: [(20, 30), (45, 10), (70, 30), (60, 60), (20, 110), (75, 110)],
    4: [(60, 115), (60, 10), (15, 75), (80, 75)],
    7: [(15, 15), (78, 15), (40, 110)],
}


def written(digit: int, width: int = 12) -> np.ndarray:
    """A digit of straight strokes, its ink 1 on paper 0: float [130, 95]."""
    picture = Image.new("L", (95, 130))
    ImageDraw.Draw(picture).line(STROKES[digit], 255, width, joint="curve")
    return np.asarray(picture) / 255.0


def paper(ink: np.ndarray, light: float | np.ndarray = 1.0) -> np.ndarray:
    return np.clip((225 - 180 * ink) * light, 0, 255).astype(np.uint8)


def read(picture: np.ndarray) -> tuple[tuple[np.ndarray, ...], str]:
    found = digits_of(picture, MNIST, "photograph", [])
    return found.inputs, "; ".join(found.steps)


def alike(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1])


@pytest.mark.parametrize("way", WAYS)
def test_a_photograph_becomes_the_digit_that_was_written(way: str) -> None:
    """By the picture alone, without a network: nearer to the digit that was written than to the others."""
    plain = {digit: read(paper(np.pad(written(digit), 30)))[0][0] for digit in STROKES}
    inputs = np.stack([plain[digit] for digit in STROKES for _ in range(4)])
    wanted = [digit for digit in STROKES for _ in range(4)]
    for digit, picture in zip(wanted, photographs(inputs, way, seed=5), strict=True):
        (found, *others), _ = read(picture)
        assert not others
        second, nearest = sorted(STROKES, key=lambda one: alike(found, plain[one]))[-2:]
        assert nearest == digit
        assert alike(found, plain[nearest]) - alike(found, plain[second]) > 0.1  # some are turned by 12 degrees


@pytest.mark.mnist
def test_sixty_test_digits_photographed_each_way(mnist_folder: Path, tmp_path: Path) -> None:
    """Of each way at least 95 % are answered rightly, of digits that are right when plain."""
    data = load_mnist(mnist_folder, fetch=False)
    recipe = replace(named("fast"), epochs=5)
    loop.train("fast", recipe, data, folder=tmp_path / "run", threads=1, test_each_epoch=False)
    classifier = Classifier(tmp_path / "run")
    rows = np.random.default_rng(20_261_130).choice(len(data.test_labels), 70, replace=False)
    right = classifier.probabilities(data.test_images[rows]).argmax(1) == data.test_labels[rows]
    rows = rows[right][:60]
    assert len(rows) == 60
    shares = {}
    for way in WAYS:
        answers, _ = read_back(data.test_images[rows, 0], way, 20_261_130, classifier)
        shares[way] = float(np.mean([a == str(b) for a, b in zip(answers, data.test_labels[rows], strict=True)]))
    assert min(shares.values()) >= 0.95, shares


def test_a_row_is_read_from_left_to_right() -> None:
    row = np.hstack([np.pad(written(digit), ((20, 20), (15, 15))) for digit in (7, 2, 4)])
    inputs, steps = read(paper(row))
    plain = [read(paper(np.pad(written(digit), 30)))[0][0] for digit in (7, 2, 4)]
    assert len(inputs) == 3
    assert all(alike(one, other) > 0.97 for one, other in zip(inputs, plain, strict=True))
    assert "warning: 3 digits side by side, read from left to right" in steps


DOUBTS = {
    "stacked": (np.vstack([np.pad(written(7), 12), np.pad(written(4), 12)]), "there is more ink above or below"),
    "cut off": (np.pad(written(7), 40)[:110], "the ink touches the edge: is the digit cut off?"),
    "all ink": (
        np.pad(np.maximum(np.arange(110) % 20 < 14, np.arange(110)[:, None] // 10 == 5), 12),
        "the picture is nearly all ink",
    ),
}


@pytest.mark.parametrize("case", DOUBTS)
def test_what_is_doubtful_is_said(case: str) -> None:
    ink, words = DOUBTS[case]
    _, steps = read(paper(ink))
    assert f"warning: {words}" in steps


def test_a_clear_digit_has_no_warning_even_with_a_frame_and_specks() -> None:
    ink = np.pad(written(4), 60)
    ink[:3] = ink[-3:] = ink[:, :3] = ink[:, -3:] = 1
    ink[20, 20] = ink[200, 30] = 1
    inputs, steps = read(paper(ink))
    assert "warning" not in steps
    assert alike(inputs[0], read(paper(np.pad(written(4), 30)))[0][0]) > 0.97


@pytest.mark.parametrize("light", ["even", "falling", "shadow", "dark"])
def test_empty_paper_shows_nothing_whatever_the_light(light: str) -> None:
    across = np.linspace(1, 0.8, 240) * np.ones((200, 1))
    lights = {"even": 1.0, "falling": across, "shadow": np.where(across < 0.9, 0.6, 1.0), "dark": 0.2}
    grain = np.random.default_rng(1).normal(0, 3, (200, 240))
    picture = np.clip(225 * lights[light] + grain, 0, 255).astype(np.uint8)
    with pytest.raises(DataError, match="shows nothing"):
        read(picture)


def test_prepared_pictures_of_both_sets_are_known() -> None:
    assert prepared(load_digits().test_images[:, 0], INK["digits"]).all()
    assert not prepared(255 - load_digits().test_images[:, 0], INK["digits"]).any()


@pytest.mark.mnist
def test_every_test_image_of_mnist_is_taken_as_it_is(mnist_folder: Path) -> None:
    images = load_mnist(mnist_folder, fetch=False).test_images[:, 0]
    assert prepared(images, MNIST).all()
    assert not prepared(np.roll(images[:200], 3, 1), MNIST).any()


# ------------------------------------------------------------------ kinds of files


def content(kind: str) -> bytes:
    return {
        "photo.heic": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 64,
        "drawing.svg": b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"></svg>',
        "page.pdf": b"%PDF-1.7\n",
        "page.png": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n(a) show\n",
    }[kind]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("photo.heic", "is a HEIC picture, as iPhones take them, which is not read; save it as JPEG or PNG"),
        ("drawing.svg", "is an SVG drawing, which is not read; export it as PNG"),
        ("page.pdf", "is a PDF, which is not read; export the page as PNG"),
        ("page.png", "is not a picture that can be read"),  # EPS would be given to Ghostscript
    ],
)
def test_what_is_not_read_gets_its_remedy(name: str, words: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content(name))
    with pytest.raises(DataError, match=words):
        read_digits(tmp_path / name)


def test_of_an_animated_picture_the_first_frame_is_read(tmp_path: Path) -> None:
    frames = [Image.fromarray(paper(np.pad(written(digit), 30))) for digit in (7, 4)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    found = read_digits(tmp_path / "a.gif")
    assert "the first of 2 frames" in found.steps
    assert alike(found.inputs[0], read(np.asarray(frames[0]))[0][0]) > 0.99


def test_white_ink_on_nothing_is_laid_on_black(tmp_path: Path) -> None:
    ink = np.pad(written(4), 30)
    layer = np.full((*ink.shape, 4), 255, np.uint8)
    layer[..., 3] = (255 * ink).astype(np.uint8)
    Image.fromarray(layer).save(tmp_path / "a.png")
    assert "laid on black, as on white it shows nothing" in picture_reader.read(tmp_path / "a.png")[1]
    assert alike(read_digits(tmp_path / "a.png").inputs[0], read(paper(ink))[0][0]) > 0.97


def test_a_photograph_of_many_megapixels_is_the_same_digit() -> None:
    ink = np.pad(written(2), 100)
    small = paper(ink)
    large = np.asarray(
        Image.fromarray(small).resize((small.shape[1] * 9, small.shape[0] * 9), Image.Resampling.BICUBIC)
    )
    with io.BytesIO() as held:
        Image.fromarray(large).save(held, "jpeg", quality=60)
        jpeg = np.asarray(Image.open(held))
    assert alike(read(jpeg)[0][0], read(small)[0][0]) > 0.97
