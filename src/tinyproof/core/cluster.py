"""Workers of a Dask cluster: opened by an address, each seen, introduced and given what it keeps before it computes.

Every item goes to one worker by name, so that this side decides what happens when that worker dies: its item goes to
another. Answers come back as bytes, which nothing here unpickles; what a task raises, Dask itself unpickles.
"""

from __future__ import annotations

import contextlib
import importlib
import logging
import re
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

from tinyproof.core import cluster_worker
from tinyproof.core.errors import InputError, MissingDependency, TinyproofError, one_line

# `tls` takes its certificates from Dask's own configuration.
_LOCAL, _THERE = re.compile(r"local:(\d{1,3})"), re.compile(r"(tcp|tls)://([^\s/:]+|\[[0-9a-fA-F:]+\]):(\d{1,5})")
_MOST_LOCAL = 256
_ALLOWED = "local:4 (workers on this machine) or tcp://host:8786 (the address of a scheduler)"
_NO_DASK = "it is no Dask scheduler, or one of another version"
_CONNECT_SECONDS, _HELLO_SECONDS, _HERE_SECONDS = 3.0, 8.0, 60.0
# A file to judge may be larger than what Dask warns of in lines of its own.
_PLAIN = {"distributed.admin.large-graph-warning-threshold": "4GB"}
_QUIET = logging.CRITICAL + 1
# A Dask worker samples its stack a hundred times a second and its machine twice: 2 % of a core each, for a dashboard.
_SELDOM = {
    "distributed.worker.profile.enabled": False,
    "distributed.admin.system-monitor.interval": "5s",
    "distributed.worker.memory.monitor-interval": "5s",
    "distributed.admin.tick.interval": "1s",
}


@dataclass(frozen=True)
class Peer:
    """A worker as the scheduler knows it: its address, its threads, its own folder, which a worker that was started
    again at the same address has not."""

    address: str
    threads: int
    room: str = ""


@dataclass
class Cluster:
    """A cluster that answers. `sent` and `received`: bytes until now."""

    address: str
    client: Any
    sent: int = 0
    received: int = 0
    kept: dict[str, int] = field(default_factory=dict)

    def peers(self) -> list[Peer]:
        """The workers that are there now. Raises TinyproofError where the scheduler is gone."""
        try:
            told = self.client.scheduler_info(n_workers=-1)["workers"]
            if self.client.status != "running":
                raise OSError(self.client.status)
        except Exception as error:
            raise self.gone() from error
        return [Peer(a, int(facts["nthreads"]), str(facts.get("local_directory", ""))) for a, facts in told.items()]

    def gone(self) -> TinyproofError:
        """The error for a scheduler that answers no more."""
        return TinyproofError(f"cluster {self.address}: the scheduler answers no more; the same command goes on")

    def keep(self, peers: list[Peer], digest: str, content: Callable[[], bytes]) -> dict[str, str]:
        """Send what each worker keeps, once: to those that have it not; why that failed, by address."""
        addresses = [peer.address for peer in peers]
        told = self._each(cluster_worker.missing, [digest], addresses)
        failed = {address: answer for address, answer in told.items() if not isinstance(answer, list)}
        wanting = [address for address, answer in told.items() if answer == [digest]]
        if wanting:
            held = content()
            self.sent += len(held) * len(wanting)
            failed |= {
                a: answer for a, answer in self._each(cluster_worker.keep, digest, held, wanting).items() if answer
            }
        return {address: one_line(str(answer), 200) for address, answer in failed.items()}

    def _each(self, function: Callable[..., Any], *values: Any) -> dict[str, Any]:
        """What a small function says on each of the workers that the last value names; an exception where it raised."""
        *given, addresses = values
        try:
            return dict(self.client.run(function, *given, workers=addresses, on_error="return"))
        except Exception as error:  # one of them has just gone
            return dict.fromkeys(addresses, error)

    def dismiss(self) -> None:
        """Let the processes beside the workers go, of those that are there."""
        with contextlib.suppress(Exception):
            self.client.run(cluster_worker.dismiss, on_error="return")


