"""The named networks: one whole training step's gradient against torch."""

from __future__ import annotations

import numpy as np
import pytest
from tests.engine.compare import Native, batch_of, by_parameter, difference, torch_gradient

from tinyproof.network import nets

pytestmark = [pytest.mark.oracle("compiler"), pytest.mark.usefixtures("compiler")]


@pytest.mark.parametrize("name", ["s5-593k", "s6-16k", "s7-8k", "s6-17k", "s6-19k", "s6-12k", "fast"])
def test_gradient_equals_torch(name: str) -> None:
    rng = np.random.default_rng()
    module = nets.build(name, int(rng.integers(2**31)))
    nets.set_dropout(module, 0.0)
    # s5-593k has half a million values before a kink.
    images, labels = batch_of(module, 3 if name == "s5-593k" else 5, (28, 28), rng)
    native = Native(module, (1, 28, 28), threads=2)
    ours, log_p = native.gradient(images, labels)
    theirs, log_q = torch_gradient(module, images, labels)
    assert difference(log_p, log_q) < 1e-5
    assert difference(ours, theirs) < 1e-4, by_parameter(module, ours, theirs)
