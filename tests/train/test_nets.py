"""The named networks: exact parameter counts, and what torchinfo (an independent counter) says of each layer."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torchinfo
from torch import nn

from tinyproof.core.errors import DataError, InputError
from tinyproof.network import anatomy, nets

PARAMETERS = {
    "s5-593k": 593_200,
    "s6-16k": 16_562,
    "s7-8k": 7_904,
    "s6-17k": 17_130,
    "s6-19k": 19_242,
    "s6-12k": 12_234,
    "fast": 7_820,
}


def test_the_networks_are_all_there() -> None:
    assert set(nets.NETS) == set(PARAMETERS)


@pytest.mark.parametrize("name", PARAMETERS)
def test_parameters_are_those_stated(name: str) -> None:
    assert anatomy.parameters(nets.build(name)) == PARAMETERS[name]


@pytest.mark.parametrize("name", PARAMETERS)
def test_layers_agree_with_torchinfo(name: str) -> None:
    module = nets.build(name)
    ours = anatomy.summary(module)
    theirs = torchinfo.summary(module, (1, 1, 28, 28), verbose=0)
    leaves = [layer for layer in theirs.summary_list if layer.is_leaf_layer]
    assert ours.parameters == theirs.total_params
    assert [layer.parameters for layer in ours.layers] == [layer.num_params for layer in leaves]
    assert [list(layer.output) for layer in ours.layers] == [list(layer.output_size[1:]) for layer in leaves]
    # torchinfo counts multiply-adds of a linear layer with its bias, and of batch norm; convolutions agree exactly.
    convs = [(a.macs, b) for a, b in zip(ours.layers, leaves, strict=True) if a.kind == "Conv2d"]
    bias = [
        0 if b.module.bias is None else b.module.bias.numel() * b.output_size[2] * b.output_size[3] for _, b in convs
    ]
    assert [macs for macs, _ in convs] == [b.macs - extra for (_, b), extra in zip(convs, bias, strict=True)]


@pytest.mark.parametrize("name", PARAMETERS)
def test_outputs_are_log_probabilities(name: str) -> None:
    with torch.no_grad():
        out = nets.build(name).eval()(torch.randn(3, 1, 28, 28))
    assert out.shape == (3, 10)
    torch.testing.assert_close(out.exp().sum(1), torch.ones(3))


@pytest.mark.parametrize("name", ["s7-8k", "s6-19k", "s5-593k"])
def test_receptive_field_is_where_the_gradient_reaches(name: str) -> None:
    """The oracle: which input pixels have any influence on the middle output of the last layer that has a place."""
    module = nets.build(name).double().eval()
    found = anatomy.summary(nets.build(name))
    index = max(i for i, layer in enumerate(found.layers) if layer.kind == "Conv2d" and layer.output[-1] > 1)
    image = torch.randn(1, 1, 96, 96, dtype=torch.float64, requires_grad=True)
    value = image
    for layer in list(module.children())[: index + 1]:
        # Maximum and ReLU pass only some gradients on; their average stand-ins see the same pixels.
        if isinstance(layer, nn.MaxPool2d):
            layer = nn.AvgPool2d(layer.kernel_size, layer.stride)
        value = value if isinstance(layer, nn.ReLU) else layer(value)
    middle = value.shape[-1] // 2
    value[0, :, middle, middle].sum().backward()
    assert image.grad is not None
    touched = image.grad[0, 0].abs().sum(0).nonzero()
    assert int(touched.max() - touched.min()) + 1 == found.layers[index].receptive_field


def test_initial_weights_follow_the_seed_and_leave_the_global_generator_alone() -> None:
    torch.manual_seed(5)
    first = nets.build("s7-8k", 3).state_dict()
    after = torch.rand(1)
    torch.manual_seed(5)
    assert torch.equal(after, torch.rand(1))
    again, other = nets.build("s7-8k", 3).state_dict(), nets.build("s7-8k", 4).state_dict()
    assert all(torch.equal(first[k], again[k]) for k in first)
    assert not torch.equal(first["0.weight"], other["0.weight"])


def test_an_unknown_network_is_named_with_the_nearest() -> None:
    with pytest.raises(InputError, match=r"model: 's7-8' is not allowed.*did you mean s7-8k"):
        nets.build("s7-8")


def test_a_network_of_your_own(tmp_path: Path) -> None:
    file = tmp_path / "model.py"
    file.write_text(
        "from torch import nn\n\n\nclass Tiny(nn.Sequential):\n    def __init__(self):\n"
        "        super().__init__(nn.Flatten(), nn.Linear(784, 10))\n"
    )
    assert anatomy.parameters(nets.build(f"{file}:Tiny")) == 7850
    with pytest.raises(InputError, match=r"one of its networks: Tiny"):
        nets.build(f"{file}:Big")
    with pytest.raises(InputError, match="is no file or folder; name one that is there"):
        nets.build(f"{tmp_path}/none.py:Tiny")
    file.write_text("import nothing_of_that_name\n")
    with pytest.raises(DataError, match="does not run: ModuleNotFoundError"):
        nets.build(f"{file}:Tiny")


def test_a_shared_parameter_is_counted_once() -> None:
    layer = nn.Linear(784, 784)
    module = nn.Sequential(nn.Flatten(), layer, layer)
    found = anatomy.summary(module)
    assert found.parameters == 784 * 785
    assert [x.parameters for x in found.layers] == [0, 784 * 785, 0]


class Branching(nn.Module):
    """Two ways of different size that are added, then joined to a third; pooling as functions, not as modules."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, 4, 3, padding=1)
        self.long = nn.Conv2d(4, 4, 5, padding=2)
        self.dilated = nn.Conv2d(4, 4, 3, padding=3, dilation=3)
        self.short = nn.Conv2d(4, 4, 1)
        self.tail = nn.Conv2d(8, 4, 3, padding=1)
        self.fc = nn.Linear(4, 10)

    def features(self, x: torch.Tensor) -> torch.Tensor:
        x = self.stem(x)
        x = nn.functional.avg_pool2d(x, 2)
        way = self.dilated(self.long(x))
        x = torch.cat([way + self.short(x), x], 1)
        x = nn.functional.avg_pool2d(x, 3, stride=1, padding=1)
        return self.tail(x)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.fc(self.features(x).mean((2, 3)))


