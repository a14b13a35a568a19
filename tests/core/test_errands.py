"""Errands on a cluster that is played: workers come, die, lie and are refused; no Dask and no process is needed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from tinyproof.core import cluster_worker, errands
from tinyproof.core.cluster import Cluster
from tinyproof.core.errands import Bounds
from tinyproof.core.errors import DataError, InputError, TinyproofError
from tinyproof.core.files import sha256

Answers = Callable[[str, dict[str, Any], bytes], "bytes | Exception | None"]


def answer(content: bytes, problem: str = "", died: bool = False, digest: str = "") -> bytes:
    """What `cluster_worker.compute` gives."""
    head = {"problem": problem, "died": died, "sha256": digest or sha256(content), "seconds": 0.5}
    return json.dumps(head).encode() + b"\n" + content


def doubled(worker: str, call: dict[str, Any], content: bytes) -> bytes:
    return answer(content * 2)


@dataclass
class PlayedFuture:
    content: bytes | Exception

    def result(self, timeout: float) -> bytes:
        if isinstance(self.content, Exception):
            raise self.content
        return self.content

    def release(self) -> None: ...


@dataclass
class PlayedClient:
    """A scheduler whose workers answer at once as `answers` says; None: that worker dies with its task."""

    answers: Answers = doubled
    workers: dict[str, int] = field(default_factory=lambda: {"tcp://one:1": 1})
    status: str = "running"
    sent: list[tuple[str, str]] = field(default_factory=list)
    kept: dict[str, list[str]] = field(default_factory=dict)
    cancelled: int = 0
    hears: Callable[[Any], None] = print

    def scheduler_info(self, n_workers: int) -> dict[str, Any]:
        return {"workers": {address: {"nthreads": threads} for address, threads in self.workers.items()}}

    def submit(self, function: Any, call: str, content: bytes, *, workers: list[str], **options: Any) -> Any:
        assert function is cluster_worker.compute
        assert options["allow_other_workers"] is False
        told = json.loads(call)
        assert told["sha256"] == sha256(content)
        self.sent.append((workers[0], told["function"]))
        came = self.answers(workers[0], told, content)
        if came is None:
            self.workers.pop(workers[0])
        future = PlayedFuture(b"" if came is None else came)
        there = self

        class Played(PlayedFuture):
            def add_done_callback(self, callback: Callable[[Any], None]) -> None:
                if came is not None:
                    callback(there)

        return Played(future.content)

    def run(self, function: Any, *values: Any, workers: list[str], on_error: str) -> dict[str, Any]:
        if function is cluster_worker.missing:
            return {one: [d for d in values[0] if d not in self.kept.get(one, [])] for one in workers}
        if function is cluster_worker.keep:
            for one in workers:
                self.kept.setdefault(one, []).append(values[0])
            return dict.fromkeys(workers, "")
        raise AssertionError(function)

    def cancel(self, futures: list[Any], force: bool) -> None:
        self.cancelled += len(futures)

    def subscribe_topic(self, topic: str, handler: Callable[[Any], None]) -> None:
        self.hears = handler

    def unsubscribe_topic(self, topic: str) -> None: ...


class Played:
    """Errands whose items are bytes; the value is the answer's length."""

    introduces, computes = "hello", "double"

    def __init__(self, items: list[bytes], threads: int = 1, elsewhere: bool = False) -> None:
        self.elsewhere = elsewhere
        self.items, self.lines, self.words = items, list[str](), list[tuple[int, str]]()
        self.held, self.most_held, self.bounds = set[int](), 0, Bounds(threads=threads)
        self.data: dict[str, bytes] = {}
        self.packed = 0

    def keeps(self) -> Mapping[str, Callable[[], bytes]]:
        def content(digest: str) -> bytes:
            self.packed += 1
            return self.data[digest]

        return {digest: lambda digest=digest: content(digest) for digest in self.data}

    def hello(self) -> bytes:
        return b"hello"

    def welcome(self, worker: str, came: bytes) -> None:
        if came != b"hellohello":
            raise DataError(worker, "greets otherwise")

    def give(self, index: int) -> bytes | None:
        self.held.add(index)
        self.most_held = max(self.most_held, len(self.held))
        if self.items[index] == b"unreadable":
            self.held.discard(index)
            raise DataError("a file", "is gone")
        return self.items[index] or None

    def take(self, index: int, came: bytes, worker: str) -> int:
        if came != self.items[index] * 2:
            raise DataError("an answer", "is not the double")
        return len(came)

    def let_go(self, index: int) -> None:
        self.held.discard(index)

    def progress(self, index: int) -> str:
        return f"{index}.json"

    def told(self, index: int, words: str) -> None:
        self.words.append((index, words))

    def say(self, line: str) -> None:
        self.lines.append(line)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(errands, "_LOOK_SECONDS", 0.01)


