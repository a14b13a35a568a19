"""A network drawn: every layer with its size and parameters, every branch from where it leaves to where it joins."""

from __future__ import annotations

import io
import subprocess
import sys
import xml.etree.ElementTree as ET
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from matplotlib.image import imread
from tests.page.browser import browser
from torch import nn
from torch.nn import functional as F

import tinyproof
from tinyproof.network import anatomy, nets
from tinyproof.show.drawing.cnn_blocks import Block, Edge, blocks
from tinyproof.show.drawing.shapes import Line, Picture, svg
from tinyproof.show.drawing.volumes import cnn_picture

ROOT = Path(__file__).resolve().parents[2]
SVG = "{http://www.w3.org/2000/svg}"


def items_of(module: nn.Module, shape: tuple[int, ...] = (1, 28, 28)) -> tuple[list[Block], list[Edge]]:
    found = anatomy.summary(module, shape)
    return blocks(found.image, found.layers, found.joins, found.ends)


def picture_of(module: nn.Module, shape: tuple[int, ...] = (1, 28, 28)) -> Picture:
    found = anatomy.summary(module, shape)
    return cnn_picture("a title", found.image, found.layers, found.joins, found.ends)


def words(module: nn.Module) -> tuple[list[str], list[str]]:
    """The items by name, and the edges by the names of their ends, but for the plain chain."""
    items, edges = items_of(module)
    return [item.words for item in items], [
        f"{a} {items[a].words} > {b} {items[b].words}" for a, b in edges if b - a > 1
    ]


# ------------------------------------------------------------------ plain chains


@pytest.mark.parametrize("name", nets.NETS)
def test_every_parameter_and_every_size_is_in_the_drawing(name: str) -> None:
    module = nets.build(name)
    items, edges = items_of(module)
    assert sum(item.parameters for item in items) == anatomy.parameters(module)
    assert edges == list(pairwise(range(len(items))))
    # A flattened image of one pixel is a word beside its block.
    shapes = [item.shape for item in items] + [item.shape[:1] for item in items if item.shape[1:] == (1, 1)]
    assert {layer.output for layer in anatomy.summary(module).layers} <= set(shapes)
    texts = [text.text for text in picture_of(module).texts]
    for item in items:
        assert item.parameters == 0 or f"{item.parameters:,} parameters" in texts


def test_kernels_strides_and_what_follows_are_named() -> None:
    module = nn.Sequential(
        nn.Conv2d(1, 8, (3, 5), stride=2), nn.ReLU(), nn.BatchNorm2d(8), nn.Conv2d(8, 8, 3, groups=8, dilation=2),
        nn.Conv2d(8, 8, 1, groups=2), nn.MaxPool2d(2), nn.AvgPool2d(3, 1), nn.ConvTranspose2d(8, 4, 2), nn.SiLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 10), nn.LogSoftmax(1),
    )  # fmt: skip
    said = [(item.words, item.beside) for item in items_of(module)[0]]
    assert said == [
        ("image", ()), ("conv 3×5", ("stride 2", "ReLU", "batch norm")), ("conv 3×3", ("dilation 2", "depthwise")),
        ("conv 1×1", ("2 groups",)), ("max pool 2×2", ()), ("average pool 3×3", ("stride 1",)),
        ("transposed conv 2×2", ("SiLU",)), ("global average pool", ("flatten",)),
        ("fully connected", ("log softmax",)),
    ]  # fmt: skip


