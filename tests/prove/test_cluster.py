"""Proofs on Dask workers that are processes of their own: killed, cut off, stopped; the bits of one machine."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.classes.invented import make
from tests.prove.dask_workers import PATIENCE, Wire, Workers, computing, start, until, workers
from tests.prove.proving import ASKED, IN_ONE_PROCESS, NAMED, RECIPE, TINY, bits, call, environment
from tests.prove.test_parts import block

import tinyproof
from tinyproof.core import cluster
from tinyproof.core.errors import InputError, MissingDependency
from tinyproof.prove import proof
from tinyproof.prove.comparison import SIDES
from tinyproof.prove.worker import PROGRESS

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="processes are killed differently there"),
    pytest.mark.xdist_group("cluster"),
]

Made = tuple[Path, "subprocess.CompletedProcess[str]"]
Cluster = tuple[Workers, list[psutil.Process]]
# How many runs are side by side, the workers say.
SAME = tuple(word for word in NAMED if word not in ("--processes", 2))
# The question of `made` with runs that take seconds: how far they have come is told once a second.
LONG = tuple(RECIPE.replace("epochs=4", "epochs=60") if word == RECIPE else word for word in ASKED)
# `TINYPROOF_KILLS=10 pytest tests/prove/test_cluster.py -k coordinator` kills it at ten moments.
KILLS = int(os.environ.get("TINYPROOF_KILLS", "2"))


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """The proof of one machine, in one process: torch is loaded once."""
    folder = tmp_path_factory.mktemp("alone") / "proof"
    words = [sys.executable, "-c", IN_ONE_PROCESS, *map(str, (*LONG, *NAMED, "--out", folder))]
    return folder, subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE, env=environment())


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with workers(tmp_path_factory.mktemp("cluster"), 2) as found:
        yield found


def decided(folder: Path) -> dict[str, Any]:
    """All that a verdict says, but of which declaration: that holds the time."""
    return {
        name: value for name, value in json.loads((folder / proof.VERDICT).read_text()).items() if name != "declaration"
    }


def at_work(folder: Path) -> list[Path]:
    """The seeds of which a worker has said how far they have come."""
    return list(folder.glob(f"seed-*/{PROGRESS}"))


def none_left(*there: psutil.Process) -> None:
    until(lambda: not computing(*there), "no worker computes any more")


def test_one_of_two_workers_killed_the_folder_is_that_of_one_machine(alone: Made, tmp_path: Path) -> None:
    folder = tmp_path / "proof"
    with workers(tmp_path / "cluster", 2) as (there, (first, second)):
        command = start((*LONG, *SAME, "--cluster", there.address, "--out", folder), tmp_path / "log")
        until(lambda: at_work(folder) and len(computing(first, second)) == 2, "both workers train")
        first.kill()
        assert command.wait(PATIENCE) == alone[1].returncode, (tmp_path / "log").read_text()
    log = (tmp_path / "log").read_text()
    assert "is gone; what it computed goes to another" in log
    assert bits(folder) == bits(alone[0])
    assert decided(folder) == decided(alone[0])
    assert {path.name for path in folder.iterdir()} == {path.name for path in alone[0].iterdir()}
    assert "holds" in call("verify", folder, "--no-weights", timeout=PATIENCE).stdout


def test_the_coordinator_killed_at_random_moments_goes_on_to_the_same_bits(
    alone: Made, two: Cluster, tmp_path: Path
) -> None:
    rng, folder, (there, peers) = random.Random(KILLS), tmp_path / "killed", two
    words = (*LONG, *SAME, "--cluster", there.address, "--out", folder)
    for _ in range(KILLS):
        command, moment = start(words, tmp_path / "log"), rng.uniform(0, 2)
        until(lambda command=command: at_work(folder) or command.poll() is not None, "a worker trains")
        time.sleep(moment)
        os.killpg(command.pid, signal.SIGKILL)
        command.wait(30)
        none_left(*peers)  # what nobody waits for any more is not computed on
    assert call(*words, timeout=PATIENCE).returncode == alone[1].returncode
    assert bits(folder) == bits(alone[0])
    assert decided(folder) == decided(alone[0])
    assert not [path.name for path in folder.iterdir() if path.name.startswith(".cluster-")]


def test_ctrl_c_leaves_no_task_behind(two: Cluster, tmp_path: Path) -> None:
    there, peers = two
    folder = tmp_path / "stopped"
    command = start((*LONG, *SAME, "--cluster", there.address, "--out", folder), tmp_path / "log")
    until(lambda: at_work(folder), "a worker trains")
    os.killpg(command.pid, signal.SIGINT)
    assert command.wait(PATIENCE) == 130
    log = (tmp_path / "log").read_text()
    assert "run(s) are not finished, and the same command goes on with them" in log
    assert "Traceback" not in log
    none_left(*peers)


def test_a_worker_whose_connection_drops_trains_nothing_twice(alone: Made, tmp_path: Path) -> None:
    folder = tmp_path / "cut"
    with workers(tmp_path / "cluster", 1) as (there, (other,)):
        wire = Wire(there.address)
        cut_off = there.worker(wire.address)
        command = start((*LONG, *SAME, "--cluster", there.address, "--out", folder), tmp_path / "log")
        until(lambda: at_work(folder) and len(computing(other, cut_off)) == 2, "both workers train")
        wire.cut()
        assert command.wait(PATIENCE) == alone[1].returncode, (tmp_path / "log").read_text()
        none_left(cut_off)
    assert bits(folder) == bits(alone[0])
    assert decided(folder) == decided(alone[0])


def test_ctrl_c_with_workers_of_this_machine_leaves_no_process_behind(tmp_path: Path) -> None:
    folder = tmp_path / "stopped"
    command = start((*LONG, *SAME, "--cluster", "local:2", "--out", folder), tmp_path / "log")
    until(lambda: at_work(folder), "a worker trains")
    started = psutil.Process(command.pid).children(recursive=True)
    os.killpg(command.pid, signal.SIGINT)
    assert command.wait(PATIENCE) == 130
    until(lambda: not [one for one in started if one.is_running()], "its workers have ended")
    log = (tmp_path / "log").read_text()
    assert "Traceback" not in log
    assert "the same command goes on with them" in log


def test_both_sides_of_a_comparison_come_back(two: Cluster, tmp_path: Path) -> None:
    asked: dict[str, Any] = {"dataset": "digits", "seeds": 2, "engine": "torch", "threads": 1, "quiet": True}
    sides = [f"{TINY}@{RECIPE.replace('epochs=4', f'epochs={epochs}')}" for epochs in (1, 2)]
    there = tinyproof.compare(*sides, cluster=two[0].address, out=tmp_path / "there", **asked)
    here = tinyproof.compare(*sides, processes=1, out=tmp_path / "here", **asked)
    assert (there.word, there.paired) == (here.word, here.paired)
    for side in SIDES:
        assert bits(tmp_path / "there" / side) == bits(tmp_path / "here" / side)
        assert len(bits(tmp_path / "there" / side)) == 2


def test_what_was_looked_at_on_the_way_comes_back(two: Cluster, tmp_path: Path) -> None:
    asked: dict[str, Any] = {"quick": True, "dataset": "digits", "seeds": 1, "engine": "torch", "threads": 1}
    tinyproof.reproduce("s6-19k", cluster=two[0].address, out=tmp_path / "there", page=False, quiet=True, **asked)
    tinyproof.reproduce("s6-19k", processes=1, out=tmp_path / "here", page=False, quiet=True, **asked)
    found = [next((tmp_path / name).glob("s6-19k/seed-*/looks.json")).read_bytes() for name in ("there", "here")]
    assert found[0] == found[1]
    assert bits(tmp_path / "there" / "s6-19k") == bits(tmp_path / "here" / "s6-19k")


# ------------------------------------------------------------------ what is refused


@pytest.mark.parametrize(
    "address", ["", "local", "local:0", "local:999", "here:2", "tcp://host", "tcp://:8786", "tcp://h:0"]
)
def test_what_is_no_address_is_refused(address: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cluster: .* is not allowed; allowed: local:4 .* or tcp://host:8786"):
        tinyproof.prove("s7-8k", dataset="digits", cluster=address, out=tmp_path / "none", quiet=True)
    assert not (tmp_path / "none").exists()


def test_an_address_where_nobody_listens_is_a_line_and_exit_code_2(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as door:
        port = door.getsockname()[1]
    for words in (("prove", "s7-8k"), ("audit", tmp_path)):
        found = call(*words, "--cluster", f"tcp://127.0.0.1:{port}", timeout=PATIENCE)
        assert found.returncode == 2
        line = f"cluster: 'tcp://127.0.0.1:{port}' does not answer; start a scheduler there, or name another"
        assert line in found.stderr
        assert len(found.stderr.splitlines()) == 1


def test_what_listens_and_never_answers_is_not_waited_for_long_and_nothing_is_declared(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(cluster, "_HELLO_SECONDS", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as door:
        address = f"tcp://127.0.0.1:{door.getsockname()[1]}"
        with (
            pytest.raises(InputError, match=r"does not answer; .*\(it is no Dask scheduler, or"),
            cluster.opened(address),
        ):
            pass
        with pytest.raises(InputError, match=r"\(it is no Dask scheduler, or"):
            tinyproof.prove("s7-8k", dataset="digits", cluster=address, out=tmp_path / "none", quiet=True)
    assert not (tmp_path / "none").exists()


def test_without_dask_a_line_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "find_spec", lambda name: None)
    with pytest.raises(MissingDependency, match=r"--cluster needs distributed, .* pip install 'tinyproof\[cluster\]'"):
        tinyproof.prove("s7-8k", dataset="digits", cluster="local:2", quiet=True)


@pytest.mark.parametrize(
    ("verb", "given"),
    [(tinyproof.prove, {"processes": 2}), (tinyproof.reproduce, {"processes": 2}), (tinyproof.audit, {"jobs": 2})],
)
def test_processes_of_this_machine_beside_a_cluster_are_refused(verb: Any, given: dict[str, int]) -> None:
    with pytest.raises(InputError, match="goes without --cluster; leave --"):
        verb("s7-8k", cluster="local:2", quiet=True, **given)


def test_a_class_judged_on_workers_is_judged_as_here(two: Cluster, tmp_path: Path) -> None:
    make(tmp_path / "class", 12)
    here = tinyproof.audit(tmp_path / "class", jobs=1, no_cache=True, quiet=True)
    there = tinyproof.audit(tmp_path / "class", cluster=two[0].address, no_cache=True, quiet=True)
    assert there.to_json() == here.to_json()
    assert len(there.files) > 5


# ------------------------------------------------------------------ the queue of the documentation

QUEUE = """
from distributed import LocalCluster

class SLURMCluster(LocalCluster):
    def __init__(self, *, cores, processes, memory, walltime):
        super().__init__(n_workers=0, threads_per_worker=cores, dashboard_address=None)

    def scale(self, jobs):
        super().scale(min(jobs, 2))
"""


def test_the_workers_of_a_queue_as_the_page_says(tmp_path: Path) -> None:
    script, question = block(r"not run: slurm_workers\.py needs a queue; [^\n]*"), '"fast", seeds=10, target=99.4'
    assert script.count(question) == 1
    recipe = RECIPE.replace("epochs=4", "epochs=1")
    asked = f'"{TINY}", "{recipe}", dataset="digits", engine="torch", seeds=2, target=20'
    (tmp_path / "slurm_workers.py").write_text(script.replace(question, asked))
    (tmp_path / "dask_jobqueue.py").write_text(QUEUE)
    words = [sys.executable, "slurm_workers.py"]
    found = subprocess.run(words, cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=PATIENCE)
    assert found.returncode == 0, found.stderr
    assert "proved: " in found.stdout
    assert len(bits(tmp_path / "proof")) == 2
