"""Networks that branch, with grouped and depthwise convolutions, through both engines: gradients against float64, steps
against torch, random graphs (`python -m tests.engine.test_graphs 100` draws more)."""

from __future__ import annotations

import copy
import functools
import random
import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest
import torch
from tests.conftest import program
from tests.engine.compare import QUICK, Native, batch_of, by_parameter, difference, exact_gradient
from tests.engine.graphs import Branching, random_graph
from tests.engine.test_fuzz import agrees
from torch import Tensor, nn
from torch.nn import functional as F

from tinyproof.data.dataset import Dataset
from tinyproof.train.augment import draw
from tinyproof.train.engine import Batch
from tinyproof.train.engine.native import native_engine
from tinyproof.train.engine.native.build import find_compiler, library
from tinyproof.train.engine.native.native_engine import NativeEngine, plan_of
from tinyproof.train.engine.native.source import source
from tinyproof.train.engine.torch_engine import TorchEngine
from tinyproof.train.recipe import Augment, Recipe

pytestmark = [pytest.mark.oracle("compiler"), pytest.mark.usefixtures("compiler")]

SHAPE = (3, 12, 11)
COUNT = 10


class Net(nn.Module):
    """A first convolution, a part under test of 6 channels and as many out, and a linear layer."""

    def __init__(self, part: Callable[..., Tensor], out: int = 6, **modules: nn.Module) -> None:
        super().__init__()
        self.first, self.part = nn.Sequential(nn.Conv2d(3, 6, 3, padding=1), nn.LeakyReLU(0.3)), part
        for name, module in modules.items():
            setattr(self, name, module)
        self.pool, self.last = nn.AdaptiveAvgPool2d((1, 1)), nn.Linear(out, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(torch.flatten(self.pool(self.part(self, self.first(x))), 1))


def conv(inputs: int, out: int, kernel: object = 3, **more: object) -> nn.Conv2d:
    return nn.Conv2d(inputs, out, kernel, **more)  # type: ignore[arg-type]


def adds_in_place(net: Net, x: Tensor) -> Tensor:
    y = net.norm(net.a(x))
    y += x
    return net.act(y)


def of_the_norm(net: Net, x: Tensor) -> Tensor:
    x = net.norm(x)
    return net.a(x) + x


def leaves_a_rest(net: Net, x: Tensor) -> Tensor:
    x = net.norm(x)
    pooled = F.avg_pool2d(x, (5, 3)) + F.max_pool2d(x, (5, 3))  # of 12x11
    return pooled * torch.sigmoid(F.adaptive_avg_pool2d(x, 1))


PARTS: dict[str, Callable[[], Net]] = {
    "depthwise 3x3": lambda: Net(lambda n, x: n.a(x), a=conv(6, 6, groups=6, padding=1)),
    "depthwise 5x3, stride 2, no bias": lambda: Net(
        lambda n, x: n.a(x), a=conv(6, 6, (5, 3), groups=6, stride=2, padding=(2, 1), bias=False)
    ),
    "depthwise 7x7, three for each": lambda: Net(lambda n, x: n.a(x), 18, a=conv(6, 18, 7, groups=6, padding=3)),
    "depthwise 2x2, stride (3, 1)": lambda: Net(lambda n, x: n.a(x), a=conv(6, 6, 2, groups=6, stride=(3, 1))),
    "depthwise 11x11": lambda: Net(lambda n, x: n.a(x), a=conv(6, 6, 11, groups=6, padding=(3, 5))),
    "two groups": lambda: Net(lambda n, x: n.a(x), 8, a=conv(6, 8, groups=2)),
    "three groups, 1x1, norm": lambda: Net(
        lambda n, x: n.norm(n.a(x)), 9, a=conv(6, 9, 1, groups=3), norm=nn.BatchNorm2d(9)
    ),
    "groups of the images": lambda: Net(lambda n, x: n.a(x), a=conv(6, 6, (2, 5), groups=3, stride=2, padding=(1, 3))),
    "residual": lambda: Net(
        lambda n, x: n.act(n.norm(n.a(x)) + x), a=conv(6, 6, padding=1), norm=nn.BatchNorm2d(6), act=nn.LeakyReLU(0.2)
    ),
    "residual, in place": lambda: Net(
        adds_in_place, a=conv(6, 6, padding=1), norm=nn.BatchNorm2d(6), act=nn.LeakyReLU(0.2)
    ),
    "norm before both branches": lambda: Net(
        of_the_norm, a=conv(6, 6, padding=1), norm=nn.BatchNorm2d(6)
    ),
    "inverted bottleneck": lambda: Net(
        lambda n, x: n.n3(n.c(n.act(n.n2(n.b(n.act2(n.n1(n.a(x)))))))) + x,
        a=conv(6, 12, 1, bias=False), n1=nn.BatchNorm2d(12), act2=nn.LeakyReLU(0.1),
        b=conv(12, 12, groups=12, padding=1, bias=False), n2=nn.BatchNorm2d(12), act=nn.LeakyReLU(0.2),
        c=conv(12, 6, 1, bias=False), n3=nn.BatchNorm2d(6),
    ),
    "a value and itself": lambda: Net(lambda n, x: n.norm(x + x), norm=nn.BatchNorm2d(6)),
    "three who take one": lambda: Net(
        lambda n, x: n.norm(n.a(x) + n.b(x)) + x, a=conv(6, 6, 1), b=conv(6, 6, padding=1), norm=nn.BatchNorm2d(6)
    ),
    "joined, with norm": lambda: Net(
        lambda n, x: n.act(n.norm(torch.cat([n.a(x), x, n.b(x)], 1))), 15, a=conv(6, 4, 1), b=conv(6, 5, padding=1),
        norm=nn.BatchNorm2d(15), act=nn.LeakyReLU(0.2),
    ),
    "joined with itself": lambda: Net(lambda n, x: n.a(torch.cat((x, x), dim=1)), a=conv(12, 6)),
    "pooled two ways": lambda: Net(
        lambda n, x: F.avg_pool2d(x, 2) + n.most(x), most=nn.MaxPool2d(2), a=nn.Identity()
    ),
    "pooling that leaves a rest, beside the global mean": lambda: Net(leaves_a_rest, norm=nn.BatchNorm2d(6)),
    "dilated": lambda: Net(lambda n, x: n.a(x), a=conv(6, 6, dilation=2)),
    "dilated, padded, stride 2": lambda: Net(
        lambda n, x: n.a(x), 7, a=conv(6, 7, (3, 2), dilation=(2, 5), padding=(4, 3), stride=2)
    ),
    "dilated, stride 3 by 2, one row": lambda: Net(
        lambda n, x: n.a(x), 5, a=conv(6, 5, (1, 4), dilation=(3, 2), padding=(0, 6), stride=(3, 2))
    ),
    "dilated depthwise 5x5": lambda: Net(
        lambda n, x: n.a(x), a=conv(6, 6, 5, dilation=(2, 3), padding=(7, 6), groups=6, stride=(1, 2))
    ),
    "dilated groups": lambda: Net(lambda n, x: n.a(x), 4, a=conv(6, 4, (2, 3), dilation=4, padding=4, groups=2)),
    "global maximum, twice": lambda: Net(
        lambda n, x: n.act(n.a(n.most(n.norm(x)))), 6, a=conv(6, 6, 1), norm=nn.BatchNorm2d(6), act=nn.LeakyReLU(0.1),
        most=nn.AdaptiveMaxPool2d((1, 1)),
    ),
    "dropout behind a sum": lambda: Net(lambda n, x: F.dropout(n.a(x) + x, 0.0), a=conv(6, 6, padding=1)),
}  # fmt: skip


def seeded(make: Callable[[], nn.Module]) -> tuple[nn.Module, np.random.Generator]:
    rng = np.random.default_rng()
    torch.manual_seed(int(rng.integers(2**31)))
    module = make()
    for layer in module.modules():
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.uniform_(layer.weight, 0.5, 1.5)
            nn.init.normal_(layer.bias)
    return module, rng


@pytest.mark.numerics
@pytest.mark.parametrize("name", PARTS)
def test_the_gradient_is_that_of_float64(name: str) -> None:
    module, rng = seeded(PARTS[name])
    native = Native(module, SHAPE, threads=2)
    images, labels = batch_of(module, 37, SHAPE, rng)
    ours, log_p = native.gradient(images, labels)
    exact = exact_gradient(module, images, labels)
    assert difference(ours, exact) < 2e-5, by_parameter(module, ours, exact)
    module.eval()
    with torch.no_grad():
        expected = F.log_softmax(module(torch.from_numpy(images).float() / 100 - 0.7), 1)
    if not native.plan.norms:
        np.testing.assert_allclose(log_p, expected.numpy(), atol=2e-5)
    np.testing.assert_allclose(native.evaluate(images), expected_after(module, native, images), atol=2e-5)


def expected_after(module: nn.Module, native: Native, images: np.ndarray) -> np.ndarray:
    """Log-probabilities in evaluation, with the running statistics as the kernels left them."""
    at = 0
    for name in native.plan.norms:
        norm = module.get_submodule(name)
        for buffer in (norm.running_mean, norm.running_var):
            buffer.copy_(torch.from_numpy(native.running[at : at + len(buffer)].copy()))
            at += len(buffer)
    with torch.no_grad():
        return F.log_softmax(module(torch.from_numpy(images).float() / 100 - 0.7), 1).numpy()


def patches() -> Dataset:
    rng = np.random.default_rng(7)
    labels = np.arange(120) % 10
    images = rng.integers(0, 120, (120, *SHAPE), dtype=np.uint8)
    images[:, :, 3:9, 4:9] += rng.integers(0, 130, (10, 3, 1, 1), dtype=np.uint8)[labels]
    return Dataset(
        name="patches", train_images=images[:100], train_labels=labels[:100], test_images=images[100:],
        test_labels=labels[100:], mean=(0.3, 0.4, 0.5), std=(0.2, 0.3, 0.25), classes=tuple("0123456789"),
    )  # fmt: skip


@pytest.mark.numerics
@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_twenty_steps_follow_torch(optimizer: str) -> None:
    augment = Augment(15, 1, 0.1, 5)
    recipe = Recipe("steps", optimizer, 0.01, momentum=0.8, batch_size=40, ema=0.9, weight_decay=0.01, augment=augment)
    data, rng = patches(), np.random.default_rng(3)
    module, _ = seeded(Branching)
    start = parameters(module)
    twins = module, copy.deepcopy(module)
    engines = NativeEngine(twins[0], recipe, data, threads=2), TorchEngine(twins[1], recipe, data, threads=1)
    for step in range(20):
        rows = rng.integers(0, 100, 40 if step != 1 else 23)
        batch = Batch(rows, draw(augment, len(rows), rng, 0.0, SHAPE[1:]), step)
        for engine in engines:
            engine.step(batch, recipe.rate)
        ours, theirs = (engine.tally() for engine in engines)
        assert ours.count == theirs.count
        assert ours.loss_sum == pytest.approx(theirs.loss_sum, rel=2e-3)
    for engine in engines:
        engine.write_back()
    assert difference(parameters(twins[0]) - start, parameters(twins[1]) - start) < 2e-2


def parameters(module: nn.Module) -> np.ndarray:
    return torch.cat([p.detach().double().reshape(-1) for p in module.parameters()]).numpy()


def test_one_step_is_that_of_float64() -> None:
    module, rng = seeded(Branching)
    native = Native(module, SHAPE, threads=2)
    images, labels = batch_of(module, 40, SHAPE, rng)
    before = native.params.copy()
    exact = exact_gradient(module, images, labels)
    native.library.step(native.library.batch(images, None, labels), 40, 1, 1, 0.1, 0.0)
    assert difference(native.params - before.astype(np.float64), -0.1 * exact) < 1e-5


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_same_seed_same_bits_and_a_restored_run_goes_on_with_them(threads: int) -> None:
    recipe, data = Recipe("steps", rate=0.05, momentum=0.8, batch_size=40), patches()
    rows = [np.random.default_rng(i).integers(0, 100, 40) for i in range(6)]

    def engine(seed: int = 1) -> NativeEngine:
        torch.manual_seed(seed)
        return NativeEngine(Branching(), recipe, data, threads=threads)

    whole, again, stopped, later = engine(), engine(), engine(), engine(2)
    for number, row in enumerate(rows):
        for one in (whole, again, stopped if number < 3 else later):
            one.step(Batch(row, None, number), 0.05)
        if number == 2:
            later.restore(stopped.state())
    for other in (again, later):
        assert all(np.array_equal(value, other.state()[name]) for name, value in whole.state().items())


@pytest.mark.parametrize("lanes", [4, 8, 16])
def test_every_vector_width_gives_the_same_gradients(lanes: int) -> None:
    module, rng = seeded(Branching)
    images, labels = batch_of(module, 21, SHAPE, rng)
    ours, _ = Native(module, SHAPE, lanes=lanes, threads=2).gradient(images, labels)
    assert difference(ours, exact_gradient(module, images, labels)) < 2e-5


def test_two_networks_in_one_process_share_nothing(compiler: str) -> None:
    """What the linker keeps once for a process would be of the first network's size."""
    path = library(source(plan_of(Branching(), SHAPE), find_compiler().lanes), find_compiler(), extra=QUICK)
    listed = subprocess.run([program("nm"), "-C", str(path)], check=True, capture_output=True, text=True).stdout
    assert " T tiny_step" in listed
    assert [line for line in listed.splitlines() if " u " in line and "tiny::" in line] == []


@pytest.mark.parametrize("case", range(COUNT))
def test_random_graphs_agree(case: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native_engine, "library", functools.partial(native_engine.library, extra=QUICK))
    agrees(case, case * 100, random_graph)


def test_a_chain_needs_two_pieces_of_memory_for_gradients_and_a_branch_one_more() -> None:
    chain = nn.Sequential(*(nn.Conv2d(1, 1, 1) for _ in range(5)), nn.Flatten(), nn.Linear(132, 10))
    assert plan_of(chain, (1, 12, 11)).gradient_slots == (1, 0, 1, 0, 1, 0)
    assert max(plan_of(Branching(), SHAPE).gradient_slots) == 2


if __name__ == "__main__":
    for index in range(int(sys.argv[1])):
        agrees(index, random.SystemRandom().randrange(2**31), random_graph)
    print(f"{sys.argv[1]} random graphs agree")
