"""Where the files of a data set by name lie, whose they are, and whether they are what was published."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyproof.core.errors import DataError, InputError, TinyproofError
from tinyproof.core.files import existing, is_plain, read_bounded, sha256
from tinyproof.core.user_folders import user_cache
from tinyproof.data.catalogue import FASHION, KMNIST, MNIST, SETS, PublishedFile, PublishedSet
from tinyproof.data.idx import parse, read_bytes

# EMNIST's largest file unpacks to 547 MB.
FILE_BYTES = 600_000_000
SUMS = "SHA256SUMS"
_SUMS_BYTES = 100_000
# Debian's packages of data sets (dataset-fashion-mnist).
_SYSTEM = Path("/usr/share/datasets")
_CIFAR_IMAGE = (3, 32, 32)


class NotFound(DataError):
    """The data set is in none of the places that were searched, or could not be fetched."""


@dataclass(frozen=True, eq=False)
class Checked:
    """What a file holds, and by what it is known to be the published one ("" where by nothing)."""

    array: NDArray[Any]
    known_by: str


def cache_folder() -> Path | None:
    """The folder of the user's cache; None where the user has no home."""
    cache = user_cache()
    return Path(cache) if cache else None


def places(one: PublishedSet, data: str | Path | None = None) -> Iterator[tuple[Path, bool]]:
    """The folders that are searched, in order, each with whether its name says whose files lie there: in `data` alone
    when it is given, else in TINYPROOF_DATA, ./data, here, the cache, the system's.

    Raises InputError when `data` or TINYPROOF_DATA names nothing.
    """
    if data is not None:
        roots = [existing(data, "data")]
    else:
        named, cache = os.environ.get("TINYPROOF_DATA"), cache_folder()
        roots = [*([existing(named, "TINYPROOF_DATA")] if named else []), Path("data"), Path()]
        roots += [*([] if cache is None else [cache]), _SYSTEM]
    for root in roots:
        yield root, data is not None or one is MNIST
        for folder in one.folders:
            yield root / folder, data is not None or folder != "raw" or one is MNIST


def find(one: PublishedSet, data: str | Path | None = None) -> list[Path] | None:
    """The files of the first place that has them all, gzipped or not; None when none has. Files of one name are told
    apart by what they hold: MNIST's are not taken for Fashion-MNIST's.
    """
    for folder, named in places(one, data):
        paths = [file_in(folder, file) for file in one.files]
        if all(paths) and _may_be(one, folder, named):
            return [path for path in paths if path]
    return None


def _may_be(one: PublishedSet, folder: Path, named: bool) -> bool:
    """Whether the files in a folder can be this set's: not another's, and known to be its own where only that tells."""
    if not called_alike(one):
        return True
    found = whose(folder)
    return found is one or (found is None and named)


def _is(one: PublishedSet, folder: Path) -> bool:
    """Whether the files in a folder are known to be this set's, by their names or by what they hold."""
    return not called_alike(one) or whose(folder) is one


def called_alike(one: PublishedSet) -> bool:
    """Whether the files of a set are called as MNIST's are, so that only what they hold tells them apart."""
    return one.files[0].name == MNIST.files[0].name


def whose(folder: Path) -> PublishedSet | None:
    """Of the sets whose files are called as MNIST's, the one whose training labels lie in a folder; where they cannot
    tell, the one that a part of the path is called after; None where nothing tells.
    """
    labels = MNIST.files[1]
    path = file_in(folder, labels)
    if path is None:
        return None
    by_content = _by_labels(path, path.stat().st_mtime_ns)
    if by_content:
        return SETS[by_content]
    words = [part.casefold().replace("-", "").replace("_", "") for part in folder.resolve().parts[-3:]]
    return next((one for one in (FASHION, KMNIST) if one.name.replace("-", "") in words), None)


@lru_cache(maxsize=64)
def _by_labels(path: Path, changed: int) -> str:
    """The name of the set whose training labels a file holds, by its digests; "" where they are nobody's."""
    try:
        unpacked, packed = sha256(read_bytes(path, FILE_BYTES)), md5(path)
    except TinyproofError:
        return ""
    for one in (MNIST, FASHION, KMNIST):
        if one.files[1].digest == unpacked or one.files[1].md5 == packed:
            return one.name
    return ""


def lacking(one: PublishedSet, data: str | Path) -> str:
    """What `data` lacks, in words: the names of the files that its fullest place has not."""
    missing = [[file.name for file in one.files if not file_in(place, file)] for place, _ in places(one, data)]
    fewest = min(missing, key=len)
    if not fewest:
        other = next((found for place, _ in places(one, data) if (found := whose(place)) not in (None, one)), None)
        return f"holds {other.title}, not {one.title}" if other else "cannot be read"
    if len(fewest) < len(one.files):
        return f"lacks {', '.join(fewest)} (gzipped or not)"
    count = {4: "four"}.get(len(one.files), str(len(one.files)))
    return f"does not hold the {count} {one.title} files (gzipped or not)"


