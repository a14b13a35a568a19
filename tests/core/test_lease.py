"""One process at a time in a folder: races, kills at random moments, disks that fail, machines whose clocks differ."""

from __future__ import annotations

import contextlib
import errno
import json
import multiprocessing as mp
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import pytest

from tinyproof.core import lease, lease_file, process_identity
from tinyproof.core.errors import DataError, OutputError
from tinyproof.core.lease import BEAT_SECONDS, STALE_SECONDS, Busy, Watch, check, hold
from tinyproof.core.process_identity import Process, gone, this

posix = pytest.mark.skipif(sys.platform == "win32", reason="processes are killed and asked for differently there")
ELSEWHERE = Process("node7", "another machine", 4711, "1")


class Clock:
    """A clock that goes on by so many seconds whenever it is read."""

    def __init__(self, step: float) -> None:
        self.now, self.step = 0.0, step

    def __call__(self) -> float:
        self.now += self.step
        return self.now


def left_by(folder: Path, holder: Process, number: int = 1, **more: object) -> Path:
    """The lease of a process as it lies on the disk."""
    path = lease_file.path_of(folder, number)
    told = {**vars(holder), "key": "k", "since": "2026-01-02 03:04:05+00:00", "beat": 7, "ended": False, **more}
    path.write_bytes(json.dumps(told).encode().ljust(lease_file.LENGTH - 1) + b"\n")
    return path


def dead() -> Process:
    """A process of this machine that has ended, and of which nobody has asked how."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    found = replace(this(), number=child.pid, began=process_identity._began(child.pid))
    child.wait()
    return found


# ------------------------------------------------------------------ holding and letting go


def test_one_holds_it_and_then_the_next_one(tmp_path: Path) -> None:
    for number in (1, 2, 3):
        with hold(tmp_path) as mine:
            assert [path.name for path in tmp_path.iterdir()] == [f".lease-{number}"]
            with pytest.raises(Busy), hold(tmp_path):
                pass
            check(tmp_path)
        assert mine.path.stat().st_size == lease_file.LENGTH
        assert json.loads(mine.path.read_bytes())["ended"], "other processes would wait for this one to end"


def test_who_read_an_overtaken_lease_takes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that stood still since it saw that the folder was free: the number after that one is free again."""
    left_by(tmp_path, ELSEWHERE, 1, ended=True)
    seen, look = lease_file.look(tmp_path), lease.look
    lease_file.path_of(tmp_path, 1).unlink()
    left_by(tmp_path, ELSEWHERE, 3)
    outdated = [seen]
    monkeypatch.setattr(lease, "look", lambda folder: outdated.pop() if outdated else look(folder))
    with pytest.raises(Busy, match="in use by process 4711 on node7"), hold(tmp_path):
        pass
    assert outdated == []
    assert [path.name for path in tmp_path.iterdir()] == [".lease-3"]


def test_the_message_says_who_where_since_when_and_what_to_do(tmp_path: Path) -> None:
    left_by(tmp_path, ELSEWHERE)
    with pytest.raises(Busy) as caught, hold(tmp_path):
        pass
    assert str(caught.value) == (
        f"out: '{tmp_path}' is in use by process 4711 on node7 since 2026-01-02 03:04:05+00:00; "
        "wait for that process, or stop it; where it is gone for certain, remove .lease-1"
    )


def test_what_another_process_says_of_itself_moves_no_cursor(tmp_path: Path) -> None:
    left_by(tmp_path, replace(ELSEWHERE, host="a\x1b[2J\nb" + "c" * 900), since="x\ny" * 300)
    with pytest.raises(Busy) as caught, hold(tmp_path):
        pass
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 500


def test_its_holder_counts_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "BEAT_SECONDS", 0.02)
    watch = Watch()
    with hold(tmp_path) as mine:
        watch.look(tmp_path)
        until(lambda: watch.look(tmp_path) is not None and watch.alive(tmp_path))
        assert "last sign of life 0 s ago" in watch.words(tmp_path)
        assert json.loads(mine.path.read_bytes())["beat"] >= 1
    assert watch.look(tmp_path) is None


