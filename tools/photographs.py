"""Digits of MNIST's test images, photographed badly by own code: how many does a run read as it reads the plain image?

`python tools/photographs.py RUN [--digits 60] [--seed 1] [--way pencil]`: RUN is a run on MNIST.
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tinyproof.core.errors import DataError
from tinyproof.data.digit_reader import digits_of
from tinyproof.data.load import INK, load_mnist
from tinyproof.train.classifier import Classifier

Floats = NDArray[np.float64]
Draw = np.random.Generator
SIDE = 320


def drawn(digit: NDArray[np.uint8], draw: Draw, share: float = 0.6, degrees: float = 4.0) -> Floats:
    """The ink of a digit on a square sheet: 0 (paper) to 1, [SIDE, SIDE]; its height that share of the sheet's.

    It stands anywhere near the middle, and is turned a little.
    """
    rows, columns = np.flatnonzero(digit.any(1)), np.flatnonzero(digit.any(0))
    cut = Image.fromarray(digit[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
    scale = share * SIDE / max(cut.size)
    cut = cut.resize((max(1, round(cut.width * scale)), max(1, round(cut.height * scale))), Image.Resampling.BICUBIC)
    cut = cut.rotate(float(draw.uniform(-degrees, degrees)), Image.Resampling.BICUBIC, expand=True)
    sheet = Image.new("L", (SIDE, SIDE))
    free = SIDE - cut.width, SIDE - cut.height
    place = tuple(int(np.clip(side / 2 + draw.uniform(-0.1, 0.1) * SIDE, 5, side - 5)) for side in free)
    sheet.paste(cut, place)
    # A pen's edge is sharp: the enlarged steps of grey are drawn together.
    return np.clip((np.asarray(sheet) / 255.0 - 0.35) / 0.3, 0, 1)


def shades(ink: Floats, draw: Draw, paper: float = 225.0, dark: float = 45.0) -> Floats:
    """Light that an ink leaves of a paper of that brightness; both a little different each time."""
    paper, dark = paper * draw.uniform(0.9, 1.05), dark * draw.uniform(0.8, 1.2)
    return paper + (dark - paper) * ink


def grain(draw: Draw, deviation: float = 3.0) -> Floats:
    return draw.normal(0, deviation, (SIDE, SIDE))


def axes(draw: Draw) -> tuple[Floats, Floats]:
    """Down and across, 0 to 1, turned and mirrored at random."""
    down, across = np.mgrid[0 : 1 : SIDE * 1j, 0 : 1 : SIDE * 1j]
    down, across = (down, across) if draw.random() < 0.5 else (across, down)
    return down if draw.random() < 0.5 else 1 - down, across if draw.random() < 0.5 else 1 - across


def blurred(picture: Floats, radius: float) -> Floats:
    from PIL import ImageFilter

    held = Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8))
    return np.asarray(held.filter(ImageFilter.GaussianBlur(radius)), np.float64)


def light_falls(digit: NDArray[np.uint8], draw: Draw) -> Floats:
    """A lamp on one side: the far corner has 40 to 70 % of the light."""
    down, across = axes(draw)
    light = 1 - draw.uniform(0.3, 0.6) * (0.7 * down + 0.3 * across) ** draw.uniform(0.8, 1.6)
    return shades(drawn(digit, draw), draw) * light + grain(draw)


def hard_shadow(digit: NDArray[np.uint8], draw: Draw) -> Floats:
    """A straight edge of shade that falls across the sheet anywhere, often through the digit."""
    down, across = axes(draw)
    inside = down + draw.uniform(-0.5, 0.5) * across < draw.uniform(0.3, 0.7)
    light = blurred(np.where(inside, 255 * draw.uniform(0.5, 0.75), 255), draw.uniform(1, 8)) / 255
    return shades(drawn(digit, draw), draw) * light + grain(draw)


def pencil(digit: NDArray[np.uint8], draw: Draw) -> Floats:
    """A soft pencil: little contrast, of uneven strength, and the light falls off a little."""
    _, across = axes(draw)
    pressed = np.clip(1 + blurred(128 + 127 * draw.standard_normal((SIDE, SIDE)), 6) / 128 - 1, 0.6, 1.4)
    faint = shades(drawn(digit, draw) * np.clip(pressed, 0.7, 1), draw, dark=165)
    return faint * (1 - draw.uniform(0, 0.2) * across) + grain(draw, 4)


def sheet_on_a_desk(digit: NDArray[np.uint8], draw: Draw) -> Floats:
    """A sheet that lies a little turned on a dark desk of wood."""
    down, _ = axes(draw)
    desk = draw.uniform(35, 75) * (1 + 0.15 * np.sin(down * draw.uniform(20, 60)))
    paper = Image.fromarray(np.clip(shades(drawn(digit, draw), draw), 0, 255).astype(np.uint8))
    side = round(SIDE * draw.uniform(0.6, 0.85))
    small, whole = paper.resize((side, side)), Image.new("L", (side, side), 255)
    degrees, place = draw.uniform(-6, 6), tuple(int(v) for v in draw.integers(2, SIDE - side - 2, 2))
    picture = Image.fromarray(np.clip(desk, 0, 255).astype(np.uint8))
    turned = (one.rotate(degrees, Image.Resampling.BICUBIC, expand=True) for one in (small, whole))
    picture.paste(next(turned), place, next(turned))
    return np.asarray(picture, np.float64) + grain(draw)


def ruled(digit: NDArray[np.uint8], draw: Draw) -> NDArray[np.float64]:
    """Paper with blue rules, in colour; the pen is black or blue."""
    down, across = axes(draw)
    every, slant = draw.uniform(0.07, 0.14), draw.uniform(-0.03, 0.03)
    line = np.abs((down + slant * across + draw.uniform(0, 1)) % every - every / 2) < 0.004
    paper = np.where(line[..., None], np.array([170, 195, 225.0]), np.array([235, 233, 225.0]))
    pen = np.array([[40, 40, 45.0], [45, 60, 150.0]])[draw.integers(2)]
    ink = drawn(digit, draw)[..., None]
    return paper + (pen - paper) * ink + grain(draw)[..., None]


def out_of_focus(digit: NDArray[np.uint8], draw: Draw) -> Floats:
    """Blurred by a third of a stroke, in the dark: much noise."""
    picture = blurred(shades(drawn(digit, draw, degrees=10), draw, paper=130), draw.uniform(3, 6))
    return picture + grain(draw, 10)


def squeezed(digit: NDArray[np.uint8], draw: Draw) -> Floats:
    """A small digit turned by up to 12 degrees, sent through a messenger: JPEG of quality 15 to 30."""
    picture = np.clip(shades(drawn(digit, draw, 0.35, 12), draw) + grain(draw), 0, 255).astype(np.uint8)
    with io.BytesIO() as held:
        Image.fromarray(picture).save(held, "jpeg", quality=int(draw.integers(15, 31)))
        return np.asarray(Image.open(held), np.float64)


def coloured(digit: NDArray[np.uint8], draw: Draw) -> NDArray[np.float64]:
    """Paper and pen of two colours; some of them of equal brightness."""
    pairs = [((245, 225, 90), (30, 60, 170)), ((250, 190, 200), (60, 110, 60)), ((170, 210, 240), (190, 40, 60)),
             ((250, 248, 240), (240, 190, 40)), ((190, 230, 190), (110, 60, 150))]  # fmt: skip
    paper, pen = (np.array(colour, np.float64) for colour in pairs[draw.integers(len(pairs))])
    ink, light = drawn(digit, draw)[..., None], 1 - draw.uniform(0, 0.3) * axes(draw)[0][..., None]
    return (paper + (pen - paper) * ink) * light + grain(draw)[..., None]


def blackboard(digit: NDArray[np.uint8], draw: Draw) -> Floats:
    """Chalk on a dark board that has a bright side."""
    down, _ = axes(draw)
    chalk = drawn(digit, draw) * np.clip(1 - 0.3 * np.abs(draw.standard_normal((SIDE, SIDE))), 0, 1)
    board = draw.uniform(35, 70) * (1 + draw.uniform(0, 0.6) * down)
    return board + (220 - board) * chalk + grain(draw)


def fine_pen(digit: NDArray[np.uint8], draw: Draw) -> Floats:
    """A ball pen: strokes a fortieth of the sheet thinner, where that leaves anything."""
    from PIL import ImageFilter

    ink = drawn(digit, draw)
    thinner = Image.fromarray((255 * ink).astype(np.uint8)).filter(ImageFilter.MinFilter(9))
    return shades(np.maximum(np.asarray(thinner) / 255.0, np.where(blurred(255 * ink, 8) > 150, ink, 0)), draw) + grain(
        draw
    )


WAYS: dict[str, Callable[[NDArray[np.uint8], Draw], Any]] = {
    way.__name__.replace("_", " "): way
    for way in (
        light_falls, hard_shadow, pencil, sheet_on_a_desk, ruled, out_of_focus, squeezed, coloured, blackboard, fine_pen
    )
}  # fmt: skip


def photograph(digit: NDArray[np.uint8], way: str, draw: Draw) -> NDArray[np.uint8]:
    """A digit as MNIST has it, [28, 28], photographed: bytes [SIDE, SIDE] or [SIDE, SIDE, 3]."""
    return np.clip(WAYS[way](digit, draw), 0, 255).astype(np.uint8)


def photographs(digits: NDArray[np.uint8], way: str, seed: int) -> Iterator[NDArray[np.uint8]]:
    """Each digit, photographed one way; the same for the same seed."""
    for number, digit in enumerate(digits):
        yield photograph(digit, way, np.random.default_rng([seed, number, sorted(WAYS).index(way)]))


def main() -> None:
    """Print, for each way, how many photographs a run on MNIST answers rightly, and how many as the plain image."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--digits", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--way", action="append", choices=sorted(WAYS))
    asked = parser.parse_args()
    data = load_mnist(fetch=False)
    rows = np.random.default_rng([asked.seed, 99]).choice(len(data.test_labels), asked.digits, replace=False)
    digits, labels = data.test_images[rows, 0], [str(label) for label in data.test_labels[rows]]
    classifier = Classifier(asked.run)
    plain = [str(best) for best in classifier.probabilities(digits[:, None]).argmax(1)]
    print(f"{asked.digits} test digits of MNIST, seed {asked.seed}; plain: {share(plain, labels)} right")
    for way in asked.way or WAYS:
        answers, doubts = read_back(digits, way, asked.seed, classifier)
        print(f"{way:16s} {share(answers, labels)} right, {share(answers, plain)} as the plain image, {doubts} warned")


def read_back(digits: NDArray[np.uint8], way: str, seed: int, classifier: Classifier) -> tuple[list[str], int]:
    """The answers for photographs of digits, and how many were read with a warning."""
    answers, doubts = [], 0
    reading = classifier.record.reading or INK["mnist"]
    for number, picture in enumerate(photographs(digits, way, seed)):
        try:
            found = digits_of(picture, reading, str(number), [])
        except DataError:
            answers.append("nothing")
            continue
        best = classifier.probabilities(np.stack(found.inputs)[:, None]).argmax(1)
        answers.append("".join(map(str, best)))
        doubts += any(step.startswith("warning") for step in found.steps)
    return answers, doubts


def share(answers: list[str], wanted: list[str]) -> str:
    """How many are as wanted, in percent."""
    return f"{100 * np.mean([a == b for a, b in zip(answers, wanted, strict=True)]):5.1f} %"


if __name__ == "__main__":
    main()
