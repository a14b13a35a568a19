"""Forgeries of judged exports that go around what is compared: compiled files, links, another version's name."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
from tests.prove.proving import TINY
from tests.prove.test_judged_exports import (
    FOLDER,
    GIVE,
    MADE,
    STORED,
    THERE,
    broken,
    copy,
    proved,
    put_right,
    seeds,
    told_anew,
)

import tinyproof
from tinyproof.core.errors import DataError
from tinyproof.data.load import load_digits
from tinyproof.prove import exporting
from tinyproof.prove.verify import recount_export
from tinyproof.ship import artefact, replaced

__all__ = ["copy", "proved"]  # fixtures


# ------------------------------------------------------------------ what is run


def test_a_compiled_file_beside_an_exported_network_is_not_run(copy: Path, tmp_path: Path) -> None:
    place = seeds(copy)[0]
    assert exporting.for_judging(place, "torch", TINY, load_digits()) == ""
    mark = tmp_path / "it-ran"
    evil = compile(f"open({str(mark)!r}, 'w').close()\nraise SystemExit", "network.py", "exec")
    cache = Path(importlib.util.cache_from_source(str(place / "export-torch" / "network.py")))
    cache.parent.mkdir(exist_ok=True)
    # Marked as checked by nobody: Python takes it without looking at the source.
    hashed = importlib._bootstrap_external._code_to_hash_pyc(evil, bytes(8), False)  # type: ignore[attr-defined]
    cache.write_bytes(hashed)
    found = tinyproof.verify(copy, model=TINY)
    assert not mark.exists()
    assert [line.holds for line in found.lines if line.what == GIVE] == [True] * 3
    assert not [name for name in tinyproof.pack(copy, out=tmp_path / "it.zip").names if "__pycache__" in name]


def test_an_export_behind_a_link_is_not_judged(copy: Path, tmp_path: Path) -> None:
    """`verify` looks into no link, so nothing there would be counted again."""
    place = seeds(copy)[0]
    put_right(place)
    told_anew(place)
    tinyproof.prove(copy, quiet=True)
    elsewhere = (place / FOLDER).rename(tmp_path / "elsewhere")
    (place / FOLDER).symlink_to(elsewhere)
    assert {THERE, STORED} <= broken(copy, weights=False)
    with pytest.raises(DataError, match="is a link"):
        tinyproof.prove(copy, quiet=True)


def test_the_judged_export_is_among_those_counted_again(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replaced, "beside", lambda _: [])
    assert THERE in broken(copy, weights=False)


# ------------------------------------------------------------------ another version


def test_a_new_version_that_makes_the_same_files_runs_them(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert exporting.for_judging(seeds(copy)[0], "torch", TINY, load_digits()) == ""
    for module in (artefact, recount_export):
        monkeypatch.setattr(module, "__version__", "99.0")
    found = tinyproof.verify(copy, model=TINY)
    assert [line.holds for line in found.lines if line.what in (MADE, GIVE)] == [True] * 6
    assert (found.broken, found.exit_code) == ((), 0)