def test_branches_and_functions_are_followed() -> None:
    """The oracle is again where the gradient reaches; torchinfo counts the rest."""
    module = Branching()
    found = anatomy.summary(module)
    fields = {layer.name: (layer.receptive_field, layer.jump) for layer in found.layers}
    image = torch.randn(1, 1, 96, 96, dtype=torch.float64, requires_grad=True)
    value = Branching().double().features(image)
    value[0, :, 24, 24].sum().backward()
    assert image.grad is not None
    touched = image.grad[0, 0].abs().sum(0).nonzero()
    assert fields["tail"] == (int(touched.max() - touched.min()) + 1, 2)
    assert fields["stem"] == (3, 1)
    assert fields["short"] == (4, 2)
    assert fields["fc"] == (None, None)
    theirs = torchinfo.summary(module, (1, 1, 28, 28), verbose=0)
    assert found.parameters == theirs.total_params


def test_max_pooling_as_a_function_counts_like_the_layer() -> None:
    class Functional(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Conv2d(1, 2, 3), nn.Conv2d(2, 10, 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            x = nn.functional.relu(nn.functional.max_pool2d(self.a(x), 2))
            return nn.functional.adaptive_avg_pool2d(self.b(x), 1).flatten(1)

    layers = [(x.kind, x.receptive_field, x.jump) for x in anatomy.summary(Functional()).layers]
    assert layers == [("Conv2d", 3, 1), ("MaxPool2d", 4, 2), ("Conv2d", 8, 2), ("AdaptiveAvgPool2d", 28, 22)]
