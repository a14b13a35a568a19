"""The exports that people open, a workbook and a page: their files, and what computes with these files where it is."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyproof.core.errors import DataError
from tinyproof.core.files import read_bounded
from tinyproof.data.dataset import Dataset
from tinyproof.data.load import INK
from tinyproof.data.reading import Reading, Shape
from tinyproof.ship import browser, claim, network_book, office, page_file
from tinyproof.ship.c_stages import chain
from tinyproof.ship.claim import Proved
from tinyproof.ship.exported import FOR_PEOPLE
from tinyproof.ship.fold import folded
from tinyproof.ship.front_sheet import Shown
from tinyproof.ship.operations import Operation, operations
from tinyproof.ship.stages import Stage, Unlike, of_network
from tinyproof.train.engine.native.layers import Layer
from tinyproof.train.run_record import Run

FORMATS = FOR_PEOPLE
MOST_NUMBERS = 1_000_000
_MOST_BYTES = 50_000_000


def files(
    to: str, run: Run, layers: tuple[Layer, ...], weights: Mapping[str, NDArray[Any]], dataset: Dataset,
    proved: Proved | None,
) -> dict[str, bytes]:  # fmt: skip
    """The exported files by name. Raises DataError for a network that does not go into such a file."""
    mean, std = dataset.normalisation
    computed = operations(layers, weights)
    _check_layers(to, claim.model_title(run), layers)
    try:
        steps = of_network(computed, run.shape, mean, std)
    except Unlike as error:
        said = f"cannot be exported to {to}: it joins values of unlike maps ({error})"
        raise DataError(claim.model_title(run), said, _others(computed, run.shape)) from error
    if to == "xlsx":
        return {network_book.FILE: _workbook(run, steps, dataset, proved)}
    return {page_file.FILE: _page(run, steps, proved)}


def _others(computed: Sequence[Operation], shape: Shape) -> str:
    """Which of the other formats take a network that branches, in words."""
    found = []
    with contextlib.suppress(DataError):
        folded(computed, shape)
        found.append("onnx")
    with contextlib.suppress(DataError):
        last = chain("", computed, shape).last
        found += [*(["onnx-int8"] if last[:2] == (1, 1) else []), "c", "c-int8"]
    return f"{', '.join(found)} and torch take it" if found else "torch takes it"


def _check_layers(to: str, title: str, layers: tuple[Layer, ...]) -> None:
    """Raises DataError for a network that goes on after a log-softmax."""
    if "log_softmax" in [layer.kind for layer in layers[:-1]]:
        raise DataError(
            title, f"cannot be exported to {to}: log-softmax stands before its end", "onnx and torch take it"
        )


def _reading(run: Run) -> Reading:
    return run.reading or INK.get(run.identity.dataset, INK["mnist"])


def _page(run: Run, steps: list[Stage], proved: Proved | None) -> bytes:
    reading, title = _reading(run), claim.model_title(run)
    if reading.kind == "given" or reading.channels not in (1, 3):
        raise DataError(title, "was trained on arrays: a page reads pictures", "onnx, torch and xlsx take it")
    parameters = sum(step.numbers for step in steps)
    if parameters > MOST_NUMBERS:
        raise DataError(title, f"has {parameters:,} numbers, where a page takes {MOST_NUMBERS:,}", "onnx and torch go")
    sentences = tuple(claim.sentences(run, proved))
    words = page_file.Words(f"{title}: a trained network", run.classes, sentences, run.weights_digest)
    return page_file.page_bytes(steps, reading, words)


def _workbook(run: Run, steps: list[Stage], dataset: Dataset, proved: Proved | None) -> bytes:
    numbers = network_book.chosen(dataset.test_labels)
    shown = Shown(
        f"{claim.model_title(run)}: a trained network, every number of it a live formula",
        dataset.test_images[numbers], dataset.test_labels[numbers], run.classes,
        tuple(claim.sentences(run, proved)), _reading(run).kind == "ink",
    )  # fmt: skip
    return network_book.workbook_bytes(steps, shown, claim.model_title(run))


def asked(to: str, dataset: Dataset) -> list[int]:
    """The numbers of the test images that the files answer; none where it is all."""
    return [] if to == "html" else network_book.chosen(dataset.test_labels)


def scores(to: str, folder: Path, run: Run, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The scores that the files give for the images of `asked`, [n, classes]. Raises DataError."""
    content = read_bounded(folder / (page_file.FILE if to == "html" else network_book.FILE), _MOST_BYTES)
    program = _program(to)
    assert program is not None
    if to == "html":
        return browser.scores(program, content, images, len(run.classes)).astype(np.float32)
    return office.scores(program, content, len(images), len(run.classes)).astype(np.float32)


def runner(to: str) -> str:
    """What computes with the files here; empty where nothing does."""
    program = _program(to)
    return (browser if to == "html" else office).version(program) if program else ""


def _program(to: str) -> str | None:
    return browser.program() if to == "html" else office.program()


def missing(to: str) -> str:
    """Why nothing computes with the files here."""
    return "no Chromium is installed" if to == "html" else "LibreOffice is not installed"


def same(name: str, one: bytes, other: bytes) -> bool:
    """Whether two files of such an export are the same but for how they are packed."""
    known = {network_book.FILE: network_book.same_workbook, page_file.FILE: page_file.same_page}
    return known[name](one, other) if name in known else one == other
