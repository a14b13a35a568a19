"""IDX files, MNIST's own format, gzipped or not: read with a bound, refused with a reason.

Source of the format: the MNIST web page of LeCun, Cortes and Burges. Big-endian: two zero bytes, the type (8: unsigned
byte, 12: whole number of 32 bits), the number of dimensions, each dimension as 32 bits, then the values.
"""

from __future__ import annotations

import gzip
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyproof.core.errors import DataError
from tinyproof.core.files import read_bounded

# More than any set of small images needs (MNIST's largest file has 47 MB); a compressed bomb stops here.
MAX_BYTES = 1_000_000_000
_UNSIGNED_BYTE, _WHOLE_NUMBER = 0x08, 0x0C


def read_bytes(path: Path, max_bytes: int = MAX_BYTES) -> bytes:
    """The content of a file, unpacked when its first bytes say gzip, whatever its name says. Raises DataError."""
    raw = read_bounded(path, max_bytes)
    if raw[:2] != b"\x1f\x8b":
        return raw
    try:
        with gzip.open(path, "rb") as file:
            content = file.read(max_bytes + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(str(path), "is not a whole gzip file (truncated or damaged)", "fetch it again") from error
    if len(content) > max_bytes:
        raise DataError(str(path), f"unpacks to more than {max_bytes:,} bytes")
    return content


def parse(content: bytes, where: str, dimensions: int) -> NDArray[Any]:
    """The array of an IDX file with that many dimensions (3: images, 1: labels, both unsigned bytes; 2: a table of
    whole numbers of 32 bits, as QMNIST's labels). Raises DataError.

    >>> parse(bytes([0, 0, 8, 1, 0, 0, 0, 3, 7, 2, 1]), "labels", 1).tolist()
    [7, 2, 1]
    """
    kind = {3: "images (3 dimensions)", 1: "labels (1 dimension)"}.get(dimensions, f"{dimensions} dimensions")
    number, each = (_WHOLE_NUMBER, ">i4") if dimensions == 2 else (_UNSIGNED_BYTE, "u1")
    header = 4 + 4 * dimensions
    if len(content) < 4 or content[:2] != b"\0\0":
        raise DataError(where, "is not an IDX file", "fetch it again")
    if content[2] != number or content[3] != dimensions:
        raise DataError(where, f"holds IDX type {content[2]} with {content[3]} dimension(s) where {kind} are expected")
    if len(content) < header:
        raise DataError(where, "is truncated: it ends inside its header", "fetch it again")
    shape = struct.unpack(f">{dimensions}I", content[4:header])
    expected = header + int(np.prod(shape, dtype=object)) * np.dtype(each).itemsize
    if len(content) != expected:
        problem = "is truncated" if len(content) < expected else "has bytes left over"
        raise DataError(where, f"{problem}: {len(content):,} bytes where {expected:,} are expected", "fetch it again")
    return np.frombuffer(content, each, offset=header).reshape(shape)
