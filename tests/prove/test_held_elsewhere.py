"""Seeds that other machines hold: who is waited for is told once, and what a dead one left is taken over."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.stored_records import stored

from tinyproof.core import lease, lease_file
from tinyproof.core.lease import STALE_SECONDS, Watch
from tinyproof.core.listener import Listener
from tinyproof.prove import declaration, parallel_runs, proof, worker
from tinyproof.prove.worker import Task, Work


@pytest.fixture
def work(tmp_path: Path) -> Work:
    """A declared proof of which nothing is trained."""
    return Work(folder=str(tmp_path), declared=declaration.read(stored("fast")), dataset="mnist")


def left(work: Work, seed: int, beat: int) -> None:
    """A seed in the hands of a process of another machine."""
    place = proof.seed_folder(Path(work.folder), seed)
    place.mkdir(exist_ok=True)
    told = {"host": "node7", "machine": "m", "number": 4711, "began": "1", "key": "k", "since": "then", "beat": beat}
    lease_file.path_of(place, 1).write_text(json.dumps({**told, "ended": False}))


def test_the_living_are_waited_for_and_the_dead_taken_over(work: Work) -> None:
    dead, living = work.declared.seeds[:2]
    said: list[str] = []
    others, now = parallel_runs._Others(Listener(say=said.append)), [0.0]
    others._watch = Watch(lambda: now[0])
    tasks = [Task(work, seed) for seed in work.declared.seeds]
    left(work, dead, 0)
    for second in range(round(STALE_SECONDS)):
        now[0] = float(second)
        left(work, living, second)
        assert others.leave(tasks) == tasks[2:], "both are in the hands of others"
        assert others.leave(tasks[:2]) == []
    assert said == [
        f"waiting for seed {seed}, which is held by process 4711 on node7 since then" for seed in (dead, living)
    ]
    now[0] = STALE_SECONDS
    left(work, living, 1000)
    assert others.leave(tasks[:2]) == tasks[:1]
    assert said[2:] == [
        f"taking over seed {dead}, which was held by process 4711 on node7 since then (no sign of life in 60 s)"
    ]
    with lease.hold(proof.seed_folder(Path(work.folder), dead)) as mine:  # as the worker does that trains it now
        assert mine.number == 3


def test_a_part_is_trained_and_nothing_else(work: Work) -> None:
    part = work.declared.seeds[1:3]
    mine = Work(folder=work.folder, declared=work.declared, dataset="mnist", part=part)
    assert worker.missing(mine) == [*part]
    assert worker.missing(work) == [*work.declared.seeds]
