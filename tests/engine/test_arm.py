"""The kernels on 64-bit ARM, run by qemu: gradients and evaluation are those of float64. Correctness only."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.engine.compare import NORMALISE, batch_of, channelled, difference, exact_gradient
from tests.engine.graphs import Branching, Gated
from tests.engine.test_compilers import network
from torch import nn
from torch.nn import functional as F

from tinyproof.train.engine.native.build import FLAGS
from tinyproof.train.engine.native.native_engine import plan_of
from tinyproof.train.engine.native.source import source

COUNT = 22  # images: five vectors of four and a rest
DRIVER = f"""
#include <cstdio>
#include <vector>
template <class T>
std::vector<T> read(size_t count) {{
  std::vector<T> values(count);
  if (std::fread(values.data(), sizeof(T), count, stdin) != count) std::abort();
  return values;
}}
int main() {{
  const int count = {COUNT}, threads = 2;
  std::vector<float> params = read<float>(tiny::kParameters), running(1000);
  const auto labels = read<int64_t>(count);
  const auto images = read<uint8_t>(size_t(count) * tiny::Traits<tiny::First>::size);
  const float scale[] = {{{NORMALISE[0]}f}}, shift[] = {{{NORMALISE[1]}f}};
  std::vector<float> first(params.size()), second(first), decay(first), gradient(first), log_p(count * 10);
  const tiny::Weights weights{{params.data(), first.data(), second.data(), nullptr, decay.data()}};
  const tiny::Batch batch{{images.data(), nullptr, labels.data(), nullptr, nullptr, nullptr, scale, shift}};
  const tiny::Optimizer optimizer{{0, 0, 0.9f, 0.9f, 0.999f, 1e-8f, 0.0f}};
  void* engine = tiny_create(threads, 32);
  tiny_bind(engine, &weights, running.data(), &optimizer);
  tiny_gradient(engine, &batch, count, 1, gradient.data(), log_p.data());
  std::fwrite(gradient.data(), sizeof(float), gradient.size(), stdout);
  std::fwrite(log_p.data(), sizeof(float), log_p.size(), stdout);
  tiny_destroy(engine);
}}
"""


@pytest.mark.oracle("cross compiler")
@pytest.mark.parametrize("make", [network, lambda: Branching(1), lambda: Gated(1)], ids=["chain", "branches", "gates"])
def test_arm_gives_the_gradients_of_float64(
    make: Callable[[], nn.Module], arm_compiler: str, arm_machine: str, tmp_path: Path
) -> None:
    rng = np.random.default_rng()
    torch.manual_seed(int(rng.integers(2**31)))
    module = make()
    images, labels = batch_of(module, COUNT, (13, 11), rng)
    flags = [*(flag for flag in FLAGS if flag != "-shared"), "-static", "-x", "c++", "-"]
    text, program = source(plan_of(module, (1, 13, 11)), 4) + DRIVER, tmp_path / "kernels"
    subprocess.run(
        [arm_compiler, *flags, "-o", str(program)], input=text, check=True, capture_output=True, text=True, timeout=400
    )
    params = torch.cat([p.detach().reshape(-1) for p in module.parameters()]).numpy()
    given = params.tobytes() + labels.astype(np.int64).tobytes() + images.tobytes()
    done = subprocess.run([arm_machine, str(program)], input=given, check=True, capture_output=True, timeout=400)
    answers = np.frombuffer(done.stdout, np.float32)
    ours, log_p = answers[: len(params)], answers[len(params) :].reshape(COUNT, 10)
    assert difference(ours, exact_gradient(module, images, labels)) < 2e-5
    with torch.no_grad():
        out = module.double().train()(channelled(images).double() * NORMALISE[0] + NORMALISE[1])
    np.testing.assert_allclose(log_p, F.log_softmax(out, 1).numpy(), atol=2e-5)
