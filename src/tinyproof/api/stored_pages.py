"""The page of a stored proof, comparison or reproduction, made again from what its folder holds."""

from __future__ import annotations

from pathlib import Path

from tinyproof.api import compare, prove, reproduce
from tinyproof.api.prove import REPORT
from tinyproof.prove import comparison, declaration, proof


def rewrite(folder: str | Path, dataset: str | None = None, data: str | None = None) -> Path | None:
    """Write `report.html` again and return its path; None where the folder holds none of the three.

    Raises DataError and InputError for records that are broken.
    """
    folder = Path(folder)
    names = reproduce.present(folder)
    if (folder / declaration.FILE).is_file():
        found = proof.load(folder)
        proof.write_verdict(found)
        return prove.report(found, dataset, data)
    if (folder / comparison.FILE).is_file() or names:
        (folder / REPORT).unlink(missing_ok=True)
        if names:
            reproduce.finish(folder, names)
        else:
            compare.finish(folder)
        return folder / REPORT
    return None
