"""The torch engine against a training step written out with torch's own parts."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from tests.engine.compare import clear_of_kinks, difference
from torch import nn
from torch.nn import functional as F

from tinyproof.core.errors import InputError
from tinyproof.data.dataset import Dataset
from tinyproof.network import nets
from tinyproof.train.engine import Batch, choose
from tinyproof.train.engine.torch_engine import TorchEngine
from tinyproof.train.recipe import Recipe

pytestmark = pytest.mark.numerics

RATES = [0.01, 0.02, 0.005, 0.03]


def batches(count: int, size: int = 50) -> list[Batch]:
    rng = np.random.Generator(np.random.PCG64(1))
    return [Batch(rng.permutation(200)[:size], None, int(rng.integers(2**31))) for _ in range(count)]


def floats(module: nn.Module) -> list[torch.Tensor]:
    """Weights and running statistics, float64."""
    return [t.detach().double() for t in module.state_dict().values() if t.is_floating_point()]


def by_hand(module: nn.Module, recipe: Recipe, few: Dataset, given: list[Batch]) -> tuple[float, list[torch.Tensor]]:
    """The same steps in plain torch, the averages in float64. Returns the sum of losses and the weights."""
    weights = module.to(memory_format=torch.channels_last).parameters()  # type: ignore[call-overload]
    if recipe.optimizer == "adamw":
        optimizer: torch.optim.Optimizer = torch.optim.AdamW(weights, 1, (0.9, 0.999), weight_decay=0.01, fused=True)
    else:
        optimizer = torch.optim.SGD(weights, 1, 0.9, nesterov=True, weight_decay=1e-4, fused=True)
    averaged = floats(module)
    # Over several steps the roundings must be the engine's (here, in the loss and in the optimiser): the last bit of a
    # value decides which of two equal pixels wins a maximum.
    images = (torch.from_numpy(few.train_images).float() - 255 * few.mean) / (255 * few.std)
    # Dropout draws in the order of memory, so the layout (above, and of each batch) is the engine's too.
    labels = torch.from_numpy(few.train_labels)
    total = 0.0
    for step, (batch, rate) in enumerate(zip(given, RATES, strict=False)):
        module.train()
        torch.manual_seed(batch.seed)
        optimizer.param_groups[0]["lr"] = rate
        optimizer.zero_grad()
        out = module(images[batch.indices].contiguous(memory_format=torch.channels_last))
        nll = F.cross_entropy(out, labels[batch.indices], label_smoothing=recipe.label_smoothing)
        nll.backward()
        optimizer.step()
        decay = min(0.9, (1 + step) / (10 + step))
        averaged = [decay * old + (1 - decay) * new for old, new in zip(averaged, floats(module), strict=True)]
        total += nll.item() * len(batch.indices)
    return total, averaged if recipe.ema else floats(module)


@pytest.mark.parametrize("kind", ["adamw with averaging", "sgd with nesterov"])
def test_steps_are_those_of_plain_torch(kind: str, few: Dataset, quick: Recipe, sgd: Recipe) -> None:
    recipe = replace(quick, weight_decay=0.01) if kind.startswith("adamw") else sgd
    module = nets.build("s6-19k", 1)
    expected_loss, expected = by_hand(deepcopy(module), recipe, few, batches(4))
    engine = TorchEngine(module, recipe, few)
    for batch, rate in zip(batches(4), RATES, strict=True):
        engine.step(batch, rate)
    tally = engine.tally()
    engine.write_back()
    assert tally.count == 200
    assert tally.loss_sum == pytest.approx(expected_loss, rel=1e-5)
    for ours, theirs in zip(floats(module), expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=2e-6)


@pytest.mark.parametrize("kind", ["adamw", "sgd"])
def test_one_step_is_that_of_the_plain_optimiser(kind: str, few: Dataset, quick: Recipe, sgd: Recipe) -> None:
    """From the engine's own gradient: the first step of AdamW is the gradient's sign, and rounding decides the sign of
    one that is almost zero. What the gradient is the next test says."""
    recipe = replace(quick, weight_decay=0.01, ema=None) if kind == "adamw" else sgd
    module = nets.build("s6-19k", 1)
    twin = deepcopy(module).double()
    TorchEngine(module, recipe, few).step(batches(1)[0], RATES[0])
    plain: torch.optim.Optimizer = torch.optim.SGD(twin.parameters(), RATES[0], 0.9, nesterov=True, weight_decay=1e-4)
    if kind == "adamw":
        plain = torch.optim.AdamW(twin.parameters(), RATES[0], (0.9, 0.999), weight_decay=0.01, foreach=False)
    for ours, theirs in zip(module.parameters(), twin.parameters(), strict=True):
        assert ours.grad is not None
        theirs.grad = ours.grad.double()
    plain.step()
    for ours, theirs in zip(module.parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(ours.double(), theirs, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_the_gradient_is_that_of_float64(smoothing: float, few: Dataset, sgd: Recipe) -> None:
    """With the loss written out. The images keep clear of every kink: at one, either side is right."""
    recipe = replace(sgd, label_smoothing=smoothing)
    module = nets.build("s6-19k", 1)
    nets.set_dropout(module, 0.0)
    rng = np.random.default_rng(3)
    given = next(rows for _ in range(400) if clear(module, few, rows := rng.permutation(200)[:6]))
    twin = deepcopy(module).double().train()
    TorchEngine(module, recipe, few).step(Batch(given, None, 1), 0.01)
    out = twin(normalised(few, given))
    labels = torch.from_numpy(few.train_labels[given])
    ((1 - smoothing) * F.nll_loss(out, labels) - smoothing * out.mean()).backward()
    for ours, theirs in zip(module.parameters(), twin.parameters(), strict=True):
        assert ours.grad is not None
        assert theirs.grad is not None
        assert difference(ours.grad.numpy(), theirs.grad.numpy()) < 1e-4


def clear(module: nn.Module, few: Dataset, rows: np.ndarray[Any, Any]) -> bool:
    return clear_of_kinks(module, few.train_images[rows, 0], 1e-5, (1 / (255 * few.std), -few.mean / few.std))


def normalised(few: Dataset, rows: np.ndarray[Any, Any]) -> torch.Tensor:
    return (torch.from_numpy(few.train_images[rows]).double() / 255 - few.mean) / few.std


def test_the_average_differs_from_the_last_weights_and_is_what_is_evaluated(few: Dataset, quick: Recipe) -> None:
    averaging, plain = (TorchEngine(nets.build("s6-19k", 1), r, few) for r in (quick, replace(quick, ema=None)))
    for batch in batches(4):
        averaging.step(batch, 0.02)
        plain.step(batch, 0.02)
    a, b = (e.evaluate(few.test_images, few.test_labels).log_probabilities for e in (averaging, plain))
    assert np.abs(a - b).max() > 1e-3
    averaging.write_back()
    again = TorchEngine(averaging._module, replace(quick, ema=None), few).evaluate(few.test_images, few.test_labels)
    np.testing.assert_array_equal(a, again.log_probabilities)


def test_inputs_are_normalised_with_the_data_sets_mean_and_std(few: Dataset, quick: Recipe) -> None:
    inputs = TorchEngine(nets.build("s6-19k"), quick, few).inputs(torch.from_numpy(few.train_images))
    expected = (few.train_images / 255.0 - few.mean) / few.std
    np.testing.assert_allclose(inputs.numpy(), expected, rtol=1e-5, atol=1e-5)


def test_evaluation_does_not_depend_on_its_batch_size(few: Dataset, quick: Recipe) -> None:
    engine = TorchEngine(nets.build("s7-8k", 1), quick, few)
    one, many = (engine.evaluate(few.test_images, few.test_labels, size) for size in (7, 500))
    np.testing.assert_allclose(one.log_probabilities, many.log_probabilities, atol=1e-5)
    by_torch = F.nll_loss(torch.from_numpy(many.log_probabilities), torch.from_numpy(few.test_labels), reduction="sum")
    assert many.loss_sum == pytest.approx(float(by_torch), rel=1e-5)


@pytest.mark.parametrize("kind", ["adamw with averaging", "sgd"])
def test_going_on_from_a_state_gives_the_same_bits(kind: str, few: Dataset, quick: Recipe, sgd: Recipe) -> None:
    recipe = sgd if kind == "sgd" else quick
    whole = TorchEngine(nets.build("s6-12k", 1), recipe, few)
    for batch in batches(4):
        whole.step(batch, 0.01)
    first = TorchEngine(nets.build("s6-12k", 1), recipe, few)
    for batch in batches(4)[:2]:
        first.step(batch, 0.01)
    state = first.state()
    first.step(batches(4)[3], 5.0)  # what happens to the first engine afterwards must not reach its state
    second = TorchEngine(nets.build("s6-12k", 9), recipe, few)
    second.restore(state)
    for batch in batches(4)[2:]:
        second.step(batch, 0.01)
    ours, theirs = second.state(), whole.state()
    assert ours.keys() == theirs.keys()
    for key in theirs:
        np.testing.assert_array_equal(ours[key], theirs[key], err_msg=key)


def test_logits_and_log_probabilities_train_alike(few: Dataset, sgd: Recipe) -> None:
    torch.manual_seed(0)
    logits = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
    logs = nn.Sequential(*deepcopy(logits), nn.LogSoftmax(1))
    for module in (logits, logs):
        TorchEngine(module, sgd, few).step(batches(1)[0], 0.01)
    torch.testing.assert_close(logits[1].weight, logs[1].weight)


class Usual(nn.Module):
    """The forward that most tutorials write: `view` behind a convolution."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv, self.norm, self.linear = nn.Conv2d(1, 8, 5), nn.BatchNorm2d(8), nn.Linear(8 * 12 * 12, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.max_pool2d(F.relu(self.norm(self.conv(x))), 2)
        x = F.dropout(x, 0.3, training=self.training)
        return F.log_softmax(self.linear(self.flat(x)), 1)

    def flat(self, x: torch.Tensor) -> torch.Tensor:
        return x.view(x.size(0), -1)


