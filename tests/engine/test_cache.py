"""The cache of compiled kernels: what is damaged or could be another's is not loaded, and a compiler may misbehave."""

from __future__ import annotations

import errno
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tinyproof.train.engine.native import build, kernel_cache
from tinyproof.train.engine.native.build import Compiler, NoCompiler, find_compiler, library, load

OFFERS = ("tiny_seven",)
SEVEN = 'extern "C" int tiny_seven() { return 7; }'
posix = pytest.mark.skipif(not hasattr(os, "geteuid"), reason="owners and modes are POSIX's")


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty cache of this test's own."""
    monkeypatch.setenv("TINYPROOF_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "kernels"


@pytest.fixture
def compiles() -> list[str]:
    """Each line that `library` says."""
    return []


def seven(said: list[str]) -> Path:
    path = library(SEVEN, find_compiler(), said.append, symbols=OFFERS)
    assert load(path, OFFERS).tiny_seven() == 7
    return path


def other_library(compiler: str, folder: Path) -> bytes:
    """A library that loads and offers something else."""
    out = folder / "other.so"
    subprocess.run(
        [compiler, "-shared", "-fPIC", "-x", "c++", "-", "-o", str(out)], input=b"int other;", check=True, timeout=60
    )
    return out.read_bytes()


@pytest.mark.oracle("compiler")
@pytest.mark.parametrize("damage", ["cut off", "empty", "one bit", "another library", "another library, well named"])
def test_a_damaged_library_is_compiled_again(
    damage: str, folder: Path, compiles: list[str], compiler: str, tmp_path: Path
) -> None:
    path = seven(compiles)
    content, other = path.read_bytes(), other_library(compiler, tmp_path)
    changed = {"cut off": content[: len(content) // 2], "empty": b"", "one bit": content[:-1] + b"?"}.get(damage, other)
    path.unlink()  # the loader still holds the file: what is damaged is a new one
    if damage.endswith("well named"):
        kernel_cache.keep(folder, path.name.partition("-")[0], changed)
    else:
        path.write_bytes(changed)
    seven(compiles)
    assert len(compiles) == 2
    kept = list(folder.iterdir())
    assert len(kept) == 1
    assert load(kept[0], OFFERS)
    seven(compiles)
    assert len(compiles) == 2  # and then it is kept


@posix
@pytest.mark.oracle("compiler")
@pytest.mark.usefixtures("compiler")
def test_what_is_kept_belongs_to_this_user_alone(
    folder: Path, compiles: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the moment on at which it has its name: another process may look at once."""
    modes, rename = [], Path.replace

    def watched(self: Path, target: Path) -> Path:
        modes.append(self.stat().st_mode & 0o777)
        return rename(self, target)

    monkeypatch.setattr(Path, "replace", watched)
    before = os.umask(0)
    try:
        path = seven(compiles)
    finally:
        os.umask(before)
    assert path.parent == folder
    assert folder.stat().st_mode & 0o777 == 0o700
    assert modes == [path.stat().st_mode & 0o777] == [0o600]


@pytest.mark.oracle("compiler")
@pytest.mark.usefixtures("compiler")
def test_a_full_disk_is_one_line_and_leaves_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(NoCompiler, match=r"cannot be kept: .*no space left on the device"):
        library(SEVEN, find_compiler(), symbols=OFFERS)
    assert not list(folder.iterdir())


def give_away(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make it another user's: truly for root, else by being somebody else from now on."""
    if os.geteuid() == 0:
        os.chown(path, 4_321, -1)
    else:
        user = os.geteuid()
        monkeypatch.setattr(os, "geteuid", lambda: user + 1)


@posix
@pytest.mark.oracle("compiler")
@pytest.mark.usefixtures("compiler")
@pytest.mark.parametrize("how", ["group", "world", "owner"])
def test_a_folder_that_others_can_write_is_not_used(
    how: str, folder: Path, compiles: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = seven(compiles)
    folder.chmod({"group": 0o770, "world": 0o707}.get(how, 0o700))
    if how == "owner":
        give_away(folder, monkeypatch)
    kernel_cache._private_folder.cache_clear()
    path = seven(compiles)
    assert path != first
    assert folder not in path.parents
    why = "belongs to another user" if how == "owner" else "can be written by others"
    assert why in compiles[1]
    assert len(compiles) == 3
    seven(compiles)
    assert len(compiles) == 3  # once for a process


@posix
@pytest.mark.oracle("compiler")
@pytest.mark.usefixtures("compiler")
@pytest.mark.parametrize("how", ["group", "owner"])
def test_a_library_that_others_can_write_is_compiled_again(
    how: str, folder: Path, compiles: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = seven(compiles)
    if how == "owner":
        if os.geteuid() != 0:
            pytest.skip("only root can give a single file away")
        give_away(path, monkeypatch)
    else:
        path.chmod(0o620)
    again = seven(compiles)
    assert len(compiles) == 2
    assert not kernel_cache.open_to_others(again)


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    find_compiler.cache_clear()
    yield monkeypatch
    find_compiler.cache_clear()


def fake(tmp_path: Path, script: str) -> str:
    """A program that stands for a compiler."""
    path = tmp_path / "fake-c++"
    path.write_bytes(b"#!/bin/sh\n" + script.encode("latin-1") + b"\n")
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize("named", ['g++ "-O2', "'", '""', "no-such-compiler-here"])
def test_a_compiler_that_cannot_be_named_is_one_line(named: str, fresh: pytest.MonkeyPatch) -> None:
    fresh.setenv("CXX", named)
    with pytest.raises(NoCompiler, match=r"cannot be read as a command|was not found") as caught:
        find_compiler()
    assert "\n" not in str(caught.value)


@posix
def test_messages_that_are_not_utf_8_are_one_line(fresh: pytest.MonkeyPatch, tmp_path: Path, folder: Path) -> None:
    fresh.setenv("CXX", fake(tmp_path, "printf 'arr\\351t\\n' >&2; exit 1"))
    with pytest.raises(NoCompiler, match=r"does not work \(arr.t\)"):
        find_compiler()
    compiler = Compiler((fake(tmp_path, "printf 'error: arr\\351t\\n' >&2; exit 1"),), "")
    with pytest.raises(NoCompiler, match=r"refused the kernels \(error: arr.t\)"):
        library(SEVEN, compiler, symbols=OFFERS)
    assert not list(folder.iterdir())


@posix
@pytest.mark.parametrize("what", ["probe", "compile"])
def test_a_compiler_that_hangs_is_ended_with_its_children(
    what: str, fresh: pytest.MonkeyPatch, tmp_path: Path, folder: Path
) -> None:
    """The child outlives its parent's death and holds the pipes: ending the parent alone would wait for it."""
    script = fake(tmp_path, f"sleep 300 &\necho $! > {tmp_path}/child\nwait")
    fresh.setattr(build, f"{what.upper()}_SECONDS", 2)
    fresh.setenv("CXX", script)
    begun = time.monotonic()
    with pytest.raises(NoCompiler, match=r"did not answer within 2 s|took more than 2 s"):
        find_compiler() if what == "probe" else library(SEVEN, Compiler((script,), ""), symbols=OFFERS)
    assert time.monotonic() - begun < 60
    child = int((tmp_path / "child").read_text())
    assert ended(child)


def ended(process: int) -> bool:
    """Whether a process is gone, or a zombie that nobody has buried; it may take a moment."""
    for _ in range(100):
        try:
            facts = Path(f"/proc/{process}/stat")
            if facts.exists() and facts.read_text().split()[2] == "Z":
                return True
            os.kill(process, 0)
        except OSError:
            return True
        time.sleep(0.1)
    return False


@posix
@pytest.mark.parametrize("script", ["exit 0", 'for last; do :; done; : > "$last"'])
def test_a_compiler_that_writes_nothing_leaves_nothing(script: str, tmp_path: Path, folder: Path) -> None:
    with pytest.raises(NoCompiler, match="wrote no library"):
        library(SEVEN, Compiler((fake(tmp_path, script),), ""), symbols=OFFERS)
    assert not list(folder.iterdir())


@posix
def test_a_library_that_cannot_be_loaded_is_not_kept(tmp_path: Path, folder: Path) -> None:
    script = 'for last; do :; done; echo no library > "$last"'
    with pytest.raises(NoCompiler, match="cannot be loaded"):
        library(SEVEN, Compiler((fake(tmp_path, script),), ""), symbols=OFFERS)
    assert not list(folder.iterdir())


@pytest.mark.oracle("compiler")
@pytest.mark.usefixtures("compiler")
def test_a_library_without_the_kernels_functions_is_refused(folder: Path) -> None:
    with pytest.raises(NoCompiler, match="it lacks tiny_create, tiny_destroy"):
        library(SEVEN, find_compiler())
    assert not list(folder.iterdir())
