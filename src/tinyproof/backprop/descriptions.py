"""What each quantity is, in words: for notes on header cells, tables and pages.

>>> from tinyproof.backprop.presets import preset
>>> words(preset("course"))["a_h1"]
'hidden unit 1 after its activation (sigmoid)'
"""

from __future__ import annotations

from tinyproof.backprop.equations import RATE
from tinyproof.backprop.net import Net
from tinyproof.backprop.notation import partial_signs


def words(net: Net) -> dict[str, str]:
    """A phrase for every given, every unit, loss and gradient of the network."""
    found: dict[str, str] = {RATE: "learning rate: how far a weight moves against its gradient"}
    for number, tag in enumerate(net.tags, 1):
        of = f" of example {number}" if tag else ""
        found |= {f"t{k + 1}{tag}": f"target of output {k + 1}{of}" for k in range(net.shape[-1])}
        found |= {f"i{k + 1}{tag}": f"input {k + 1}{of}" for k in range(net.shape[0])}
        for layer in range(len(net.layers)):
            for k in range(net.layers[layer].units):
                unit = net.unit(layer, k)
                found[unit + tag] = f"{_place(net, layer, k)}{of} before its activation: the weighted sum"
                found[f"a_{unit}{tag}"] = (
                    f"{_place(net, layer, k)}{of} after its activation ({_activation(net, layer)})"
                )
        found |= {f"E{k + 1}{tag}": f"loss of output {k + 1}{of} ({net.loss})" for k in range(net.shape[-1])}
        found[f"E_total{tag}"] = f"loss of example {number}" if tag else "loss of all outputs together"
    found["E_total"] = f"loss of all examples, {net.taken}" if net.together else found["E_total"]
    found |= _parameters(net)
    gradients = {f"dE/d{name}": f"gradient: how fast E_total grows with {name}, {text}" for name, text in found.items()}
    return found | gradients


def _place(net: Net, layer: int, unit: int) -> str:
    if layer == len(net.layers) - 1:
        return f"output {unit + 1}"
    return f"hidden unit {unit + 1}" + (f" of hidden layer {layer + 1}" if len(net.layers) > 2 else "")


def _activation(net: Net, layer: int) -> str:
    chosen = net.layers[layer]
    return f"{chosen.activation}, slope {chosen.leak:g} below 0" if "leaky" in chosen.activation else chosen.activation


def _parameters(net: Net) -> dict[str, str]:
    found = {}
    for number, layer in enumerate(net.layers):
        for k, row in enumerate(net.weight_names[number]):
            for name, source in zip(row, net.feeds(number), strict=True):
                found[name] = f"weight from {source} to {net.unit(number, k)}"
        for k, name in enumerate(net.bias_names[number]):
            into = net.unit(number, k) if isinstance(layer.bias, tuple) else f"every unit of {_layer(net, number)}"
            found[name] = f"bias of {into}" + ("" if layer.train_bias else " (a constant)")
    return found


def _layer(net: Net, number: int) -> str:
    if number == len(net.layers) - 1:
        return "the output layer"
    return f"hidden layer {number + 1}" if len(net.layers) > 2 else "the hidden layer"


def heading(name: str) -> str:
    """A column's heading: the name, with the sign of the partial derivative for a gradient."""
    return partial_signs(name)
