"""What each step does, in plain words: the page writes them under the drawing and screen readers speak them."""

from __future__ import annotations

from tinyproof.backprop.descriptions import words
from tinyproof.backprop.net import Net

_NAMES = {"relu": "ReLU", "leaky relu": "leaky ReLU"}


_TAKEN = {
    "sgd": "one step down the slope: the old value less the learning rate times the gradient",
    "momentum": "one step: the old value less the learning rate times the new {m}",
    "rmsprop": "one step: the old value less the learning rate times the gradient, divided by the root of the new {v}",
    "adam": "one step: the old value less the learning rate times the new {m}, divided by the root of the new {v}; "
    "both are brought up to size first, as they began at 0",
}
_STATES = {
    "n": "one step more",
    "momentum": "what goes on of the old {m}, and the gradient of {of}",
    "m": "what is kept of the old {m}, and some of the gradient of {of}",
    "v": "what is kept of the old {v}, and some of the squared gradient of {of}",
}


def meaning_of_update(net: Net, name: str) -> str:
    """What the update of a parameter or of an optimiser's state does; continues "the new w1 is 0.5, ..".

    >>> from tinyproof.backprop.presets import preset
    >>> meaning_of_update(preset("course").with_optimizer("momentum"), "m_w1")
    'what goes on of the old m_w1, and the gradient of w1'
    """
    kind = net.optimizer.kind
    if name in net.trained:
        return _TAKEN[kind].format(m=f"m_{name}", v=f"v_{name}")
    letter, _, of = name.partition("_")
    return _STATES[kind if kind == "momentum" else letter].format(m=f"m_{of}", v=f"v_{of}", of=of)


def meanings(net: Net) -> dict[str, str]:
    """For every quantity what it is, and for every gradient (`dE/d..`) how it came about; each continues "is 0.5, ..".

    >>> from tinyproof.backprop.presets import preset
    >>> meanings(preset("course"))["dE/dw5"]
    'what arrived at o1 times a_h1, which w5 multiplies'
    """
    found = words(net)
    for tag in net.tags:
        for number in range(len(net.layers)):
            _layer(found, net, number, tag)
    return found


def _layer(found: dict[str, str], net: Net, number: int, tag: str) -> None:
    """The gradients of one layer in words, for one example (`tag`)."""
    layer, feeds = net.layers[number], net.feeds(number)
    kind = _NAMES.get(layer.activation, layer.activation)
    each = f", of each of the {net.at_once} examples" if net.together else ""
    for k in range(layer.units):
        unit, bias = net.unit(number, k), net.bias_of(number, k)
        found[f"dE/da_{unit}{tag}"] = (
            f"how fast the loss grows with a_{unit}"
            if number == len(net.layers) - 1
            else f"what comes back to a_{unit} through the weights that carried it on"
        )
        found[f"dE/d{unit}{tag}"] = (
            "what arrived at the outputs, each times its slope of the softmax"
            if kind == "softmax"
            else f"what arrived at a_{unit} times the slope of the {kind}"
        )
        for weight, feed in zip(net.weight_names[number][k], feeds, strict=True):
            found[f"dE/d{weight}"] = f"what arrived at {unit} times {feed}, which {weight} multiplies{each}"
        if bias:
            shared = not isinstance(layer.bias, tuple) and layer.units > 1
            where = "every unit of its layer" if shared else unit
            found[f"dE/d{bias}"] = f"what arrived at {where}{each}: a bias is added as it is"
