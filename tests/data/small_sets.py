"""Small files in the layout of each published set, and a server on 127.0.0.1 that stands for its mirrors."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import http.server
import io
import struct
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from tinyproof.data import published
from tinyproof.data.catalogue import SETS, Archive, PublishedFile, PublishedSet


def idx_bytes(array: np.ndarray) -> bytes:
    """An IDX file: bytes, or whole numbers of 32 bits."""
    kind, written = (0x0C, array.astype(">i4")) if array.dtype == np.int32 else (8, array)
    return bytes([0, 0, kind, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + written.tobytes()


@contextlib.contextmanager
def changed(one: Any, **values: object) -> Iterator[None]:
    """A frozen entry of the catalogue with other values for a while."""
    kept = {name: getattr(one, name) for name in values}
    try:
        for name, value in values.items():
            object.__setattr__(one, name, value)
        published._by_labels.cache_clear()
        yield
    finally:
        for name, value in kept.items():
            object.__setattr__(one, name, value)
        published._by_labels.cache_clear()


def content_of(one: PublishedSet, seed: int = 0, train: int = 30, test: int = 12) -> dict[str, bytes]:
    """Unpacked files of a set by name, with images that no other seed has."""
    rng = np.random.default_rng((seed, sum(one.name.encode())))
    found: dict[str, bytes] = {}
    for file in one.files:
        count = test if "test" in file.holds else train
        images = rng.integers(0, 256, (count, *one.shape), np.uint8)
        labels = (np.arange(count) % len(one.classes) + one.first_label).astype(np.uint8)
        labels = labels if "test" in file.holds else rng.permutation(labels)
        if file.dimensions == 3:
            found[file.name] = idx_bytes(images[:, 0])
        elif file.dimensions == 2:
            found[file.name] = idx_bytes(np.stack([labels.astype(np.int32)] + [np.zeros(count, np.int32)] * 7, 1))
        elif file.dimensions == 1:
            found[file.name] = idx_bytes(labels)
        else:
            rows = np.concatenate([labels[:, None], images.reshape(count, -1)], 1)
            found[file.name] = rows.tobytes()
    return found


def packed(raw: bytes) -> bytes:
    """Gzipped, the same at every call."""
    return gzip.compress(raw, mtime=0)


def put(folder: Path, content: dict[str, bytes], gzipped: bool = True) -> Path:
    """The files in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, raw in content.items():
        (folder / (f"{name}.gz" if gzipped else name)).write_bytes(packed(raw) if gzipped else raw)
    return folder


def archive_of(one: PublishedSet, content: dict[str, bytes]) -> bytes:
    """The one file that holds them all: a zip of gzipped files, or a tar.gz of plain ones."""
    assert one.archive is not None
    held = io.BytesIO()
    if one.archive.name.endswith(".zip"):
        with zipfile.ZipFile(held, "w") as zipped:
            for name, raw in content.items():
                zipped.writestr(f"{one.archive.inside}{name}.gz", packed(raw))
        return held.getvalue()
    with tarfile.open(fileobj=held, mode="w:gz") as tarred:
        for name, raw in content.items():
            entry = tarfile.TarInfo(f"{one.archive.inside}{name}")
            entry.size = len(raw)
            tarred.addfile(entry, io.BytesIO(raw))
    return held.getvalue()


@contextlib.contextmanager
def standing_for(name: str, content: dict[str, bytes]) -> Iterator[dict[str, bytes]]:
    """These files as the published ones of a set: their digests replace the true ones. What a mirror would serve."""
    one = SETS[name]
    if one.archive:
        whole = archive_of(one, content)
        held = Archive(one.archive.name, hashlib.md5(whole).hexdigest(), one.archive.inside)
        with changed(one, archive=held):
            yield {one.archive.name: whole}
        return
    with changed(one, files=tuple(_with_digest(file, content[file.name]) for file in one.files)):
        yield {f"{file}.gz": packed(raw) for file, raw in content.items()}


def _with_digest(file: PublishedFile, raw: bytes) -> PublishedFile:
    digest = hashlib.sha256(raw).hexdigest() if file.digest else ""
    return replace(file, digest=digest, md5=hashlib.md5(packed(raw)).hexdigest() if file.md5 else "")


class Server(http.server.ThreadingHTTPServer):
    """Serves `files` by path, and keeps what was asked for."""

    files: dict[str, bytes]
    asked: list[str]

    def mirror(self, name: str) -> str:
        """The address of a mirror."""
        return f"http://127.0.0.1:{self.server_port}/{name}/"


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers GET from the server's files."""

    server: Server

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        content = self.server.files.get(self.path)
        self.send_response(404 if content is None else 200)
        self.send_header("Content-Length", str(len(content or b"")))
        self.end_headers()
        self.wfile.write(content or b"")

    def log_message(self, *args: object) -> None:
        pass


@contextlib.contextmanager
def serving() -> Iterator[Server]:
    """A server on 127.0.0.1 with nothing in it yet."""
    with Server(("127.0.0.1", 0), Handler) as running:
        running.asked, running.files = [], {}
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield running
        running.shutdown()
