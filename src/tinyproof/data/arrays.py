"""Plain arrays in a file: read back as they were written, bounded, without pickle."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyproof.core.archives import opened
from tinyproof.core.errors import DataError, TinyproofError, one_line
from tinyproof.core.files import read_bounded

MOST_BYTES = 2_000_000_000

Arrays = dict[str, NDArray[Any]]


def load_arrays(path: Path, most_bytes: int | None = None) -> Arrays:
    """The arrays of an .npz file that unpacks to at most `most_bytes`. Raises DataError for anything else."""
    most = MOST_BYTES if most_bytes is None else most_bytes
    content = read_bounded(path, most)
    try:
        with opened(content) as archive:
            # A zip says how large its members become; believe it before unpacking, so a bomb stops here.
            if sum(member.file_size for member in archive.infolist()) > most:
                raise DataError(str(path), f"unpacks to more than {most:,} bytes")
        # A warning is a remark on the file, for whoever wrote it: what is remarked on is not what we write.
        with warnings.catch_warnings(action="error"), np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            found = {name: arrays[name] for name in arrays.files}
    except TinyproofError:
        raise
    except Exception as error:
        # Damaged bytes make the unzipper, the decompressor and numpy's reader of headers raise nearly anything.
        raise DataError(str(path), "is not a whole .npz file of plain arrays") from error
    for name, array in found.items():
        if not isinstance(array, np.ndarray):  # a member that does not begin as an array comes as its bytes
            raise DataError(str(path), f"holds {one_line(name, 40)!r}, which is no array")
    return found
