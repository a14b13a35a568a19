"""A proof in one file: the same bytes each time, read as its folder is, hostile archives refused."""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from tests.stored_records import PACKS, stored

import tinyproof
from tinyproof.core.errors import DataError, InputError, TinyproofError

Cli = Callable[..., CompletedProcess[str]]


@pytest.fixture
def fast(tmp_path: Path) -> Path:
    return Path(shutil.copytree(stored("fast"), tmp_path / "fast"))


def lines(folder: Path) -> list[tuple[str, bool | None, str]]:
    """The checks without the name of what they are of."""
    return [(line.what, line.holds, line.found) for line in tinyproof.verify(folder, weights=False).lines]


def test_one_content_gives_the_same_bytes_whenever_and_by_whomever(fast: Path, tmp_path: Path) -> None:
    first = tinyproof.pack(fast, out=tmp_path / "a.zip")
    for file in fast.rglob("*"):
        os.utime(file, (1, 1))
        file.chmod(0o700)
    (fast / ".lease-1").touch()
    (fast / "link").symlink_to(stored("fast"))
    (fast / "checkpoint.npz").write_bytes(b"of this machine")
    second = tinyproof.pack(fast, out=tmp_path / "b.zip")
    assert first.digest == second.digest
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    assert set(first.names) == {path.relative_to(stored("fast")).as_posix() for path in stored("fast").rglob("*.*")}


@pytest.mark.parametrize("name", PACKS)
def test_the_records_of_this_repository_are_packs_of_their_folders(name: str, tmp_path: Path) -> None:
    """But for what another version of zlib makes of the same bytes."""

    def members(path: Path) -> list[tuple[object, ...]]:
        with zipfile.ZipFile(path) as pack:
            return [(i.filename, i.date_time, i.external_attr, i.compress_type, i.CRC) for i in pack.infolist()]

    assert members(tinyproof.pack(stored(name), out=tmp_path / "again.zip").path) == members(PACKS[name])


def test_a_pack_is_verified_reported_and_told_as_its_folder_is(fast: Path, tmp_path: Path) -> None:
    path = tinyproof.pack(fast).path
    assert path == tmp_path / "fast.zip"
    assert lines(path) == lines(fast)
    assert [e.to_json() for e in tinyproof.journal(path).entries] == [
        e.to_json() for e in tinyproof.journal(fast).entries
    ]
    assert (tmp_path / "fast-journal.html").is_file()
    page = tinyproof.report(path).path
    assert page == tmp_path / "fast-report.html"
    assert page.read_text() == tinyproof.report(fast).path.read_text().replace(f"verify {fast}<", f"verify {path}<")
    assert f"tinyproof verify {path}" in page.read_text()


def test_packs_in_a_folder_are_verified_under_their_names(fast: Path, tmp_path: Path) -> None:
    tinyproof.pack(fast)
    shutil.rmtree(fast)
    (tmp_path / "notes.zip").write_bytes(b"not an archive")
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as archive:
        archive.writestr("holiday/a.txt", "sun")
    found = tinyproof.verify(tmp_path, weights=False)
    assert found.exit_code == 0
    assert {line.place.split("/")[0] for line in found.lines if line.holds} == {"fast.zip"}
    assert [line.what for line in found.lines if line.place == "notes.zip"] == ["an archive"]
    assert any("photos.zip" in line.found for line in found.lines if line.what == "other folders in it")


def test_one_changed_figure_in_a_pack_is_broken(fast: Path, tmp_path: Path) -> None:
    file = next(fast.glob("seed-*/run.json"))
    data = json.loads(file.read_text())
    data["epochs"][-1]["test_percent"] += 0.5
    file.write_text(json.dumps(data))
    found = tinyproof.verify(tinyproof.pack(fast).path, weights=False)
    assert found.exit_code == 1
    assert found.broken


def test_a_run_with_weights_goes_into_a_pack_and_its_weights_answer_again(tmp_path: Path) -> None:
    tinyproof.train("s7-8k", dataset="digits", epochs=1, out=tmp_path / "run", quiet=True)
    path = tinyproof.pack(tmp_path / "run").path
    again = [line for line in tinyproof.verify(path).lines if "weights" in line.what]
    assert again
    assert all(line.holds for line in again)
    light = tinyproof.pack(tmp_path / "run", out=tmp_path / "light.zip", weights=False)
    assert not any(name.endswith(".safetensors") for name in light.names)
    assert [line.found for line in tinyproof.verify(light.path).broken] == [
        "they are missing; --no-weights checks everything else"
    ]
    assert tinyproof.verify(light.path, weights=False).exit_code == 0


def test_an_archive_that_leads_out_or_is_no_whole_one_is_one_line(tmp_path: Path) -> None:
    for name, member in (("out.zip", "../evil"), ("rooted.zip", "/evil")):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            archive.writestr(member, "x")
        with pytest.raises(DataError, match="leads out of the archive"):
            tinyproof.verify(tmp_path / name)
    (tmp_path / "cut.zip").write_bytes(
        tinyproof.pack(stored("fast"), out=tmp_path / "whole.zip").path.read_bytes()[:-200]
    )
    # What is left may end in a whole .npz, which is an archive too.
    with pytest.raises(TinyproofError, match=r"no archive that can be read|holds no proof"):
        tinyproof.verify(tmp_path / "cut.zip")
    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize("option", ["analysis", "markdown", "notebook"])
