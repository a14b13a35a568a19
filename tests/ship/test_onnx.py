"""ONNX written directly: what onnxruntime computes with the file is what torch computes with the network."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.ship.chains import ACTIVATIONS, MNIST, chain_of, images_of, networks, normalised, stirred
from torch import nn
from torch.nn import functional as F

from tinyproof.core.errors import DataError
from tinyproof.data.reading import Shape
from tinyproof.network import nets
from tinyproof.ship.fold import folded
from tinyproof.ship.onnx_answers import OnnxFile
from tinyproof.ship.onnx_file import model_bytes
from tinyproof.ship.operations import Operation, layers_of, normalising


@pytest.fixture(scope="session")
def judges(onnx: Any, onnxruntime: Any) -> tuple[Any, Any]:
    """onnx with its checker, and a runtime of others."""
    return onnx, onnxruntime


def written(module: nn.Module, shape: Shape, classes: int, of_bytes: bool) -> bytes:
    mean, std = np.full(shape[0], 0.1307), np.full(shape[0], 0.3081)
    chain = chain_of(module, shape, classes)
    chain = [normalising(mean, std), *chain] if of_bytes else chain
    return model_bytes(folded(chain, shape), shape, classes, of_bytes, {"a": "b"})


def held(judges: tuple[Any, Any], module: nn.Module, shape: Shape, classes: int, of_bytes: bool) -> Any:
    """The file, after onnx's checker, onnxruntime and this package's reader have agreed with torch."""
    onnx, onnxruntime = judges
    content = written(module, shape, classes, of_bytes)
    model = onnx.load_from_string(content)
    onnx.checker.check_model(model, full_check=True)
    images = images_of(shape)
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    given = images if of_bytes else normalised(torch.from_numpy(images)).numpy()
    (theirs,) = session.run(None, {"images": given})
    with torch.inference_mode():
        wanted = module(normalised(torch.from_numpy(images))).numpy()
    ours = OnnxFile(content, "it").scores(images, normalised)
    scale = max(1.0, float(np.abs(wanted).max()))
    for found in (theirs, ours):
        assert found.shape == wanted.shape
        assert np.abs(found - wanted).max() <= 2e-5 * scale
    return model


def operators(model: Any) -> list[str]:
    return [node.op_type for node in model.graph.node]


@pytest.mark.parametrize("of_bytes", [True, False])
@pytest.mark.parametrize("name", nets.NETS)
def test_a_runtime_of_others_gives_torch_s_answers(name: str, of_bytes: bool, judges: tuple[Any, Any]) -> None:
    model = held(judges, stirred(nets.build(name)), MNIST, 10, of_bytes)
    assert "BatchNormalization" not in operators(model)
    assert {entry.key: entry.value for entry in model.metadata_props} == {"a": "b"}
    assert [dim.dim_param or dim.dim_value for dim in model.graph.input[0].type.tensor_type.shape.dim] == ["N", *MNIST]


def test_all_norms_of_fast_are_folded_and_its_padded_first_layer_keeps_the_normalisation(
    judges: tuple[Any, Any],
) -> None:
    module = stirred(nets.build("fast"))
    assert "Mul" not in operators(held(judges, module, MNIST, 10, False))
    assert operators(held(judges, module, MNIST, 10, True))[:4] == ["Cast", "Mul", "Add", "Conv"]


def test_same_network_same_bytes() -> None:
    module = stirred(nets.build("fast"))
    assert written(module, MNIST, 10, True) == written(module, MNIST, 10, True)


@settings(max_examples=60, deadline=None)
@given(network=networks(), of_bytes=st.booleans())
def test_any_small_chain(judges: tuple[Any, Any], network: tuple[nn.Module, Shape, int], of_bytes: bool) -> None:
    held(judges, *network, of_bytes)


class Flattened(nn.Module):
    """Joins maps that were flattened; a norm goes into the linear layer after it."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two, self.norm = nn.Conv2d(1, 2, 3), nn.Conv2d(1, 8, 5, stride=3), nn.BatchNorm1d(104)
        self.last = nn.Linear(104, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        parts = [self.one(x).flatten(1), self.two(x).flatten(1)]
        return self.last(self.norm(torch.relu(torch.cat(parts, dim=1))))


@pytest.mark.parametrize("of_bytes", [True, False])
def test_maps_that_were_flattened_are_joined(judges: tuple[Any, Any], of_bytes: bool) -> None:
    held(judges, stirred(Flattened()), (1, 8, 8), 3, of_bytes)


# ------------------------------------------------------------------ folding


def computed(chain: list[Operation], images: torch.Tensor) -> torch.Tensor:
    """The chain in float64, one operation after the other, by torch."""
    value, kept = images.double(), dict[int, torch.Tensor]()
    for op in chain:
        if op.kind == "keep":
            kept[op.slots[0]] = value
        elif op.kind == "take":
            value = kept[op.slots[0]]
        elif op.kind in ("add", "concat"):
            parts = [kept[slot] for slot in op.slots]
            value = parts[0] + parts[1] if op.kind == "add" else torch.cat(parts, 1)
        else:
            value = step(op, value)
    return value


def step(op: Operation, value: torch.Tensor) -> torch.Tensor:
    weight, bias = torch.from_numpy(op.weight), torch.from_numpy(op.bias) if op.bias.size else None
    wide = (1, -1, *[1] * (value.ndim - 2))
    return {
        "conv": lambda: F.conv2d(value, weight, bias, op.stride, op.padding, op.dilation, op.groups),
        "linear": lambda: F.linear(value, weight, bias),
        "affine": lambda: value * weight.reshape(wide) + torch.from_numpy(op.bias).reshape(wide),
        "rectify": lambda: F.leaky_relu(value, op.slope),
        "activation": lambda: ACTIVATIONS[op.function]()(value),
        "max_pool": lambda: F.max_pool2d(value, op.kernel, op.stride, op.padding),
        "avg_pool": lambda: F.avg_pool2d(value, op.kernel, op.stride, op.padding),
        "global_pool": lambda: value.mean((2, 3), keepdim=True),
        "flatten": lambda: value.flatten(1),
        "log_softmax": lambda: F.log_softmax(value, 1),
    }[op.kind]()


@settings(max_examples=60, deadline=None)
@given(networks())
def test_folding_changes_nothing(network: tuple[nn.Module, Shape, int]) -> None:
    module, shape, classes = network
    chain = chain_of(module, shape, classes)
    short = folded(chain, shape)
    images = torch.randn(5, *shape, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    wanted = computed(chain, images)
    assert torch.allclose(computed(short, images), wanted, 1e-9, 1e-9 * max(1.0, float(wanted.abs().max())))
    assert sum(op.kind == "affine" for op in short) <= sum(op.kind == "affine" for op in chain)


def kinds(*layers: nn.Module, shape: Shape = (1, 8, 8)) -> list[str]:
    module = stirred(nn.Sequential(*layers, nn.Flatten()))
    classes = module(torch.zeros(1, *shape)).shape[1]
    return [op.kind for op in folded(chain_of(module, shape, classes), shape)][:-1]


def norm(channels: int, *factors: float) -> nn.BatchNorm2d:
    made = nn.BatchNorm2d(channels)
    made.weight.data = torch.tensor(factors)
    return made


def test_where_a_norm_can_be_folded_and_where_it_must_stay() -> None:
    conv, padded = nn.Conv2d(1, 2, 3), nn.Conv2d(2, 2, 3, padding=1)
    assert kinds(conv, nn.BatchNorm2d(2)) == ["conv"]
    assert kinds(conv, nn.ReLU(), nn.BatchNorm2d(2), nn.Conv2d(2, 2, 3)) == ["conv", "rectify", "conv"]
    assert kinds(conv, nn.ReLU(), nn.BatchNorm2d(2), padded) == ["conv", "rectify", "affine", "conv"]
    assert kinds(conv, nn.ReLU(), nn.BatchNorm2d(2), nn.AvgPool2d(2), nn.Conv2d(2, 2, 1)) == [
        "conv", "rectify", "avg_pool", "conv",
    ]  # fmt: skip


@pytest.mark.parametrize(("factors", "stays"), [((1.0, 0.5), False), ((1.0, -0.5), True)])
def test_a_negative_factor_does_not_pass_a_maximum(factors: tuple[float, float], stays: bool) -> None:
    layers = [nn.Conv2d(1, 2, 3), nn.ReLU(), norm(2, *factors), nn.MaxPool2d(2), nn.Conv2d(2, 2, 1), nn.Flatten()]
    module = nn.Sequential(*layers).eval()
    found = [op.kind for op in folded(chain_of(module, (1, 8, 8), 18), (1, 8, 8))]
    assert ("affine" in found) is stays


# ------------------------------------------------------------------ what is not exported, files of strangers


class Product(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv, self.last, self.relu = nn.Conv2d(1, 1, 3, padding=1), nn.Linear(64, 3), nn.ReLU(inplace=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last((x * self.conv(x)).flatten(1))


class InPlace(Product):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.conv(x)
        return self.last((self.relu(y) + y).flatten(1))


@pytest.mark.parametrize(
    ("module", "said"),
    [
        (Product(), "to any format: mul: multiply is not supported"),
        (InPlace(), "to any format: relu: changes in place what another layer takes too"),
        (
            nn.Sequential(nn.Conv2d(1, 3, 3), nn.AdaptiveMaxPool2d(1), nn.Flatten()),
            "any format: global max is not supported",
        ),
        (nn.Sequential(nn.Conv2d(1, 2, 3), nn.Softplus(), nn.Flatten(), nn.Linear(72, 3)), "1: Softplus is not supp"),
        (
            nn.Sequential(nn.Conv2d(1, 2, 3, padding=1, padding_mode="reflect"), nn.Flatten(), nn.Linear(128, 3)),
            "0: padding modes other than zeros",
        ),
    ],
)
def test_what_cannot_be_exported_is_named(module: nn.Module, said: str) -> None:
    with pytest.raises(DataError, match=said) as caught:
        layers_of("it", module, (1, 8, 8), 3)
    assert "\n" not in str(caught.value)


def test_bytes_that_are_no_model_are_one_line() -> None:
    content = written(stirred(nets.build("fast")), MNIST, 10, True)
    generator = np.random.Generator(np.random.PCG64(3))
    images, said = images_of(MNIST, 2), list[str]()
    for _ in range(300):
        at, byte = int(generator.integers(len(content))), int(generator.integers(256))
        broken = bytearray(content)
        broken[at] = byte
        if generator.random() < 0.3:
            broken = broken[:at]
        try:
            OnnxFile(bytes(broken), "it").scores(images, normalised)
        except DataError as error:
            said.append(str(error))
    assert len(said) > 30
    assert not [words for words in said if "\n" in words]