def recognised(path: Path) -> tuple[PublishedSet, Path] | None:
    """The published set that a path leads to, torchvision's folders included, and the folder of its files; None where
    it is somebody's own data. Raises DataError, InputError where it is one that cannot be taken as it is.
    """
    if not path.is_dir():
        return None
    if (path / "data_batch_1").is_file() or (path / "cifar-10-batches-py").is_dir():
        raise DataError(
            str(path), "holds CIFAR-10 as pickles, which can run anything when they are read and are never read here",
            "fetch the binary version: tinyproof data cifar-10 --fetch",
        )  # fmt: skip
    found = [
        (one, folder)
        for one in SETS.values()
        for folder in (path, *(path / name for name in (*one.folders, "raw")))
        if all(file_in(folder, file) for file in one.files) and _is(one, folder)
    ]
    names = list(dict.fromkeys(one.name for one, _ in found))
    if len(names) > 1:
        raise InputError("dataset", str(path), f"name one of {', '.join(names)}, with --data", problem="holds several")
    return found[0] if found else None


def read(one: PublishedSet, paths: list[Path]) -> tuple[tuple[NDArray[Any], ...], str]:
    """Training images, training labels, test images, test labels as they were published, and by what all files are
    known to be those ("" where one is not). Raises DataError for a file that is not.
    """
    checked = [check(path, file, one) for path, file in zip(paths, one.files, strict=True)]
    known = dict.fromkeys(part.known_by for part in checked)
    arrays = [part.array for part in checked]
    if one.shape == _CIFAR_IMAGE:
        train, test = np.concatenate(arrays[:-1]), arrays[-1]
        arrays = [part for rows in (train, test) for part in (rows[:, 1:].reshape(-1, *_CIFAR_IMAGE), rows[:, 0])]
    return tuple(arrays), "" if "" in known else " and ".join(known)


def check(path: Path, file: PublishedFile, one: PublishedSet) -> Checked:
    """One file. Raises DataError when it is truncated, another file, or not the published bytes."""
    content = read_bytes(path, FILE_BYTES)
    array = _array(content, str(path), file)
    labels = array if "labels" in file.holds and array.ndim == 1 else array[:, 0] if array.ndim == 2 else None
    last = one.first_label + len(one.classes) - 1
    if labels is not None and len(labels) and not one.first_label <= labels.min() <= labels.max() <= last:
        bad = labels.max() if labels.max() > last else labels.min()
        problem = f"has the label {bad}; labels go from {one.first_label} to {last}"
        raise DataError(str(path), problem, _again(one))
    return Checked(array, _known_by(path, content, file, one))


def _array(content: bytes, where: str, file: PublishedFile) -> NDArray[Any]:
    if file.dimensions:
        return parse(content, where, file.dimensions)
    row = 1 + int(np.prod(_CIFAR_IMAGE))
    if not content or len(content) % row:
        raise DataError(where, f"is truncated: {len(content):,} bytes are no whole number of images of {row:,}")
    return np.frombuffer(content, np.uint8).reshape(-1, row)


def _known_by(path: Path, content: bytes, file: PublishedFile, one: PublishedSet) -> str:
    """By what a file is known to be the published one. Raises DataError where it is known not to be."""
    if file.digest:
        digest = sha256(content)
        if digest == file.digest:
            return f"SHA-256 {one.digest_from}"
        swapped = next((other for other in one.files if other.digest == digest), None)
        if swapped:
            raise DataError(str(path), f"holds {swapped.holds} where {file.holds} are expected", "swap the files back")
        what = f"SHA-256 {digest[:12]}… where {file.digest[:12]}… is published"
        raise DataError(str(path), f"is not {one.title}'s file: {what}", _again(one))
    recorded = sums(path.parent).get(path.name)
    if recorded:
        if sha256(path) != recorded:
            problem = f"is not the file that was fetched: another SHA-256 than {SUMS} beside it says"
            raise DataError(str(path), problem, _again(one))
        return "SHA-256 as the first fetch wrote it down"
    return f"MD5 {one.digest_from}" if file.md5 and md5(path) == file.md5 else ""


def _again(one: PublishedSet) -> str:
    name = "" if one is MNIST else f"{one.name} "
    return f"fetch it again with: tinyproof data {name}--fetch"


def file_in(folder: Path, file: PublishedFile) -> Path | None:
    """A file of a set in a folder, gzipped or not; where only the packed one has a digest, that one first."""
    stems = (file.name, file.name.replace("-idx", ".idx"))
    ends = (".gz", "") if file.md5 and not file.digest else ("", ".gz")
    candidates = (folder / f"{stem}{end}" for stem in stems for end in ends)
    return next((path for path in candidates if is_plain(path)), None)


def md5(path: Path) -> str:
    """The MD5 of a file: what publishers state; it tells a damaged file from a whole one, not a forged one."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def sums(folder: Path) -> dict[str, str]:
    """The SHA-256 of files in a folder by name, as the first fetch wrote them down (`sha256sum -c` reads them too)."""
    path = folder / SUMS
    if not is_plain(path):
        return {}
    lines = read_bounded(path, _SUMS_BYTES).decode("utf-8", errors="replace").splitlines()
    pairs = (line.split(maxsplit=1) for line in lines if len(line.split()) == 2)
    return {name.lstrip("*"): digest for digest, name in pairs}
