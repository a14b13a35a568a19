"""Fetching a data set by name: mirror after mirror; a file is kept only when it is the published one."""

from __future__ import annotations

import contextlib
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from tinyproof.core.archives import opened
from tinyproof.core.errors import DataError, InputError, MissingDependency, OutputError, one_line
from tinyproof.core.files import output_folder, reason, sha256, write_atomic
from tinyproof.core.listener import SILENT, Listener, Progress
from tinyproof.data import published
from tinyproof.data.catalogue import SETS, Archive, PublishedFile, PublishedSet
from tinyproof.data.published import FILE_BYTES, NotFound

_TIMEOUT_SECONDS = 10
BROKEN = ".broken"  # what a file that is replaced is called from then on


def fetch(
    one: PublishedSet, folder: Path | None = None, mirrors: Sequence[str] | None = None, listener: Listener = SILENT
) -> list[Path]:
    """Download what is missing or broken; a file that is there and not what it should be stays beside the good one,
    as `NAME.broken`. `folder`: where (None: the user's cache). Raises NotFound, InputError, OutputError.
    """
    folder = output_folder(folder or _cache(one))
    other = published.whose(folder) if published.called_alike(one) else None
    if other not in (None, one):
        problem = f"holds {other.title}, whose files are called as {one.title}'s are"
        raise InputError("data", str(folder), "name another folder", problem=problem)
    lacking = [file for file in one.files if not _sound(folder, file, one)]
    hosts = mirrors or one.mirrors
    if one.archive and lacking:
        _fetch_archive(one, one.archive, folder, lacking, hosts, listener)
    else:
        for file in lacking:
            _fetch_one(file, one, folder, hosts, listener)
    return [path for file in one.files if (path := published.file_in(folder, file))]


def _cache(one: PublishedSet) -> Path:
    cache = published.cache_folder()
    if cache is None:
        remedy = f"name the folder to keep {one.title} in: this user has no home"
        raise InputError("data", None, remedy, problem="is missing")
    return cache / one.home


def _sound(folder: Path, file: PublishedFile, one: PublishedSet) -> bool:
    path = published.file_in(folder, file)
    try:
        return path is not None and bool(published.check(path, file, one))
    except DataError:
        return False


def _fetch_one(
    file: PublishedFile, one: PublishedSet, folder: Path, mirrors: Sequence[str], listener: Listener
) -> None:
    """One gzipped file from the first mirror that has it whole."""

    def check(path: Path) -> None:
        _fits(path, file.md5)
        published.check(path, file, one)

    with tempfile.TemporaryDirectory(dir=folder, prefix=".fetching-") as scratch:
        path = _download(f"{file.name}.gz", one, mirrors, Path(scratch), check, listener)
        _keep(path, file, folder)


def _fetch_archive(
    one: PublishedSet, archive: Archive, folder: Path, lacking: Sequence[PublishedFile], mirrors: Sequence[str],
    listener: Listener,
) -> None:  # fmt: skip
    """The archive that holds them all; of it, the files of this set."""
    with tempfile.TemporaryDirectory(dir=folder, prefix=".fetching-") as scratch:
        path = _download(archive.name, one, mirrors, Path(scratch), lambda found: _fits(found, archive.md5), listener)
        for file in lacking:
            part = _member(path, archive, file, Path(scratch))
            published.check(part, file, one)
            _keep(part, file, folder)
        # The others of its sets, so that nobody fetches the whole again for them.
        for file in (file for other in SETS.values() if other.archive == archive for file in other.files):
            if published.file_in(folder, file) is None:
                with contextlib.suppress(DataError):
                    _keep(_member(path, archive, file, Path(scratch)), file, folder)


def _member(path: Path, archive: Archive, file: PublishedFile, scratch: Path) -> Path:
    """One member of an archive as a file of its own. Raises DataError where it is missing or too large."""
    try:
        with _unpacking(path) as (names, read):
            name = next((one for end in (".gz", "") if (one := f"{archive.inside}{file.name}{end}") in names), None)
            content = read(name) if name else b""
    except (zipfile.BadZipFile, tarfile.TarError, EOFError, OSError) as error:
        raise DataError(archive.name, f"cannot be unpacked: {one_line(str(error), 80)}") from error
    if name is None:
        raise DataError(archive.name, f"does not hold {file.name}")
    if len(content) > FILE_BYTES:
        raise DataError(archive.name, f"holds {file.name} of more than {FILE_BYTES:,} bytes")
    return write_atomic(scratch / name.rpartition("/")[2], content)


@contextlib.contextmanager
def _unpacking(path: Path) -> Iterator[tuple[set[str], Callable[[str], bytes]]]:
    """The names in a zip or a tar.gz, and what reads one of them, bounded; nothing of it is written anywhere."""
    if path.suffix == ".zip":
        with opened(path) as zipped:
            yield set(zipped.namelist()), lambda name: zipped.open(name).read(FILE_BYTES + 1)
        return
    with tarfile.open(path) as tarred:
        held = tarred.extractfile
        yield set(tarred.getnames()), lambda name: file.read(FILE_BYTES + 1) if (file := held(name)) else b""


def _fits(path: Path, md5: str) -> None:
    """Raise DataError where a fetched file is not what its publisher says."""
    if md5 and published.md5(path) != md5:
        raise DataError(str(path), "is not the published file (its MD5 differs)")


def _keep(path: Path, file: PublishedFile, folder: Path) -> None:
    """Put a fetched file into its place, write its SHA-256 down, and set a broken one aside."""
    target = folder / path.name
    try:
        while (old := target if target.exists() else published.file_in(folder, file)) is not None:
            old.replace(old.with_name(old.name + BROKEN))
        path.replace(target)
    except OSError as error:
        raise OutputError(target, reason(error)) from error
    if not file.digest:
        known = {**published.sums(folder), target.name: sha256(target)}
        lines = [f"{digest}  {name}\n" for name, digest in sorted(known.items())]
        write_atomic(folder / published.SUMS, "".join(lines))


# ------------------------------------------------------------------ the network


def _download(
    name: str, one: PublishedSet, mirrors: Sequence[str], scratch: Path, check: Callable[[Path], None],
    listener: Listener,
) -> Path:  # fmt: skip
    """A file from the first mirror whose copy passes the check. Raises NotFound with what each of them said."""
    problems, shown, path = [], name if one.archive else name.removesuffix(".gz"), scratch / name
    for mirror in mirrors:
        try:
            _get(f"{mirror}{name}", path, listener)
            check(path)
        except (DataError, OSError, ValueError) as error:
            path.unlink(missing_ok=True)
            problems.append(f"{_host(mirror)}: {_short(error)}")
            listener.say(f"{shown}: {problems[-1]}; trying the next mirror")
            continue
        listener.say(f"{shown}: fetched from {_host(mirror)} and verified")
        return path
    remedy = "put its files into a folder and name it with --data or TINYPROOF_DATA"
    raise NotFound(f"{one.title} ({shown})", "could not be fetched from " + "; ".join(problems), remedy)


def _get(address: str, path: Path, listener: Listener) -> None:
    try:
        from pooch.core import retrieve
        from pooch.downloaders import HTTPDownloader
        from pooch.utils import get_logger
    except ImportError as error:
        raise MissingDependency("pooch", "fetching data", "train") from error
    get_logger().setLevel("ERROR")
    downloader = HTTPDownloader(  # type: ignore[no-untyped-call]
        timeout=_TIMEOUT_SECONDS, progressbar=_Bar(address, listener)
    )
    retrieve(address, None, path.name, path.parent, downloader=downloader)


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
