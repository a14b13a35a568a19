"""Momentum, RMSprop and Adam followed by torch's own optimisers in float64; their settings, files and derivations."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import tinyproof
from tinyproof.backprop.derivation import derive
from tinyproof.backprop.equations import columns, updates
from tinyproof.backprop.expr import evaluate
from tinyproof.backprop.net import Net
from tinyproof.backprop.optimizer import Optimizer, parse_optimizer
from tinyproof.backprop.presets import PRESETS, preset
from tinyproof.backprop.random_net import drawn
from tinyproof.backprop.sweep import sweep
from tinyproof.backprop.toml import from_toml, to_toml
from tinyproof.backprop.trace import trace, traces
from tinyproof.core.errors import InputError

from .nets import nets
from .oracles import torch_answer

KINDS = ("momentum", "rmsprop", "adam")
OTHERS = ("momentum:momentum=0.5", "rmsprop:alpha=0.9,eps=0.01", "adam:beta1=0.7,beta2=0.95,eps=0.001")


def torch_optimizer(net: Net, parameters: list[torch.Tensor]) -> torch.optim.Optimizer:
    told = net.optimizer.values()
    match net.optimizer.kind:
        case "sgd":
            return torch.optim.SGD(parameters, lr=net.learning_rate)
        case "momentum":
            return torch.optim.SGD(parameters, lr=net.learning_rate, momentum=told["momentum"])
        case "rmsprop":
            return torch.optim.RMSprop(parameters, lr=net.learning_rate, alpha=told["alpha"], eps=told["eps"])
        case "adam":
            betas = told["beta1"], told["beta2"]
            return torch.optim.Adam(parameters, lr=net.learning_rate, betas=betas, eps=told["eps"])


# torch's name of a state -> ours
STATES = {"momentum_buffer": "m", "square_avg": "v", "exp_avg": "m", "exp_avg_sq": "v", "step": "n"}


def torch_columns(net: Net, iterations: int) -> dict[str, list[float]]:
    """Weights, states, loss and gradients at every iteration: torch trains on its own, and is asked at every step."""
    tensors = {name: torch.tensor(net.parameters[name], dtype=torch.float64) for name in net.trained}
    stepper = torch_optimizer(net, list(tensors.values()))
    found: dict[str, list[float]] = {}
    for k in range(iterations):
        now = {name: float(tensor) for name, tensor in tensors.items()}
        first = k % net.turns * net.at_once
        taken = replace(net, examples=net.examples[first : first + net.at_once], batch=None)
        answer = torch_answer(taken, net.parameters | now)
        now |= {f"dE/d{name}": answer.gradients[name] for name in net.trained} | {"E_total": answer.loss}
        for name, tensor in tensors.items():
            held = {STATES[key]: value for key, value in stepper.state.get(tensor, {}).items() if key in STATES}
            now |= {f"{letter}_{name}" if letter != "n" else "n": float(value) for letter, value in held.items()}
            tensor.grad = torch.tensor(answer.gradients[name], dtype=torch.float64)
        now = dict.fromkeys(net.states, 0.0) | now  # torch has none before the first step
        for name, value in now.items():
            found.setdefault(name, []).append(value)
        stepper.step()
    return found


def nudged(net: Net) -> Net:
    """The same, its weights a few units of their last place away: what rounding alone can do shows in its training."""
    layers = (
        replace(layer, weights=tuple(tuple(w * (1 + 2.0**-50) for w in row) for row in layer.weights))
        for layer in net.layers
    )
    return replace(net, layers=tuple(layers))


def assert_follows_torch(net: Net, iterations: int) -> None:
    """To 1e-12 of the largest number of each column: where parts cancel, what is left is as exact as the parts. Where
    the training itself enlarges rounding more than that, to three times what four units of the last place become."""
    found, other = trace(net, iterations), trace(nudged(net), iterations)
    expected = torch_columns(net, len(found))
    assert {*net.states, *net.trained, "E_total", *(f"dE/d{name}" for name in net.trained)} <= set(expected)
    for name in (*net.states, *net.trained, "E_total", *(f"dE/d{name}" for name in net.trained)):
        ours, theirs = found.column(name), np.array(expected[name])
        enlarged = np.abs(other.column(name)[: len(ours)] - ours[: len(other)]).max()
        assert np.abs(ours - theirs).max() <= max(1e-12 * np.abs(theirs).max(), 3 * enlarged) + 1e-17, name


def test_what_rounding_is_allowed_is_little() -> None:
    """In nearly all of the trainings above it stays below 1e-12, so nothing is allowed for it there."""
    chaotic = set()
    for name, kind in itertools.product(PRESETS, [*KINDS, *OTHERS]):
        net = preset(name).with_rate(0.01).with_optimizer(kind)
        found, other = trace(net, 120), trace(nudged(net), 120)
        moved = [np.abs(other.column(one) - found.column(one)).max() for one in net.trained]
        if any(3 * by > 1e-12 * np.abs(found.column(one)).max() for by, one in zip(moved, net.trained, strict=True)):
            chaotic.add((name, kind))
        assert max(moved) < 1e-10
    assert len(chaotic) <= 6, chaotic


@pytest.mark.parametrize("kind", [*KINDS, *OTHERS])
@pytest.mark.parametrize("name", PRESETS)
def test_presets_follow_torch_over_120_iterations(name: str, kind: str) -> None:
    assert_follows_torch(preset(name).with_rate(0.01).with_optimizer(kind), 120)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(nets(), st.sampled_from([*KINDS, *OTHERS]))
def test_random_networks_follow_torch(net: Net, kind: str) -> None:
    net = replace(net, learning_rate=0.005).with_optimizer(kind)
    # A gradient that is 0 but for rounding (a bias that all units of a softmax share) is divided by its own size.
    largest = [np.abs(trace(net, 12).column(f"dE/d{name}")).max() for name in net.trained]
    assume(not any(0 < size < 1e-12 for size in largest))
    assert_follows_torch(net, 12)


@pytest.mark.parametrize("taken", ["summed", "averaged", "one after the other"])
@pytest.mark.parametrize("kind", KINDS)
def test_however_examples_are_taken(kind: str, taken: str) -> None:
    net = drawn([2, 3, 2], 5, activation="tanh", biases="unit", examples=3, taken=taken, learning_rate=0.02)
    assert_follows_torch(net.with_optimizer(kind), 150)


@pytest.mark.parametrize("taken", ["summed", "averaged"])
@pytest.mark.parametrize("kind", ["sgd", *KINDS])
def test_batches_in_turn(kind: str, taken: str) -> None:
    net = drawn([2, 3, 2], 6, activation="tanh", biases="unit", examples=6, taken=taken, learning_rate=0.02)
    for batch in (1, 2, 3, 6):
        assert_follows_torch(net.with_optimizer(kind).with_batch(batch), 120)


def test_a_batch_of_all_is_all_and_a_batch_of_one_is_one_after_the_other() -> None:
    net = preset("xor")
    whole = trace(net, 9)
    assert np.array_equal(trace(net.with_batch(4), 9).values, whole.values)
    single = replace(net, taken="one after the other")
    assert np.array_equal(trace(net.with_batch(1), 9).values, trace(single, 9).values)
    pairs = trace(net.with_batch(2), 9)
    assert pairs.column("i1[1]").tolist() == [0.0, 1.0] * 4 + [0.0]
    assert not np.array_equal(pairs.column("w1"), whole.column("w1"))
    assert sweep(net.with_batch(2), [0.2], 9).final[0] == pairs.column("E_total")[-2:].mean()


@pytest.mark.parametrize(
    ("batch", "message"),
    [
        (3, "batch: 3 is not allowed; allowed: a number that divides the 4 examples: 1, 2, 4"),
        (0, "batch: 0 is not allowed; allowed: a number that divides the 4 examples: 1, 2, 4"),
        (-2, "batch: -2 is not allowed"),
        (8, "batch: 8 is not allowed"),
        (True, "batch: True is not allowed"),
        (2.0, "batch: 2.0 is not allowed"),
    ],
)
def test_what_no_batch_is(batch: int, message: str) -> None:
    with pytest.raises(InputError) as caught:
        tinyproof.trace("xor", batch=batch)
    assert str(caught.value).startswith(message)


def test_a_batch_where_examples_are_taken_one_by_one() -> None:
    with pytest.raises(
        InputError, match=r"^batch: 2 is not allowed; allowed: no batch with taken = one after the other"
    ):
        tinyproof.trace("relu", batch=2)


def test_a_lost_correction_would_be_seen() -> None:
    """The comparison can fail: Adam with another beta2 is another training."""
    net = preset("course").with_rate(0.01).with_optimizer("adam")
    theirs = torch_columns(net.with_optimizer("adam:beta2=0.99"), 5)
    ours = trace(net, 5)
    assert np.allclose(ours.column("m_w1")[:2], theirs["m_w1"][:2], rtol=1e-14, atol=0)
    assert np.abs(ours.column("w1") - theirs["w1"]).max() > 1e-9


@pytest.mark.parametrize("kind", KINDS)
def test_rows_go_on_as_the_equations_say(kind: str) -> None:
    net = preset("xor").with_optimizer(kind)
    table = trace(net, 5)
    assert table.columns == columns(net)
    assert all(table.row(1)[state] == 0 for state in net.states)
    for k in range(1, 5):
        now = table.row(k) | net.optimizer.values() | {"learning_rate": net.learning_rate}
        for equation in updates(net):
            now[equation.name] = float(evaluate(equation.expr, now))
        for name in (*net.states, *net.trained):
            assert now[name] == pytest.approx(table.row(k + 1)[name], rel=1e-14, abs=1e-18)


def test_several_rates_side_by_side_are_each_as_alone() -> None:
    net = preset("xor").with_optimizer("adam")
    for found in traces(net, [0.01, 0.1], 20):
        assert np.array_equal(found.values, trace(net, 20, rate=found.rate).values)
    swept = sweep(net, [0.01, 0.1], 20)
    assert np.allclose(swept.losses[:, 1], trace(net, 20, rate=0.1).column("E_total"), rtol=1e-12)


def test_what_is_not_trained_has_no_state() -> None:
    net = preset("worked-example").with_optimizer("adam")
    assert "m_b1" not in net.states
    assert net.states[0] == "n"
    assert len(net.states) == 1 + 2 * len(net.trained)


@pytest.mark.parametrize("kind", [*KINDS, *OTHERS, "sgd"])
def test_files_and_texts_read_back(kind: str) -> None:
    net = preset("deep").with_optimizer(kind)
    assert from_toml(to_toml(net)) == net
    assert parse_optimizer(str(net.optimizer)) == net.optimizer
    assert ("optimizer" in to_toml(net)) == (kind != "sgd")
    batches = preset("xor").with_optimizer(kind).with_batch(2)
    assert from_toml(to_toml(batches)) == batches


def test_a_file_may_name_the_settings() -> None:
    text = to_toml(preset("course")).replace("learning_rate", 'optimizer = "adam"\nbeta1 = 0.8\nlearning_rate')
    assert from_toml(text).optimizer == Optimizer("adam", (("beta1", 0.8),))
    with pytest.raises(InputError) as caught:
        from_toml(text.replace("beta1 = 0.8", "alpha = 0.8"), "mine.toml")
    allowed = "only beta1, beta2, eps with the optimizer adam"
    assert str(caught.value) == f"alpha: 0.8 is not allowed; allowed: {allowed} (mine.toml)"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("adagrad", "optimizer: 'adagrad' is not allowed; allowed: sgd, momentum, rmsprop, adam"),
        ("momentum:momentum=1", "momentum: 1.0 is not allowed; allowed: a number from 0 to below 1"),
        ("momentum:momentum=-0.1", "momentum: -0.1 is not allowed; allowed: a number from 0 to below 1"),
        ("adam:beta2=nan", "beta2: nan is not allowed; allowed: a number from 0 to below 1"),
        ("rmsprop:eps=0", "eps: 0.0 is not allowed; allowed: a finite number above 0"),
        ("rmsprop:eps=inf", "eps: inf is not allowed; allowed: a finite number above 0"),
        ("adam:momentum=0.9", "momentum: 0.9 is not allowed; allowed: only beta1, beta2, eps with the optimizer adam"),
        ("sgd:momentum=0.9", "momentum: 0.9 is not allowed; allowed: no setting with the optimizer sgd"),
        ("adam:beta1=much", "beta1: 'much' is not allowed; allowed: a number from 0 to below 1"),
        ("adam:beta1", "optimizer: 'adam:beta1' is not allowed; allowed: a kind, or with settings as in adam:"),
        ("adam:beta1=.8,beta1=.9", "optimizer: 'adam:beta1=.8,beta1=.9' is not allowed; allowed: beta1 once"),
    ],
)  # fmt: skip
def test_what_no_optimizer_is(text: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        tinyproof.trace("course", optimizer=text)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["course", "softmax"])
def test_the_derivation_prints_the_next_row(name: str, kind: str) -> None:
    net = preset(name).with_optimizer(kind)
    found, after = derive(net, 4), trace(net, 5).row(5)
    lines = {line.name: line for line in found.steps[-1].lines}
    assert list(lines) == [*net.states, *net.trained]
    assert all(line.becomes for line in lines.values())
    for line in lines.values():
        assert line.value == pytest.approx(after[line.name], rel=1e-13, abs=1e-18)
        assert line.numbers is not None
        # The numbers filled in are those that the value is made of, to the digits shown.
        assert float(evaluate(line.numbers, {})) == pytest.approx(line.value, rel=2e-4, abs=1e-12)


def test_one_weight_alone_keeps_its_states() -> None:
    found = derive(preset("course").with_optimizer("adam"), 2, weight="w3")
    assert [line.name for line in found.steps[-1].lines] == ["n", "m_w3", "v_w3", "w3"]


def test_a_setting_is_given_once_in_python_too() -> None:
    with pytest.raises(InputError, match=r"^optimizer: .* is not allowed; allowed: each setting once"):
        tinyproof.Optimizer("adam", (("beta1", 0.8), ("beta1", 0.9)))
