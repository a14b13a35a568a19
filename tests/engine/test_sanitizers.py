"""The kernels under AddressSanitizer and UBSan, as a program of their own; and a planted fault is seen."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.engine.graphs import Branching, Gated
from torch import nn

from tinyproof.train.engine.native.build import find_compiler
from tinyproof.train.engine.native.native_engine import plan_of
from tinyproof.train.engine.native.source import source

pytestmark = [pytest.mark.oracle("compiler"), pytest.mark.usefixtures("compiler")]

DRIVER = """
#include <cstdio>
#include <vector>
int main() {
  const int channels = tiny::First::OC, size = channels * 13 * 11, images = 61;
  std::vector<uint8_t> pictures(images * size);
  for (size_t i = 0; i < pictures.size(); i++) pictures[i] = uint8_t(i * 2654435761u >> 24);
  std::vector<int64_t> labels(images), rows;
  for (int i = 0; i < images; i++) labels[i] = i % 10, rows.push_back((i * 7) % images);
  std::vector<uint8_t> borders(images * channels, 200);
  const std::vector<float> scale(channels, 0.01f), shift(channels, -0.7f);
  std::vector<float> matrices;
  std::vector<int32_t> boxes;
  for (int i = 0; i < images; i++) {
    for (float v : {0.8f + i * 0.01f, 0.3f, i * 0.4f - 12.f, -0.3f, 1.1f, 14.f - i * 0.5f}) matrices.push_back(v);
    for (int v : {i % 9, i % 6, i % 5, 3}) boxes.push_back(v);
  }
  std::vector<float> params(tiny::kParameters), first(params), second(params), ema(params);
  std::vector<float> decay(params), running(1000);
  for (size_t i = 0; i < params.size(); i++) params[i] = float(i % 17) / 50.f - 0.16f;
  const tiny::Weights weights{params.data(), first.data(), second.data(), ema.data(), decay.data()};
  tiny::Batch batch{pictures.data(), rows.data(), labels.data(), matrices.data(),
                    boxes.data(), borders.data(), scale.data(), shift.data()};
  for (int threads = 1; threads <= 3; threads++) {
    void* e = tiny_create(threads, 45);
    const tiny::Optimizer optimizer{threads % 2, 1, 0.9f, 0.9f, 0.999f, 1e-8f, 0.1f};
    tiny_bind(e, &weights, running.data(), &optimizer);
    for (int step = 1; step <= 3; step++) tiny_step(e, &batch, step == 2 ? 1 : 45, step, step, 0.01f, 0.9f);
    std::vector<float> out(images * 10), gradient(params.size());
    tiny_gradient(e, &batch, 33, 5, gradient.data(), out.data());
    batch.rows = nullptr;
    tiny_evaluate(e, &batch, images, params.data(), running.data(), out.data());
    batch.rows = rows.data();
    double loss;
    int64_t correct, count;
    tiny_tally(e, &loss, &correct, &count);
    std::printf("%d threads: %lld images, loss %g\\n", threads, (long long)count, loss);
    tiny_destroy(e);
  }
}
"""

FLAGS = ("-std=c++17", "-O1", "-g", "-pthread", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")


def network(channels: int = 1) -> nn.Module:
    """Every kind of stage: computed again, filtered, padded, strided, pooled both ways, flattened, with dropout."""
    return nn.Sequential(
        nn.Conv2d(channels, 10, 3, padding=1), nn.ReLU(), nn.BatchNorm2d(10), nn.Dropout2d(0.1),
        nn.Conv2d(10, 6, 1), nn.BatchNorm2d(6), nn.LeakyReLU(0.1), nn.Dropout(0.1), nn.MaxPool2d(3, 2, 1),
        nn.Conv2d(6, 90, 3, padding=1), nn.BatchNorm2d(90),
        nn.Conv2d(90, 9, (3, 2), stride=2, padding=1), nn.BatchNorm2d(9), nn.ReLU(), nn.AvgPool2d(2, 1),
        nn.Flatten(), nn.Linear(9 * 3 * 3, 10),
    )  # fmt: skip


def run(text: str, folder: Path) -> subprocess.CompletedProcess[str]:
    (folder / "driver.cpp").write_text(text)
    program = folder / "driver"
    command = [*find_compiler().command, *FLAGS, str(folder / "driver.cpp"), "-o", str(program)]
    subprocess.run(command, check=True, capture_output=True, text=True, timeout=400)
    return subprocess.run([str(program)], capture_output=True, text=True, timeout=400, check=False)


@pytest.mark.parametrize(("make", "channels"), [(network, 1), (network, 3), (Branching, 1), (Branching, 3), (Gated, 3)])
def test_no_access_outside_and_no_undefined_behaviour(
    make: Callable[[int], nn.Module], channels: int, tmp_path: Path
) -> None:
    text = source(plan_of(make(channels), (channels, 13, 11)), find_compiler().lanes)
    done = run(text + DRIVER, tmp_path)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "3 threads: 124 images" in done.stdout
    assert "nan" not in done.stdout


@pytest.mark.parametrize(
    ("make", "constant"), [(network, "kScratchWeights"), (Branching, "kScratchDc"), (Branching, "kScratchZ")]
)
def test_a_fault_is_seen(make: Callable[[int], nn.Module], constant: str, tmp_path: Path) -> None:
    text = source(plan_of(make(1), (1, 13, 11)), find_compiler().lanes)
    broken = re.sub(rf"({constant} = \d+)", r"\1 / 2", text)
    assert broken != text
    done = run(broken + DRIVER, tmp_path)
    assert done.returncode != 0
    assert "heap-buffer-overflow" in done.stderr