def test_nothing_is_written_into_a_pack(option: str, fast: Path, tmp_path: Path) -> None:
    path = tinyproof.pack(fast).path
    before = path.read_bytes()
    given = {option: str(tmp_path / "x"), **({"of": "fast"} if option == "analysis" else {})}
    with pytest.raises(InputError, match="is a pack, which is only read"):
        tinyproof.journal(path, **given)  # type: ignore[arg-type]
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["fast", "--out", "mine.zip"], "is there already, and no pack; name another"),
        (["fast", "--out", "fast.tar"], "a name that ends in .zip"),
        (["nothing"], "is no file or folder"),
        (["empty"], "holds no proof, no comparison and no run"),
    ],
)
def test_what_cannot_be_packed_is_one_line(words: list[str], said: str, fast: Path, cli: Cli) -> None:
    (fast.parent / "mine.zip").write_bytes(b"my own")
    (fast.parent / "empty").mkdir()
    found = cli("pack", *(word if word.startswith("-") else fast.parent / word for word in words))
    assert found.returncode == 2
    assert said in found.stderr
    assert found.stderr.count("\n") == 1
    assert (fast.parent / "mine.zip").read_bytes() == b"my own"


def test_the_command_says_what_was_packed_and_packs_again_over_its_own(fast: Path, cli: Cli) -> None:
    for _ in range(2):
        found = cli("pack", fast, "--json")
        assert found.returncode == 0, found.stderr
    assert json.loads(found.stdout)["holds"] == ["proof fast: proved"]


# ------------------------------------------------------------------ what a pack must not do


def test_a_pack_of_more_and_somebodys_archive_are_not_replaced(fast: Path, tmp_path: Path) -> None:
    whole = tinyproof.pack(fast, out=tmp_path / "p.zip").path
    theirs = tmp_path / "backup.zip"
    with zipfile.ZipFile(theirs, "w") as archive:
        archive.writestr("thesis.txt", "years of work")
        for name in ("run.json", "predictions.npz"):
            archive.writestr(f"old/run/{name}", next(fast.glob("seed-*")).joinpath(name).read_bytes())
    before = whole.read_bytes(), theirs.read_bytes()
    with pytest.raises(InputError, match=r"holds what this would not \(proof .\)"):
        tinyproof.pack(next(fast.glob("seed-*")), out=whole)
    with pytest.raises(InputError, match="is there already, and no pack"):
        tinyproof.pack(fast, out=theirs)
    assert (whole.read_bytes(), theirs.read_bytes()) == before


def test_a_pack_in_its_own_folder_does_not_grow(fast: Path) -> None:
    first = tinyproof.pack(fast, out=fast / "in.zip")
    again = tinyproof.pack(fast, out=fast / "in.zip")
    assert (first.digest, first.names) == (again.digest, again.names)


def test_weights_of_an_export_stay_where_those_of_the_run_are_left_out(tmp_path: Path) -> None:
    tinyproof.train("fast", dataset="digits", epochs=1, out=tmp_path / "run", quiet=True)
    tinyproof.export(tmp_path / "run", to="torch")
    light = tinyproof.pack(tmp_path / "run", out=tmp_path / "light.zip", weights=False)
    assert "weights.safetensors" not in light.names
    assert "export-torch/network.safetensors" in light.names
    assert tinyproof.verify(light.path, weights=False).broken == ()


def test_all_packs_together_are_bounded(fast: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "packs"
    folder.mkdir()
    for name in "ab":
        tinyproof.pack(fast, out=folder / f"{name}.zip")
    monkeypatch.setattr("tinyproof.api.verify.MOST_BYTES", 800_000)
    found = tinyproof.verify(folder, weights=False)
    assert [line.place for line in found.lines if line.holds is None and line.what == "an archive"] == ["b.zip"]
    assert "hold more than" in next(line.found for line in found.lines if line.place == "b.zip")


@pytest.mark.skipif(os.name == "nt", reason="no such names there")
@pytest.mark.parametrize("name", ["a:b.txt", "a\\b.txt", "x" * 220, os.fsdecode(b"\xff\xfe")])
def test_a_file_that_could_not_be_unpacked_is_not_packed(name: str, fast: Path, tmp_path: Path) -> None:
    (fast / name).write_text("x")
    with pytest.raises(DataError, match="rename it"):
        tinyproof.pack(fast, out=tmp_path / "p.zip")
    assert not (tmp_path / "p.zip").exists()


@pytest.mark.parametrize("name", ["..zip", "...zip"])
def test_a_name_of_dots_is_a_name(name: str, fast: Path, tmp_path: Path) -> None:
    assert tinyproof.verify(tinyproof.pack(fast, out=tmp_path / name).path, weights=False).exit_code == 0