def check(address: str) -> None:
    """Raise InputError for what is no address of a cluster, or does not answer; MissingDependency without Dask. Seconds
    at most: before anything else is done."""
    local, there = _LOCAL.fullmatch(address), _THERE.fullmatch(address)
    if not (local and 1 <= int(local[1]) <= _MOST_LOCAL) and not (there and 0 < int(there[3]) < 65536):
        raise InputError("cluster", address, _ALLOWED)
    if find_spec("distributed") is None:
        raise MissingDependency("distributed", "--cluster", "cluster")
    if there:
        try:
            door = socket.create_connection((there[2].strip("[]"), int(there[3])), _CONNECT_SECONDS)
        except OSError as error:
            raise _silent(address, one_line(str(error.strerror or error), 80).lower()) from error
        with door:
            if there[1] == "tcp" and not _greets(door):
                raise _silent(address, _NO_DASK)


def _greets(door: socket.socket) -> bool:
    """Whether the other side speaks first, as a Dask scheduler does to whoever comes, and others do not."""
    door.settimeout(_HELLO_SECONDS)
    try:
        return len(door.recv(8)) > 0
    except OSError:
        return False


@contextlib.contextmanager
def opened(address: str) -> Iterator[Cluster]:
    """The cluster at an address, or one of workers on this machine for as long as the block runs. Raises InputError
    where it does not answer, MissingDependency."""
    check(address)
    with contextlib.ExitStack() as held:
        held.enter_context(_quiet())
        held.enter_context(importlib.import_module("dask").config.set(_PLAIN))
        local = _LOCAL.fullmatch(address)
        place = held.enter_context(_here(int(local[1]))) if local else address
        client = _client(place, address, _HERE_SECONDS if local else _HELLO_SECONDS)
        held.callback(_closed, client)
        found = Cluster(address, client)
        held.callback(found.dismiss)
        yield found


def _closed(client: Any) -> None:
    with contextlib.suppress(Exception):
        client.close(timeout=5)


def _client(place: str, address: str, patience: float) -> Any:
    """A client that takes bytes and text for an answer, no pickle. What answers in another language is waited for in a
    thread of its own, not for ever."""
    distributed: Any = importlib.import_module("distributed")
    found: list[Any] = []

    def connect() -> None:
        try:
            found.append(distributed.Client(place, timeout=patience, deserializers=["dask", "msgpack"]))
        except Exception as error:
            found.append(error)

    thread = threading.Thread(target=connect, daemon=True)
    thread.start()
    thread.join(patience)
    if not found or isinstance(found[0], Exception):
        raise _silent(address, _NO_DASK)
    return found[0]


def _silent(address: str, why: str) -> InputError:
    return InputError("cluster", address, "start a scheduler there, or name another", why, problem="does not answer")


@contextlib.contextmanager
def _here(count: int) -> Iterator[str]:
    """The address of a scheduler in this process, with workers in processes of their own that no Ctrl-C reaches."""
    dask, distributed = (importlib.import_module(name) for name in ("dask", "distributed"))
    with dask.config.set(_SELDOM):
        try:
            with _without_ctrl_c():
                cluster = distributed.LocalCluster(
                    n_workers=count, threads_per_worker=1, processes=True, dashboard_address=None,
                    silence_logs=_QUIET, memory_limit=0,
                )  # fmt: skip
        except Exception as error:
            raise TinyproofError(f"cluster local:{count}: {one_line(str(error), 200)}") from error
        try:
            yield str(cluster.scheduler_address)
        finally:
            with contextlib.suppress(Exception):
                cluster.close(timeout=10)


@contextlib.contextmanager
def _without_ctrl_c() -> Iterator[None]:
    """Processes that are started in the block do not hear a Ctrl-C in the terminal: who started them ends them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """What Dask logs is for those who keep a cluster: here every trouble is told in a line of its own."""
    importlib.import_module("distributed")  # it sets the levels that are changed here
    names = [name for name in logging.root.manager.loggerDict if name.split(".")[0] in ("distributed", "tornado")]
    before = {name: logging.getLogger(name).level for name in names}
    for name in names:
        logging.getLogger(name).setLevel(_QUIET)
    try:
        yield
    finally:
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)