class Functions(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(4, 1, 5, 5))
        self.last = nn.Linear(4, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.max_pool2d(F.conv2d(x, self.weight, stride=2), 2)
        return self.last(F.adaptive_avg_pool2d(x, 1).flatten(1))


def test_functions_are_drawn_as_the_layers_that_they_stand_for() -> None:
    said = [(item.words, item.beside) for item in items_of(Functions())[0]]
    assert said[1:3] == [("conv 5×5", ("stride 2",)), ("max pool 2×2", ())]
    assert [words for words, _ in said[3:]] == ["global average pool", "fully connected"]


# ------------------------------------------------------------------ branches


class Residual(nn.Module):
    """Two blocks, the second with a convolution on its short way."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, 4, 3, padding=1)
        self.one, self.two, self.short = nn.Conv2d(4, 4, 3, padding=1), nn.Conv2d(4, 8, 3, 2, 1), nn.Conv2d(4, 8, 1, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.stem(x)
        x = F.relu(x + self.one(x))
        return (self.two(x) + self.short(x)).mean((2, 3))


class Written(Residual):
    """The same, written in place."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.stem(x)
        y = self.one(x)
        y += x
        y = F.relu_(y)
        z = self.two(y)
        z += self.short(y)
        return z.mean((2, 3))


@pytest.mark.parametrize("kind", [Residual, Written])
def test_residual_branches_lead_from_where_they_leave_to_where_they_join(kind: type[nn.Module]) -> None:
    names, branches = words(kind())
    assert names == ["image", "conv 3×3", "conv 3×3", "+", "conv 3×3", "conv 1×1", "+", "mean"]
    assert branches == ["1 conv 3×3 > 3 +", "3 + > 5 conv 1×1", "4 conv 3×3 > 6 +"]


class Plain(Residual):
    """The same layers one after the other: no branch may be seen."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.relu(self.one(self.stem(x))) * 2.0 + 1.0
        return self.two(x * torch.sigmoid(x)).mean((2, 3))


def test_a_chain_has_no_branch() -> None:
    names, branches = words(Plain())
    assert "+" not in names
    assert branches == []


class Squeeze(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.gate, self.last = nn.Conv2d(1, 4, 3), nn.Linear(4, 4), nn.Conv2d(8, 10, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.first(x)
        gate = torch.sigmoid(self.gate(x.mean((2, 3))))[:, :, None, None]
        return self.last(torch.cat([x * gate, x], 1)).mean((2, 3))


def test_products_and_concatenations_have_their_signs() -> None:
    names, branches = words(Squeeze())
    assert names[4:6] == ["×", "concat"]
    assert branches == ["1 conv 3×3 > 4 ×", "1 conv 3×3 > 5 concat"]
    assert "Branches: 1 to 4, 1 to 5." in picture_of(Squeeze()).description


def test_what_a_layer_does_inside_is_no_branch() -> None:
    class Attends(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.attend, self.last = nn.MultiheadAttention(28, 2, batch_first=True), nn.Linear(28, 10)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            x = x[:, 0]
            return self.last(self.attend(x, x, x)[0].mean(1))

    assert words(Attends())[1] == []


# ------------------------------------------------------------------ the picture


def chain(layers: int) -> nn.Module:
    middle = [nn.Conv2d(4, 4, 3, padding=1) for _ in range(layers - 2)]
    return nn.Sequential(nn.Conv2d(1, 4, 3), *middle, nn.Flatten(), nn.Linear(4 * 26 * 26, 10))


def boxes(picture: Picture) -> list[Line]:
    """The fronts of boxes."""
    fills = ("input", "hidden", "output", "pool", "other")
    faces = [shape for shape in picture.shapes if isinstance(shape, Line) and shape.fill in fills]
    return [face for face in faces if face.points[0][0] == face.points[3][0] and face.points[0][1] == face.points[1][1]]


@pytest.mark.parametrize("layers", [8, 15])
def test_many_layers_stand_in_rows_and_fit(layers: int) -> None:
    picture = picture_of(chain(layers))
    assert picture.width <= 1100
    assert len(boxes(picture)) == layers + 2
    for text in picture.texts:
        assert text.x - text.width / 2 + 20 >= 0
        assert text.x + text.width / 2 - 20 <= picture.width
        assert 0 < text.y < picture.height


def test_a_hundred_layers_are_counted() -> None:
    items, _ = items_of(chain(100))
    assert len(items) == 60
    assert [item.words for item in items if item.kind == "gap"] == ["43 more"]
    assert sum(item.parameters for item in items) == anatomy.parameters(chain(100))


def test_no_row_is_broken_where_a_branch_is_open() -> None:
    class Long(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = nn.ModuleList([nn.Conv2d(1 if k == 0 else 2, 2, 3, padding=1) for k in range(14)])

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            first = x = self.layers[0](x)
            for layer in self.layers[1:12]:
                x = layer(x)
            return self.layers[13](self.layers[12](x + first)).mean((2, 3))

    heights = sorted({line.points[2][1] for line in boxes(picture_of(Long()))})
    assert words(Long())[1] == ["1 conv 3×3 > 13 +"]
    assert picture_of(Long()).width > 1100
    assert len(heights) > 1  # what follows the sum stands in a row of its own


def test_boxes_grow_with_what_they_stand_for() -> None:
    def size(line: Line) -> tuple[float, float]:
        (left, top), _, (right, low), _ = line.points
        return right - left, low - top

    fronts = [size(line) for line in boxes(picture_of(nets.build("s5-593k")))]
    image, first, second, pooled, *_ = fronts
    assert image[0] < first[0] < second[0] == pooled[0]  # 1, 32, 64, 64 channels
    assert image[1] > first[1] > second[1] > pooled[1]  # 28, 26, 24, 12 pixels


def test_colour_input_and_other_classes(tmp_path: Path) -> None:
    found = tinyproof.draw("fast", tmp_path / "x.svg", input="3,32,40", classes=3)
    assert "3 × 32 × 40" in found.svg
    assert "3 × 1 × 1" in found.svg


def test_names_in_a_network_of_ones_own_are_escaped() -> None:
    class Layer(nn.ReLU):
        pass

    Layer.__name__ = "<script>alert(1)</script>"
    text = svg(picture_of(nn.Sequential(nn.Conv2d(1, 2, 3), Layer())))
    assert "<script" not in text
    assert "&lt;script&gt;" in text
    ET.fromstring(text)


# ------------------------------------------------------------------ the command


def run(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tinyproof", "draw", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)


ONE = "from torch import nn\nclass Only(nn.Sequential):\n    def __init__(self):\n        super().__init__(nn.Flatten(), nn.Linear(784, 10))\n"  # noqa: E501


def test_the_command_draws_both_kinds(tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text(ONE)
    assert run("course", folder=tmp_path).stdout == "wrote network.svg: The network course: 2-2-2\n"
    assert run("one.py", "-o", "o.png", folder=tmp_path).stdout.startswith(
        "wrote o.png: The network one.py:Only: 7,850"
    )
    ET.parse(tmp_path / "network.svg")
    pixels = imread(io.BytesIO((tmp_path / "o.png").read_bytes()))
    assert 0.005 < float((pixels[..., :3].min(axis=2) < 0.9).mean()) < 0.6


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nonsense"], "network: 'nonsense' is not allowed; allowed: course, worked-example,"),
        (["missing.toml"], "missing.toml: no such file"),
        (["course", "-o", "x.gif"], "out: 'x.gif' is not allowed; allowed: a name that ends in .svg or .png"),
        (["course", "--input", "3,32,32"], "input: '3,32,32' is for CNNs; leave it out"),
        (["xor", "--set", "a=1"], "set: 'a=1' is for CNNs; leave it out"),
        (["fast", "--input", "3,9,9"], "fast: takes images of 17 pixels a side or more"),
        (["fast", "--set", "a=1"], "set: 'a=1' is not allowed"),
        (["two.py"], "model: 'two.py:' is not allowed; allowed: one of its networks: Only, Other (two.py)"),
        (["two.py:Third"], "model: 'two.py:Third' is not allowed"),
    ],
)
def test_wrong_input_is_one_line(arguments: list[str], said: str, tmp_path: Path) -> None:
    (tmp_path / "two.py").write_text(ONE + "class Other(Only):\n    pass\n")
    done = run(*arguments, folder=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith(f"tinyproof: {said}")
    assert done.stderr.count("\n") == 1
    assert sorted(path.suffix for path in tmp_path.iterdir() if path.is_file()) == [".py"]


@pytest.mark.parametrize(("name", "network"), [("course", "course"), ("s7-8k", "s7-8k")])
def test_the_pictures_of_the_documentation_are_what_is_drawn_now(name: str, network: str, tmp_path: Path) -> None:
    found = tinyproof.draw(network, tmp_path / "x.svg")
    assert (ROOT / "docs" / "images" / f"{name}.svg").read_text(encoding="utf-8") == found.svg


@pytest.mark.oracle("chromium")
@pytest.mark.parametrize("network", ["course", "deep", "softmax", "s7-8k", "s5-593k"])
def test_texts_touch_nothing_in_a_browser(network: str, chromium: str, tmp_path: Path) -> None:
    """The widths of texts are estimated: a browser says whether they hold. And it follows the reader's preference."""
    found = tinyproof.draw(network, tmp_path / "x.svg")
    page = tmp_path / "page.html"
    page.write_text(f"<!doctype html><body>{found.svg}")
    crossing = (
        "(() => { const boxes = [...document.querySelectorAll('text')].map(t => [t.textContent, t.getBBox()]);"
        " return boxes.flatMap(([a, p], k) => boxes.slice(k + 1).filter(([b, q]) =>"
        " Math.min(p.x + p.width, q.x + q.width) - Math.max(p.x, q.x) > 1"
        " && Math.min(p.y + p.height, q.y + q.height) - Math.max(p.y, q.y) > 4).map(([b]) => a + ' / ' + b)); })()"
    )
    paper = "getComputedStyle(document.querySelector('svg rect')).fill"
    with browser(chromium) as tab:
        for scheme, colour in (("light", "rgb(255, 255, 255)"), ("dark", "rgb(20, 24, 29)")):
            tab.open(page, 1200, 900, prefers_color_scheme=scheme)
            assert tab.run(crossing) == []
            assert tab.run(paper) == colour
