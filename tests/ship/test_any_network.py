"""Any small network as a workbook and as a page: LibreOffice and Chromium compute what torch does."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, Phase, given, settings
from numpy.typing import NDArray
from tests.backprop import recalculate
from tests.page.browser import Browser, browser
from tests.ship.chains import images_of, networks, stirred
from tests.ship.test_network_book import shown, steps_of, theirs
from tests.ship.test_network_page import WORDS
from torch import nn
from torch.nn import functional

from tinyproof.core.errors import DataError
from tinyproof.data.load import load
from tinyproof.data.reading import Reading, Shape
from tinyproof.ship import artefact, claim, exported, for_people, network_book, office, page_file
from tinyproof.ship.operations import layers_of
from tinyproof.ship.stage_values import values
from tinyproof.ship.stages import Stage, words
from tinyproof.train import store

_Network = tuple[nn.Module, Shape, int]
_STATISTICS = [0.1307], [0.3081]


@dataclass(frozen=True)
class Written:
    """A workbook of a network, and torch's scores of its first picture."""

    path: Path
    module: nn.Module
    scores: NDArray[np.float64]


def scores_of(module: nn.Module, found: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scores [n, classes], after a log-softmax where the network ends with one: these formats leave it out."""
    last = next(reversed(list(module.children())))
    return found - np.logaddexp.reduce(found, 1, keepdims=True) if isinstance(last, nn.LogSoftmax) else found


def near(found: NDArray[np.float64], wanted: NDArray[np.float64], share: float) -> bool:
    """Whether scores are as near as a share of the largest one, or of 1."""
    return bool(np.abs(found - wanted).max() <= share * max(1.0, float(np.abs(wanted).max())))


def test_libreoffice_computes_any_small_network_as_torch_does(tmp_path: Path, libreoffice: str) -> None:
    """All workbooks in one call of LibreOffice: what is wrong with the steps alone is found, and made small, before."""
    written = list[Written]()

    @settings(max_examples=20, deadline=None, phases=[Phase.generate, Phase.shrink])
    @given(network=networks())
    def write(network: _Network) -> None:
        module, shape, classes = network
        images = images_of(shape, 1)
        statistics = [part * shape[0] for part in _STATISTICS]
        steps, wanted = steps_of(module, shape, classes, *statistics), theirs(module, images, *statistics)
        assert near(scores_of(module, values(steps, images[0])[-1].reshape(1, -1)), wanted, 1e-9)
        path = tmp_path / f"{len(written)}.xlsx"
        path.write_bytes(network_book.workbook_bytes(steps, shown(images, classes), "it"))
        written.append(Written(path, module, wanted))

    write()
    fresh = recalculate.zeroed_and_recalculated(libreoffice, [one.path for one in written], tmp_path)
    for one, path in zip(written, fresh, strict=True):
        found = np.array([office._column(path.read_bytes(), one.scores.size)])
        assert near(scores_of(one.module, found), one.scores, 1e-6), str(one.module)
        assert recalculate.differences(one.path, path)[1] == [], str(one.module)


@pytest.fixture(scope="module")
def tab(chromium: str) -> Iterator[Browser]:
    with browser(chromium) as one:
        yield one


def of_page(tab: Browser, folder: Path, steps: list[Stage], images: NDArray[np.uint8]) -> NDArray[np.float64]:
    """What the page of these steps answers, image after image."""
    _, channels, height, width = images.shape
    reading = Reading(kind="pictures", channels=channels, height=height, width=width)
    (folder / "page.html").write_bytes(page_file.page_bytes(steps, reading, WORDS))
    tab.open(folder / "page.html")
    data = base64.b64encode(images.tobytes()).decode()
    asked = f"answers(Uint8Array.from(atob('{data}'), c => c.charCodeAt(0)))"
    return np.array(tab.run(f"ready.then(() => [...{asked}])"))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(network=networks())
def test_chromium_computes_any_small_network_as_torch_does(tab: Browser, tmp_path: Path, network: _Network) -> None:
    module, shape, classes = network
    images, statistics = images_of(shape, 5), [part * shape[0] for part in _STATISTICS]
    steps, wanted = steps_of(module, shape, classes, *statistics), theirs(module, images, *statistics)
    found = of_page(tab, tmp_path, steps, images).reshape(wanted.shape)
    assert near(scores_of(module, found), wanted, 1e-5)
    assert tab.errors == []


class Forked(nn.Module):
    """Maps that several take: with unlike values around them, rectified and as they are, flattened and joined."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(4)
        self.first, self.norm, self.late = nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.BatchNorm2d(3)
        self.plain, self.after = nn.Conv2d(3, 3, 3, padding=1), nn.Conv2d(3, 3, 3, padding=1)
        self.wide, self.small = nn.Conv2d(3, 2, 5, padding=2), nn.Conv2d(8, 2, 1)
        self.last = nn.Linear(3 * 2 * 9, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.norm(self.first(x))
        a = self.plain(x)
        positive = torch.relu(a)
        b = self.after(self.late(x))
        x = torch.cat([a + b + positive, self.wide(x), x], 1)
        x = functional.max_pool2d(self.small(x), 2)
        flat = x.flatten(1)
        both = flat + torch.relu(x).flatten(1)
        return self.last(torch.cat([flat, both, torch.sigmoid(flat)], 1))


def test_maps_that_several_take_are_computed_as_torch_does(tab: Browser, tmp_path: Path, libreoffice: str) -> None:
    module, images, statistics = stirred(Forked()), images_of((1, 9, 9), 3), _STATISTICS
    steps, wanted = steps_of(module, (1, 9, 9), 4, *statistics), theirs(module, images, *statistics)
    assert near(np.array([values(steps, image)[-1].ravel() for image in images]), wanted, 1e-9)
    assert words(steps)[1:10] == [
        "convolution 3x3, padding 1", "ReLU (below 0 becomes 0)", "times a factor, plus a summand, from layer 1",
        "convolution 3x3, padding 1", "sum of layer 2 and layer 5", "sum of layer 6 and layer 3",
        "the maps of layer 1",  # once more, with room around them
        "convolution 5x5, padding 2", "the maps of layer 7, layer 9 and layer 1",
    ]  # fmt: skip
    content = network_book.workbook_bytes(steps, shown(images, 4), "it")
    assert near(office.scores(libreoffice, content, 3, 4), wanted, 1e-6)
    assert near(of_page(tab, tmp_path, steps, images).reshape(wanted.shape), wanted, 1e-5)
    assert tab.run("STAGES.some(s => s.words.includes('sum of layer '))")


class Unlike(nn.Module):
    """A sum of what was flattened and of what was not maps before."""

    def __init__(self) -> None:
        super().__init__()
        self.linear, self.last = nn.Linear(16, 16), nn.Linear(16, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = functional.max_pool2d(x, 7).flatten(1)
        return self.last(x + self.linear(x))


@pytest.mark.parametrize("to", exported.FOR_PEOPLE)
def test_a_sum_of_unlike_maps_is_one_line(trained: Path, to: str) -> None:
    module = Unlike().eval()
    weights = {name: value.numpy() for name, value in module.state_dict().items()}
    layers = layers_of("it", module, (1, 28, 28), 10)
    said = rf"cannot be exported to {to}: it joins values of unlike maps \(1x4x4 and 16x1x1\); onnx and torch take it"
    with pytest.raises(DataError, match=said):
        for_people.files(to, store.load(trained), layers, weights, load("digits"), None)


class Repeating(nn.Module):
    """Adds the mean of each map to all of it."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.last = nn.Conv2d(1, 2, 5, stride=3), nn.Linear(128, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.conv(x)
        return self.last((x + x.mean((2, 3), keepdim=True)).flatten(1))


@pytest.mark.parametrize("to", [to for to in exported.FORMATS if to != "torch"])
def test_a_sum_that_repeats_values_is_refused_by_the_networks_name(trained: Path, to: str) -> None:
    module, run = Repeating().eval(), store.load(trained)
    weights = {name: value.numpy() for name, value in module.state_dict().items()}
    layers = layers_of("it", module, (1, 28, 28), 10)
    said = f"cannot be exported to {to}: a sum of branches repeats values (2x8x8 and 2x1x1); torch takes it"
    with pytest.raises(DataError) as caught:
        artefact.made(to, "bytes", run, layers, weights, dataset=load("digits"))
    assert str(caught.value) == f"{claim.model_title(run)}: {said}"
