"""Six commands as an ordinary user, with a home that is closed or missing, on a full disk, on streams that cannot show
every letter: each does all that was asked, or says one line; what is written is the same everywhere."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from PIL import Image, ImageDraw
from tests.conftest import program

pytestmark = pytest.mark.skipif(not hasattr(os, "geteuid"), reason="users and modes are POSIX's")

NOBODY, UNKNOWN = 65534, 48151  # the second has no entry among the users: neither name nor home
PROVE = ("prove", "s7-8k", "--dataset", "digits", "--recipe", "digits,epochs=1", "--seeds", 2, "--target", 5)
COMMANDS: dict[str, tuple[object, ...]] = {
    "workbook": ("workbook", "course", "--rates", "0.5", "-n", 5, "--out", "book.xlsx"),
    "audit": ("audit", "book.xlsx", "--html", "class.html", "--csv", "class.csv"),
    "prove": (*PROVE, "--engine", "torch", "--processes", 1, "--threads", 1, "--out", "proof"),
    "verify": ("verify", "proof"),
    "report": ("report", "proof"),
    "predict": ("predict", "first", "seven.png"),
}
NO_ROOM = "tinyproof: no folder for temporary files can be written"  # torch asks for one
WRITES = ("workbook", "audit", "prove", "report")


def as_user(number: int) -> list[str]:
    """What runs a command as that user; nothing where an ordinary user runs these tests.

    Where this interpreter lies in a folder of root's own, the user may read every file, and write none but their own.
    """
    if os.geteuid() != 0 or number == 0:
        return []
    words = [program("setpriv"), f"--reuid={number}", f"--regid={number}", "--clear-groups"]
    reads = subprocess.run([*words, "env", sys.executable, "-c", "import tinyproof, typer, numpy"], capture_output=True)
    reach = [] if reads.returncode == 0 else [f"--{kind}-caps=+dac_read_search" for kind in ("inh", "ambient")]
    return [*words, *reach]


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that ordinary users can enter, as pytest's own is not, with a picture in it."""
    folder = Path(tempfile.mkdtemp(prefix="anywhere-"))
    picture = Image.new("L", (60, 60), "white")
    ImageDraw.Draw(picture).line([(15, 15), (45, 15), (25, 50)], fill="black", width=6)
    picture.save(folder / "seven.png")
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def given(folder: Path, number: int) -> None:
    """The folder and what is in it are that user's."""
    if os.geteuid() == 0:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, number, number)


def run(
    words: tuple[object, ...], folder: Path, number: int = NOBODY, before: tuple[str, ...] = (), **environment: str
) -> CompletedProcess[bytes]:
    """The command in that folder as that user; of the environment only what is named, and the path."""
    there = {name: os.environ[name] for name in ("PATH", "OMP_NUM_THREADS") if name in os.environ}
    if words[0] == "predict":
        (seed,) = sorted(folder.glob("proof/seed-*"))[:1]
        words = (words[0], seed, *words[2:])
    return subprocess.run(
        [*as_user(number), *before, sys.executable, "-m", "tinyproof", *map(str, words)],
        cwd=folder, env={**there, "COLUMNS": "120", "NO_COLOR": "1", **environment},
        stdin=subprocess.DEVNULL, capture_output=True, timeout=300, check=False,
    )  # fmt: skip


