"""The network of a page as the reader may change it there: the plain data that stepper_spec.js checks and writes."""

from __future__ import annotations

from typing import Any

from tinyproof.backprop.layer import Layer
from tinyproof.backprop.net import Net


def given_spec(net: Net, iterations: int) -> dict[str, Any]:
    """Inputs, layers, loss, examples, optimiser and starting values (layer by layer, weights before biases)."""
    return {
        "inputs": net.shape[0],
        "layers": [_layer(layer) for layer in net.layers],
        "loss": net.loss,
        "taken": net.taken,
        "batch": net.batch,
        "examples": [{"inputs": list(e.inputs), "targets": list(e.targets)} for e in net.examples],
        "rate": net.learning_rate,
        "iterations": iterations,
        "optimizer": {"kind": net.optimizer.kind, **net.optimizer.values()},
        "seed": None,
        "values": list(net.parameters.values()),
    }


def _layer(layer: Layer) -> dict[str, Any]:
    bias = "none" if layer.bias is None else "unit" if isinstance(layer.bias, tuple) else "layer"
    constant = bias != "none" and not layer.train_bias
    return {
        "units": layer.units,
        "activation": layer.activation,
        "bias": bias,
        "constant": constant,
        "leak": layer.leak,
    }