def until(come: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not come():
        assert time.monotonic() < deadline, "the moment never came"
        time.sleep(0.005)


def test_patience_waits_until_it_is_free(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from tinyproof.core.lease import hold\n"
        "with hold(Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"
    )
    child = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stdout is not None
    assert child.stdin is not None
    assert child.stdout.readline() == b"held\n"
    with pytest.raises(Busy, match=rf"process {child.pid} on "), hold(tmp_path, patience=0.3):
        pass
    child.stdin.close()
    with hold(tmp_path, patience=60) as mine:
        assert mine.number == 2
    assert child.wait(30) == 0


# ------------------------------------------------------------------ who is gone


@posix
def test_a_process_of_this_machine_that_is_gone_blocks_nobody(tmp_path: Path) -> None:
    left_by(tmp_path, dead())
    with hold(tmp_path) as mine:
        assert mine.number == 2


@posix
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="the system does not tell when a process started")
def test_a_number_that_was_given_to_another_process_and_a_zombie_are_gone() -> None:
    assert not gone(this())
    assert gone(replace(this(), began="1"))
    assert not gone(replace(this(), began=""))  # nothing is known of its start
    assert not gone(replace(this(), machine="another", number=dead().number))
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    known = replace(this(), number=child.pid, began=process_identity._began(child.pid))
    assert not gone(known)
    child.kill()
    until(lambda: gone(known))  # it has ended, and nobody has asked for its exit code
    assert child.wait() == -signal.SIGKILL
    assert gone(known)


def test_a_process_of_another_machine_blocks_for_the_stated_time_and_no_longer(tmp_path: Path) -> None:
    left_by(tmp_path, ELSEWHERE)
    watch = Watch(Clock(1))
    seen = [watch.look(tmp_path) is not None for _ in range(round(STALE_SECONDS) + 1)]
    assert seen == [True] * round(STALE_SECONDS) + [False]
    with hold(tmp_path, watch=watch) as mine:
        assert mine.number == 2
        assert not lease_file.path_of(tmp_path, 1).exists()


def test_no_clock_but_that_of_whoever_waits_counts(tmp_path: Path) -> None:
    path = left_by(tmp_path, ELSEWHERE, since="1999-01-01 00:00:00+00:00")
    os.utime(path, (1, 1))
    watch = Watch(Clock(1))
    for beat in range(200):  # it lives, three times as long as a dead one would block
        left_by(tmp_path, ELSEWHERE, since="2099-01-01 00:00:00+00:00", beat=beat)
        os.utime(path, (1, 1))
        assert watch.look(tmp_path) is not None
    for _ in range(round(STALE_SECONDS) - 1):
        os.utime(path, (4e9, 4e9))
        assert watch.look(tmp_path) is not None
    assert watch.look(tmp_path) is None


def test_who_slept_while_waiting_does_not_take_the_living_for_dead(tmp_path: Path) -> None:
    left_by(tmp_path, ELSEWHERE)
    watch = Watch(Clock(3600))
    looks = 0
    while watch.look(tmp_path) is not None:
        looks += 1
    assert looks == STALE_SECONDS / BEAT_SECONDS


def test_a_lease_that_its_killed_writer_left_empty_blocks_for_the_stated_time(tmp_path: Path) -> None:
    for content in (b"", b"{", b"[]", b'{"host": 3}', b"[" * 2000, b"\xff"):
        for path in tmp_path.iterdir():
            path.unlink()
        lease_file.path_of(tmp_path, 1).write_bytes(content)
        watch = Watch(Clock(BEAT_SECONDS))
        with pytest.raises(Busy, match="by a process that did not write down which it is"), hold(tmp_path, watch=watch):
            pass
        until(lambda watch=watch: watch.look(tmp_path) is None)  # type: ignore[misc]
        with hold(tmp_path, watch=watch):
            pass


def test_a_copy_of_a_folder_in_use_is_free_after_the_stated_time(tmp_path: Path) -> None:
    used, copy = tmp_path / "used", tmp_path / "copy"
    used.mkdir()
    with hold(used):
        shutil.copytree(used, copy)
        watch = Watch(Clock(1))
        assert watch.look(copy) is not None
        until(lambda: watch.look(copy) is None)


def test_whoever_was_taken_over_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "BEAT_SECONDS", 0.02)
    with hold(tmp_path) as mine:
        check(tmp_path)
        left_by(tmp_path, ELSEWHERE, 2)
        with pytest.raises(Busy, match="was taken over by another process: this one had shown no life for 60 s"):
            check(tmp_path)
        mine.path.unlink()  # as whoever takes it over does
        mine.lost = False
        until(lambda: mine.lost)
        with pytest.raises(Busy):
            check(tmp_path, at_once=False)
    assert json.loads(lease_file.path_of(tmp_path, 2).read_bytes())["number"] == ELSEWHERE.number
    check(tmp_path)  # nothing is held here any more


