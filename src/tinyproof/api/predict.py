"""`predict`: read a picture of one digit with the weights of a run, and say how it was made an input."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyproof.core.errors import DataError, InputError, MissingDependency
from tinyproof.core.files import read_bounded, sha256
from tinyproof.core.printed import Part, Printed
from tinyproof.network import own_files
from tinyproof.train import store
from tinyproof.train.environment import need_torch

_MAX_BYTES = 30_000_000
_MAX_PIXELS = 30_000_000
# MNIST: a digit fits a box of 20 pixels whose ink has its centre of mass in the middle of 28 x 28.
# The digits fill their scan: a box of 28.
_SIDE, MNIST_BOX, DIGITS_BOX = 28, 20, 28
# The Exif tag that says how the camera was held.
_ORIENTATION = 0x0112
# No single digit is that many times wider than high.
_WIDE = 1.6


@dataclass(frozen=True, repr=False)
class PredictResult(Printed):
    """The answer: `predicted` (a class), its `probability` (0 to 1), all `probabilities` by class, and the `steps` that
    made the picture an input."""

    image: str
    predicted: str
    probability: float
    probabilities: dict[str, float]
    steps: tuple[str, ...]

    def parts(self) -> Sequence[Part]:
        """The answer, and how the picture was read."""
        return [self.words()]

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {**asdict(self), "steps": list(self.steps)}

    def words(self) -> str:
        """The answer for people."""
        ranked = sorted(self.probabilities.items(), key=lambda item: -item[1])[1:3]
        others = ", ".join(f"{name} {100 * value:.1f} %" for name, value in ranked)
        return (
            f"{self.image}: {self.predicted} ({100 * self.probability:.1f} %; then {others})\n"
            f"how it was read: {'; '.join(self.steps)}"
        )


def predict(run: str | Path, image: str | Path, model: str | None = None) -> PredictResult:
    """Classify a picture with the saved weights of a run; says how the picture was read.

    `run`: the folder of a trained run. `image`: a file with one digit, any size, ink dark or light. `model`:
    `path/to/model.py:Class`, needed where the run trained a network of your own. Raises DataError when there is no run,
    no weights that fit, or the file is not a picture with anything on it; InputError without `model`.

    >>> import tinyproof
    >>> from PIL import Image, ImageDraw
    >>> picture = Image.new("L", (60, 60), "white")
    >>> ImageDraw.Draw(picture).line([(30, 10), (30, 50)], fill="black", width=6)
    >>> picture.save("one.png")
    >>> found = tinyproof.train("s7-8k", dataset="digits", epochs=1, out="first", quiet=True)
    >>> answer = tinyproof.predict("first", "one.png")
    >>> round(sum(answer.probabilities.values()), 6)
    1.0
    """
    need_torch("predicting")
    import torch
    from torch.nn import functional as F

    from tinyproof.network import nets, own_network
    from tinyproof.train import rehearse

    folder = Path(run)
    record = store.load(folder)
    content = read_bounded(folder / store.WEIGHTS, 2_000_000_000)
    if sha256(content) != record.weights_digest:
        raise DataError(str(folder / store.WEIGHTS), "is not the file that this run wrote", "train again with --force")
    box = DIGITS_BOX if record.identity.dataset == "digits" else MNIST_BOX
    pixels, steps = read_picture(Path(image), box)
    if model is None and record.identity.model not in nets.NETS:
        # The record names a Python file; a record from a stranger must not decide what is run here.
        raise InputError("model", record.identity.model, "a network of this package", "name the file with --model")
    name = model or record.identity.model
    module = nets.build(name)
    try:
        module.load_state_dict({k: torch.from_numpy(v.copy()) for k, v in store.load_weights(folder).items()})
    except RuntimeError as error:
        raise DataError(str(folder / store.WEIGHTS), f"do not fit the network {record.identity.model}") from error
    module.eval()
    with rehearse.own_errors(name), torch.inference_mode():
        inputs = (torch.from_numpy(pixels)[None, None].float() / 255 - record.mean) / record.std
        probabilities = F.softmax(F.log_softmax(module(inputs), 1), 1)[0].tolist()
    if read := own_files.digests(own_network.files_of(module)):
        main = own_files.file_of(name).name
        if told := own_files.against(record.model_files, record.identity.model_digest, read, main):
            raise DataError(name, f"is not the network that this run trained: {', '.join(told)}")
    by_class = dict(zip(record.classes, probabilities, strict=True))
    best = max(by_class, key=lambda name: by_class[name])
    return PredictResult(str(image), best, by_class[best], by_class, tuple(steps))


def read_picture(path: Path, box: int = MNIST_BOX) -> tuple[NDArray[np.uint8], list[str]]:
    """The picture as an input like MNIST's: uint8 [28, 28], light ink on background 0; and what was done, in words.

    Colour becomes grey (transparency is laid on white), dark ink on light paper is inverted, paper becomes 0, the ink
    is cut out, scaled into `box` x `box` pixels and centred by its mass. A picture of 28 x 28 that is already light on
    dark is taken as it is. Raises DataError when the file is no picture, too large, or shows nothing.
    """
    grey, steps = _grey(path)
    border = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    paper = float(np.median(border))
    if grey.shape == (_SIDE, _SIDE) and paper < 10:
        if grey.max() < 30:
            raise DataError(str(path), "shows nothing: the picture is empty")
        return grey, [*steps, "28 x 28, light on dark: taken as it is"]
    if paper > 127:
        grey, paper = 255 - grey, 255 - paper
        steps.append("inverted (dark ink on a light ground)")
    ink = np.clip(grey.astype(np.float64) - paper, 0, None)
    if ink.max() < 30:
        raise DataError(str(path), "shows nothing: all pixels are almost equal")
    ink = ink * (255.0 / ink.max())
    # A tenth of the darkest ink is paper with noise or JPEG's ringing.
    ink[ink < 25] = 0
    return _centred(ink, box, steps)


def _grey(path: Path) -> tuple[NDArray[np.uint8], list[str]]:
    try:
        from PIL import Image, ImageOps, UnidentifiedImageError
    except ImportError as error:
        raise MissingDependency("pillow", "reading pictures", "train") from error
    content = read_bounded(path, _MAX_BYTES)
    try:
        with Image.open(io.BytesIO(content)) as file:
            picture: Image.Image = file
            if picture.width * picture.height > _MAX_PIXELS:
                raise DataError(str(path), f"has {picture.width} x {picture.height} pixels; too large")
            steps = [f"{picture.width} x {picture.height} pixels"]
            if picture.getexif().get(_ORIENTATION, 1) != 1:
                picture = ImageOps.exif_transpose(picture)
                steps.append("turned as its camera says")
            if picture.mode.startswith("I"):
                # 16 bits a pixel: convert() would cut everything above 255 off.
                return np.array(np.asarray(picture).clip(0, 65535) // 257, np.uint8), [*steps, "16 bits made 8"]
            colour = picture.mode not in ("L", "1")
            if "A" in picture.getbands() or "transparency" in picture.info:
                steps.append("laid on white")
                layer = picture.convert("RGBA")
                picture = Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer)
            if colour:
                steps.append("made grey")
            return np.array(picture.convert("L")), steps
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise DataError(str(path), "is not a picture that can be read") from error


def _centred(ink: NDArray[np.float64], box: int, steps: list[str]) -> tuple[NDArray[np.uint8], list[str]]:
    """The ink cut out, scaled into the box and put with its centre of mass in the middle."""
    from PIL import Image

    rows, columns = np.flatnonzero(ink.any(1)), np.flatnonzero(ink.any(0))
    cut = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    height, width = cut.shape
    scale = box / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = np.asarray(Image.fromarray(cut.astype(np.float32)).resize(size, Image.Resampling.LANCZOS))
    small = np.clip(small * (255.0 / max(float(small.max()), 1.0)), 0, 255)
    down, right = (_offset(small.sum(1 - axis), small.shape[axis]) for axis in (0, 1))
    out = np.zeros((_SIDE, _SIDE))
    out[down : down + small.shape[0], right : right + small.shape[1]] = small
    steps = [*steps, f"ink of {width} x {height} scaled to {size[0]} x {size[1]} and centred by its mass in 28 x 28"]
    if width > _WIDE * height:
        steps.append("warning: the ink is much wider than high: is there more than one digit?")
    return np.round(out).astype(np.uint8), steps


def _offset(mass: NDArray[np.float64], length: int) -> int:
    centre = float((mass * np.arange(length)).sum() / mass.sum())
    return int(np.clip(round((_SIDE - 1) / 2 - centre), 0, _SIDE - length))
