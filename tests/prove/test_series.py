"""Runs of several kinds side by side: the longest begins first, and the estimate counts the lanes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.prove.proving import TINY

from tinyproof.cnn.recipe import named
from tinyproof.jobs import series
from tinyproof.jobs.declare import Ask, declare
from tinyproof.jobs.one_run import Work


@pytest.fixture
def works(tmp_path: Path) -> list[Work]:
    """A short kind of run and a long one, two seeds each, none trained."""
    made = []
    for name, epochs in (("short", 2), ("long", 9)):
        recipe = replace(named("digits"), epochs=epochs)
        declared = declare(Ask(TINY, recipe, 2, "digits", engine="torch", threads=1), tmp_path / name)
        made.append(Work(str(tmp_path / name), declared, "digits", None, False))
    return made


def test_the_longest_runs_begin_first(works: list[Work]) -> None:
    short, long = (work.folder for work in works)
    order = [task.work.folder for task in series._tasks(works, {short: 1.0, long: 5.0})]
    assert order == [long, long, short, short]


def test_the_estimate_is_that_of_the_fullest_lane(works: list[Work]) -> None:
    costs = {work.folder: seconds for work, seconds in zip(works, (1.0, 5.0), strict=True)}
    tasks = series._tasks(works, costs)
    assert "4 run(s), 2 side by side: about 6 s" in series._estimate(costs, tasks, 2)
    assert "4 run(s), 3 side by side: about 5 s" in series._estimate(costs, tasks, 3)
    assert "4 run(s), 1 side by side: about 12 s" in series._estimate(costs, tasks, 1)


def test_runs_of_two_kinds_are_measured_before_any_begins(works: list[Work]) -> None:
    said: list[str] = []
    told = series.Told(say=said.append, row=lambda seed, folder: said.append(folder.parent.name))
    series.run(works, 1, told)
    assert "4 run(s), 1 side by side" in said[0]
    assert sorted(said[1:3]) == ["long", "long"]
    assert sorted(said[3:5]) == ["short", "short"]