def test_who_waits_for_a_sign_of_life_is_told_and_takes_over_where_none_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "STALE_SECONDS", 0.5)
    left_by(tmp_path, ELSEWHERE)
    said: list[str] = []
    begun = time.monotonic()
    with hold(tmp_path, until_sign=True, say=said.append) as mine:
        assert mine.number == 2
    assert time.monotonic() - begun >= 0.5
    assert said == [
        f"{tmp_path} is in use by process 4711 on node7 since 2026-01-02 03:04:05+00:00; "
        "waiting for a sign of life, at most 0.5 s"
    ]


def test_who_waits_for_work_of_a_few_seconds_outlasts_the_dead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(0)
    monkeypatch.setattr(lease.time, "monotonic", clock)
    monkeypatch.setattr(lease.time, "sleep", lambda seconds: setattr(clock, "now", clock.now + seconds))
    left_by(tmp_path, ELSEWHERE)
    with hold(tmp_path, patience=lease.PATIENCE_SECONDS, watch=Watch(clock)) as mine:
        assert mine.number == 2
    assert clock.now == pytest.approx(STALE_SECONDS, abs=1)
    left_by(tmp_path, ELSEWHERE, 3)
    with pytest.raises(Busy, match=r"\(no sign of life in 5\d s\)"), hold(tmp_path, patience=55, watch=Watch(clock)):
        pass


def test_who_waits_for_a_sign_of_life_stops_waiting_when_it_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left_by(tmp_path, ELSEWHERE)
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 3:
            left_by(tmp_path, ELSEWHERE, beat=8)

    monkeypatch.setattr(lease.time, "sleep", sleep)
    words = r"\(last sign of life 0 s ago\); wait for that process, or stop it"
    with pytest.raises(Busy, match=words), hold(tmp_path, until_sign=True):
        pass
    assert len(slept) == 3


# ------------------------------------------------------------------ races


