"""MNIST: where its four files are looked for, how they are checked, and from where they are fetched."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinyproof.core.errors import DataError, MissingDependency, one_line
from tinyproof.core.files import existing, output_folder, read_bounded, sha256, write_atomic
from tinyproof.core.listener import SILENT, Listener, Progress
from tinyproof.data.idx import parse, read_bytes

MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)
_TIMEOUT_SECONDS = 10
_FILE_BYTES = 60_000_000


@dataclass(frozen=True)
class MnistFile:
    """One of the four files: its name without `.gz`, what it holds, and the SHA-256 of its unpacked content."""

    name: str
    holds: str
    dimensions: int
    digest: str


FILES = (
    MnistFile("train-images-idx3-ubyte", "the training images", 3,
              "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"),
    MnistFile("train-labels-idx1-ubyte", "the training labels", 1,
              "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
    MnistFile("t10k-images-idx3-ubyte", "the test images", 3,
              "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"),
    MnistFile("t10k-labels-idx1-ubyte", "the test labels", 1,
              "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
)  # fmt: skip


class NotFound(DataError):
    """MNIST is in none of the places that were searched, or could not be fetched."""


def cache_folder() -> Path:
    """The folder of the user's cache that fetched files go to."""
    from platformdirs import user_cache_dir

    return Path(user_cache_dir("tinyproof")) / "mnist"


def places(data: str | Path | None = None) -> list[Path]:
    """The folders that are searched, in order: `data` alone when it is given, else TINYPROOF_DATA, ./data, cache.

    Raises InputError when `data` or TINYPROOF_DATA names nothing.
    """
    if data is not None:
        roots = [existing(data, "data")]
    else:
        named = os.environ.get("TINYPROOF_DATA")
        roots = [*([existing(named, "TINYPROOF_DATA")] if named else []), Path("data"), Path(), cache_folder()]
    return [folder for root in roots for folder in (root, root / "MNIST" / "raw", root / "raw", root / "mnist")]


def find(data: str | Path | None = None) -> list[Path] | None:
    """The four files of the first place that has them all, gzipped or not; None when none has."""
    for folder in places(data):
        paths = [_file(folder, file.name) for file in FILES]
        if all(paths):
            return [path for path in paths if path]
    return None


def lacking(data: str | Path) -> str:
    """What `data` lacks, in words: the names of the files that its fullest place has not."""
    missing = [[file.name for file in FILES if not _file(folder, file.name)] for folder in places(data)]
    fewest = min(missing, key=len)
    some = 0 < len(fewest) < len(FILES)
    return f"lacks {', '.join(fewest)}" if some else "does not hold the four MNIST files"


def read(paths: Sequence[Path]) -> tuple[NDArray[np.uint8], ...]:
    """Training images, training labels, test images, test labels; each checked. Raises DataError."""
    return tuple(check(read_bytes(path, _FILE_BYTES), file, str(path)) for path, file in zip(paths, FILES, strict=True))


def check(content: bytes, file: MnistFile, where: str) -> NDArray[np.uint8]:
    """The array of one file. Raises DataError when it is truncated, another file, or not the published bytes."""
    array = parse(content, where, file.dimensions)
    if file.dimensions == 1 and len(array) and array.max() > 9:
        raise DataError(where, f"has the label {array.max()}; labels go from 0 to 9", "fetch it again")
    digest = sha256(content)
    if digest != file.digest:
        swapped = next((other for other in FILES if other.digest == digest), None)
        if swapped:
            raise DataError(where, f"holds {swapped.holds} where {file.holds} are expected", "swap the files back")
        raise DataError(
            where, f"is not MNIST's file: SHA-256 {digest[:12]}… where {file.digest[:12]}… is published",
            "fetch it again with: tinyproof data --fetch",
        )  # fmt: skip
    return array


def fetch(folder: Path | None = None, mirrors: Sequence[str] = MIRRORS, listener: Listener = SILENT) -> list[Path]:
    """Download what is missing, mirror after mirror, and keep a file only after its digest fits. Raises NotFound."""
    folder = output_folder(folder or cache_folder())
    for file in FILES:
        target = folder / f"{file.name}.gz"
        if not _sound(target, file):
            _fetch_one(file, target, mirrors, listener)
    return [folder / f"{file.name}.gz" for file in FILES]


def _sound(path: Path, file: MnistFile) -> bool:
    try:
        check(read_bytes(path, _FILE_BYTES), file, str(path))
    except DataError:
        return False
    return True


def _fetch_one(file: MnistFile, target: Path, mirrors: Sequence[str], listener: Listener) -> None:
    problems = []
    for mirror in mirrors:
        try:
            content = _download(f"{mirror}{file.name}.gz", listener)
            with tempfile.TemporaryDirectory() as scratch:
                check(read_bytes(write_atomic(Path(scratch) / target.name, content), _FILE_BYTES), file, mirror)
        except (DataError, OSError, ValueError) as error:
            problems.append(f"{_host(mirror)}: {_short(error)}")
            listener.say(f"{file.name}: {problems[-1]}; trying the next mirror")
            continue
        write_atomic(target, content)
        listener.say(f"{file.name}: fetched from {_host(mirror)} and verified")
        return
    raise NotFound(f"MNIST ({file.name})", "could not be fetched from " + "; ".join(problems), _REMEDY)


_REMEDY = "put the four files into a folder and name it with --data or TINYPROOF_DATA"


def _download(address: str, listener: Listener) -> bytes:
    try:
        from pooch.core import retrieve
        from pooch.downloaders import HTTPDownloader
        from pooch.utils import get_logger
    except ImportError as error:
        raise MissingDependency("pooch", "fetching MNIST", "train") from error
    get_logger().setLevel("ERROR")
    with tempfile.TemporaryDirectory() as scratch:
        downloader = HTTPDownloader(  # type: ignore[no-untyped-call]
            timeout=_TIMEOUT_SECONDS, progressbar=_Bar(address, listener)
        )
        name = retrieve(address, None, "file.gz", scratch, downloader=downloader)
        return read_bounded(Path(name), _FILE_BYTES)


class _Bar:
    """A progress bar as pooch calls it: tells the listener how many bytes of the file have come."""

    def __init__(self, address: str, listener: Listener) -> None:
        self._name, self._listener = address.rpartition("/")[2], listener
        self._done, self.total = 0, 0

    def update(self, amount: int) -> None:
        self._done += amount
        self._listener.progress([Progress(name=self._name, done=self._done, of=max(self.total, self._done))])

    def reset(self) -> None:
        self._done = 0

    def close(self) -> None:
        self._listener.progress([])


def _file(folder: Path, name: str) -> Path | None:
    dotted = name.replace("-idx", ".idx")
    candidates = [folder / f"{stem}{end}" for stem in (name, dotted) for end in ("", ".gz")]
    return next((path for path in candidates if path.is_file()), None)


def _host(address: str) -> str:
    return address.split("//")[-1].split("/")[0]


def _short(error: Exception) -> str:
    if isinstance(error, DataError):
        return error.problem
    # By name, so that requests need not be imported: Timeout before ConnectionError, of which ConnectTimeout is one.
    names = [kind.__name__ for kind in type(error).__mro__]
    for name, words in {"Timeout": "no answer", "ConnectionError": "no connection"}.items():
        if name in names:
            return words
    return one_line(f"{names[0]}: {error}", 80)