class Flattened(Usual):
    def flat(self, x: torch.Tensor) -> torch.Tensor:
        return torch.flatten(x, 1)


class ViewInEvaluation(Usual):
    def flat(self, x: torch.Tensor) -> torch.Tensor:
        return torch.flatten(x, 1) if self.training else super().flat(x)


@pytest.mark.parametrize("kind", [Usual, ViewInEvaluation])
def test_a_forward_that_views_is_trained_and_evaluated_in_contiguous_memory(
    kind: type[Usual], few: Dataset, quick: Recipe
) -> None:
    engines = [TorchEngine(made(), quick, few) for made in (kind, Flattened)]
    results = []
    for engine in engines:
        engine.step(replace(batches(1)[0], seed=3), 0.0)  # the rate 0: dropout draws in the order of memory
        results.append(engine.evaluate(few.test_images, few.test_labels).log_probabilities)
    np.testing.assert_allclose(results[0], results[1], rtol=1e-4, atol=1e-4)
    weights = [engine._module.get_parameter("conv.weight") for engine in engines]
    assert weights[0].is_contiguous()
    assert weights[1].is_contiguous(memory_format=torch.channels_last)


def test_trying_the_layout_leaves_weights_statistics_mode_and_random_state(few: Dataset, quick: Recipe) -> None:
    module = Usual().eval()
    before, drawn = {k: v.clone() for k, v in module.state_dict().items()}, torch.get_rng_state()
    TorchEngine(module, quick, few)
    assert torch.equal(torch.get_rng_state(), drawn)
    assert not module.training
    assert all(parameter.grad is None for parameter in module.parameters())
    for name, value in module.state_dict().items():
        assert torch.equal(value, before[name]), name


