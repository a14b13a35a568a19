"""What a network should give, by means that are not ours: torch's own layers, losses and autograd in float64."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from tinyproof.backprop.net import Layer, Net


@dataclass(frozen=True)
class Answer:
    loss: float
    gradients: dict[str, float]  # by our names: w1, b1, ..


def _activate(layer: Layer, x: Tensor) -> Tensor:
    return {
        "sigmoid": torch.sigmoid,
        "tanh": torch.tanh,
        "relu": torch.relu,
        "leaky relu": lambda z: F.leaky_relu(z, layer.leak),
        "softplus": F.softplus,
        "identity": lambda z: z,
        "softmax": lambda z: torch.softmax(z, dim=1),
    }[layer.activation](x)


def _loss(net: Net, outputs: Tensor, targets: Tensor) -> Tensor:
    """Of each example."""
    if net.loss == "half squared error":
        return 0.5 * F.mse_loss(outputs, targets, reduction="none").sum(1)
    if net.loss == "mean squared error":
        return F.mse_loss(outputs, targets, reduction="none").mean(1)
    if net.loss == "binary cross-entropy":
        return F.binary_cross_entropy(outputs, targets, reduction="none").sum(1)
    return F.nll_loss(outputs.log(), targets.argmax(1), reduction="none")


def torch_answer(net: Net, parameters: dict[str, float], example: int | None = None) -> Answer:
    """Loss and gradients at these parameters; `example` where a step takes one of several in turn."""
    values = {name: torch.tensor(v, dtype=torch.float64, requires_grad=True) for name, v in parameters.items()}
    chosen = net.examples if example is None else net.examples[example : example + 1]
    x = torch.tensor([e.inputs for e in chosen], dtype=torch.float64)
    targets = torch.tensor([e.targets for e in chosen], dtype=torch.float64)
    for number, layer in enumerate(net.layers):
        weights = torch.stack([torch.stack([values[n] for n in row]) for row in net.weight_names[number]])
        x = x @ weights.T
        if layer.bias is not None:
            biases = torch.stack([values[n] for n in net.bias_names[number]])
            x = x + (biases if isinstance(layer.bias, tuple) else biases[0])
        x = _activate(layer, x)
    losses = _loss(net, x, targets)
    loss = losses.mean() if net.taken == "averaged" else losses.sum()
    loss.backward()
    return Answer(float(loss.detach()), {n: float(v.grad) for n, v in values.items() if v.grad is not None})