def run(played: Played, client: PlayedClient) -> dict[int, Any]:
    found = errands.run(Cluster("tcp://there:1", client), played, played.items)
    return {outcome.index: outcome.problem or outcome.value for outcome in found}


def test_every_item_is_computed_once() -> None:
    client = PlayedClient(workers={"tcp://one:1": 1, "tcp://two:1": 3})
    played = Played([b"x" * n for n in range(1, 40)])
    assert run(played, client) == {n - 1: 2 * n for n in range(1, 40)}
    assert len(client.sent) == 39 + 2
    assert not played.held


def test_a_worker_has_as_many_items_as_its_threads_are_times_those_of_one() -> None:
    waiting: list[Any] = []

    def slow(worker: str, call: dict[str, Any], content: bytes) -> bytes:
        waiting.append(call["index"])
        return answer(content * 2)

    played = Played([b"a", b"b", b"c", b"d"], threads=2)
    assert run(played, PlayedClient(slow, {"tcp://one:1": 5})) == dict.fromkeys(range(4), 2)
    assert played.most_held == 2


def test_items_may_become_more_while_others_are_computed() -> None:
    played, found = Played([b"a"]), []
    for outcome in errands.run(Cluster("tcp://there:1", PlayedClient()), played, played.items):
        found.append(outcome.value)
        if len(played.items) < 4:
            played.items.append(b"more")
    assert found == [2, 8, 8, 8]


def test_what_a_dead_worker_had_goes_to_another() -> None:
    def dies(worker: str, call: dict[str, Any], content: bytes) -> bytes | None:
        return None if worker == "tcp://one:1" and call["index"] >= 0 else answer(content * 2)

    client = PlayedClient(dies, {"tcp://one:1": 1, "tcp://two:1": 1})
    played = Played([b"a", b"b", b"c"])
    assert run(played, client) == {0: 2, 1: 2, 2: 2}
    assert played.lines == ["worker tcp://one:1 is gone; what it computed goes to another"]


def test_a_worker_that_was_started_again_at_its_address_is_another() -> None:
    client = PlayedClient()
    rooms = {"tcp://one:1": "first"}
    info = client.scheduler_info

    def told(n_workers: int) -> dict[str, Any]:
        found = info(n_workers)
        for address, facts in found["workers"].items():
            facts["local_directory"] = rooms[address]
        return found

    def restarts(worker: str, call: dict[str, Any], content: bytes) -> bytes | None:
        if call["index"] >= 0 and rooms[worker] == "first":
            rooms[worker], client.workers = "second", {worker: 1}
            client.kept.clear()
            client.workers = Stays(client.workers)
            return None
        return answer(content * 2)

    client.scheduler_info, client.answers = told, restarts  # type: ignore[method-assign]
    played = Played([b"a"])
    played.data = {"digest": b"a data set"}
    assert run(played, client) == {0: 2}
    assert client.kept == {"tcp://one:1": ["digest"]}
    assert played.lines == ["worker tcp://one:1 is gone; what it computed goes to another"]


class Stays(dict[str, int]):
    """Workers that are back before anybody looks."""

    def pop(self, *_: Any) -> int:
        return 1


