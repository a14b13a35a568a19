"""The native engine beside the torch engine: the same batches, steps, losses, averages and final weights."""

from __future__ import annotations

import copy
import hashlib
import subprocess
from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from tests.engine.compare import difference
from torch import nn

from tinyproof.core.errors import DataError
from tinyproof.data.dataset import Dataset, subset
from tinyproof.data.load import load_digits
from tinyproof.train.augment import draw
from tinyproof.train.engine import Batch
from tinyproof.train.engine.native.native_engine import NativeEngine
from tinyproof.train.engine.torch_engine import TorchEngine
from tinyproof.train.loop import train
from tinyproof.train.recipe import Augment, Recipe

pytestmark = [pytest.mark.numerics, pytest.mark.oracle("compiler"), pytest.mark.usefixtures("compiler")]

SGD = Recipe("sgd", rate=0.05, momentum=0.8, batch_size=40)
EVERYTHING = Augment(20, 2, 0.2, 10, crop_to=11, crop_probability=0.3, erase_probability=0.5)
RECIPES = {
    "sgd": SGD,
    "nesterov": replace(SGD, nesterov=True, weight_decay=0.01, label_smoothing=0.1, augment=EVERYTHING),
    "adamw": Recipe("adamw", "adamw", 0.01, weight_decay=0.05, batch_size=40, ema=0.95, augment=EVERYTHING),
}


def network(dropout: float = 0.0, seed: int = 3) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, bias=False), nn.ReLU(), nn.BatchNorm2d(8), nn.Dropout2d(dropout),
        nn.Conv2d(8, 4, 1), nn.LeakyReLU(0.2), nn.BatchNorm2d(4), nn.Dropout(dropout), nn.MaxPool2d(2),
        nn.Conv2d(4, 12, 3, padding=1, bias=False), nn.BatchNorm2d(12), nn.LeakyReLU(0.1),
        nn.AvgPool2d(6), nn.Flatten(), nn.Linear(12, 10), nn.LogSoftmax(1),
    )  # fmt: skip


def batches(recipe: Recipe, dataset: Dataset, steps: int, seed: int = 0) -> list[Batch]:
    rng = np.random.default_rng(seed)
    out = []
    for step in range(steps):
        count = recipe.batch_size if step != 1 else 23
        rows = rng.integers(0, len(dataset.train_images), count)
        out.append(Batch(rows, draw(recipe.augment, count, rng, 0.0, dataset.shape[1:]), int(rng.integers(2**31))))
    return out


def both(name: str, blobs: Dataset) -> tuple[NativeEngine, TorchEngine]:
    module = network()
    twin = copy.deepcopy(module)
    return NativeEngine(module, RECIPES[name], blobs, threads=1), TorchEngine(twin, RECIPES[name], blobs, threads=1)


@pytest.mark.parametrize("name", RECIPES)
def test_one_step_gives_the_weights_statistics_and_averages_of_torch(name: str, blobs: Dataset) -> None:
    native, other = both(name, blobs)
    for engine in (native, other):
        engine.step(batches(RECIPES[name], blobs, 1)[0], RECIPES[name].rate)
    ours, theirs = native.tally(), other.tally()
    assert (ours.correct, ours.count) == (theirs.correct, theirs.count)
    assert ours.loss_sum == pytest.approx(theirs.loss_sum, rel=1e-5)
    native.write_back()
    other.write_back()
    mine = native._module.state_dict()
    gradients = {key: weight.grad for key, weight in other._module.named_parameters()}
    for key, value in other._module.state_dict().items():
        compared = clear_of_rounding(gradients.get(key), value, name)
        assert torch.allclose(mine[key][compared].double(), value[compared].double(), rtol=2e-4, atol=2e-5), key


def clear_of_rounding(gradient: torch.Tensor | None, weight: torch.Tensor, optimizer: str) -> torch.Tensor:
    """Which weights one step determines: AdamW's first is the gradient's sign, and rounding decides that of a tiny one.
    The gradients themselves are compared, all of them, in test_layers and test_fuzz."""
    if optimizer != "adamw" or gradient is None:
        return torch.ones(weight.shape, dtype=torch.bool)
    clear = gradient.abs() > 1e-5 * gradient.abs().max()
    assert clear.double().mean() > 0.9
    return clear


@pytest.mark.parametrize("name", RECIPES)
def test_twenty_steps_follow_torch(name: str, blobs: Dataset) -> None:
    recipe, (native, other) = RECIPES[name], both(name, blobs)
    for batch in batches(recipe, blobs, 20):
        native.step(batch, recipe.rate)
        other.step(batch, recipe.rate)
        ours, theirs = native.tally(), other.tally()
        assert ours.count == theirs.count == len(batch.indices)
        assert ours.loss_sum == pytest.approx(theirs.loss_sum, rel=2e-3)
    last = native.evaluate(blobs.test_images, blobs.test_labels), other.evaluate(blobs.test_images, blobs.test_labels)
    assert last[0].loss_sum == pytest.approx(last[1].loss_sum, rel=1e-2)


