"""The question that these tests ask, and how they ask it: by the command line, as a user does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

TINY = f"{Path(__file__).with_name('tiny.py')}:Tiny"
RECIPE = "best,epochs=4,rate=0.005,ema=0.9,dropout=0.05"
SEEDS = 3
# Everything but the folder: the same words everywhere, so that every folder asks the same question.
ASKED = ("prove", TINY, "--dataset", "digits", "--recipe", RECIPE, "--seeds", SEEDS, "--engine", "torch")
NAMED = ("--first-seed", 11, "--processes", 2, "--threads", 1, "--target", 80)
# One process saves the time in which a second one would import torch; the bits are the same.
ALONE = ("--processes", 1, "--threads", 1)


def command(*words: object) -> list[str]:
    return [sys.executable, "-m", "tinyproof", *map(str, words)]


def environment() -> dict[str, str]:
    return {**os.environ, "COLUMNS": "120", "NO_COLOR": "1"}


def call(*words: object, timeout: float = 300) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(*words), capture_output=True, text=True, timeout=timeout, env=environment())


# The command line with the runs trained by its own process, one after the other: torch is loaded once.
IN_ONE_PROCESS = """
import os
from dataclasses import replace
from tinyproof.__main__ import main
from tinyproof.prove import parallel_runs, worker

def run(works, processes, listener):
    for work in works:
        for seed in worker.missing(work):
            worker.do(worker.Task(replace(work, parent=os.getppid()), seed))

parallel_runs.run = run
main()
"""


def bits(folder: Path) -> dict[str, str]:
    """What must not depend on stops and starts: the digests of answers and weights, by seed."""
    from tinyproof.train import store

    runs = {path.name: store.load(path) for path in sorted(folder.glob("seed-*"))}
    return {name: f"{run.predictions_digest} {run.weights_digest}" for name, run in runs.items()}


def kill(words: tuple[object, ...], when: Callable[[], bool], group: bool = True) -> None:
    """Start the command and SIGKILL it at its moment, with all its workers or alone; it must still be running then."""
    process = subprocess.Popen(
        command(*words),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment(),
        start_new_session=True,
    )
    deadline = time.monotonic() + 300
    while process.poll() is None and not when() and time.monotonic() < deadline:
        time.sleep(0.002)
    assert process.poll() is None, "it had ended before its moment came"
    if group:
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait(30)