def test_a_problem_comes_as_one_line_without_control_characters() -> None:
    def problem(worker: str, call: dict[str, Any], content: bytes) -> bytes:
        return answer(b"", "a\n\x1b[31m" + "b" * 9000) if call["index"] >= 0 else answer(content * 2)

    found = run(Played([b"a"]), PlayedClient(problem))
    assert found[0].isprintable()
    assert len(found[0]) <= 2000


def test_what_kills_every_worker_is_given_up() -> None:
    def killed(worker: str, call: dict[str, Any], content: bytes) -> bytes:
        return (
            answer(b"", "the worker process died", died=content == b"bad") if content == b"bad" else answer(content * 2)
        )

    assert run(Played([b"bad", b"ok"]), PlayedClient(killed)) == {0: "5 workers died while they computed it", 1: 4}


def test_a_problem_of_an_item_is_its_outcome() -> None:
    def problem(worker: str, call: dict[str, Any], content: bytes) -> bytes:
        return answer(b"", "is too deep") if content == b"deep" else answer(content * 2)

    assert run(Played([b"deep", b"ok"]), PlayedClient(problem)) == {0: "is too deep", 1: 4}


def test_a_problem_that_may_be_the_workers_is_tried_elsewhere_and_that_worker_named_once() -> None:
    def full(worker: str, call: dict[str, Any], content: bytes) -> bytes:
        if worker == "tcp://full:1" and call["index"] >= 0:
            return answer(b"", "room: cannot be written: no space left on device")
        return answer(content * 2)

    client = PlayedClient(full, {"tcp://full:1": 2, "tcp://two:1": 1})
    played = Played([b"a", b"b", b"c", b"d"], elsewhere=True)
    assert run(played, client) == dict.fromkeys(range(4), 2)
    words = "warning: worker tcp://full:1 is not used: room: cannot be written: no space left on device"
    assert played.lines == [words]
    assert not played.held


def test_a_problem_that_every_worker_has_ends_it_with_the_reason() -> None:
    def full(worker: str, call: dict[str, Any], content: bytes) -> bytes:
        return answer(b"", "no space left on device") if call["index"] >= 0 else answer(content * 2)

    client = PlayedClient(full, {"tcp://one:1": 1, "tcp://two:1": 1})
    played = Played([b"a", b"b"], elsewhere=True)
    with pytest.raises(InputError, match=r"has no worker that can compute this: tcp://one:1 no space left on device"):
        run(played, client)
    assert len(played.lines) == 2
    assert not played.held


def test_what_cannot_be_given_or_needs_nothing_stops_no_other() -> None:
    assert run(Played([b"unreadable", b"", b"ok"]), PlayedClient()) == {0: "a file: is gone", 1: False, 2: 4}


@pytest.mark.parametrize(
    ("hello", "words"),
    [
        (answer(b"", "would not compute as declared: the runs were declared with other code than this"), "other code"),
        (answer(b"what?"), "greets otherwise"),
        (answer(b"hellohello", digest="0" * 64), "did not arrive whole"),
        (b"no JSON", "gave no answer that can be read: an answer: is not JSON"),
        (ModuleNotFoundError("No module named 'tinyproof'"), "No module named 'tinyproof'"),
    ],
)
def test_a_worker_that_is_other_than_asked_is_told_and_idle(hello: bytes | Exception, words: str) -> None:
    def other(worker: str, call: dict[str, Any], content: bytes) -> bytes | Exception:
        return hello if worker == "tcp://other:1" and call["index"] < 0 else answer(content * 2)

    client, played = PlayedClient(other, {"tcp://other:1": 4, "tcp://two:1": 1}), Played([b"a", b"b"])
    assert run(played, client) == {0: 2, 1: 2}
    assert played.lines[0].startswith("warning: worker tcp://other:1 is not used: ")
    assert words in played.lines[0]
    assert all(worker == "tcp://two:1" for worker, function in client.sent if function == "double")