def test_functional_dropout_is_drawn_from_the_batch_s_seed(few: Dataset, sgd: Recipe) -> None:
    losses: list[float] = []
    for seed in (1, 1, 2):
        engine = TorchEngine(Usual(), sgd, few)
        torch.rand(len(losses))  # other work that draws must not matter
        engine.step(replace(batches(1)[0], seed=seed), 0.01)
        losses.append(engine.tally().loss_sum)
    assert losses[0] == losses[1] != losses[2]


def test_noise_in_evaluation_gives_the_same_answers_again(few: Dataset, sgd: Recipe) -> None:
    class Noisy(Usual):
        def flat(self, x: torch.Tensor) -> torch.Tensor:
            return torch.flatten(F.dropout(x, 0.5), 1)

    engine = TorchEngine(Noisy(), sgd, few)
    first, second = (engine.evaluate(few.test_images, few.test_labels).log_probabilities for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_choose_gives_torch_on_a_device_that_native_does_not_know(quick: Recipe) -> None:
    kind, reason = choose("auto", nets.build("s7-8k"), quick, "cuda")
    assert kind is TorchEngine
    assert "CPU only" in reason
    with pytest.raises(InputError, match="native does not apply"):
        choose("native", nets.build("s7-8k"), quick, "cuda")
    with pytest.raises(InputError, match="auto, torch, native"):
        choose("jax", nets.build("s7-8k"), quick, "cpu")


def test_a_last_batch_of_one_image_that_batch_norm_cannot_take_is_one_line(few: Dataset) -> None:
    module = nn.Sequential(nn.Flatten(), nn.Linear(28 * 28, 8), nn.BatchNorm1d(8), nn.Linear(8, 10))
    engine = TorchEngine(module, Recipe("lone", batch_size=50), few)
    with pytest.raises(InputError, match=r"batch_size: 50 is not allowed.*last batch of one image"):
        engine.step(batches(1, size=1)[0], 0.01)
