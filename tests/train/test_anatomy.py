"""Anatomy of any module: multiply-adds against torchinfo and by hand, receptive fields against the gradient's reach."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import torchinfo
from torch import Tensor, nn
from torch.nn import functional as F

from tinyproof.api.summary import summary as shown
from tinyproof.network.anatomy import Anatomy, summary
from tinyproof.network.budget import Budget, check

SIDE = 28


class Calls(nn.Module):
    """A network given as a function of the image, with its layers and weights."""

    def __init__(self, way: Callable[[Calls, Tensor], Tensor], **own: nn.Module | Tensor) -> None:
        super().__init__()
        for name, value in own.items():
            setattr(self, name, nn.Parameter(value) if isinstance(value, Tensor) else value)
        self.way = way

    def forward(self, x: Tensor) -> Tensor:
        return self.way(self, x)


def conv(inputs: int = 1, outputs: int = 4, size: int = 3, **words: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, size, **words)  # type: ignore[arg-type]


# ------------------------------------------------------------------ multiply-adds

shared = conv(1, 1, 3, padding=1)
LAYERS: dict[str, nn.Module] = {
    "linear": nn.Sequential(nn.Flatten(), nn.Linear(784, 10), nn.Linear(10, 5, bias=False)),
    "conv1d": nn.Sequential(nn.Flatten(2), nn.Conv1d(1, 4, 5, stride=3, padding=2), nn.Conv1d(4, 6, 3)),
    "conv2d": nn.Sequential(conv(1, 4, 3, stride=2), conv(4, 4, 5, padding=2, bias=False)),
    "conv3d": nn.Sequential(nn.Unflatten(1, (1, 1)), nn.Conv3d(1, 3, (1, 3, 3)), nn.Conv3d(3, 2, (1, 1, 5), stride=2)),
    "transposed": nn.Sequential(conv(1, 4, 3, stride=2), nn.ConvTranspose2d(4, 4, 3, stride=2), conv(4, 4)),
    "transposed 1d": nn.Sequential(nn.Flatten(2), nn.ConvTranspose1d(1, 3, 4, stride=2, padding=1, groups=1)),
    "grouped": nn.Sequential(conv(1, 8), conv(8, 12, 3, groups=4)),
    "dilated": nn.Sequential(conv(1, 4, 3, dilation=3), conv(4, 4, 3, dilation=2)),
    "depthwise": nn.Sequential(conv(1, 8), conv(8, 8, 3, groups=8, padding=1), conv(8, 16, 1)),
    "shared": nn.Sequential(shared, nn.ReLU(), shared),
    "branches": Calls(lambda m, x: torch.cat([m.a(x), m.b(x)], 1), a=conv(1, 4, 5, padding=2), b=conv(1, 2, 1)),
    "lstm": Calls(
        lambda m, x: m.fc(m.rnn(x[:, 0])[0][:, -1]), rnn=nn.LSTM(28, 32, 2, batch_first=True), fc=nn.Linear(32, 10)
    ),
    "lstm, both ways": Calls(lambda m, x: m.rnn(x[:, 0])[0], rnn=nn.LSTM(28, 8, batch_first=True, bidirectional=True)),
    "gru": Calls(lambda m, x: m.rnn(x[:, 0])[0], rnn=nn.GRU(28, 16, batch_first=True)),
    "rnn": Calls(lambda m, x: m.rnn(x[:, 0])[0], rnn=nn.RNN(28, 16, batch_first=True)),
    "bilinear": Calls(lambda m, x: m.two(x[:, 0, :, 0], x[:, 0, :, 1]), two=nn.Bilinear(28, 28, 3)),
}  # fmt: skip


def as_torchinfo_has_it(layer: torchinfo.layer_info.LayerInfo) -> int:
    """torchinfo's own count without what we do not count as it does.

    It counts a bias as a multiplication, and batch norm; it counts a transposed convolution at every output position
    (most of those products are with the zeros between the pixels), where torch's flop counter and we count the input's.
    """
    module, macs = layer.module, layer.macs
    if isinstance(module, nn.modules.conv._ConvTransposeNd):
        bias = 0 if module.bias is None else module.bias.numel() * math.prod(layer.output_size[2:])
        return (macs - bias) * math.prod(layer.input_size[2:]) // math.prod(layer.output_size[2:])
    if isinstance(module, nn.modules.conv._ConvNd):
        return macs - (0 if module.bias is None else module.bias.numel() * math.prod(layer.output_size[2:]))
    bias = sum(p.numel() for name, p in module.named_parameters() if "bias" in name)
    return macs - bias * (layer.output_size[1] if isinstance(module, nn.RNNBase) else 1)


@pytest.mark.parametrize("name", LAYERS)
def test_multiply_adds_agree_with_torchinfo_layer_by_layer(name: str) -> None:
    module = LAYERS[name]
    ours = summary(module)
    theirs = torchinfo.summary(module, (1, 1, SIDE, SIDE), verbose=0)
    leaves = [as_torchinfo_has_it(layer) for layer in theirs.summary_list if layer.is_leaf_layer and layer.macs]
    assert [layer.macs for layer in ours.layers if layer.macs] == leaves
    assert ours.macs == sum(leaves) > 0
    assert ours.parameters == theirs.total_params


FUNCTIONS: dict[str, tuple[nn.Module, int]] = {
    "x @ W": (Calls(lambda m, x: x.flatten(1) @ m.w, w=torch.zeros(784, 10)), 7840),
    "W @ x": (Calls(lambda m, x: m.w @ x.flatten(), w=torch.zeros(10, 784)), 7840),
    "matmul": (Calls(lambda m, x: torch.matmul(x, m.w), w=torch.zeros(28, 7)), 28 * 28 * 7),
    "einsum": (Calls(lambda m, x: torch.einsum("nchw,chwk->nk", x, m.w), w=torch.zeros(1, 28, 28, 10)), 7840),
    "F.linear": (Calls(lambda m, x: F.linear(x.flatten(1), m.w), w=torch.zeros(10, 784)), 7840),
    "F.conv1d": (Calls(lambda m, x: F.conv1d(x.flatten(2), m.w), w=torch.zeros(2, 1, 5)), 780 * 2 * 5),
    "F.conv_transpose2d": (
        Calls(lambda m, x: F.conv_transpose2d(x, m.w, stride=2), w=torch.zeros(1, 5, 3, 3)), 784 * 45
    ),
    "attention of one's own": (Calls(lambda m, x: (x[:, 0] @ x[:, 0].mT).softmax(-1) @ x[:, 0]), 2 * 28**3),
    "scaled dot product": (Calls(lambda m, x: F.scaled_dot_product_attention(x, x, x)), 2 * 28**3),
    # In-projection, scores, values, out-projection.
    "multi-head attention": (
        Calls(lambda m, x: m.a(x[:, 0], x[:, 0], x[:, 0])[0], a=nn.MultiheadAttention(28, 4, batch_first=True)),
        28 * 28 * 28 * 3 + 2 * 28**3 + 28**3,
    ),
    "in a layer of one's own": (nn.Sequential(nn.Flatten(), Calls(lambda m, x: x @ m.w, w=torch.zeros(784, 3))), 2352),
}  # fmt: skip


@pytest.mark.parametrize("name", FUNCTIONS)
def test_multiply_adds_of_functions_are_counted_once_and_listed(name: str) -> None:
    module, macs = FUNCTIONS[name]
    found = summary(module)
    assert found.macs == macs
    assert sum(layer.macs or 0 for layer in found.layers) == macs


UNCOUNTED = {
    "a product spelled out": Calls(lambda m, x: (x.flatten(1)[:, :, None] * m.w).sum(1), w=torch.zeros(784, 10)),
    "numpy": Calls(lambda m, x: torch.from_numpy(x.flatten(1).numpy() @ m.w.numpy()), w=torch.zeros(784, 10)),
    "decomposition": Calls(lambda m, x: torch.linalg.qr(x)[1]),
    "Fourier": Calls(lambda m, x: torch.fft.fft2(x).abs()),
}


@pytest.mark.parametrize("name", UNCOUNTED)
def test_what_cannot_be_counted_is_not_known_and_no_limit_is_kept(name: str) -> None:
    found = summary(UNCOUNTED[name])
    assert found.macs is None
    assert found.table().footer[0][4] == "?"
    (answer,) = check(Budget(macs_below=10**9), found.facts())
    assert (answer.kept, answer.measured) == (None, "not known")


# ------------------------------------------------------------------ receptive fields

FIELDS: dict[str, nn.Module] = {
    "strides": nn.Sequential(conv(1, 4, 3, stride=2), conv(4, 4, 5), conv(4, 4, 2, stride=3), conv(4, 4)),
    "transposed": nn.Sequential(conv(1, 4, 3, stride=2), nn.ConvTranspose2d(4, 4, 3, stride=2), conv(4, 4)),
    "transposed, 5 by 3": nn.Sequential(conv(1, 4, 3, stride=3), nn.ConvTranspose2d(4, 4, 5, stride=3), conv(4, 4, 2)),
    "transposed, with gaps": nn.Sequential(nn.ConvTranspose2d(1, 4, 2, stride=3), conv(4, 4, 3)),
    "transposed, padded": nn.Sequential(conv(), nn.ConvTranspose2d(4, 4, 4, stride=2, padding=1), conv(4, 4)),
    "transposed, dilated": nn.Sequential(conv(), nn.ConvTranspose2d(4, 4, 3, stride=2, dilation=2), conv(4, 4)),
    "dilated": nn.Sequential(conv(1, 4, 3, dilation=3), conv(4, 4, 3, stride=2), conv(4, 4, 3, dilation=2)),
    "pools": nn.Sequential(conv(), nn.AvgPool2d(2), conv(4, 4), nn.AvgPool2d(3, stride=2), conv(4, 4)),
    "nearest": nn.Sequential(conv(1, 4, 3, stride=2), nn.Upsample(scale_factor=2), conv(4, 4), conv(4, 4)),
    "nearest, threefold": nn.Sequential(conv(1, 4, 3, stride=2), nn.Upsample(scale_factor=3), conv(4, 4, 3, stride=2)),
    "bilinear": nn.Sequential(conv(1, 4, 3, stride=2), nn.Upsample(scale_factor=2, mode="bilinear"), conv(4, 4)),
    "bicubic": nn.Sequential(conv(1, 4, 3, stride=2), nn.Upsample(scale_factor=2, mode="bicubic"), conv(4, 4)),
    "up, then down": nn.Sequential(nn.Upsample(scale_factor=2), conv(1, 4, 3), nn.AvgPool2d(2), conv(4, 4)),
    "pixel shuffle": nn.Sequential(conv(1, 4, 3, stride=2), nn.PixelShuffle(2), conv(1, 4)),
    "pixel unshuffle": nn.Sequential(nn.PixelUnshuffle(2), conv(4, 4)),
    "oblong": nn.Sequential(nn.Conv2d(1, 4, (1, 7)), nn.Conv2d(4, 4, (3, 1), stride=(2, 1)), nn.Conv2d(4, 4, (3, 3))),
    "branches": nn.Sequential(
        Calls(lambda m, x: m.a(x)[:, :, 2:-2, 2:-2] + m.b(x), a=conv(1, 4, 3), b=conv(1, 4, 7)), conv(4, 4, 3, stride=2)
    ),
    "branches off the middle": Calls(
        lambda m, x: m.b(torch.cat([m.a(x)[:, :, 6:], m.a(x)[:, :, :-6]], 1)), a=conv(1, 4, 3), b=conv(8, 2, 1)
    ),
    "branches, up again": Calls(
        lambda m, x: m.c(F.interpolate(m.b(m.a(x)), scale_factor=2)[:, :, 1:-1, 1:-1] + m.a2(x)[:, :, 1:-1, 1:-1]),
        a=conv(1, 4, 2, stride=2), b=conv(4, 4, 3, padding=1), a2=conv(1, 4, 1), c=conv(4, 4, 3),
    ),
    "channels last": Calls(
        lambda m, x: m.c(F.linear(m.a(x).permute(0, 2, 3, 1), m.w).permute(0, 3, 1, 2)),
        a=conv(), w=torch.randn(5, 4), c=conv(5, 2),
    ),
}  # fmt: skip


def reached(module: nn.Module, shape: tuple[int, ...]) -> tuple[int, float]:
    """The oracle: which pixels influence an output, by the gradient; the most over outputs about the middle.

    And how far that moves from one output to the next, on average.
    """
    torch.manual_seed(0)
    module = module.double()
    for parameter in module.parameters():
        nn.init.uniform_(parameter, 0.5, 1.5)
    image = torch.rand(1, *shape, dtype=torch.float64, requires_grad=True)
    out = module(image)
    fields, jumps = [], []
    for axis in (0, 1):
        firsts = {}
        for position in range(out.shape[2 + axis] // 2 - 6, out.shape[2 + axis] // 2 + 7):
            at = [n // 2 for n in out.shape[2:]]
            at[axis] = position
            (slope,) = torch.autograd.grad(out[0, :, at[0], at[1]].sum(), image, retain_graph=True)
            touched = slope[0, 0].abs().sum(1 - axis).nonzero()
            fields.append(int(touched.max() - touched.min()) + 1)
            firsts[position] = int(touched.min())
        jumps.append((firsts[max(firsts)] - firsts[min(firsts)]) / 12)
    return max(fields), max(jumps)


@pytest.mark.parametrize("name", FIELDS)
def test_a_receptive_field_is_where_the_gradient_reaches(name: str) -> None:
    module, shape = FIELDS[name], (1, 128, 128)
    found = summary(module, shape).layers[-1]
    field, jump = reached(module, shape)
    module.float()
    assert found.place_known
    assert found.receptive_field == field
    assert found.jump == pytest.approx(jump)


def test_the_oracle_finds_a_known_field() -> None:
    """The oracle itself: a convolution of five sees five, and moves by its stride."""
    assert reached(conv(1, 2, 5, stride=3), (1, 64, 64)) == (5, 3)


NO_PLACE: dict[str, nn.Module] = {
    "attention": Calls(lambda m, x: (x[:, 0] @ x[:, 0].mT).softmax(-1) @ x[:, 0]),
    "recurrent": Calls(lambda m, x: m.rnn(x[:, 0])[0], rnn=nn.LSTM(28, 8, batch_first=True)),
    "one side turned round": nn.Sequential(Calls(lambda m, x: x.flip(3) + x), conv()),
    "a gate that sees everything": Calls(lambda m, x: m.c(x * m.g(x)), c=conv(), g=conv(1, 1, 28)),
    "statistics of the whole image": nn.Sequential(conv(), nn.InstanceNorm2d(4), conv(4, 4)),
    "patches": nn.Sequential(nn.Unfold(4, stride=4), nn.Flatten(1), nn.Unflatten(1, (1, 28, 28)), conv()),
}


@pytest.mark.parametrize("name", NO_PLACE)
def test_a_receptive_field_that_is_not_defined_is_called_not_known(name: str) -> None:
    found = summary(NO_PLACE[name])
    assert not found.layers[-1].place_known
    assert found.layers[-1].receptive_field is None
    assert found.table().rows[-1][5:] == ("?", "?")


def test_behind_a_fully_connected_layer_there_is_no_place_and_behind_flatten_no_jump() -> None:
    flat, full = summary(nn.Sequential(conv(), nn.Flatten(), nn.Linear(2704, 10))).layers[1:]
    assert (flat.receptive_field, flat.jump, flat.place_known) == (3, None, True)
    assert (full.receptive_field, full.jump, full.place_known) == (None, None, True)


def test_functions_have_the_places_of_the_layers_that_they_stand_for() -> None:
    def places(found: Anatomy) -> list[tuple[int | None, int | float | None, int | None]]:
        return [(layer.receptive_field, layer.jump, layer.macs) for layer in found.layers]

    layers = nn.Sequential(
        conv(1, 4, 3, stride=2),
        nn.ConvTranspose2d(4, 2, 3, 2, bias=False),
        nn.Upsample(scale_factor=2),
        nn.MaxPool2d(3),
    )
    called = Calls(
        lambda m, x: F.max_pool2d(F.interpolate(F.conv_transpose2d(m.a(x), m.w, stride=2), scale_factor=2), 3),
        a=conv(1, 4, 3, stride=2), w=torch.zeros(4, 2, 3, 3),
    )  # fmt: skip
    assert places(summary(called)) == places(summary(layers))
    assert [layer.kind for layer in summary(called).layers] == [layer.kind for layer in summary(layers).layers]


def test_summary_says_what_is_not_known(tmp_path: Path) -> None:
    file = tmp_path / "own.py"
    file.write_text(
        "from torch import nn\nimport torch\n\nclass Waves(nn.Module):\n"
        "    def forward(self, x):\n        return torch.fft.fft2(x).abs().flatten(1)\n"
    )
    found = shown(f"{file}:Waves")
    assert "multiply-adds an image not known" in found.words()


def test_a_compiled_part_is_followed_as_it_is_written() -> None:
    def network(compiled: bool) -> nn.Module:
        part: Any = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Conv2d(4, 2, 3))
        return nn.Sequential(torch.compile(part) if compiled else part, nn.AdaptiveAvgPool2d(1), nn.Flatten())

    plain, seen = summary(network(False)), summary(network(True))
    assert seen.macs == plain.macs
    assert [layer.output for layer in seen.layers] == [layer.output for layer in plain.layers]


def test_following_a_network_does_not_import_torch_s_compiler() -> None:
    work = "import sys; from tinyproof.network import anatomy, nets; anatomy.summary(nets.build('fast'))"
    done = subprocess.run(
        [sys.executable, "-c", f"{work}; print(*sys.modules)"], capture_output=True, text=True, check=True, timeout=120
    )
    assert "torch._dynamo" not in done.stdout.split()


# ------------------------------------------------------------------ parameters beside layers, ways, memory


def rows(module: nn.Module) -> dict[str, tuple[str, int]]:
    return {x.name: (x.kind, x.parameters) for x in summary(module).beside}


def test_parameters_without_a_layer_have_rows_and_the_rows_add_up() -> None:
    module = Calls(
        lambda m, x: (m.c(x) * m.scale).mean((2, 3)) @ m.W,
        c=conv(),
        scale=torch.ones(4, 1, 1),
        W=torch.ones(4, 10),
        spare=torch.ones(7),
    )
    assert rows(module) == {
        "scale": ("parameter", 4), "W": ("parameter", 40), "spare": ("parameter, never used", 7),
    }  # fmt: skip
    found = summary(module)
    assert sum(x.parameters for x in (*found.layers, *found.beside)) == found.parameters == 91


def test_a_layer_that_is_never_called_is_told() -> None:
    module = Calls(
        lambda m, x: F.linear(m.c(x).mean((2, 3)), m.head.weight),
        c=conv(),
        head=nn.Linear(4, 10, bias=False),
        idle=nn.Linear(100, 100),
        drop=nn.Dropout(0.5),
        loss=nn.CrossEntropyLoss(),
    )
    assert rows(module) == {
        "head": ("Linear, weights used", 40),
        "idle": ("Linear, never called", 10_100),
        "drop": ("Dropout, never called", 0),
    }
    assert "Linear, never called" not in summary(module).facts().kinds


def test_what_a_layer_does_inside_is_not_called_unused() -> None:
    attention = Calls(lambda m, x: m.a(x[:, 0], x[:, 0], x[:, 0])[0], a=nn.MultiheadAttention(28, 2, batch_first=True))
    assert rows(attention) == {}
    assert rows(LAYERS["shared"]) == {}


def test_the_longer_of_two_ways_is_shown_and_no_limit_is_judged_by_it() -> None:
    way = Calls(
        lambda m, x: m.fc((m.big(m.c(x)) if x.abs().sum() > 0 else m.c(x)).mean((2, 3))),
        c=conv(1, 4, 3, padding=1),
        big=conv(4, 4, 7, padding=3),
        fc=nn.Linear(4, 10),
    )
    found = summary(way)
    small = 28 * 28 * 9 * 4 + 40
    assert found.ways == (small, small + 28 * 28 * 49 * 16)
    assert found.macs == found.ways[1]
    assert [x.kept for x in check(Budget(macs_below=10**9), found.facts())] == [None]
    assert summary(LAYERS["branches"]).ways == ()


def test_a_norm_of_values_multiplies_nothing_by_weights() -> None:
    module = Calls(lambda m, x: m.fc(F.normalize(m.c(x).mean((2, 3)), dim=1)), c=conv(), fc=nn.Linear(4, 10))
    assert summary(module).macs == 26 * 26 * 9 * 4 + 40


def test_memory_is_what_outputs_take() -> None:
    def pixels(count: int) -> int:
        return 4 * count

    module = nn.Sequential(conv(), nn.ReLU(inplace=True), nn.Dropout(0.1), nn.Flatten(), nn.Linear(2704, 10))
    found = summary(module)
    assert [x.forward_bytes for x in found.layers] == [pixels(2704), 0, 0, 0, pixels(10)]
    # In training, dropout makes another picture.
    assert found.backward_bytes == 2 * (2 * pixels(2704) + pixels(10))
    assert summary(conv().half()).forward_bytes == 2 * 2704


def test_channels_that_are_repeated_see_what_they_saw() -> None:
    module = Calls(lambda m, x: m.c(x.repeat(1, 3, 1, 1)), c=conv(3))
    assert summary(module).layers[-1].receptive_field == 3
    tiled = Calls(lambda m, x: m.c(x.repeat(1, 1, 2, 2)), c=conv())
    assert not summary(tiled).layers[-1].place_known


def test_what_a_network_prints_goes_beside(capsys: pytest.CaptureFixture[str]) -> None:
    def way(m: Calls, x: Tensor) -> Tensor:
        print("here")
        return m.c(x)

    summary(Calls(way, c=conv()))
    told = capsys.readouterr()
    assert (told.out, "here" in told.err) == ("", True)


def test_a_network_without_numbers_has_a_summary_too() -> None:
    module = nn.Sequential(nn.Flatten(), nn.Linear(784, 10, device="meta"))
    found = summary(module)
    assert (found.parameters, found.macs, found.output) == (7850, 7840, (10,))
