"""A network drawn at random from a seed: same arguments, same network.

>>> drawn([2, 3, 1], seed=7).layers[1].weights
((-0.99, 0.64, 0.59),)
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

from tinyproof.backprop.net import Activation, Example, Examples, Layer, Loss, Net
from tinyproof.core.arrays import np
from tinyproof.core.errors import InputError

Biases = Literal["none", "layer", "unit"]


def drawn(
    shape: Sequence[int],
    seed: int,
    *,
    activation: Activation = "sigmoid",
    output: Activation = "sigmoid",
    loss: Loss = "half squared error",
    biases: Biases = "none",
    examples: int = 1,
    taken: Examples = "summed",
    learning_rate: float = 0.5,
) -> Net:
    """Weights and inputs between -1 and 1, biases likewise, targets that fit the output; all with two decimals.

    `shape`: units of every layer, inputs first. Raises InputError for a shape or a seed that cannot be.

    >>> import tinyproof
    >>> tinyproof.drawn([2, 2, 1], seed=3, biases="layer").parameters["b1"]
    -0.81
    """
    if len(shape) < 2 or not all(isinstance(units, int) and 1 <= units <= 16_384 for units in shape):
        raise InputError("shape", list(shape), "two whole numbers or more, each from 1 to 16,384, inputs first")
    if not 0 <= seed < 2**63:
        raise InputError("seed", seed, "a whole number from 0 to 2^63 - 1")
    if not 1 <= examples <= 10_000:
        raise InputError("examples", examples, "a whole number from 1 to 10000")
    if biases not in ("none", "layer", "unit"):
        raise InputError("biases", biases, "none, layer, unit")
    generator = np.random.Generator(np.random.PCG64(seed))

    def numbers(count: int, low: float = -1.0) -> tuple[float, ...]:
        return tuple(round(float(value), 2) for value in generator.uniform(low, 1.0, count))

    layers = []
    for number, (before, units) in enumerate(pairwise(shape), 2):
        weights = tuple(numbers(before) for _ in range(units))
        bias = None if biases == "none" else numbers(1)[0] if biases == "layer" else numbers(units)
        layers.append(Layer(weights, output if number == len(shape) else activation, bias))
    pairs = []
    for _ in range(examples):
        inputs, hot = numbers(shape[0]), int(generator.integers(shape[-1]))
        targets = tuple(float(k == hot) for k in range(shape[-1])) if output == "softmax" else numbers(shape[-1], 0.0)
        pairs.append(Example(inputs, targets))
    name = f"random {'-'.join(map(str, shape))}, seed {seed}"
    return Net(name, tuple(layers), tuple(pairs), loss, taken, learning_rate)
