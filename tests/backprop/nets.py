"""Random networks for Hypothesis, over everything a Net can be."""

from __future__ import annotations

from hypothesis import strategies as st

from tinyproof.backprop.net import Net
from tinyproof.backprop.random_net import drawn

HIDDEN = ["sigmoid", "tanh", "relu", "leaky relu", "softplus", "identity"]
OUTPUTS = [
    ("sigmoid", "half squared error"),
    ("tanh", "half squared error"),
    ("identity", "mean squared error"),
    ("leaky relu", "mean squared error"),
    ("softplus", "half squared error"),
    ("sigmoid", "binary cross-entropy"),
    ("softmax", "categorical cross-entropy"),
    ("softmax", "half squared error"),
]


@st.composite
def nets(draw: st.DrawFn) -> Net:
    output, loss = draw(st.sampled_from(OUTPUTS))
    hidden = draw(st.lists(st.integers(1, 4), min_size=0, max_size=3))
    last = draw(st.integers(2 if output == "softmax" else 1, 3))
    return drawn(
        [draw(st.integers(1, 3)), *hidden, last],
        draw(st.integers(0, 2**32)),
        activation=draw(st.sampled_from(HIDDEN)),
        output=output,
        loss=loss,
        biases=draw(st.sampled_from(["none", "layer", "unit"])),
        examples=draw(st.integers(1, 3)),
        taken=draw(st.sampled_from(["summed", "averaged", "one after the other"])),
    )
