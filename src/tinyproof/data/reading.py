"""How pictures become an input of a network: what a user may ask for, and what was done, as plain data of a record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tinyproof.core.errors import InputError
from tinyproof.core.fields import flag, one_of, whole

LEAST_SIDE, MOST_SIDE = 8, 128
# A size that nobody asked for is no larger: a network of 8,000 parameters sees little more, and time grows with it.
UNASKED_SIDE = 64
KINDS = ("pictures", "ink", "given")

Shape = tuple[int, int, int]


@dataclass(frozen=True)
class Asked:
    """What a user asks of data of their own; None leaves it to the data. `size`: height and width. `skip_bad`: go on
    without the files that cannot be read. `as_before`: exactly as earlier versions read them, grey and 28x28.
    """

    size: tuple[int, int] | None = None
    channels: int | None = None
    skip_bad: bool = False
    as_before: bool = False

    def __post_init__(self) -> None:
        for side in self.size or ():
            whole("size", side, LEAST_SIDE, MOST_SIDE)
        if self.channels is not None and self.channels not in (1, 3):
            raise InputError("channels", self.channels, "1 (grey) or 3 (colour)")

    @property
    def anything(self) -> bool:
        """Whether a shape is asked for."""
        return self.size is not None or self.channels is not None


AS_IT_IS = Asked()
BEFORE = Asked(size=(28, 28), channels=1, as_before=True)


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How the pictures of a data set were read, so that another one can be read alike.

    `kind`: `pictures` (fitted into the size), `ink` (digits cut out, each centred by its mass in a `box`), `given` (an
    array that a program handed over). `inverted`: dark became light. `left_out`: files that could not be read.
    """

    kind: str
    channels: int
    height: int
    width: int
    inverted: bool = False
    box: int = 0
    left_out: int = 0
    words: str = ""

    def __post_init__(self) -> None:
        one_of("reading.kind", self.kind, KINDS)
        whole("reading.channels", self.channels, 1, 1024)
        for name in ("height", "width"):
            whole(f"reading.{name}", getattr(self, name), 1, 4096)
        whole("reading.box", self.box, 0, 4096)
        whole("reading.left_out", self.left_out, 0, 10**9)
        flag("reading.inverted", self.inverted)

    @property
    def shape(self) -> Shape:
        """Channels, height, width."""
        return self.channels, self.height, self.width

    @property
    def asked(self) -> Asked:
        """What has to be asked for to read the same files alike. Raises InputError for what no files give."""
        return Asked((self.height, self.width), self.channels, self.left_out > 0)


def size_words(height: int, width: int) -> str:
    """A size for people: height by width.

    >>> size_words(40, 40)
    '40x40'
    """
    return f"{height}x{width}"


def colour_words(channels: int) -> str:
    """Grey or colour."""
    return {1: "grey", 3: "colour"}.get(channels, f"of {channels} channels")


def asked(
    size: str | int | Sequence[int] | None = None,
    channels: int | None = None,
    input: str | Sequence[int] | None = None,
    skip_bad: bool = False,
) -> Asked:
    """What is asked for in a user's words: `size` as 32, `24x32` or (24, 32) is height by width, `input` both at once.

    >>> asked("24x32", 3) == asked(input="3,24,32")
    True
    """
    flag("skip_bad", skip_bad)
    wanted = _size(size)
    if input is None:
        return Asked(wanted, channels, skip_bad)
    if size is not None or channels is not None:
        raise InputError("input", input, "either the whole input, or size and channels")
    deep, *sides = shape_of(input)
    return Asked((sides[0], sides[1]), deep, skip_bad)


def shape_of(input: str | Sequence[int]) -> Shape:
    """Channels, height and width of a network's input, as `3,32,32` or three numbers. Raises InputError."""
    parts = input.replace("x", ",").split(",") if isinstance(input, str) else list(input)
    numbers = [_whole(part) for part in parts]
    if len(numbers) != 3 or not all(number is not None and 1 <= number <= 4096 for number in numbers):
        raise InputError("input", input, "channels, height and width, as 3,32,32")
    return numbers[0] or 0, numbers[1] or 0, numbers[2] or 0


def _size(size: str | int | Sequence[int] | None) -> tuple[int, int] | None:
    if size is None:
        return None
    parts = size.lower().split("x") if isinstance(size, str) else [size] if isinstance(size, int) else list(size)
    numbers = [_whole(part) for part in parts]
    if not 1 <= len(numbers) <= 2 or None in numbers:
        raise InputError("size", size, "a side in pixels, as 32, or height and width, as 24x32")
    return numbers[0] or 0, numbers[-1] or 0


def _whole(part: object) -> int | None:
    text = str(part).strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
