"""The first sheet of a network's workbook: a picture to choose or to paint, and the answer; the sheet of pictures."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinyproof.backprop.sheet import Cell, Choice, Formula, Scale, Sheet, address, letters
from tinyproof.ship.maps_on_sheets import Maps
from tinyproof.ship.network_sheets import NARROW, ROW, shape_words
from tinyproof.ship.operations import Floats
from tinyproof.ship.stages import Stage, words

FRONT, PICTURES = "Picture", "Pictures"
TOP, PIXELS = 6, 4  # the first row of scores and pixels, the first column of pixels
CHOICE = (2, 1)
_LINE = 62  # characters of a line of the note


@dataclass(frozen=True, eq=False)
class Shown:
    """What the workbook shows: pictures uint8 [n, channels, rows, columns] with their true classes, the names of all
    classes, what is said of the network, and whether light pixels are ink."""

    title: str
    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    classes: tuple[str, ...]
    sentences: tuple[str, ...]
    ink: bool


def picture_maps(shown: Shown, first: Stage) -> Maps:
    """Where the chosen picture stands."""
    shape = shown.images.shape[1:]
    padding = first.padding if first.kind == "conv" else (0, 0)
    return Maps(FRONT, (shape[0], shape[1], shape[2]), TOP, PIXELS, shape[1] + 2 * padding[0] + 1, padding)


def painted_maps(shown: Maps) -> Maps:
    """Where a picture of one's own is painted: below the chosen one."""
    row = shown.row + shown.shape[0] * shown.pitch + 2
    return Maps(FRONT, shown.shape, row, shown.column + shown.padding[1], shown.shape[1] + 1)


def front_sheet(shown: Shown, steps: Sequence[Stage], last: Maps, scores: Floats) -> Sheet:
    """The sheet, its values those of the first picture; `last`: where the scores are computed."""
    maps = picture_maps(shown, steps[0])
    paint = painted_maps(maps)
    cells = [*_head(shown, scores), *_scores(shown, last, scores), *_pixels(shown, maps, paint), *_paint(shown, paint)]
    cells += _frame(maps, steps[0]) if any(maps.padding) else []
    end = TOP + 2 + len(shown.classes)
    cells += [*_note(shown, steps, end)]
    rows = TOP + 1, TOP + len(shown.classes)
    widths = ((0, 0, 24.0), (1, 1, 14.0), (2, 2, 24.0), (3, 3, 3.0), (PIXELS, maps.area[3], NARROW))
    many = len(shown.images)
    return Sheet(
        FRONT, tuple(cells), widths=widths, heights=((2, 2, 24.0), (4, 4, 54.0), (TOP, paint.area[2], ROW)),
        bars=((rows[0], 2, rows[1], 2),),
        scales=tuple(scale for one in (maps, paint) for scale in _scales(one, shown.ink)),
        choices=(Choice(*CHOICE, 0, many, f"A whole number from 1 to {many}; 0 is the picture painted below."),),
        colour="#0b62c4",
    )  # fmt: skip


def pictures_sheet(shown: Shown) -> Sheet:
    """The pictures to choose from, one below the other, with their true classes."""
    maps = _stored(shown)
    cells = [Cell(0, 0, "The pictures to choose from: test images, which the network has not been trained on", "title")]
    for number, (image, label) in enumerate(zip(shown.images, shown.labels.tolist(), strict=True)):
        top = maps.row + number * len(image) * maps.pitch
        cells += [
            Cell(top, 0, shown.classes[label]),
            Cell(top + 1, 0, f"picture {number + 1}", "quiet"),
        ]
        for channel, rows in enumerate(image.tolist()):
            for y, row in enumerate(rows):
                at = top + channel * maps.pitch + y
                cells += [Cell(at, maps.column + x, float(value), "dot") for x, value in enumerate(row)]
    last = maps.row + len(shown.images) * len(shown.images[0]) * maps.pitch
    every = Maps(PICTURES, (len(shown.images) * maps.shape[0], *maps.shape[1:]), maps.row, maps.column, maps.pitch)
    return Sheet(
        PICTURES, tuple(cells), widths=((0, 0, 14.0), (1, maps.area[3], NARROW)), heights=((maps.row, last, ROW),),
        freeze=(maps.row, 0), scales=tuple(_scales(every, shown.ink, maps.shape[0])),
    )  # fmt: skip


def _stored(shown: Shown) -> Maps:
    channels, rows, columns = shown.images.shape[1:]
    return Maps(PICTURES, (channels, rows, columns), 2, 1, rows + 1)


def _scales(maps: Maps, ink: bool, channels: int = 0) -> Iterator[Scale]:
    """Ink is dark on white; other pictures are as bright as they are, each channel in its own colour."""
    channels = channels or maps.shape[0]
    colours = ("#ffffff", "#1b1f24") if ink else ("#000000", "#ffffff")
    if channels == 1:
        yield Scale(maps.area, colours, 0, 255)
        return
    for channel in range(maps.shape[0]):
        row, column, _, end = maps.area
        top = row + channel * maps.pitch
        light = ("#ff0000", "#00ff00", "#0000ff")[channel % channels] if channels == 3 else "#ffffff"
        yield Scale((top, column, top + maps.shape[1] + 2 * maps.padding[0] - 1, end), ("#000000", light), 0, 255)


