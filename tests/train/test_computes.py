"""The digest of the code: prose costs nobody a proof, and no change that computes goes unseen."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tinyproof.train import computes

Change = tuple[str, str, str]


@pytest.fixture
def code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., str]]:
    """The digest for a network and an engine, after some texts in a copy of the package were replaced."""
    copy = tmp_path / "tinyproof"
    shutil.copytree(computes.PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__", "check", "backprop", "show"))
    monkeypatch.setattr(computes, "PACKAGE", copy)

    def digest(*changes: Change, model: str = "s7-8k", engine: str = "native") -> str:
        kept = {name: (copy / name).read_text("utf-8") for name, _, _ in changes}
        for name, old, new in changes:
            text = (copy / name).read_text("utf-8")
            assert old in text, (name, old)
            (copy / name).write_text(text.replace(old, new), "utf-8")
        computes._digest.cache_clear()
        found = computes.code_digest(model, engine)
        for name, text in kept.items():
            (copy / name).write_text(text, "utf-8")
        return found

    yield digest
    computes._digest.cache_clear()  # of the copy


LOOP, KERNEL, TORCH = "train/loop.py", "train/engine/native/kernels/update.hpp", "train/engine/torch_engine.py"
PROSE: list[Change] = [
    ("prove/journal/history.py", '"""', '"""Other words. '),
    (LOOP, '"""Train one network', '"""In other words: train one network'),
    (LOOP, "def _work(", "# Why.\n\n\ndef _work("),
    (LOOP, "the loss is not a number", "the loss is no number"),
    (LOOP, "threads: int | None = None,", "threads: object = None,"),
    (KERNEL, "#pragma once", "#pragma once\n// Why.\n"),
    ("api/prove.py", "def prove(", "# Why.\ndef prove("),
    ("train/store.py", "holds no finished run", "has no finished run"),
    ("__init__.py", "__version__ = ", '__version__ = "9.9" or '),
    ("network/nets.py", "nn.Linear(50, classes)", "nn.Linear(49, classes)"),
    ("network/anatomy.py", "(Exception, SystemExit)", "Exception"),
]


@pytest.mark.parametrize("change", PROSE, ids=lambda change: change[0])
def test_what_cannot_change_a_result_leaves_it_alone(code: Callable[..., str], change: Change) -> None:
    assert code(change) == code()


COMPUTING: list[Change] = [
    (LOOP, "_ORDER, _AUGMENT, _DROPOUT = 0, 1, 2", "_ORDER, _AUGMENT, _DROPOUT = 0, 2, 1"),
    (LOOP, ".permutation(count)", ".permutation(count)[::-1]"),
    (KERNEL, "1.0f - o.beta1", "1.1f - o.beta1"),
    ("train/schedule.py", "np.cos", "np.sin"),
    ("train/augment.py", "high - height + 1", "high - height"),
    ("network/nets.py", "nn.Dropout2d(0.01)", "nn.Dropout2d(0.02)"),
    ("network/nets.py", "torch.manual_seed(seed)", "torch.manual_seed(seed + 1)"),
    ("train/engine/native/native_engine.py", "_ADAMW_EPSILON = ", "_ADAMW_EPSILON = 2 * "),
    ("train/checkpoint.py", 'f"state/{name}": value', 'f"state/{name}": value * 1'),
    ("train/run_record.py", "log_probabilities.argmax(1)", "log_probabilities.argmin(1)"),
]


@pytest.mark.parametrize("change", COMPUTING, ids=lambda change: f"{change[0]} {change[1]}")
def test_what_computes_changes_it(code: Callable[..., str], change: Change) -> None:
    assert code(change) != code()


def test_an_engine_s_digest_is_of_its_own_code(code: Callable[..., str]) -> None:
    kernel, step = (KERNEL, "1.0f - o.beta1", "1.1f - o.beta1"), (TORCH, "self._steps = 0", "self._steps = 1")
    assert code(kernel, engine="torch") == code(engine="torch")
    assert code(step, engine="torch") != code(engine="torch")
    assert code(step) == code()


def test_a_network_of_somebody_s_own_depends_on_none_of_ours(code: Callable[..., str]) -> None:
    ours = ("network/nets.py", "nn.Dropout2d(0.01)", "nn.Dropout2d(0.02)")
    assert code(ours, model="net.py:Net") == code(model="net.py:Net") != code()


def test_every_cut_is_a_definition_with_a_reason_that_the_loop_reaches() -> None:
    """A name that is not there is refused; one that is reached no more has nothing to cut."""
    assert all(computes.CUTS.values())
    program = computes.reached(computes.PACKAGE, [*computes.CUTS][1:])
    assert program.definitions


def test_the_code_is_followed_once_for_all_networks_of_ones_own(monkeypatch: pytest.MonkeyPatch) -> None:
    followed, follow = list[object](), computes.reached
    monkeypatch.setattr(computes, "reached", lambda *given: followed.append(given) or follow(*given))
    computes._digest.cache_clear()
    assert computes.code_digest("a.py:Net", "torch") == computes.code_digest("lib/b.py:Net(width=2)", "torch")
    assert computes.code_digest("s7-8k", "torch") != computes.code_digest("a.py:Net", "torch")
    assert len(followed) == 2
