"""The one reader of picture files, for training and for `predict`: bounded, nothing executed; it says what it did."""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyproof.core.errors import DataError, MissingDependency
from tinyproof.core.files import read_bounded

MAX_BYTES = 50_000_000
MAX_PIXELS = 50_000_000
LEAST_PIXELS_A_SIDE = 2

Bytes = NDArray[np.uint8]
# What is unpacked: formats that Pillow reads itself, and none that starts another program (EPS does).
_FORMATS = ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP", "PPM", "ICO", "TGA", "PCX", "AVIF", "JPEG2000")
_HEIC = (b"heic", b"heix", b"hevc", b"mif1", b"msf1")
# Values that differ by less show nothing.
_SHOWS = 30
# The Exif tag that says how the camera was held, and those of its values that swap the sides.
_ORIENTATION, _LYING = 0x0112, (5, 6, 7, 8)
# Modes of Pillow without colour; whether a picture in any other mode shows colour, its pixels say.
_GREY = ("1", "L", "LA", "La")


@dataclass(frozen=True)
class Header:
    """What a file says of its picture before it is unpacked."""

    height: int
    width: int
    coloured: bool


def header(file: Path) -> Header:
    """Height, width, and whether the picture may show colour. Raises DataError."""
    with _opened(file) as picture:
        width, height = picture.size
        if picture.getexif().get(_ORIENTATION, 1) in _LYING:
            width, height = height, width
        return Header(height, width, picture.mode not in _GREY and picture.mode[0] not in "IF")


def read(file: Path) -> tuple[Bytes, list[str]]:
    """The pixels, [H, W] of a grey picture or [H, W, 3], and what was done to get them. Raises DataError."""
    with _opened(file) as picture:
        steps = [f"{picture.width} x {picture.height} pixels"]
        if picture.format != "MPO" and getattr(picture, "n_frames", 1) > 1:
            steps.append(f"the first of {picture.n_frames} frames")
        if picture.getexif().get(_ORIENTATION, 1) != 1:
            from PIL import ImageOps

            picture = ImageOps.exif_transpose(picture)
            steps.append("turned as its camera says")
        return _pixels(picture, steps), steps


def read_as_before(file: Path) -> Bytes:
    """The pixels as earlier versions read them for training: grey, transparency and the camera's hold left aside."""
    with _opened(file) as picture:
        return np.array(picture.convert("L"))


