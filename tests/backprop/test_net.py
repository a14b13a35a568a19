"""Names, presets, TOML in and out, and one clear line for each thing that can be wrong in a file."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings

from tinyproof.backprop.equations import columns, forward, gradients, updates
from tinyproof.backprop.expr import evaluate_all
from tinyproof.backprop.net import Example, Layer, Net
from tinyproof.backprop.presets import PRESETS, find_net, preset
from tinyproof.backprop.random_net import drawn
from tinyproof.backprop.toml import from_toml, read_net, to_toml
from tinyproof.core.errors import DataError, InputError

from .nets import nets

COURSE_COLUMNS = [
    "t1", "t2", "i1", "i2", "w1", "w2", "w3", "w4", "h1", "a_h1", "h2", "a_h2", "w5", "w6", "w7", "w8",
    "o1", "a_o1", "o2", "a_o2", "E1", "E2", "E_total",
    "dE/dw1", "dE/dw2", "dE/dw3", "dE/dw4", "dE/dw5", "dE/dw6", "dE/dw7", "dE/dw8",
]  # fmt: skip

# Iteration 1 of the course network, read off the published sheets.
FIRST = {
    "h1": 0.0275, "a_h1": 0.506874566764534, "h2": 0.0425, "a_h2": 0.510623401004964, "o1": 0.432530357158047,
    "a_o1": 0.606477732206728, "o2": 0.534280153934997, "a_o2": 0.630480835450635, "E_total": 0.0141813779378917,
    "dE/dw1": 0.00031699339591029, "dE/dw5": 0.0128808186316283, "dE/dw8": 0.0155223081199948,
}  # fmt: skip


def test_the_course_has_its_31_columns() -> None:
    assert list(columns(preset("course"))) == COURSE_COLUMNS


@pytest.mark.parametrize("style", ["course", "chain"])
def test_iteration_1_of_the_course(style: str) -> None:
    net = preset("course")
    found = evaluate_all(gradients(net, style), evaluate_all(forward(net), net.givens()))
    for name, value in FIRST.items():
        assert abs(found[name] - value) <= 1e-14, name


def test_the_published_loss_of_the_worked_example_is_wrong_in_its_eighth_digit() -> None:
    """After one update it is printed as 0.291027924; float64 gives 0.29102777369359933."""
    net = preset("worked-example")
    known = evaluate_all(gradients(net), evaluate_all(forward(net), net.givens())) | {"learning_rate": 0.5}
    assert known["E_total"] == pytest.approx(0.2983711087600027, rel=1e-14)
    after = net.givens() | {e.name: evaluate_all([e], known)[e.name] for e in updates(net)}
    loss = evaluate_all(forward(net), after)["E_total"]
    assert abs(loss - 0.29102777369359933) <= 1e-15
    assert abs(loss - 0.291027924) > 1e-7


def test_names_of_several_hidden_layers_and_examples() -> None:
    names = columns(preset("deep"), "chain")
    assert {"h1_1", "a_h1_3", "h2_1", "a_h3_2", "o1", "a_o1", "b4", "dE/dh2_3", "dE/db4"} <= set(names)
    batch = columns(preset("xor"), "chain")
    assert {"i1[1]", "t1[4]", "a_h2[3]", "E_total[4]", "E_total", "dE/do1[2]", "dE/dw6", "dE/db3"} <= set(batch)
    in_turn = columns(preset("relu"))
    assert not any("[" in name for name in in_turn)


def test_biases_one_a_layer_constant_or_trained_and_one_a_unit() -> None:
    assert preset("worked-example").trained == tuple(f"w{k}" for k in range(1, 9))
    assert preset("deep").trained[-4:] == ("b1", "b2", "b3", "b4")
    assert preset("xor").trained[-3:] == ("b1", "b2", "b3")
    assert preset("worked-example").givens()["b2"] == 0.60


def test_examples_in_turn_change_the_givens() -> None:
    net = preset("relu")
    assert [net.givens(k)["i1"] for k in (1, 2, 3)] == [0.5, 1.0, 0.5]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(nets())
def test_columns_are_everything_once(net: Net) -> None:
    for style in ("course", "chain"):
        names = columns(net, style)
        assert len(set(names)) == len(names)
        assert set(names) == {e.name for e in (*forward(net), *gradients(net, style))} | net.givens().keys()


@pytest.mark.parametrize("name", PRESETS)
def test_presets_read_back_from_their_toml(name: str) -> None:
    assert from_toml(to_toml(preset(name))) == preset(name)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(nets())
def test_random_networks_read_back_from_their_toml(net: Net) -> None:
    assert from_toml(to_toml(net)) == net


def test_odd_names_survive_toml() -> None:
    net = replace(preset("course"), name='a "b" \\ é', title="tab\there")
    assert from_toml(to_toml(net)) == net


def test_lists_and_arrays_are_welcome() -> None:
    """Where a tuple is meant; the network is then the same, and hashable."""
    first, second = (np.array(layer.weights) for layer in preset("course").layers)
    layers = [Layer(first), Layer(second.tolist())]  # type: ignore[arg-type]
    net = Net("course", layers, [Example([0.05, 0.1], np.array([0.5, 0.5]))])  # type: ignore[arg-type]
    assert replace(net, title=preset("course").title) == preset("course")
    assert hash(net)
    assert Layer(first, bias=[0.1, 0.2]).biases == (0.1, 0.2)  # type: ignore[arg-type]


def test_same_seed_same_network() -> None:
    assert drawn([2, 3, 1], 5) == drawn([2, 3, 1], 5) != drawn([2, 3, 1], 6)


COURSE = to_toml(preset("course"))
ABOVE_0 = "is not allowed; allowed: a finite number above 0 (mine.toml)"


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (("[0.15, 0.2],", "[0.15],"), "layers[1].weights: 'row 2 of 2 numbers' is not allowed; allowed: 1, as in row"),
        (("  [0.4, 0.45],\n  [0.5, 0.55],", "  [0.4],\n"), "layers[2].weights: 'rows of 1' is not allowed; allowed: r"),
        (('activation = "sigmoid"', 'activation = "swish"'), "layers[1].activation: 'swish' is not allowed; allowed: "),
        (('activation = "sigmoid"', 'activation = "softmax"'), "layers[1].activation: 'softmax' is not allowed; allow"),
        (("0.15", "nan"), "layers[1].weights, row 1: nan is not allowed; allowed: a finite number (mine.toml)"),
        (("inputs = [0.05, 0.1]", "inputs = [0.05, inf]"), "examples[1].inputs: inf is not allowed; allowed: a finite"),
        (("inputs = [0.05, 0.1]", "inputs = [0.05]"), "examples[1].inputs: '1 numbers' is not allowed; allowed: 2, as"),
        (("targets = [0.5, 0.5]", "target = [0.5, 0.5]"), "examples[1].target: [0.5, 0.5] is not allowed; allowed: on"),
        (("targets = [0.5, 0.5]", ""), "examples[1].targets is missing; give a list of numbers (mi"),
        (("0.15", '"a"'), "layers[1].weights, row 1: 'a' is not allowed; allowed: a finite number (mine.toml)"),
        (("0.15", "true"), "layers[1].weights, row 1: True is not allowed; allowed: a finite number (mine.toml)"),
        (("half squared error", "absolute"), "loss: 'absolute' is not allowed; allowed: half squared error, mean"),
        (("half squared error", "categorical cross-entropy"), "loss: 'categorical cross-entropy' is not allowed; allo"),
        (("learning_rate = 0.5", "learning_rate = inf"), "learning_rate: inf is not allowed; allowed: a finite number"),
        (("learning_rate = 0.5", "learning_rate = -3"), f"learning_rate: -3 {ABOVE_0}"),
        (("learning_rate = 0.5", 'learning_rate = "x"'), "learning_rate: 'x' is not allowed; allowed: a finite number"),
        (('taken = "summed"', 'taken = "shuffled"'), "taken: 'shuffled' is not allowed; allowed: summed, averaged, on"),
        (('name = "course"', "name = 3"), "name: 3 is not allowed; allowed: a text in quotes (mine.toml)"),
        (('name = "course"', "epochs = 3"), "epochs: 3 is not allowed; allowed: only name, title, loss, taken, learni"),
        (("weights = [", "bias = [1.0]\nweights = ["), "layers[1].bias: '1 numbers' is not allowed; allowed: one numb"),
        (("weights = [", "bias = nan\nweights = ["), "layers[1].bias: nan is not allowed; allowed: a finite number"),
        (("weights = [", "train_bias = 1\nweights = ["), "layers[1].train_bias: 1 is not allowed; allowed: true or fa"),
        (("name =", "name ="), ""),
    ],
)  # fmt: skip
def test_a_wrong_field_is_named(edit: tuple[str, str], message: str) -> None:
    text = COURSE.replace(*edit, 1)
    if not message:
        assert from_toml(text, "mine.toml") == preset("course")
        return
    assert text != COURSE
    with pytest.raises(InputError) as caught:
        from_toml(text, "mine.toml")
    assert str(caught.value).startswith(message)
    assert "(mine.toml)" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name = ", "mine.toml: is not TOML: "),
        ("", "layers are missing"),
        ("layers = 3", "layers: 3 is not allowed"),
        ("layers = [3]", "layers[1]: 3 is not allowed"),
        ("[[layers]]\nweights = 3", "layers[1].weights: 3 is not allowed"),
        ("[[layers]]\nweights = []", "layers[1].weights are missing"),
        ("[[layers]]\nweights = [[1]]", "examples are missing"),
        ("[[layers]]\nweights = [[1" + "0" * 400 + "]]", "layers[1].weights, row 1: 'a number over 1.8e308'"),
        ("a = " + "[" * 5000, "mine.toml: is "),
    ],
)
def test_text_that_is_no_network(text: str, message: str) -> None:
    with pytest.raises((InputError, DataError)) as caught:
        from_toml(text, "mine.toml")
    assert str(caught.value).startswith(message)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        read_net(tmp_path / "none.toml")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="is not UTF-8 text"):
        read_net(tmp_path / "binary.toml")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: preset("curse"), "network: 'curse' is not allowed; allowed: course, worked-example, xor"),
        (lambda: drawn([2], 1), "shape: [2] is not allowed"),
        (lambda: drawn([2, 0, 1], 1), "shape: [2, 0, 1] is not allowed"),
        (lambda: drawn([2, 1], -1), "seed: -1 is not allowed"),
        (lambda: drawn([2, 1], 1, examples=0), "examples: 0 is not allowed"),
        (lambda: drawn([300, 300], 1), "layers: '90,000 weights and biases' is not allowed; allowed: at most 16,384"),
        (lambda: drawn([2, 2], 1, loss="binary cross-entropy", output="tanh"), "loss: 'binary cross-entropy' is not"),
        (
            lambda: Net("n", (Layer(((1.0,),)),), (Example((1.0,), (2.0,)),), "binary cross-entropy"),
            "examples[1].targets: [2.0] is not allowed; allowed: numbers from 0 to 1",
        ),
        (
            lambda: Net(
                "n", (Layer(((1.0,), (1.0,)), "softmax"),), (Example((1.0,), (0.5, 0.6)),), "categorical cross-entropy"
            ),
            "examples[1].targets: [0.5, 0.6] is not allowed; allowed: numbers that add up to 1",
        ),
        (
            lambda: gradients(drawn([8] * 8, 1), "course"),
            "style: 'course' is not allowed; allowed: chain for a network",
        ),
    ],
)
def test_networks_that_cannot_be(make: Callable[[], object], message: str) -> None:
    with pytest.raises(InputError) as caught:
        make()
    assert str(caught.value).startswith(message)


def test_wide_and_deep_networks_stay_quick_as_a_chain() -> None:
    wide = drawn([400, 30, 3], 1)
    assert len(gradients(wide)) == 12_090 + 2 * 33
    found = evaluate_all(gradients(wide), evaluate_all(forward(wide), wide.givens()))
    assert math.isfinite(found["dE/dw12000"])


@pytest.mark.parametrize("units", [0, 16_385])
def test_a_layer_of_no_size_is_told_both_limits(units: int) -> None:
    with pytest.raises(InputError, match="each from 1 to 16,384, inputs first"):
        find_net(f"random:2-{units}-1:7")
