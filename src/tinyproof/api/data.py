"""`data`: what data there is, fetch it, verify it; and which data set a training job gets."""

from __future__ import annotations

from pathlib import Path

from tinyproof.core.errors import DataError, MissingDependency
from tinyproof.core.fields import one_of
from tinyproof.core.listener import SILENT, Listener
from tinyproof.core.table import Column, Table
from tinyproof.data import fetching, published
from tinyproof.data.catalogue import MNIST, SETS, TEST50K
from tinyproof.data.dataset import NAMES, Dataset, overlap
from tinyproof.data.load import is_own, load, load_digits, load_mnist, load_published, refuse_asked
from tinyproof.data.more_tests import qmnist50k
from tinyproof.data.reading import AS_IT_IS, Asked
from tinyproof.show.commands import command
from tinyproof.show.terminal import terminal
from tinyproof.show.words import dataset_words, overlap_words

CHOICES = ("auto", *NAMES)
FETCHED = {**SETS, TEST50K.name: TEST50K}
LISTED = (*NAMES, TEST50K.name)
_UNKNOWN = "not checked: no digest of these files is known here"


def data(name: str | None = None, *, data: str | Path | None = None, fetch: bool = False, quiet: bool = False) -> Table:
    """What data sets there are, where they lie, whether they are whole; `fetch` downloads what is missing or broken.

    `name`: one of them alone, `fashion-mnist` for example; else all, and `fetch` is for MNIST. `data`: the folder to
    look in (or fetch into); else TINYPROOF_DATA and the usual caches. `quiet`: nothing is said of a download. Returns a
    Table, a row a data set: where, how many images, what its files were held against, and whether an image is in both
    of its sets. Raises InputError for an unknown name, DataError when a set is there but broken, or cannot be fetched.

    >>> import tinyproof
    >>> tinyproof.data("digits").records()[0]["images"]
    '1,438 training, 359 test'
    """
    if name is not None:
        one_of("name", name, LISTED)
    wanted = FETCHED.get(name or MNIST.name)
    if fetch and wanted is not None:
        with terminal(quiet=quiet) as listener:
            there = published.find(wanted, data)
            folder = there[0].parent if there else None if data is None else Path(data)
            fetching.fetch(wanted, folder, listener=listener)
    rows = [_listed(one, data) for one in ([name] if name else LISTED)]
    columns = (Column("data set"), Column("where"), Column("images"), Column("verified"))
    return Table("", columns, tuple(rows))


def _listed(name: str, data: str | Path | None) -> tuple[str, str, str, str]:
    """The row of a data set, here or not."""
    if name == "digits":
        try:
            return _row(load_digits(), "as scikit-learn ships them")
        except MissingDependency as error:
            return "digits", str(error), "", ""
    one = FETCHED[name]
    if published.find(one, data) is None:
        lacks = f"{data} {published.lacking(one, data)}" if data is not None else "not here"
        into = ["--data", data] if data is not None and Path(data).is_dir() and "holds" not in lacks else []
        fetching_it = command("data", *([] if one is MNIST else [name]), "--fetch", *into)
        return one.title, f"{lacks}; fetch it with: {fetching_it}", "", ""
    if one is TEST50K:
        extra = qmnist50k(data)
        return one.title, extra.source, f"{len(extra.labels):,} test", extra.known_by or _UNKNOWN
    return _row(load_published(one, data), "")


def choose(
    name: str = "auto",
    data: str | Path | None = None,
    listener: Listener = SILENT,
    asked: Asked = AS_IT_IS,
) -> Dataset:
    """The data set of a training job. `auto`: MNIST where it is or can be fetched, else, with one line, the digits;
    a path: a data set of your own, read as `asked`.

    Raises InputError for an unknown name; DataError for broken files, or when `mnist` is insisted on and not to be had.
    """
    if name != "auto" and is_own(name):
        return load(name, data, asked=asked)
    one_of("dataset", name, (*CHOICES, "the path of your own"))
    if name != "auto" or data is not None:
        return load("mnist" if name == "auto" else name, data, listener=listener, asked=asked)
    refuse_asked("mnist", asked)
    try:
        return load_mnist(listener=listener)
    except published.NotFound as error:
        listener.say(
            f"MNIST cannot be had here ({error.problem}); training on the digits that ship with scikit-learn instead"
        )
        return load_digits()


def describe(dataset: Dataset, listener: Listener) -> list[tuple[int, int]]:
    """Say what the data set is and whether an image is in both of its sets; returns those pairs."""
    listener.say(f"data: {dataset_words(dataset)}")
    if dataset.reading is not None and dataset.reading.words:
        listener.say(f"pictures: {dataset.reading.words}")
    pairs = overlap(dataset)
    listener.say(overlap_words(pairs, dataset.title))
    return pairs


def _row(dataset: Dataset, verified: str) -> tuple[str, str, str, str]:
    counts = f"{len(dataset.train_labels):,} training, {len(dataset.test_labels):,} test"
    pairs = overlap(dataset)
    if pairs and dataset.name == MNIST.name:
        raise DataError(dataset.title, overlap_words(pairs, dataset.title))
    both = "no image in both sets" if not pairs else f"{len(pairs):,} test images are training images too"
    return dataset.title, dataset.source, counts, f"{verified or dataset.known_by or _UNKNOWN}; {both}"
