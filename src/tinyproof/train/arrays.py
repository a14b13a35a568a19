"""Plain arrays in a file: read back as they were written, bounded, without pickle."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyproof.core.errors import DataError
from tinyproof.core.files import read_bounded

MOST_BYTES = 2_000_000_000

Arrays = dict[str, NDArray[Any]]


def load_arrays(path: Path) -> Arrays:
    """The arrays of an .npz file. Raises DataError for anything else."""
    content = read_bounded(path, MOST_BYTES)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            # A zip says how large its members become; believe it before unpacking, so a bomb stops here.
            if sum(member.file_size for member in archive.infolist()) > MOST_BYTES:
                raise DataError(str(path), f"unpacks to more than {MOST_BYTES:,} bytes")
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except (zipfile.BadZipFile, ValueError, KeyError, EOFError, OSError) as error:
        raise DataError(str(path), "is not a whole .npz file of plain arrays") from error