def test_where_every_worker_is_refused_the_command_ends_with_the_reason() -> None:
    client = PlayedClient(lambda *_: answer(b"", "has tinyproof 0.0.1, where 0.1.0 asks"))
    with pytest.raises(InputError, match=r"has no worker that can compute this: tcp://one:1 has tinyproof 0\.0\.1"):
        run(Played([b"a"]), client)


def odd(**head: object) -> bytes:
    """An answer whose digest is right and whose line is not."""
    told = {"problem": "", "died": False, "sha256": sha256(b"aa"), "seconds": 0.5, **head}
    return json.dumps(told).encode() + b"\naa"


@pytest.mark.parametrize(
    "lie",
    [
        answer(b"wrong"), answer(b"aa", digest="0" * 64), b"\x80\x04N.", b"", b"[]\n", b"[" * 100_000,
        odd(seconds="a while"), odd(seconds=None), odd(seconds=float("nan")), odd(seconds=-1), odd(problem=None),
        odd(problem={}), odd(sha256=None),
    ],
)  # fmt: skip
def test_an_answer_that_is_not_what_it_should_be_is_not_taken_and_its_worker_not_asked_again(lie: bytes) -> None:
    def lies(worker: str, call: dict[str, Any], content: bytes) -> bytes:
        return lie if worker == "tcp://liar:1" and call["index"] >= 0 else answer(content * 2)

    client, played = PlayedClient(lies, {"tcp://liar:1": 1, "tcp://two:1": 1}), Played([b"a", b"a", b"a"])
    assert run(played, client) == {0: 2, 1: 2, 2: 2}
    assert [worker for worker, _ in client.sent].count("tcp://liar:1") == 2
    assert len(played.lines) == 1


def test_data_goes_once_to_each_worker() -> None:
    client, played = PlayedClient(workers={f"tcp://{n}:1": 1 for n in range(5)}), Played([b"a"] * 20)
    client.kept["tcp://3:1"] = ["digest"]
    played.data = {"digest": b"a data set"}
    there = Cluster("tcp://there:1", client)
    assert len(list(errands.run(there, played, played.items))) == 20
    assert {one: kept for one, kept in client.kept.items() if kept == ["digest"]} == client.kept
    assert len(client.kept) == 5
    assert played.packed == 1
    assert there.sent == 4 * len(b"a data set") + 20 * len(b"a") + 5 * len(b"hello")


def test_without_a_worker_it_waits_and_says_so_once() -> None:
    client, played = PlayedClient(workers={}), Played([b"a"])

    def say(line: str) -> None:
        played.lines.append(line)
        client.workers["tcp://late:1"] = 1

    played.say = say  # type: ignore[method-assign]
    assert run(played, client) == {0: 2}
    assert played.lines == ["tcp://there:1 has no worker yet; waiting for one"]


def test_a_scheduler_that_is_gone_ends_it_in_a_line() -> None:
    client = PlayedClient(status="closed")
    with pytest.raises(TinyproofError, match="tcp://there:1: the scheduler answers no more; the same command goes on"):
        run(Played([b"a"]), client)


def test_leaving_early_leaves_no_task_and_holds_nothing() -> None:
    client, played = PlayedClient(workers={"tcp://one:1": 8}), Played([b"a"] * 20)
    outcomes = errands.run(Cluster("tcp://there:1", client), played, played.items)
    next(outcomes)
    asked = len([1 for _, function in client.sent if function == "double"])
    outcomes.close()
    assert client.cancelled == asked - 1
    assert not played.held


def test_how_far_an_item_has_come_is_told_and_nothing_else_is_believed() -> None:
    client, played = PlayedClient(), Played([b"a"])
    outcomes = errands.run(Cluster("tcp://there:1", client), played, played.items)
    next(outcomes)
    half = {"index": 0, "words": "half"}
    for event in (half, {"index": 7, "words": "x"}, {"index": "0"}, None, {"words": 1, "index": 0}):
        client.hears((0.0, event))
    assert played.words == [(0, "half")]
