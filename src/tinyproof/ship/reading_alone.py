"""What an exported Python file has around the readers of pictures. Its text is copied there; nothing here is imported.

Above the line of dashes stands what the readers need, below it what needs them.
"""

# ruff: noqa: F821
# mypy: ignore-errors

from __future__ import annotations

import json
import math
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn


class DataError(ValueError):
    """A file that cannot be used, in one line."""

    def __init__(self, where: str, problem: str, remedy: str = "") -> None:
        super().__init__(f"{where}: {problem}" + (f"; {remedy}" if remedy else ""))


class MissingDependency(DataError):
    """A package that is not installed."""

    def __init__(self, package: str, purpose: str, _: str) -> None:
        super().__init__(package, f"is needed for {purpose}", f"pip install {package}")


@dataclass(frozen=True)
class Reading:
    """How the pictures of training became inputs."""

    kind: str
    channels: int
    height: int
    width: int
    inverted: bool
    box: int
    words: str = ""


def size_words(height: int, width: int) -> str:
    """A size for people."""
    return f"{height}x{width}"


def read_bounded(path: Path, max_bytes: int) -> bytes:
    """The bytes of a file. Raises DataError."""
    try:
        with Path(path).open("rb") as file:
            content = file.read(max_bytes + 1)
    except OSError as error:
        raise DataError(str(path), f"cannot be read: {error.strerror}") from error
    if len(content) > max_bytes:
        raise DataError(str(path), "is too large")
    return content


# ---
def images_of(path: str | Path) -> tuple[np.ndarray, list[str]]:
    """A picture as images of the network, uint8 [n, channels, height, width]: several for digits in a row; and what is
    doubtful in its reading. Raises DataError."""
    channels, height, width = SHAPE
    if KIND == "ink":
        digits = read_digits(Path(path), READING)
        return np.stack(digits.inputs)[:, None], [step for step in digits.steps if step.startswith("warning: ")]
    if KIND != "pictures" or channels not in (1, 3):
        raise DataError(str(path), "is a picture, and the network was trained on arrays")
    pixels = fitted(with_channels(read(Path(path))[0], channels), height, width)
    pixels = 255 - pixels if INVERTED else pixels
    return np.ascontiguousarray(np.moveaxis(pixels[..., None] if pixels.ndim == 2 else pixels, 2, 0))[None], []


def normalised(images: torch.Tensor) -> torch.Tensor:
    """What the network takes: float32 [N, channels, height, width] from bytes of that shape."""
    mean, std = (torch.tensor(values, dtype=torch.float32)[:, None, None] for values in (MEAN, STD))
    return (images.float() / 255 - mean) / std


def load(weights: str | Path | None = None) -> nn.Sequential:
    """The network with its trained weights, those beside this file, in evaluation mode."""
    content = Path(weights or Path(__file__).with_name("network.safetensors")).read_bytes()
    start = 8 + int.from_bytes(content[:8], "little")
    kinds = {"F32": torch.float32, "F64": torch.float64, "I64": torch.int64}
    state = {}
    for name, entry in json.loads(content[8:start]).items():
        if name != "__metadata__":
            first, last = entry["data_offsets"]
            values = torch.frombuffer(bytearray(content[start + first : start + last]), dtype=kinds[entry["dtype"]])
            state[name] = values.reshape(entry["shape"])
    module = network()
    module.load_state_dict(state)
    return module.eval()


def probabilities(images: np.ndarray) -> list[dict[str, float]]:
    """The probability of each class for each image, uint8 [n, channels, height, width]."""
    with torch.inference_mode():
        scores = load()(normalised(torch.from_numpy(images)))
        return [dict(zip(CLASSES, row, strict=True)) for row in torch.softmax(scores, 1).tolist()]


def classify(path: str | Path) -> list[dict[str, float]]:
    """The probability of each class for a picture; of digits in a row for each of them. Raises DataError."""
    return probabilities(images_of(path)[0])


def main() -> int:
    """Classify the picture that the command line names."""
    if len(sys.argv) != 2:
        print("usage: python network.py picture.png", file=sys.stderr)
        return 2
    try:
        images, doubts = images_of(sys.argv[1])
        found = probabilities(images)
    except (DataError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    best = "".join(max(one, key=one.get) for one in found)
    print(f"{best} ({100 * math.prod(max(one.values()) for one in found):.1f} %)")
    print("".join(f"{doubt}\n" for doubt in doubts), end="", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
