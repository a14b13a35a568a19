"""ONNX in whole numbers (QDQ): what a runtime of others computes with it is what the C in whole numbers computes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from numpy.typing import NDArray
from tests.ship.chains import MNIST, chain_of, images_of, networks, stirred
from torch import nn

import tinyproof
from tinyproof.core.errors import DataError
from tinyproof.data.load import load
from tinyproof.data.reading import Shape
from tinyproof.network import nets
from tinyproof.ship import artefact, onnx_answers, onnx_whole, quantise, whole_answers
from tinyproof.ship.c_stages import chain
from tinyproof.ship.onnx_answers import OnnxFile
from tinyproof.ship.operations import normalising
from tinyproof.ship.quantise import Quantised, quantised
from tinyproof.train import store


def of(module: nn.Module, shape: Shape, classes: int) -> Quantised:
    mean, std = np.linspace(0.1307, 0.5, shape[0]), np.full(shape[0], 0.3081)
    stages = chain("it", [normalising(mean, std), *chain_of(module, shape, classes)], shape)
    return quantised("it", stages, images_of(shape, 30))


def by_runtime(onnxruntime: Any, content: bytes, images: NDArray[np.uint8], optimised: bool) -> NDArray[np.float32]:
    options, levels = onnxruntime.SessionOptions(), onnxruntime.GraphOptimizationLevel
    options.graph_optimization_level = levels.ORT_ENABLE_ALL if optimised else levels.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {"images": images})
    return np.asarray(found)


def unlike(found: NDArray[Any], wanted: NDArray[np.float64], unit: float) -> float:
    """The share of images with a score that is further off than a unit of the C's, and single precision."""
    return float((np.abs(found - wanted).max(1) > unit + 1e-6 * np.abs(wanted).max()).mean())


@pytest.mark.parametrize("name", ["fast", "s6-17k", "s7-8k"])
def test_a_runtime_of_others_gives_the_scores_of_c(name: str, onnx: Any, onnxruntime: Any) -> None:
    network, images = of(stirred(nets.build(name)), MNIST, 10), images_of(MNIST, 100)
    content = onnx_whole.model_bytes(network, "it", 10, {"a": "b"})
    onnx.checker.check_model(onnx.load_from_string(content), full_check=True)
    wanted = whole_answers.scores(network, images) * network.unit
    assert unlike(OnnxFile(content, "it").scores(images, lambda part: part), wanted, network.unit) <= 0.02
    for optimised in (False, True):
        # A value next to the middle of two bytes goes the other way, and a step of one byte is all that it is.
        found = by_runtime(onnxruntime, content, images, optimised)
        assert unlike(found, wanted, network.unit) <= 0.1
        assert np.abs(found - wanted).max() < 0.03 * np.abs(wanted).max()


def between(file: OnnxFile, images: NDArray[np.uint8]) -> Iterator[tuple[NDArray[np.float64], NDArray[np.int64]]]:
    """What each stage of the file hands on, before it is rounded to bytes (and in their steps) and after it, as [N,
    rows, columns, channels] or, of features, [N, features]."""
    values = {"images": torch.from_numpy(images), **file._weights}
    for operator, inputs, out, attributes in file._nodes:
        values[out] = onnx_answers._OPERATORS[operator](*(values[name] for name in inputs), **attributes)
        if operator == "QuantizeLinear":
            exact, scale, zero = (values[name].double() for name in inputs)
            pair = (exact / scale + zero).clamp(0, 255), values[out]
            yield tuple((part.permute(0, 2, 3, 1) if part.ndim == 4 else part).numpy() for part in pair)


@settings(max_examples=40, deadline=None)
@given(network=networks())
def test_any_small_chain(onnx: Any, network: tuple[nn.Module, Shape, int]) -> None:
    module, shape, classes = network
    whole, images = of(module, shape, classes), images_of(shape, 10)
    content = onnx_whole.model_bytes(whole, "it", classes, {})
    onnx.checker.check_model(onnx.load_from_string(content), full_check=True)
    file = OnnxFile(content, "it")
    made = {-1: images.transpose(0, 2, 3, 1).astype(np.int64)}
    rounded = between(file, images)
    # Each stage by itself, from the same bytes: what C makes is the same number, rounded. (In the middle of two bytes
    # it goes up, ONNX to the even one; below zero a leaky slope rounds the sum too. ONNX sums in single precision: near
    # that middle its last digit decides.)
    single = 255 * float(np.finfo(np.float32).eps)
    for number, stage in enumerate(whole.stages):
        by_c = whole_answers._made(stage, *(made[taken] for taken in stage.stage.takes))
        made[number] = by_c
        if stage.wide or (stage.stage.kind, stage.stage.padding) == ("pad", (0, 0)):
            continue
        exact, bytes_ = next(rounded)
        leaky = stage.slope not in (0, quantise.WHOLE_SLOPE)
        step = stage.factor.max() / 2**stage.shift if stage.factor.size else 1
        assert np.abs(by_c.reshape(exact.shape) - exact).max() <= 0.5 + (0.5 * step if leaky else 0) + single
        made[number] = bytes_.astype(np.int64)
    assert next(rounded, None) is None
    last = whole.stages[-1]
    wanted = made[number] if last.wide else made[number] - last.made.zero
    count = len(images)
    wanted = wanted.reshape(count, *whole.chain.last).transpose(0, 3, 1, 2).reshape(count, -1) * whole.unit
    assert unlike(file.scores(images, lambda part: part), wanted, whole.unit) == 0


def test_what_ends_flat_is_refused_in_one_line() -> None:
    whole = of(nn.Sequential(nn.Conv2d(1, 1, 1), nn.AvgPool2d(4), nn.Flatten(), nn.ReLU()).eval(), (1, 8, 8), 4)
    with pytest.raises(DataError, match="cannot be exported to onnx-int8: no linear layer follows") as caught:
        onnx_whole.model_bytes(whole, "it", 4, {})
    assert "\n" not in str(caught.value)


@pytest.mark.usefixtures("mnist_folder")
def test_ten_thousand_images_in_c_and_in_whole_numbers(tmp_path: Path, onnxruntime: Any) -> None:
    """Of the C, `export` itself holds every score to those of Python."""
    tinyproof.train("fast", dataset="mnist", epochs=1, out=tmp_path / "run", quiet=True)
    plain, whole = (tinyproof.export(tmp_path / "run", to=to) for to in ("c", "c-int8"))
    assert (plain.changed, plain.test_count, whole.test_count) == (0, 10_000, 10_000)
    assert whole.changed < 50
    content = (tinyproof.export(tmp_path / "run", to="onnx-int8").folder / artefact.ONNX).read_bytes()
    found = by_runtime(onnxruntime, content, load("mnist").test_images, True)
    other = found.argmax(1) != store.load_predictions(whole.folder).predicted
    assert other.sum() <= 5
