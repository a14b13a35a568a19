"""The example networks differ from the package's in one thing only."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from tinyproof.network import nets
from tinyproof.network.anatomy import summary

FILE = Path(__file__).resolve().parents[2] / "examples" / "variants.py"


def test_max_pooling_takes_the_place_of_average_pooling_and_nothing_else() -> None:
    original, variant = nets.build("s6-12k", 3), nets.build(f"{FILE}:MaxPooling12k", 3)
    swapped = [(type(a), type(b)) for a, b in zip(original, variant, strict=True) if type(a) is not type(b)]  # type: ignore[call-overload]
    assert swapped == [(nn.AvgPool2d, nn.MaxPool2d)] * 2
    for name, value in original.state_dict().items():
        assert torch.equal(value, variant.state_dict()[name])


def test_without_batch_norm_the_other_layers_stay() -> None:
    original, variant = nets.build("s6-19k"), nets.build(f"{FILE}:NoBatchNorm19k")
    kept = [type(layer) for layer in original if not isinstance(layer, nn.BatchNorm2d)]  # type: ignore[attr-defined]
    assert [type(layer) for layer in variant] == kept  # type: ignore[attr-defined]
    norms = sum(p.numel() for m in original.modules() if isinstance(m, nn.BatchNorm2d) for p in m.parameters())
    assert summary(variant).parameters == 19_242 - norms
