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
        batch = " of the batch" if net.turns > 1 else ""
        of = f" of example {number}{batch}" if tag else ""
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
        found[f"E_total{tag}"] = f"loss of example {number}{batch}" if tag else "loss of all outputs together"
    every = "the examples of the batch" if net.turns > 1 else "all examples"
    found["E_total"] = f"loss of {every}, {net.taken}" if net.together else found["E_total"]
    found |= _parameters(net)
    gradients = {f"dE/d{name}": f"gradient: how fast E_total grows with {name}, {text}" for name, text in found.items()}
    return found | gradients | _optimiser(net)


UPDATES = {
    "sgd": "Each weight moves against its gradient, η (the learning rate) times as far: the next iteration's weights.",
    "momentum": "m goes on from iteration to iteration: μ of what it was, and the gradient. Each weight moves against "
    "its new m, η (the learning rate) times as far: the next iteration's weights.",
    "rmsprop": "v is a running average of the squared gradient: it keeps α of what it was. Each weight moves against "
    "its gradient, divided by the root of its new v, η (the learning rate) times as far; ε keeps the divisor above 0.",
    "adam": "n counts the steps. m and v are running averages of the gradient and of its square: they keep β1 and β2 "
    "of what they were. They began at 0; divided by 1 − β1^n and 1 − β2^n they have the right size from the first step "
    "on. Each weight moves against its new m, divided by the root of its new v, η (the learning rate) times as far; ε "
    "keeps the divisor above 0.",
}
_SETTINGS = {
    "momentum": "momentum: how much of m goes on to the next iteration",
    "alpha": "alpha: how much of v goes on to the next iteration",
    "beta1": "beta1: how much of m goes on to the next iteration",
    "beta2": "beta2: how much of v goes on to the next iteration",
    "eps": "eps: a small number that keeps the divisor above 0",
}


def _optimiser(net: Net) -> dict[str, str]:
    """Its states and its settings."""
    found = {name: _SETTINGS[name] for name in net.optimizer.values()}
    for state in net.states:
        letter, _, parameter = state.partition("_")
        added = "sum" if net.optimizer.kind == "momentum" else "average"
        of = f"gradient of {parameter}" if letter == "m" else f"squared gradient of {parameter}"
        found[state] = (
            f"running {added} of the {of}" if parameter else "how many steps were taken before this iteration"
        )
    return found


def told(net: Net) -> str:
    """The loss, how examples are taken, and the optimiser, in a line."""
    examples = f" Examples: {net.how_taken}." if len(net.examples) > 1 else ""
    return f"Loss: {net.loss}.{examples}" + (f" Optimiser: {net.optimizer.kind}." if net.states else "")


def named(net: Net) -> str:
    """How the optimiser is told after the learning rate, in titles: nothing of plain descent.

    >>> from tinyproof.backprop.presets import preset
    >>> named(preset("course").with_optimizer("adam:beta1=0.8"))
    ', adam (beta1 0.8, beta2 0.999, eps 1e-08)'
    """
    chosen = net.optimizer
    told = ", ".join(f"{name} {value:g}" for name, value in chosen.settings)
    return "" if chosen.kind == "sgd" else f", {chosen.kind} ({told})"


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