def test_a_short_average_is_torch_s(blobs: Dataset) -> None:
    """After three steps an average of 0.3 keeps 0.3, not the larger share that the rule for first steps gives."""
    recipe, modules = replace(SGD, ema=0.3), (network(), network())
    start = flat(modules[0])
    native, other = (
        NativeEngine(modules[0], recipe, blobs, threads=1),
        TorchEngine(modules[1], recipe, blobs, threads=1),
    )
    for batch in batches(recipe, blobs, 8):
        native.step(batch, recipe.rate)
        other.step(batch, recipe.rate)
    native.write_back()
    other.write_back()
    assert difference(flat(modules[0]) - start, flat(modules[1]) - start) < 1e-2


def flat(module: nn.Module) -> NDArray[np.float64]:
    return torch.cat([p.detach().double().reshape(-1) for p in module.parameters()]).numpy()


def test_evaluation_is_the_module_s_own(blobs: Dataset) -> None:
    module = network(0.3)
    engine = NativeEngine(module, RECIPES["adamw"], blobs, threads=2)
    for batch in batches(RECIPES["adamw"], blobs, 5):
        engine.step(batch, 0.01)
    engine.tally()
    result = engine.evaluate(blobs.test_images, blobs.test_labels)
    assert engine.tally().count == 0  # the tally is of training images alone
    engine.write_back()
    assert not module.training
    inputs = (torch.from_numpy(blobs.test_images).float() / 255 - blobs.mean) / blobs.std
    with torch.no_grad():
        expected = module(inputs)
    np.testing.assert_allclose(result.log_probabilities, expected.numpy(), rtol=1e-4, atol=1e-4)
    loss = nn.functional.nll_loss(expected, torch.from_numpy(blobs.test_labels), reduction="sum")
    assert result.loss_sum == pytest.approx(float(loss), rel=1e-5)
    assert int(module.get_submodule("2").num_batches_tracked) == 5


def digest(engine: NativeEngine) -> str:
    return hashlib.sha256(b"".join(array.tobytes() for _, array in sorted(engine.state().items()))).hexdigest()


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_same_seed_same_bits(threads: int, blobs: Dataset) -> None:
    recipe, seen = RECIPES["adamw"], set()
    for _ in range(3):
        engine = NativeEngine(network(0.2), recipe, blobs, threads=threads)
        for batch in batches(recipe, blobs, 8):
            engine.step(batch, 0.01)
        seen.add((digest(engine), engine.evaluate(blobs.test_images, blobs.test_labels).loss_sum))
    assert len(seen) == 1
    engine.step(batches(recipe, blobs, 1)[0], 0.01)
    assert digest(engine) not in {one for one, _ in seen}


def test_a_run_goes_on_with_the_same_bits(blobs: Dataset) -> None:
    recipe = RECIPES["adamw"]
    steps = batches(recipe, blobs, 9)
    whole, first = (NativeEngine(network(0.2), recipe, blobs, threads=2) for _ in range(2))
    for batch in steps:
        whole.step(batch, 0.01)
    for batch in steps[:4]:
        first.step(batch, 0.01)
    second = NativeEngine(network(0.2, seed=8), recipe, blobs, threads=2)
    second.restore(first.state())
    for batch in steps[4:]:
        second.step(batch, 0.01)
    assert digest(second) == digest(whole)
    second.write_back()
    assert int(second._module.get_submodule("2").num_batches_tracked) == 9


def test_a_look_in_between_changes_no_bits(blobs: Dataset) -> None:
    """Three stages: a look takes an odd number of passes, each against the direction of the one before."""

    def engine() -> NativeEngine:
        torch.manual_seed(4)
        layers = [nn.Conv2d(1, 5, 3), nn.BatchNorm2d(5), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(5 * 6 * 6, 10)]
        return NativeEngine(nn.Sequential(*layers), SGD, blobs, threads=1)

    looking, training = engine(), engine()
    assert len(looking.plan.stages) == 3
    for batch in batches(SGD, blobs, 4):
        looking.step(batch, 0.05)
        looking.evaluate(blobs.test_images[:40], blobs.test_labels[:40])
        training.step(batch, 0.05)
    assert digest(looking) == digest(training)


def test_a_foreign_state_is_refused(blobs: Dataset) -> None:
    engine = NativeEngine(network(), SGD, blobs, threads=1)
    with pytest.raises(DataError, match="does not fit this network"):
        engine.restore({"steps": np.asarray(1)})


@pytest.mark.parametrize("rows", [[], [200], [-1], list(range(41))])
def test_a_batch_outside_the_data_is_refused(rows: list[int], blobs: Dataset) -> None:
    engine = NativeEngine(network(), SGD, blobs, threads=1)
    with pytest.raises(DataError, match="the batch"):
        engine.step(Batch(np.array(rows, dtype=np.int64), None, 0), 0.1)


def test_a_native_run_records_its_compiler(compiler: str) -> None:
    """The version in the record is what the compiler itself prints."""
    run = train("s6-19k", replace(SGD, epochs=1), subset(load_digits(), 80, 20), seed=0, engine="native", threads=1).run
    told = subprocess.run([compiler, "--version"], capture_output=True, text=True, check=True).stdout
    assert run.versions["C++ compiler"] in told
