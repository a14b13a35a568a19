"""Files are written whole or not at all; reads are bounded; messages are one plain line."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

import pytest

from tinyproof.core import files
from tinyproof.core.errors import DataError, InputError, OutputError, one_line


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_write_replaces_the_whole_file_and_leaves_nothing_beside(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old")
    files.write_atomic(target, "new")
    assert target.read_text() == "new"
    assert names(tmp_path) == ["a.txt"]


def test_a_failure_half_way_keeps_the_old_file_and_removes_the_new(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old")

    def fail_half_way() -> None:
        with files.writing(target) as beside:
            beside.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_half_way()
    assert target.read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


def test_a_full_disk_is_one_line_and_keeps_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old")
    with pytest.raises(OutputError) as caught, files.writing(target):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert str(caught.value) == (
        f"{target}: cannot be written: no space left on the device; nothing half-written was left behind"
    )
    assert target.read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/full is Linux's own full disk")
def test_the_kernels_own_full_device_is_recognised() -> None:
    with pytest.raises(OSError) as caught, Path("/dev/full").open("wb", buffering=0) as full:
        full.write(b"x")
    assert files.reason(caught.value) == "no space left on the device"


def test_a_folder_in_the_way_of_a_file(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="a folder of that name is in the way"):
        files.write_atomic(tmp_path, "x")


def test_a_file_in_the_way_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("x")
    with pytest.raises(OutputError, match="a file is in the way where a folder should be"):
        files.output_folder(tmp_path / "out")
    with pytest.raises(OutputError, match="a file is in the way"):
        files.write_atomic(tmp_path / "out" / "a.txt", "x")


def test_output_folder_is_made_and_left_empty(tmp_path: Path) -> None:
    folder = files.output_folder(tmp_path / "a" / "b")
    assert folder.is_dir()
    assert names(folder) == []


@pytest.mark.parametrize(("size", "fine"), [(9, True), (10, True), (11, False)])
def test_reads_are_bounded(tmp_path: Path, size: int, fine: bool) -> None:
    (tmp_path / "a").write_bytes(b"x" * size)
    if fine:
        assert files.read_bounded(tmp_path / "a", 10) == b"x" * size
    else:
        with pytest.raises(DataError, match="is larger than 10 bytes"):
            files.read_bounded(tmp_path / "a", 10)


@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="Linux gives files that tell no size")
def test_a_file_that_tells_no_size_is_read_whole() -> None:
    assert Path("/proc/self/status").stat().st_size == 0
    assert files.read_bounded("/proc/self/status", 100_000).startswith(b"Name:")
    with pytest.raises(DataError, match="is larger than 10 bytes"):
        files.read_bounded("/proc/self/status", 10)


def test_reading_nothing_or_a_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        files.read_bounded(tmp_path / "missing", 10)
    with pytest.raises(DataError, match="is a folder, not a file"):
        files.read_bounded(tmp_path, 10)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are POSIX's")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DataError, match="is not a plain file"):
        files.read_bounded(tmp_path / "pipe", 10)


def test_existing_names_the_field(tmp_path: Path) -> None:
    assert files.existing(tmp_path) == tmp_path
    with pytest.raises(InputError, match=r"model: '.*nothing' is no file or folder; name one that is there"):
        files.existing(tmp_path / "nothing", "model")
    with pytest.raises(InputError):
        files.existing("a\0b")


def test_sha256_of_bytes_and_of_a_file_agree(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    # FIPS 180-2, appendix B.1
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert files.sha256(b"abc") == files.sha256(tmp_path / "a") == expected


def test_one_line_keeps_control_characters_out_and_stays_short() -> None:
    assert one_line("a\nb\x1b]0;title\x07") == "a b ]0;title "
    assert len(one_line("x" * 10_000, 120)) <= 120


def test_an_output_folder_is_checked_without_leaving_it(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    files.check_output(tmp_path / "a" / "b")
    files.check_output(tmp_path)
    assert [path.name for path in tmp_path.rglob("*")] == ["mine.txt"]
    with pytest.raises(OutputError, match="a file is in the way"):
        files.check_output(tmp_path / "mine.txt" / "out")