def _contend(folder: Path, rounds: int, seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(rounds):
        while True:
            with contextlib.suppress(Busy), hold(folder):
                count = int((folder / "count").read_text())
                time.sleep(rng.uniform(0, 0.002))
                (folder / "count").write_text(str(count + 1))
                break
            time.sleep(rng.uniform(0, 0.002))


def test_many_processes_never_hold_it_together(tmp_path: Path) -> None:
    (tmp_path / "count").write_text("0")
    context = mp.get_context("spawn")
    many = [context.Process(target=_contend, args=(tmp_path, 60, seed)) for seed in range(6)]
    for process in many:
        process.start()
    for process in many:
        process.join(240)
        assert process.exitcode == 0
    assert (tmp_path / "count").read_text() == "360"
    assert [path.name for path in tmp_path.glob(".lease-*")] == [".lease-360"]


def _race(folder: Path, rounds: int, barrier: Barrier, won: Any, slow: bool) -> None:
    for number in range(rounds):
        watch, place = Watch(Clock(BEAT_SECONDS)), folder / str(number)
        while watch.look(place) is not None:
            pass
        barrier.wait(240)
        if slow and number % 3 == 0:
            time.sleep(0.01)  # it has read what the others have overtaken by now
        with contextlib.suppress(Busy), hold(place, watch=watch):
            with won.get_lock():
                won[number] += 1
            barrier.wait(240)  # nobody lets go before all have tried
            continue
        barrier.wait(240)


@posix
@pytest.mark.parametrize("kind", ["of another machine", "of this machine", "empty"])
def test_of_ten_that_race_for_a_stale_lease_exactly_one_wins(kind: str, tmp_path: Path) -> None:
    rounds, racers, ended = 100, 10, dead()
    for number in range(rounds):
        place = tmp_path / str(number)
        place.mkdir()
        if kind == "empty":
            lease_file.path_of(place, 5).touch()
        else:
            left_by(place, ELSEWHERE if kind == "of another machine" else ended, 5)
    context = mp.get_context("spawn")
    barrier, won = context.Barrier(racers), context.Array("i", rounds)
    many = [context.Process(target=_race, args=(tmp_path, rounds, barrier, won, n % 2 == 0)) for n in range(racers)]
    for process in many:
        process.start()
    for process in many:
        process.join(280)
        assert process.exitcode == 0
    assert [*won] == [1] * rounds


# ------------------------------------------------------------------ kills

HOLDER = """
import sys
from pathlib import Path
from tinyproof.core.lease import hold
print("ready", flush=True)
while True:
    with hold(Path(sys.argv[1])):
        pass
"""


@posix
def test_killed_at_random_moments_its_holder_blocks_nobody_longer_than_stated(tmp_path: Path) -> None:
    rng, at_once = random.Random(3), 0
    for number in range(25):
        folder = tmp_path / str(number)
        folder.mkdir()
        child = subprocess.Popen([sys.executable, "-c", HOLDER, str(folder)], stdout=subprocess.PIPE)
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(rng.uniform(0.001, 0.03))
        child.kill()
        child.wait(30)
        watch = Watch(Clock(1))
        looks = 0
        while watch.look(folder) is not None:
            looks += 1
        assert looks <= STALE_SECONDS
        at_once += looks == 0
        with hold(folder, watch=watch) as mine:
            assert [path.name for path in folder.iterdir()] == [mine.path.name]
    assert at_once >= 20  # but for those that were killed between creating the file and writing into it


# ------------------------------------------------------------------ disks that fail


@contextlib.contextmanager
def failing(monkeypatch: pytest.MonkeyPatch, call: str, number: int) -> Iterator[None]:
    """`os.open` or `os.write` of a lease fails."""
    with monkeypatch.context() as changed:

        def fail(*given: object) -> int:
            raise OSError(number, os.strerror(number))

        changed.setattr(lease.os, call, fail)
        yield


@pytest.mark.parametrize("call", ["open", "write"])
@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOLCK, "no locks available"),
        (errno.EACCES, "no permission"),
        (errno.ENOSPC, "no space left on the device"),
        (errno.EDQUOT, "the disk quota is used up"),
        (errno.EROFS, "the file system is read-only"),
        (errno.EIO, "input/output error"),
    ],
)
def test_a_disk_that_fails_is_named_and_is_no_process(
    call: str, number: int, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with failing(monkeypatch, call, number), pytest.raises(OutputError) as caught, hold(tmp_path):
        pass
    assert str(caught.value).startswith(f"{tmp_path / '.lease-1'}: cannot be written: {words}")
    assert not isinstance(caught.value, Busy)
    assert [*tmp_path.iterdir()] == []
    with hold(tmp_path):
        pass


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such locks there")
def test_a_disk_without_locks_is_no_hindrance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import fcntl

    def none(*given: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", none)
    monkeypatch.setattr(fcntl, "lockf", none)
    with hold(tmp_path), pytest.raises(Busy), hold(tmp_path):
        pass


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_said(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    try:
        with pytest.raises(OutputError, match="no permission"), hold(tmp_path):
            pass
    finally:
        tmp_path.chmod(0o755)


def test_a_lease_that_cannot_be_read_is_neither_held_nor_free(tmp_path: Path) -> None:
    lease_file.path_of(tmp_path, 1).mkdir()
    words = r"\.lease-1: cannot be read: .*; whether somebody works there is not known"
    with pytest.raises(DataError, match=words), hold(tmp_path):
        pass


def test_a_full_disk_while_it_is_held_costs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "BEAT_SECONDS", 0.01)
    tried: list[bool] = []
    write = lease.Lease._write

    def full(self: lease.Lease, ended: bool = False) -> None:
        tried.append(ended)
        if len(tried) < 4 or ended:
            raise OSError(errno.ENOSPC, "No space left on device")
        write(self, ended)

    monkeypatch.setattr(lease.Lease, "_write", full)
    with hold(tmp_path) as mine:
        until(lambda: json.loads(mine.path.read_bytes())["beat"] >= 4)
        check(tmp_path)
    assert tried[-1]
    # That it has ended could not be written; this process knows, and another one of this machine sees when it is gone.
    monkeypatch.setattr(lease.Lease, "_write", write)
    with hold(tmp_path) as again:
        assert again.number == 2


def test_what_the_beats_cost(tmp_path: Path) -> None:
    """A beat takes far less processor time than a thousandth of the time between two."""
    with hold(tmp_path) as mine:
        begun = time.process_time()
        for _ in range(200):
            with mine._guard:
                mine._write()
        assert (time.process_time() - begun) / 200 < BEAT_SECONDS / 1000