def _pixels(picture: Any, steps: list[str]) -> Bytes:
    if picture.mode.startswith("I"):
        # 16 bits a pixel: convert() would cut everything above 255 off.
        steps.append("16 bits made 8")
        return np.array(np.asarray(picture).clip(0, 65535) // 257, np.uint8)
    if picture.mode == "F":
        values = np.nan_to_num(np.asarray(picture, np.float32), posinf=0.0, neginf=0.0)
        scale = 255.0 if values.max() <= 1 else 1.0
        steps.append("fractions made bytes")
        return np.array(np.rint((values * scale).clip(0, 255)), np.uint8)
    if "A" in picture.getbands() or "a" in picture.getbands() or "transparency" in picture.info:
        picture = _laid(picture.convert("RGBA"), steps)
    picture.load()
    mode = "L" if picture.mode in _GREY else "RGB"
    colour = np.array(picture if picture.mode == mode else picture.convert(mode))
    return colour if colour.ndim == 2 or shows_colour(colour) else np.ascontiguousarray(colour[..., 0])


def _laid(layer: Any, steps: list[str]) -> Any:
    """A transparent picture on white; on black, where it shows nothing on white."""
    for ground in ("white", "black"):
        laid = pillow().alpha_composite(pillow().new("RGBA", layer.size, ground), layer)
        if any(high - low >= _SHOWS for low, high in laid.convert("RGB").getextrema()):
            break
    steps.append(f"laid on {ground}" + (", as on white it shows nothing" if ground == "black" else ""))
    return laid


def shows_colour(pixels: Bytes) -> bool:
    """Whether the three values differ anywhere in pixels [..., 3]."""
    return bool((pixels[..., 0] != pixels[..., 1]).any() or (pixels[..., 0] != pixels[..., 2]).any())


def with_channels(pixels: Bytes, channels: int) -> Bytes:
    """Pixels [..., H, W] or [..., H, W, 3] as [..., H, W] for one channel, else [..., H, W, 3].

    Grey is ITU-R BT.601 luma in whole numbers, as Pillow computes it.
    """
    colour = pixels.shape[-1] == 3 and pixels.ndim >= 3
    if channels == 3:
        return pixels if colour else np.repeat(pixels[..., None], 3, -1)
    if not colour:
        return pixels
    wide = pixels.astype(np.uint32)
    return ((wide[..., 0] * 19595 + wide[..., 1] * 38470 + wide[..., 2] * 7471 + 0x8000) >> 16).astype(np.uint8)


def fitted(pixels: Bytes, height: int, width: int) -> Bytes:
    """One picture [H, W] or [H, W, 3] scaled to fit, proportions kept, centred on its own border's colour."""
    if pixels.shape[:2] == (height, width):
        return pixels
    module = pillow()
    scale = min(height / pixels.shape[0], width / pixels.shape[1])
    inner = (max(1, round(pixels.shape[0] * scale)), max(1, round(pixels.shape[1] * scale)))
    small = np.asarray(module.fromarray(pixels).resize(inner[::-1], module.Resampling.BICUBIC))
    edges = (pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1])
    border = np.median(np.concatenate(edges), axis=0).astype(np.uint8)  # whole numbers only: halves are cut off
    canvas = np.empty((height, width, *pixels.shape[2:]), np.uint8)
    canvas[...] = border
    top, left = (height - inner[0]) // 2, (width - inner[1]) // 2
    canvas[top : top + inner[0], left : left + inner[1]] = small
    return canvas


@contextlib.contextmanager
def _opened(file: Path) -> Iterator[Any]:
    """A picture whose header was read and whose size is bounded. Whatever Pillow stumbles over is one line."""
    module = pillow()
    content = read_bounded(file, MAX_BYTES)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what is damaged or large: both are judged here
            with module.open(io.BytesIO(content), formats=_formats()) as picture:
                _bounded(file, picture.size)
                yield picture
    except DataError:
        raise
    except module.DecompressionBombError as error:
        raise DataError(str(file), f"has more than {MAX_PIXELS:,} pixels: too large") from error
    except MemoryError:
        raise
    except Exception as error:  # a damaged file may make it raise anything
        raise DataError(str(file), *_unread(content)) from error


@cache
def _formats() -> list[str]:
    """Those that this build of Pillow has."""
    module = pillow()
    module.init()
    return [name for name in _FORMATS if name in module.OPEN]


def _unread(content: bytes) -> tuple[str, str]:
    """What a file is that is not read, and the remedy."""
    head = content[:2000].lower()
    if head[4:8] == b"ftyp" and any(brand in head[8:64] for brand in _HEIC):
        return "is a HEIC picture, as iPhones take them, which is not read", "save it as JPEG or PNG"
    if b"<svg" in head:
        return "is an SVG drawing, which is not read", "export it as PNG"
    if head[:5] == b"%pdf-":
        return "is a PDF, which is not read", "export the page as PNG"
    return "is not a picture that can be read (damaged, or another format)", ""


def _bounded(file: Path, size: tuple[int, int]) -> None:
    width, height = size
    if width * height > MAX_PIXELS:
        raise DataError(str(file), f"has {width:,} x {height:,} pixels: too large; at most {MAX_PIXELS:,} are read")
    if min(size) < LEAST_PIXELS_A_SIDE:
        raise DataError(str(file), f"has {width} x {height} pixels: too small to show anything")


def pillow() -> Any:
    """Pillow's Image module. Raises MissingDependency."""
    try:
        from PIL import Image
    except ImportError as error:
        raise MissingDependency("pillow", "reading pictures", "train") from error
    return Image
