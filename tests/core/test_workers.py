"""Work in processes: results, errors, time and memory limits; a worker that dies does not stop the rest."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from typing import Any

import pytest

from tinyproof.core.errors import InputError
from tinyproof.core.workers import Outcome, run_bounded


def _work(item: Any) -> Any:
    if item == "hang":
        time.sleep(600)
    if item == "end soon":
        threading.Timer(0.1, os._exit, (9,)).start()
        return item
    if item == "die":
        os._exit(9)
    if item == "eat":
        return len(bytearray(8 << 30))
    if item == "wrong":
        raise InputError("x", 1, "2")
    if item == "bug":
        raise ValueError("line one\nline two")
    if item == "deep":
        return _deep(0)
    if item == "unpicklable":
        return lambda: 0
    return item * 2


def _deep(n: int) -> int:
    return _deep(n + 1) + 1


def run(items: list[Any], **options: Any) -> list[Outcome]:
    return sorted(run_bounded(_work, items, processes=2, **options), key=lambda outcome: outcome.index)


@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_every_item_gets_its_own_result(start: Any) -> None:
    assert [o.value for o in run(list(range(20)), start=start)] == [2 * n for n in range(20)]


def test_no_items_no_workers() -> None:
    assert run([]) == []


def test_an_error_is_one_line_and_the_rest_goes_on() -> None:
    wrong, bug, fine, deep = run(["wrong", "bug", 4, "deep"])
    assert wrong.problem == "x: 1 is not allowed; allowed: 2"
    assert bug.problem == "internal error: ValueError: line one line two"
    assert (fine.value, fine.problem) == (8, "")
    assert deep.problem == "is nested too deeply"


def test_a_result_that_cannot_be_sent_is_a_problem_and_the_rest_goes_on() -> None:
    bad, fine = run(["unpicklable", 1])
    assert bad.problem.startswith("internal error")
    assert fine.value == 2


def test_a_worker_that_hangs_is_killed_and_replaced() -> None:
    began = time.monotonic()
    outcomes = run(["hang", 1, 2, "hang", 3], seconds=1.0)
    assert [o.value for o in outcomes] == [None, 2, 4, None, 6]
    assert outcomes[0].problem == outcomes[3].problem == "took longer than 1 s and was stopped"
    assert time.monotonic() - began < 60


def test_a_worker_that_dies_is_replaced() -> None:
    outcomes = run(["die", 1, 2, 3, "die"])
    assert [o.value for o in outcomes] == [None, 2, 4, 6, None]
    assert "died" in outcomes[0].problem


def test_a_worker_that_dies_without_work_costs_one_item_at_most() -> None:
    found = []
    for outcome in run_bounded(_work, ["end soon", 1, 2, 3], processes=1):
        if outcome.index == 0:
            time.sleep(0.5)  # its worker has done the next item and ended: it cannot take another
        found.append(outcome)
    assert [(one.index, one.value) for one in found if not one.problem] == [(0, "end soon"), (1, 2), (3, 6)]
    assert [one.problem for one in found if one.problem] == ["the worker process died (out of memory, or killed)"]


def test_memory_is_bounded() -> None:
    outcomes = run(["eat", 1], memory_bytes=4 << 30)
    assert outcomes[0].problem == "needs more memory than is allowed"
    assert outcomes[1].value == 2


def test_items_may_be_added_until_the_last_outcome() -> None:
    items: list[Any] = [1, 2]
    values = []
    for outcome in run_bounded(_work, items, processes=2):
        values.append(outcome.value)
        if len(values) == 2:
            items += [10, 20, 30]
    assert sorted(values[:2]) == [2, 4]
    assert sorted(values[2:]) == [20, 40, 60]


def test_leaving_early_kills_the_workers() -> None:
    outcomes = run_bounded(_work, [1, "hang", "hang"], processes=2, seconds=None)
    assert next(outcomes).value == 2
    began = time.monotonic()
    outcomes.close()  # type: ignore[attr-defined]
    assert time.monotonic() - began < 60


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere no process is forked")
def test_an_interrupt_in_the_moment_of_a_fork_is_not_lost() -> None:
    """Python only prints what is raised inside its fork handlers: the command would go on as if nobody had pressed."""
    program = (
        "import os, signal\n"
        "os.register_at_fork(after_in_parent=lambda: os.kill(os.getpid(), signal.SIGINT))\n"
        "from tinyproof.core.workers import run_bounded\n"
        "try:\n"
        "    print(list(run_bounded(abs, [1])))\n"
        "except KeyboardInterrupt:\n"
        "    print('stopped')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.stderr) == ("stopped\n", "")


def _halved(number: int) -> int:
    if number % 2:
        raise InputError("number", number, "an even one")
    return number // 2


def test_without_processes_each_item_is_done_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a browser: the outcomes are the same, and items may be appended on the way."""
    monkeypatch.setattr("tinyproof.core.workers._PROCESSES", False)
    items, seen = [4, 3], []
    for outcome in run_bounded(_halved, items):
        seen.append((outcome.index, outcome.value, bool(outcome.problem)))
        if outcome.index == 1:
            items.append(10)
    assert seen == [(0, 2, False), (1, None, True), (2, 5, False)]