# Each takes half a minute, so two things that have nothing to do with each other stand together.
PLACES: dict[str, tuple[int, dict[str, str]]] = {
    "a home that cannot be written, a strict locale": (
        NOBODY,
        {"HOME": "closed", "LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    ),
    "no home, and no name, Windows in the west": (UNKNOWN, {"PYTHONIOENCODING": "cp1252:strict"}),
    "Windows' old console": (NOBODY, {"PYTHONIOENCODING": "cp437:strict"}),
}


@pytest.mark.parametrize("name", PLACES)
def test_everything_is_done(name: str, place: Path) -> None:
    number, environment = PLACES[name]
    given(place, number)
    if "HOME" in environment:
        home = place / environment["HOME"]
        home.mkdir(mode=0o555)
        environment = {**environment, "HOME": str(home)}
    for command, words in COMMANDS.items():
        done = run(words, place, number, **environment)
        assert (done.returncode, b"Traceback" in done.stderr) == (0, False), (command, done.stderr)
        assert done.stdout or command == "workbook", (command, done.stderr)
        assert b"Warning" not in done.stderr, (command, done.stderr)
    written = sorted(path.name for path in place.iterdir())
    assert written == sorted({"book.xlsx", "class.csv", "class.html", "proof", "seven.png"} | ({"closed"} & {*written}))
    for file in ("class.html", "class.csv", "proof/report.html", "proof/verdict.json"):
        assert (place / file).read_text(encoding="utf-8")


@pytest.mark.oracle("compiler")
@pytest.mark.usefixtures("compiler")
def test_compiled_kernels_without_a_home_to_keep_them_in(place: Path) -> None:
    given(place, UNKNOWN)
    words = ("train", "fast", "--dataset", "digits", "--epochs", 1, "--threads", 1, "--engine")
    home = place / "home"
    home.mkdir(mode=0o555)
    for environment in ({"HOME": str(home)}, {}):
        done = run((*words, "auto", "--force", "--out", "run"), place, UNKNOWN, **environment)
        assert done.returncode == 0, done.stderr
        assert b"Traceback" not in done.stderr
        assert sorted(path.name for path in place.iterdir()) == ["home", "run", "seven.png"]


def limited(command: tuple[object, ...], folder: Path, size: int) -> CompletedProcess[bytes]:
    """The command where no file may grow beyond so many bytes, as on a disk with no more room."""
    return run(command, folder, before=(program("prlimit"), f"--fsize={size}", "--"))


@pytest.mark.skipif(sys.platform != "linux", reason="prlimit is Linux's")
def test_without_room_each_command_is_done_or_says_one_line(place: Path) -> None:
    given(place, NOBODY)
    for command, words in COMMANDS.items():
        before = {path: path.stat().st_mtime_ns for path in place.rglob("*") if path.is_file()}
        for size in (0, 700) if command in WRITES else (0,):
            done = limited(words, place, size)
            said = done.stderr.decode().splitlines()
            if command not in WRITES:
                assert done.returncode == 0 or said[-1] == NO_ROOM, (command, said)
                continue
            assert done.returncode == 2, (command, said)
            assert "cannot be written" in said[-1] or "writable" in said[-1], (command, said)
            assert [line for line in said if line.startswith("tinyproof: ")] == said[-1:], (command, said)
            assert b"Traceback" not in done.stderr
            for path, when in before.items():
                assert path.stat().st_mtime_ns == when, (command, path)
            assert not list(place.rglob("*.partial")), command
        done = run(words, place)
        assert done.returncode == 0, (command, done.stderr)


@pytest.fixture
def small_disk(place: Path) -> Iterator[Path]:
    """A file system of 64 kB."""
    folder = place / "small"
    folder.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=64k", "tinyproof-test", str(folder)]
    if os.geteuid() != 0 or subprocess.run(words, capture_output=True).returncode:
        pytest.skip("only root may mount a small file system, and not everywhere")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.skipif(sys.platform != "linux", reason="tmpfs is Linux's")
def test_a_disk_that_fills_up_on_the_way(small_disk: Path, place: Path) -> None:
    """Room for the declaration and not for the runs; when there is room again, the same command ends what it began."""
    given(place, NOBODY)
    words = COMMANDS["prove"]
    (small_disk / "fill").write_bytes(b"\0" * 40_000)
    done = run(words, small_disk)
    said = done.stderr.decode().splitlines()
    assert done.returncode == 2, said
    assert "no space left on the device" in said[-1]
    assert b"Traceback" not in done.stderr
    assert (small_disk / "proof" / "declared.json").is_file()
    assert not list(small_disk.rglob("*.partial"))
    (small_disk / "fill").unlink()
    subprocess.run(["mount", "-o", "remount,size=8m", str(small_disk)], check=True)
    assert run(words, small_disk).returncode == 0
    assert run(("verify", "proof"), small_disk).returncode == 0


def test_what_may_not_be_read_is_named_and_costs_nobody_else(place: Path) -> None:
    """A folder that is closed, one that may be listed and not entered, single files; beside one that is open."""
    given(place, NOBODY)
    assert run(COMMANDS["workbook"], place).returncode == 0
    assert run(COMMANDS["prove"], place).returncode == 0
    handed_in, proofs = place / "handed in", place / "proofs"
    for name in ("open", "closed", "listed"):
        (handed_in / name).mkdir(parents=True)
        shutil.copy(place / "book.xlsx", handed_in / name)
        shutil.copytree(place / "proof", proofs / name)
    for name in ("secret.xlsx", "secret.py", "secret.csv", "secret.ipynb"):
        (handed_in / "open" / name).write_text("")
    given(place, 0)
    for folder in (handed_in, proofs):
        (folder / "closed").chmod(0)
        (folder / "listed").chmod(0o444)
    for path in handed_in.glob("open/secret*"):
        path.chmod(0)
    before = () if os.geteuid() else (program("setpriv"), "--bounding-set=-dac_override,-dac_read_search")
    try:
        judged = run(("audit", handed_in), place, 0, before)
        verified = run(("verify", proofs, "--no-weights"), place, 0, before)
        told = run(("journal", proofs), place, 0, before)
    finally:
        for folder in (handed_in, proofs):
            for name in ("closed", "listed"):
                (folder / name).chmod(0o755)
    said = judged.stdout.decode()
    assert (judged.returncode, judged.stderr) == (1, b"")
    assert "3 files: 1 right, 2 unreadable" in said
    for name in ("closed", "listed/book.xlsx", "open/secret.py", "open/secret.csv"):
        (line,) = [line for line in said.splitlines() if line.startswith(str(handed_in / name))]
        assert "it cannot be read: no permission" in line
    assert (verified.returncode, verified.stderr) == (1, b"")
    broken = [line for line in verified.stdout.decode().splitlines() if "BROKEN" in line]
    assert [(line.split()[0], "no permission" in line) for line in broken] == [("closed", True), ("listed", True)]
    assert (told.returncode, told.stderr) == (1, b"")
    assert told.stdout.count(b"unreadable: no permission") == 2