def _head(shown: Shown, scores: Floats) -> Iterator[Cell]:
    best, many = int(scores.argmax()), len(shown.images)
    first, last = address(TOP + 1, 2), address(TOP + len(shown.classes), 2)
    names = f"{address(TOP + 1, 0)}:{address(TOP + len(shown.classes), 0)}"
    stored = _stored(shown)
    pitch = stored.shape[0] * stored.pitch
    labels = f"{PICTURES}!$A${stored.row + 1}:$A${stored.row + many * pitch}"
    yield Cell(0, 0, shown.title, "title")
    yield Cell(
        1, 0, f"Choose a picture in the yellow cell: 1 to {many}, or 0 for the one that you paint below.", "quiet"
    )
    yield Cell(2, 0, "Picture", "label")
    yield Cell(*CHOICE, 1.0, "choice")
    truth = f'IF(choice=0,"painted by you","truly: "&INDEX({labels},choice*{pitch}-{pitch - 1}))'
    yield Cell(2, 2, Formula(truth, f"truly: {shown.classes[int(shown.labels[0])]}"), "quiet")
    yield Cell(4, 0, "The network says", "label")
    said = f"INDEX({names},MATCH(MAX({first}:{last}),{first}:{last},0))"
    yield Cell(4, 1, Formula(said, shown.classes[best]), "answer")


def _scores(shown: Shown, last: Maps, scores: Floats) -> Iterator[Cell]:
    """Score and probability of each class."""
    flat = [(c, y, x) for c in range(last.shape[0]) for y in range(last.shape[1]) for x in range(last.shape[2])]
    every = f"{address(TOP + 1, 1)}:{address(TOP + len(flat), 1)}"
    powers = np.exp(scores - scores.max())
    yield Cell(TOP, 0, "class", "heading left")
    yield Cell(TOP, 1, "score", "heading")
    yield Cell(TOP, 2, "how sure", "heading")
    for number, at in enumerate(flat):
        row = TOP + 1 + number
        yield Cell(row, 0, shown.classes[number], "label")
        yield Cell(row, 1, Formula(last.window(*at, (1, 1)), float(scores[number])), "value")
        sure = f"EXP({letters(1)}{row + 1}-MAX({every}))/SUMPRODUCT(EXP({every}-MAX({every})))"
        yield Cell(row, 2, Formula(sure, float(powers[number] / powers.sum())), "percent")


def _pixels(shown: Shown, maps: Maps, paint: Maps) -> Iterator[Cell]:
    """The chosen picture: the painted cell, or that of the picture with the chosen number."""
    stored, many = _stored(shown), len(shown.images)
    channels, rows, columns = maps.shape
    pitch = channels * stored.pitch
    for c in range(channels):
        for y in range(rows):
            for x in range(columns):
                row, column = paint.place(c, y, x)
                there = letters(stored.column + x)
                column_of = f"{PICTURES}!{there}${stored.row + 1}:{there}${stored.row + many * pitch}"
                number = f"choice*{pitch}-{pitch - c * stored.pitch - y - 1}"
                text = f"IF(choice=0,{letters(column)}{row + 1},INDEX({column_of},{number}))"
                yield Cell(*maps.place(c, y, x), Formula(text, float(shown.images[0, c, y, x])), "dot")


def _frame(maps: Maps, first: Stage) -> list[Cell]:
    """The values around the picture, and what they are."""
    known = ", ".join(f"{value:.1f}" for value in first.outside)
    told = f"The frame around it is what the first layer takes to be outside: {known} of 255 everywhere."
    return [*maps.around(first.outside), Cell(TOP - 1, PIXELS, told, "quiet")]


def _paint(shown: Shown, paint: Maps) -> Iterator[Cell]:
    """Cells to paint in, all 0."""
    told = "Paint here: 0 is nothing, 255 is full ink; copy a painted cell onto others, and write 0 in the yellow cell."
    told = told if shown.ink else told.replace("nothing, 255 is full ink", "dark, 255 is bright")
    yield Cell(paint.row - 1, paint.column, told, "quiet")
    for c in range(paint.shape[0]):
        for y in range(paint.shape[1]):
            for x in range(paint.shape[2]):
                yield Cell(*paint.place(c, y, x), 0.0, "paint")


def _note(shown: Shown, steps: Sequence[Stage], row: int) -> Iterator[Cell]:
    """The layers with links, and what is known of the network, beside the picture."""
    yield Cell(row, 0, "Layer by layer", "label")
    for number, (step, told) in enumerate(zip(steps, words(steps), strict=True), 1):
        yield Cell(row + number, 0, f"{number}: {shape_words(step.given)}", "link", link=f"Layer{number}!A1")
        yield Cell(row + number, 1, told, "quiet")
    row += len(steps) + 2
    yield Cell(row, 0, "How good it is", "label")
    lines = [line for words in shown.sentences for line in [*textwrap.wrap(words, _LINE), ""]]
    for number, line in enumerate(lines):
        if line:
            yield Cell(row + 1 + number, 0, line, "quiet")
