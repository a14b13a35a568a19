"""What the machine or the caller cannot give: threads, stack, images of the right size. One line, no hang, no crash."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from torch import nn

from tinyproof.core.errors import DataError
from tinyproof.data.dataset import Dataset
from tinyproof.train.augment import draw
from tinyproof.train.engine import Batch
from tinyproof.train.engine.native.build import find_compiler
from tinyproof.train.engine.native.native_engine import NativeEngine, plan_of
from tinyproof.train.engine.native.source import source
from tinyproof.train.recipe import Augment, Recipe

SGD = Recipe("sgd", rate=0.05, batch_size=4)

# Threads' stacks lie in address space, which is limited here; 8 MB each are usual.
MANY_THREADS = """
#include <sys/resource.h>
#include <cstdio>
int main() {
  const rlimit limit{600u << 20, 600u << 20};
  if (setrlimit(RLIMIT_AS, &limit)) return 2;
  void* many = tiny_create(1000, 1000 * TINY_LANES);
  void* few = tiny_create(2, 5 * TINY_LANES);
  std::printf("many %s, few %s\\n", many ? "made" : "refused", few ? "made" : "refused");
  tiny_destroy(few);
}
"""


def linear() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(4, 10))


@pytest.mark.oracle("compiler")
@pytest.mark.usefixtures("compiler")
def test_threads_that_cannot_be_started_are_a_refusal_not_a_hang(tmp_path: Path) -> None:
    program = tmp_path / "threads"
    (tmp_path / "threads.cpp").write_text(source(plan_of(linear(), (1, 2, 2)), find_compiler().lanes) + MANY_THREADS)
    command = [*find_compiler().command, "-std=c++17", "-O1", "-pthread", f"{program}.cpp", "-o", str(program)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    done = subprocess.run([str(program)], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, "many refused, few made\n"), done.stderr


def pictures(size: int, classes: int = 10) -> Dataset:
    images = np.random.default_rng(1).integers(0, 256, (8, size, size), dtype=np.uint8)
    labels = np.arange(8) % classes
    names = tuple(str(i) for i in range(classes))
    return Dataset(
        name="large",
        train_images=images[:4],
        train_labels=labels[:4],
        test_images=images[4:],
        test_labels=labels[4:],
        mean=0.5,
        std=0.3,
        classes=names,
    )


@pytest.mark.oracle("compiler")
@pytest.mark.usefixtures("compiler")
def test_a_thousand_threads_on_a_small_batch_are_those_that_have_work() -> None:
    states = []
    for threads in (2, 1000):
        engine = NativeEngine(linear(), replace(SGD, batch_size=32), pictures(2), threads=threads)
        engine._params[:] = np.linspace(-1, 1, len(engine._params))
        engine.step(Batch(np.arange(20) % 4, None, 1), 0.1)
        states.append(engine.state()["params"])
    np.testing.assert_array_equal(states[0], states[1])


@pytest.mark.oracle("compiler")
@pytest.mark.usefixtures("compiler")
def test_pictures_larger_than_a_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    """1500 x 1500 floats are 9 MB; a thread has 8 as a rule."""
    network = nn.Sequential(nn.Conv2d(1, 10, 11, stride=100), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    dataset = pictures(1500)
    engine = NativeEngine(network, SGD, dataset, threads=2)
    changed = draw(Augment(max_degrees=5.0), 4, np.random.default_rng(0), 0.0, (1500, 1500))
    for transforms in (None, changed):
        engine.step(Batch(np.arange(4), transforms, 0), 0.01)
    assert engine.tally().count == 8
    assert np.isfinite(engine.evaluate(dataset.test_images, dataset.test_labels).loss_sum)


@pytest.mark.oracle("compiler")
@pytest.mark.usefixtures("compiler")
@pytest.mark.parametrize("images", [np.zeros((3, 5, 5), np.uint8), np.zeros((3, 14, 14)), np.zeros((3, 196), np.uint8)])
def test_images_of_another_size_or_kind_are_refused(images: np.ndarray, blobs: Dataset) -> None:
    engine = NativeEngine(nn.Sequential(nn.Flatten(), nn.Linear(196, 10)), SGD, blobs, threads=1)
    with pytest.raises(DataError, match=r"the images: are .*bytes \[1, 14, 14\] are expected"):
        engine.evaluate(images, np.zeros(3, np.int64))


def test_test_images_of_another_size_than_the_training_images_are_refused(blobs: Dataset) -> None:
    with pytest.raises(
        DataError, match=r"test images: have \[1, 5, 5\] pixels where the training images have \[1, 14, 14\]"
    ):
        replace(blobs, test_images=np.zeros((50, 5, 5), np.uint8))
