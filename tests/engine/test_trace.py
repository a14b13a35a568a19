"""What a trace of the forward does not show, and layers that do not fit: refused, because torch computes otherwise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tinyproof.train.engine.native.layers import Unsupported
from tinyproof.train.engine.native.native_engine import plan_of

SHAPE = (1, 12, 11)


class ByHand(nn.Module):
    """conv, norm, linear and a forward that a case gives as a function."""

    def __init__(self, forward: Callable[[Any, Tensor], Tensor] | None = None) -> None:
        super().__init__()
        self.conv, self.norm, self.fc = nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Linear(4 * 10 * 9, 10)
        self.how = forward

    def features(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(x))

    def forward(self, x: Tensor) -> Tensor:
        if self.how is not None:
            return self.how(self, x)
        return self.fc(torch.flatten(F.relu(self.norm(self.conv(x))), 1))


class FrozenNorm(ByHand):
    def train(self, mode: bool = True) -> FrozenNorm:
        super().train(mode)
        self.norm.eval()
        return self


class Doubles(nn.Sequential):
    def __call__(self, x: Tensor) -> Tensor:
        return 2 * super().__call__(x)


def plain() -> nn.Sequential:
    layers = [nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 4, 3, padding=1)]
    return nn.Sequential(*layers, nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4 * 12 * 11, 10))


def changed(change: Callable[[nn.Sequential], object]) -> nn.Module:
    module = plain()
    change(module)
    return module


def sized(*layers: nn.Module) -> nn.Module:
    return nn.Sequential(*layers)


def flat(net: ByHand, x: Tensor) -> Tensor:
    return net.fc(torch.flatten(x, 1))


def to_channels(net: ByHand, x: Tensor) -> Tensor:
    x = net.features(x)
    return net.fc(x.view(-1, x.size(1)))


def dropout_in_evaluation(net: ByHand, x: Tensor) -> Tensor:
    return flat(net, F.dropout(net.features(x), 0.5, training=not net.training))


def set_weight(module: nn.Module, values: Tensor) -> None:
    module.weight = nn.Parameter(values)


def without_gradient(net: ByHand, x: Tensor) -> Tensor:
    with torch.no_grad():
        x = net.conv(x)
    return flat(net, net.norm(x))


def half_precision(net: ByHand, x: Tensor) -> Tensor:
    with torch.autocast("cpu", torch.bfloat16):
        return flat(net, net.features(x))


def asks_for_the_type(net: ByHand, x: Tensor) -> Tensor:
    if isinstance(x, Tensor):  # what a trace hands in is none
        x = 2 * x
    return flat(net, net.features(x))


def in_training_alone(net: ByHand, x: Tensor) -> Tensor:
    x = net.features(x)
    return flat(net, F.relu(x) if net.training else x)


def computed_weight(module: nn.Sequential) -> None:
    del module[6].weight
    module[6].weight = torch.ones(10, 528)


def late_gamma(module: nn.Sequential) -> None:
    gamma = module[1].weight
    del module[1].weight
    module[1].weight = gamma


def one_memory(module: nn.Sequential) -> None:
    module[4].weight.data = module[1].weight.data


REFUSED: dict[str, tuple[nn.Module, str]] = {
    "a convolution for other channels": (
        sized(nn.Conv2d(1, 4, 3), nn.Conv2d(8, 4, 3), nn.Flatten()),
        "1 takes 8 .* 4$",
    ),
    "a linear layer for other values": (sized(nn.Conv2d(1, 4, 3), nn.Flatten(), nn.Linear(9, 2)), "2 takes 9 .* 360$"),
    "a batch norm for other channels": (sized(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(8), nn.Flatten()), "1 takes 8 .* 4$"),
    "a weight of another size": (changed(lambda m: set_weight(m[3], torch.zeros(4, 9, 3, 3))), "3 takes 9 .* 4$"),
    "reshaping to channels": (ByHand(to_channels), "only reshaping"),
    "reshaping by a number of images": (ByHand(lambda net, x: net.fc(net.features(x).view(2, -1))), "only reshaping"),
    "reshaping to half an image": (ByHand(lambda net, x: net.fc(net.features(x).view(-1, 180))), "360 values .* 180"),
    "classes that stay a picture": (sized(nn.Conv2d(1, 10, (11, 11)), nn.AvgPool2d((2, 1))), r"\[2, 10, 1, 1\]"),
    "dropout that stays on": (ByHand(lambda net, x: flat(net, F.dropout(net.features(x), 0.5))), "stays on"),
    "dropout in evaluation alone": (ByHand(dropout_in_evaluation), "stays on"),
    "a forward that asks for the mode": (ByHand(in_training_alone), "other things in evaluation"),
    "a part without gradient": (ByHand(without_gradient), "conv.weight gets no gradient"),
    "a part in half precision": (ByHand(half_precision), "bfloat16"),
    "a forward that asks for the type": (ByHand(asks_for_the_type), "trace does not show"),
    "a float64 answer": (ByHand(lambda net, x: flat(net, net.features(x)).log_softmax(1, torch.float64)), "float64"),
    "a forward hook": (changed(lambda m: m[2].register_forward_hook(lambda m, i, o: 3 * o)), "^2 has hooks"),
    "a forward pre-hook": (changed(lambda m: m[0].register_forward_pre_hook(lambda m, i: (2 * i[0],))), "^0 has hooks"),
    "a hook on the whole": (changed(lambda m: m.register_forward_hook(lambda m, i, o: 3 * o)), "^Sequential has hooks"),
    "a backward hook": (changed(lambda m: m[2].register_full_backward_hook(lambda m, i, o: None)), "^2 has hooks"),
    "a backward pre-hook": (changed(lambda m: m[2].register_full_backward_pre_hook(lambda m, o: None)), "^2 has hooks"),
    "a hook on a gradient": (changed(lambda m: m[0].weight.register_hook(lambda g: 0 * g)), "^0.weight has hooks"),
    "a parametrised weight": (changed(lambda m: torch.nn.utils.parametrizations.weight_norm(m[0])), "Parametrized"),
    "a computed weight": (changed(computed_weight), "^6.weight is shared or computed"),
    "a norm that stays in evaluation": (FrozenNorm(), "norm stays in evaluation"),
    "a forward of an instance": (changed(lambda m: setattr(m[2], "forward", lambda x: x * x)), "^2 has a forward"),
    "a class with a call of its own": (Doubles(*plain()), "Doubles has a forward"),
    "a shared weight": (changed(lambda m: setattr(m[4], "weight", m[1].weight)), "4.weight is shared or computed"),
    "a shared beta": (changed(lambda m: setattr(m[4], "bias", m[1].bias)), "4.bias is shared or computed"),
    "a beta before its gamma": (changed(late_gamma), "1.bias does not follow"),
    "memory that is shared": (changed(one_memory), "weight shares its memory"),
    "a norm without beta": (changed(lambda m: setattr(m[1], "bias", None)), "only one of weight and bias"),
    "a norm without gamma": (changed(lambda m: setattr(m[1], "weight", None)), "only one of weight and bias"),
    "an unused layer": (ByHand(lambda net, x: flat(net, net.conv(x))), "norm.weight is not used"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_torch_computes_otherwise(name: str) -> None:
    module, words = REFUSED[name]
    before = {key: value.clone() for key, value in module.state_dict().items()}
    with pytest.raises(Unsupported, match=words) as caught:
        plan_of(module, SHAPE)
    assert "\n" not in str(caught.value)
    assert all(torch.equal(value, before[key]) for key, value in module.state_dict().items())


def test_a_hook_for_all_modules_is_refused() -> None:
    handle = nn.modules.module.register_module_forward_hook(lambda m, i, o: o)
    try:
        with pytest.raises(Unsupported, match="hooks for all modules"):
            plan_of(plain(), SHAPE)
    finally:
        handle.remove()
    plan_of(plain(), SHAPE)


FLATTENED: dict[str, Callable[[Any, Tensor], Tensor]] = {
    "x.view(x.size(0), -1)": lambda net, x: net.fc(x.view(x.size(0), -1)),
    "x.view(x.shape[0], -1)": lambda net, x: net.fc(x.view(x.shape[0], -1)),
    "x.reshape(x.size()[0], 360)": lambda net, x: net.fc(x.reshape(x.size()[0], 360)),
    "x.view(-1, 360)": lambda net, x: net.fc(x.view(-1, 360)),
    "sizes multiplied": lambda net, x: net.fc(x.view(x.size(0), x.size(1) * x.size(2) * x.size(3))),
    "x.flatten(1)": lambda net, x: net.fc(x.flatten(1)),
}


@pytest.mark.parametrize("name", FLATTENED)
def test_every_usual_way_to_flatten_is_read(name: str) -> None:
    plan = plan_of(ByHand(lambda net, x: FLATTENED[name](net, net.features(x))), SHAPE)
    assert plan.stages[-1].before == (360, 1, 1)


def test_reading_changes_neither_the_network_nor_the_random_numbers() -> None:
    module = plain()
    module[2] = nn.Dropout(0.5)
    module.eval()
    before = {key: value.clone() for key, value in module.state_dict().items()}
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    plan = plan_of(module, SHAPE)
    assert torch.equal(torch.rand(3), expected)
    assert [stage.drop for stage in plan.stages] == ["elements", "", ""]
    assert not any(m.training for m in module.modules())
    assert all(torch.equal(value, before[key]) for key, value in module.state_dict().items())
    assert all(parameter.grad is None for parameter in module.parameters())
