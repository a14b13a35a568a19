"""`data`: what data there is, fetch it, verify it; and which data set a training job gets."""

from __future__ import annotations

from pathlib import Path

from tinyproof.core.errors import DataError, MissingDependency
from tinyproof.core.fields import one_of
from tinyproof.core.listener import SILENT, Listener
from tinyproof.core.table import Column, Table
from tinyproof.data import mnist, own_data
from tinyproof.data.dataset import NAMES, Dataset, overlap
from tinyproof.data.load import load_digits, load_mnist
from tinyproof.show.terminal import terminal
from tinyproof.show.words import dataset_words, overlap_words

CHOICES = ("auto", *NAMES)


def data(*, data: str | Path | None = None, fetch: bool = False, quiet: bool = False) -> Table:
    """What data sets there are, where they lie, and whether they are whole; `fetch` downloads what is missing.

    `data`: the folder to look in (or fetch into); else TINYPROOF_DATA and the usual caches. `quiet`: nothing is said of
    a download. Returns a Table, a row a data set: where, how many images, whether its files are the published ones and
    no image is in both of its sets. Raises DataError when MNIST is there but broken, or cannot be fetched.

    >>> import tinyproof
    >>> tinyproof.data().records()[1]["images"]
    '1,438 training, 359 test'
    """
    if fetch and mnist.find(data) is None:
        with terminal(quiet=quiet) as listener:
            mnist.fetch(Path(data) if data else None, listener=listener)
    rows: list[tuple[str, str, str, str]] = []
    paths = mnist.find(data)
    if paths is None:
        lacks = f"{data} {mnist.lacking(data)}" if data is not None else "not here"
        into = f" --data {data}" if data is not None else ""
        rows.append(("MNIST", f"{lacks}; fetch it with: tinyproof data --fetch{into}", "", ""))
    else:
        rows.append(_row(load_mnist(data), "SHA-256 of all four files as published"))
    try:
        rows.append(_row(load_digits(), "as scikit-learn ships them"))
    except MissingDependency as error:
        rows.append(("digits", str(error), "", ""))
    columns = (Column("data set"), Column("where"), Column("images"), Column("verified"))
    return Table("", columns, tuple(rows))


def choose(name: str = "auto", data: str | Path | None = None, listener: Listener = SILENT) -> Dataset:
    """The data set of a training job. `auto`: MNIST where it is or can be fetched, else, with one line, the digits;
    a path: a data set of your own.

    Raises InputError for an unknown name; DataError for broken files, or when `mnist` is insisted on and not to be had.
    """
    if name not in CHOICES and (Path(name).exists() or Path(name).name != name):
        return own_data.load(name)
    one_of("dataset", name, (*CHOICES, "the path of your own"))
    if name == "digits":
        return load_digits()
    if name == "mnist" or data is not None:
        return load_mnist(data, listener=listener)
    try:
        return load_mnist(listener=listener)
    except mnist.NotFound as error:
        listener.say(
            f"MNIST cannot be had here ({error.problem}); training on the digits that ship with scikit-learn instead"
        )
        return load_digits()


def describe(dataset: Dataset, listener: Listener) -> list[tuple[int, int]]:
    """Say what the data set is and whether an image is in both of its sets; returns those pairs."""
    listener.say(f"data: {dataset_words(dataset)}")
    pairs = overlap(dataset)
    listener.say(overlap_words(pairs, dataset.title))
    return pairs


def _row(dataset: Dataset, verified: str) -> tuple[str, str, str, str]:
    counts = f"{len(dataset.train_labels):,} training, {len(dataset.test_labels):,} test"
    pairs = overlap(dataset)
    if pairs:
        raise DataError(dataset.title, overlap_words(pairs, dataset.title))
    return dataset.title, dataset.source, counts, f"{verified}; no image in both sets"
