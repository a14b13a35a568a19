"""Products of branches (squeeze-and-excite) and layer norm over the channels, in every usual spelling: gradients
against float64, evaluation against torch."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from tests.engine.compare import Native, batch_of, by_parameter, difference, exact_gradient
from tests.engine.graphs import Gated, LayerNorm2d
from tests.engine.test_graphs import SHAPE, Net, conv, expected_after, seeded
from torch import Tensor, nn
from torch.nn import functional as F

from tinyproof.train.engine.native.layers import Unsupported
from tinyproof.train.engine.native.native_engine import plan_of

pytestmark = [pytest.mark.numerics, pytest.mark.oracle("compiler"), pytest.mark.usefixtures("compiler")]


def squeezed(net: Net, x: Tensor) -> Tensor:
    gate = net.excite(net.act(net.squeeze(F.adaptive_avg_pool2d(x, 1))))
    return x * torch.sigmoid(gate)


def squeezed_by_linear_layers(net: Net, x: Tensor) -> Tensor:
    images, channels, _, _ = x.size()
    gate = net.act(net.squeeze(x.mean((2, 3))))
    return torch.mul(F.hardsigmoid(net.excite(gate)).view(images, channels, 1, 1), x)


def squeezed_by_index(net: Net, x: Tensor) -> Tensor:
    x = net.norm(x)
    gate = net.excite(net.act(net.squeeze(x.mean((2, 3))))).sigmoid()[:, :, None, None]
    x = net.a(x)
    x *= gate
    return net.norm2(x)


def block(net: Net, x: Tensor) -> Tensor:
    """A depthwise convolution, a layer norm and two linear layers at each place, with what went in added."""
    y = torch.permute(net.a(x), (0, 2, 3, 1))
    y = net.excite(F.gelu(net.squeeze(net.norm(y))))
    return x + y.permute(0, 3, 1, 2)


def hidden(net: Net, x: Tensor) -> Tensor:
    y = F.silu(net.norm(net.squeeze(x.mean((2, 3)))))
    return x + net.excite(y)[:, :, None, None] * x


PARTS = {
    "squeeze-and-excite": lambda: Net(squeezed, squeeze=conv(6, 3, 1), act=nn.SiLU(), excite=conv(3, 6, 1)),
    "by linear layers": lambda: Net(
        squeezed_by_linear_layers, squeeze=nn.Linear(6, 2), act=nn.LeakyReLU(0.2), excite=nn.Linear(2, 6)
    ),
    "by index, in place, with norms": lambda: Net(
        squeezed_by_index, squeeze=nn.Linear(6, 4, bias=False), act=nn.SiLU(), excite=nn.Linear(4, 6),
        norm=nn.BatchNorm2d(6), a=conv(6, 6, padding=1), norm2=nn.BatchNorm2d(6),
    ),
    "by a mean whose flag has no name": lambda: Net(
        lambda n, x: x * torch.sigmoid(n.excite(x.mean((2, 3), True))), excite=conv(6, 6, 1)
    ),
    "a product of two pictures": lambda: Net(lambda n, x: n.norm(n.a(x) * x), a=conv(6, 6, 1), norm=nn.BatchNorm2d(6)),
    "swish by hand": lambda: Net(lambda n, x: n.a(x * torch.sigmoid(x)), a=conv(6, 6)),
    "a value by itself": lambda: Net(lambda n, x: n.a(x * x), a=conv(6, 6)),
    "layer norm as a function": lambda: Net(lambda n, x: n.a(n.norm(x)), norm=LayerNorm2d(6, eps=1e-3), a=conv(6, 6)),
    "layer norm of the images": lambda: Net(lambda n, x: x, first=nn.Sequential(LayerNorm2d(3), conv(3, 6))),
    "layer norm without weights": lambda: Net(
        lambda n, x: n.norm(x.permute(0, 2, 3, 1)).permute((0, 3, 1, 2)),
        norm=nn.LayerNorm(6, elementwise_affine=False),
    ),
    "layer norm with batch norm behind it": lambda: Net(
        lambda n, x: n.act(n.norm2(n.norm(x))), norm=LayerNorm2d(6), norm2=nn.BatchNorm2d(6), act=nn.LeakyReLU(0.1)
    ),
    "linear layers with the channels last": lambda: Net(
        block, a=conv(6, 6, 5, groups=6, padding=2), norm=nn.LayerNorm(6), squeeze=nn.Linear(6, 14),
        excite=nn.Linear(14, 6),
    ),
    "layer norm of hidden values": lambda: Net(
        hidden, squeeze=nn.Linear(6, 9), norm=nn.LayerNorm(9), excite=nn.Linear(9, 6)
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PARTS)
def test_the_gradient_is_that_of_float64(name: str) -> None:
    module, rng = seeded(PARTS[name])
    native = Native(module, SHAPE, threads=2)
    images, labels = batch_of(module, 37, SHAPE, rng)
    ours, _ = native.gradient(images, labels)
    exact = exact_gradient(module, images, labels)
    assert difference(ours, exact) < 2e-5, by_parameter(module, ours, exact)
    module.eval()
    np.testing.assert_allclose(native.evaluate(images), expected_after(module, native, images), atol=2e-5)


@pytest.mark.parametrize("lanes", [4, 8, 16])
def test_every_vector_width_gives_the_same_gradients(lanes: int) -> None:
    module, rng = seeded(Gated)
    images, labels = batch_of(module, 21, SHAPE, rng)
    ours, _ = Native(module, SHAPE, lanes=lanes, threads=3).gradient(images, labels)
    assert difference(ours, exact_gradient(module, images, labels)) < 2e-5


def test_ten_steps_follow_float64() -> None:
    """Plain gradient descent, a step of both at a time."""
    module, rng = seeded(Gated)
    twin, native = copy.deepcopy(module).double(), Native(module, SHAPE, threads=2)
    for step in range(1, 11):
        images, labels = batch_of(module, 40, SHAPE, rng)
        exact, at = exact_gradient(twin, images, labels), 0
        native.library.step(native.library.batch(images, None, labels), 40, step, step, 0.05, 0.0)
        for parameter in twin.parameters():
            parameter.data -= 0.05 * torch.from_numpy(exact[at : at + parameter.numel()]).reshape(parameter.shape)
            at += parameter.numel()
    after = torch.cat([p.detach().reshape(-1) for p in twin.parameters()]).numpy()
    before = torch.cat([p.detach().double().reshape(-1) for p in module.parameters()]).numpy()
    assert difference(native.params - before, after - before) < 1e-4


def last_joined(net: Net, x: Tensor) -> Tensor:
    """Over the rows, for they are dimension 1 there."""
    y = x.permute(0, 2, 3, 1)
    return torch.cat((y, y), 1).permute(0, 3, 1, 2)


def linear_everywhere(net: Net, x: Tensor) -> Tensor:
    return net.squeeze(x.permute(0, 3, 2, 1)).permute(0, 3, 2, 1)


REFUSED = {
    "a gate for each place": (
        lambda: Net(lambda n, x: x * torch.sigmoid(n.a(x)), a=conv(6, 1, 1)),
        "mul: a product of values of 6x12x11 and 1x12x11 is not supported",
    ),
    "a sum with the channels last in one": (
        lambda: Net(lambda n, x: x.permute(0, 2, 3, 1) + x),
        "add: joining values of 6x12x11 and 6x12x11, one flattened or with the channels last, is not supported",
    ),
    "a parameter as a factor": (
        lambda: Net(lambda n, x: x * n.part_scale, part_scale=nn.Parameter(torch.ones(6, 1, 1))),
        "part_scale: a parameter or a constant outside a layer",
    ),
    "a factor": (lambda: Net(lambda n, x: 2.0 * x), "only sums, products and concatenations"),
    "other dimensions": (lambda: Net(linear_everywhere, squeeze=nn.Linear(6, 6)), "only so that the channels are last"),
    "a concatenation with the channels last": (
        lambda: Net(last_joined), "cat: a concatenation with the channels last is not supported",
    ),
    "a norm of rows": (lambda: Net(lambda n, x: n.norm(x), norm=nn.LayerNorm(11)), "over the channels alone"),
    "a norm of all": (lambda: Net(lambda n, x: n.norm(x), norm=nn.LayerNorm((6, 12, 11))), "over the channels alone"),
    "a pooling with the channels last": (
        lambda: Net(lambda n, x: F.avg_pool2d(x.permute(0, 2, 3, 1), 2).permute(0, 3, 1, 2)),
        "avg_pool with the channels last",
    ),
    "a norm with a weight alone": (
        lambda: Net(lambda n, x: n.norm(x), norm=nn.LayerNorm(6, bias=False)), "only one of weight and bias",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_taken_is_said_in_one_line(name: str) -> None:
    make, words = REFUSED[name]
    with pytest.raises(Unsupported, match=words) as caught:
        plan_of(make(), SHAPE)
    assert "\n" not in str(caught.value)
