"""Runs of several kinds side by side: the longest begins first, and the estimate counts the lanes."""

from __future__ import annotations

import json
from collections.abc import Generator, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from tests.prove.proving import TINY

from tinyproof.core import workers
from tinyproof.core.errors import TinyproofError
from tinyproof.core.listener import Listener, Progress
from tinyproof.core.workers import Outcome
from tinyproof.prove import parallel_runs, proof
from tinyproof.prove.declare import Ask, declare
from tinyproof.prove.worker import PROGRESS, Task, Work
from tinyproof.train.recipe import named


@pytest.fixture
def works(tmp_path: Path) -> list[Work]:
    """A short kind of run and a long one, two seeds each, none trained."""
    made = []
    for name, epochs in (("short", 2), ("long", 9)):
        recipe = replace(named("digits"), epochs=epochs)
        declared = declare(
            Ask(model=TINY, recipe=recipe, seeds=2, dataset="digits", engine="torch", threads=1), tmp_path / name
        )
        made.append(
            Work(folder=str(tmp_path / name), declared=declared, dataset="digits", data=None, keep_weights=False)
        )
    return made


def test_the_longest_runs_begin_first(works: list[Work]) -> None:
    short, long = (work.folder for work in works)
    order = [task.work.folder for task in parallel_runs._tasks(works, {short: 1.0, long: 5.0})]
    assert order == [long, long, short, short]


def test_the_estimate_is_that_of_the_fullest_lane(works: list[Work]) -> None:
    costs = {work.folder: seconds for work, seconds in zip(works, (1.0, 5.0), strict=True)}
    tasks = parallel_runs._tasks(works, costs)
    assert "4 run(s), 2 side by side: about 6 s" in parallel_runs._estimate(costs, tasks, 2)
    assert "4 run(s), 3 side by side: about 5 s" in parallel_runs._estimate(costs, tasks, 3)
    assert "4 run(s), 1 side by side: about 12 s" in parallel_runs._estimate(costs, tasks, 1)


@pytest.mark.parametrize("kinds", [1, 2])
def test_no_run_is_handed_out_before_the_cost_is_said(
    works: list[Work], kinds: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    begun: list[tuple[int | None, bool]] = []

    class Greedy:
        """As many workers as there are items: each is begun as soon as it is there."""

        lanes = 2

        def outcomes(self, items: Sequence[Task]) -> Generator[Outcome]:
            done = 0
            while len(begun) < len(items):
                begun.extend((task.seed, bool(said)) for task in items[len(begun) :])
                while done < len(begun):
                    done += 1
                    yield Outcome(done - 1, 1.0 if begun[done - 1][0] is None else True)

    monkeypatch.setattr(parallel_runs, "_ended", lambda *_: "a run has ended")
    tasks = parallel_runs._tasks(works[:kinds], {})
    assert parallel_runs._round(Greedy(), parallel_runs._measures(tasks, 2), tasks, {}, Listener(say=said.append))
    assert [seed for seed, _ in begun if seed is not None] == [task.seed for task in tasks]
    assert all(told == (seed is not None) for seed, told in begun)


def test_what_a_measurement_finds_wrong_is_said_as_it_is(works: list[Work], monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(*_: object, **__: object) -> Generator[Outcome]:
        yield Outcome(0, None, "net.py: line 3: wrong")

    monkeypatch.setattr(workers, "run_bounded", wrong)
    with pytest.raises(TinyproofError, match=r"^net\.py: line 3: wrong$"):
        parallel_runs.run(works, 1)


def test_runs_of_two_kinds_are_measured_before_any_begins(works: list[Work]) -> None:
    said: list[str] = []
    parallel_runs.run(works, 1, Listener(say=said.append))
    assert "4 run(s), 1 side by side" in said[0]
    assert [line.split()[:2] for line in said[1:5]] == [["long", "seed"]] * 2 + [["short", "seed"]] * 2


def test_a_bar_shows_what_a_worker_has_written_down_and_no_half_of_it(works: list[Work]) -> None:
    task = Task(works[0], works[0].declared.seeds[0])
    place = proof.seed_folder(Path(task.work.folder), task.seed or 0)
    place.mkdir(parents=True)
    assert parallel_runs._piece(task, True) is None
    (place / PROGRESS).write_text('{"seed": 3, "epoch": 1, "epo')
    assert parallel_runs._piece(task, True) is None
    words = "epoch 1/2  loss 1.5000"
    state = Progress(name=f"seed {task.seed}", done=0.5, of=2, words=words)
    (place / PROGRESS).write_text(json.dumps(asdict(state)))
    assert parallel_runs._piece(task, True) == Progress(
        name=f"short     seed {task.seed:<10}", done=0.5, of=2, words=words
    )
    assert parallel_runs._piece(task, False) == Progress(name=f"seed {task.seed:<10}", done=0.5, of=2, words=words)
