"""A small fully connected network as plain data, with the textbook's names.

Inputs `i1 i2`, targets `t1 t2`; weights `w1 w2 ..` numbered through the whole network, unit by unit; biases `b1 b2 ..`
likewise. With one hidden layer its units are `h1 h2` (before the activation) and `a_h1 a_h2` (after it); with several,
`h2_1` is unit 1 of hidden layer 2. Outputs `o1`, `a_o1`; losses `E1`, `E_total`; where several examples are taken at
once, `h1[3]` belongs to the third. What is computed from what stands in `equations`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal, get_args

from tinyproof.backprop.layer import ACTIVATIONS, Activation, Example, Layer, all_finite, check_layer, finite, listed
from tinyproof.backprop.optimizer import PLAIN, Optimizer, parse_optimizer
from tinyproof.core.errors import InputError
from tinyproof.core.printed import Part, Printed
from tinyproof.core.table import Cell, Column, Table

__all__ = ["ACTIVATIONS", "LOSSES", "TAKEN", "Activation", "Example", "Examples", "Layer", "Loss", "Net"]

Loss = Literal["half squared error", "mean squared error", "binary cross-entropy", "categorical cross-entropy"]
Examples = Literal["summed", "averaged", "one after the other"]

LOSSES: tuple[str, ...] = get_args(Loss)
TAKEN: tuple[str, ...] = get_args(Examples)
MOST_PARAMETERS = 16_384  # a worksheet has that many columns


@dataclass(frozen=True)
class Net(Printed):
    """A network, its examples, its loss and its learning rate. Raises InputError for what does not fit together.

    `taken`: how several examples make one step: their losses summed, averaged, or one example a step in turn. `batch`:
    how many are taken in one step, in turn (all of them where it is None); it must divide their number.

    >>> from tinyproof.backprop.presets import preset
    >>> preset("course").shape
    (2, 2, 2)
    """

    name: str
    layers: tuple[Layer, ...]
    examples: tuple[Example, ...]
    loss: Loss = "half squared error"
    taken: Examples = "summed"
    learning_rate: float = 0.5
    title: str = ""
    optimizer: Optimizer = PLAIN
    batch: int | None = None
    source: str = field(default="", compare=False)  # the file it was read from, for messages

    def __post_init__(self) -> None:
        for name in ("layers", "examples"):
            object.__setattr__(self, name, tuple(listed(name, getattr(self, name), f"a list of {name}")))
        _check(self)

    def with_rate(self, learning_rate: float) -> Net:
        """The same network with another learning rate."""
        return replace(self, learning_rate=learning_rate)

    def with_optimizer(self, optimizer: Optimizer | str | None) -> Net:
        """The same network with another optimiser (`adam`, `adam:beta1=0.8`); with its own where None is given.

        Raises InputError for what is no optimiser.
        """
        if optimizer is None:
            return self
        return replace(self, optimizer=parse_optimizer(optimizer) if isinstance(optimizer, str) else optimizer)

    def with_batch(self, batch: int | None) -> Net:
        """The same network with that many examples a step; with its own where None is given. Raises InputError."""
        return self if batch is None else replace(self, batch=batch)

    def parts(self) -> Sequence[Part]:
        """What it is, in a line, and a row a layer."""
        several = f"{len(self.examples)} examples, {self.how_taken}" if len(self.examples) > 1 else "1 example"
        shape = "-".join(map(str, self.shape))
        head = f"{self.title or self.name}\n{shape}, {self.loss}, learning rate {self.learning_rate:g}, {several}"
        head += "" if self.optimizer.kind == "sgd" else f", {self.optimizer}"
        columns = (Column("layer", "right"), *map(Column, ("units", "activation", "weights", "biases")))
        rows: list[tuple[Cell, ...]] = []
        for number, layer in enumerate(self.layers):
            units = _listed([self.unit(number, k) for k in range(layer.units)])
            weights = [value for row in layer.weights for value in row]
            names = [name for row in self.weight_names[number] for name in row]
            rows.append((
                number + 1, units, layer.activation, _valued(names, weights),
                _valued(self.bias_names[number], layer.biases) or "none",
            ))  # fmt: skip
        return [head, Table("", columns, tuple(rows))]

    @property
    def shape(self) -> tuple[int, ...]:
        """Units of every layer, inputs first."""
        return (self.layers[0].inputs, *(layer.units for layer in self.layers))

    @property
    def at_once(self) -> int:
        """How many examples one step takes."""
        return 1 if self.taken == "one after the other" else self.batch or len(self.examples)

    @property
    def turns(self) -> int:
        """How many steps take every example once."""
        return len(self.examples) // self.at_once

    @property
    def how_taken(self) -> str:
        """How the examples are taken, in words: `summed`, or `summed, 2 at a time`."""
        return self.taken + (f", {self.at_once} at a time" if self.turns > 1 and self.together else "")

    @property
    def together(self) -> bool:
        """Whether one step takes several examples at once (their quantities then carry `[1]`, `[2]`, ..)."""
        return self.at_once > 1

    @property
    def tags(self) -> tuple[str, ...]:
        """What follows the names of each example of a step: `[1]`, `[2]`, ..; nothing where a step takes one."""
        return tuple(f"[{k}]" for k in range(1, self.at_once + 1)) if self.together else ("",)

    def unit(self, layer: int, unit: int) -> str:
        """The name of a unit before its activation; both counted from 0."""
        if layer == len(self.layers) - 1:
            return f"o{unit + 1}"
        return f"h{unit + 1}" if len(self.layers) == 2 else f"h{layer + 1}_{unit + 1}"

    def feeds(self, layer: int, tag: str = "") -> tuple[str, ...]:
        """The names of what goes into a layer (counted from 0)."""
        if layer == 0:
            return tuple(f"i{k + 1}{tag}" for k in range(self.layers[0].inputs))
        return tuple(f"a_{self.unit(layer - 1, k)}{tag}" for k in range(self.layers[layer - 1].units))

    @cached_property
    def weight_names(self) -> tuple[tuple[tuple[str, ...], ...], ...]:
        """`names[layer][unit][input]`."""
        count, result = 0, []
        for layer in self.layers:
            rows = []
            for row in layer.weights:
                rows.append(tuple(f"w{count + k + 1}" for k in range(len(row))))
                count += len(row)
            result.append(tuple(rows))
        return tuple(result)

    @cached_property
    def bias_names(self) -> tuple[tuple[str, ...], ...]:
        """`names[layer]`: as many as the layer has biases."""
        count, result = 0, []
        for layer in self.layers:
            result.append(tuple(f"b{count + k + 1}" for k in range(len(layer.biases))))
            count += len(layer.biases)
        return tuple(result)

    def bias_of(self, layer: int, unit: int) -> str | None:
        """The name of a unit's bias, where it has one."""
        names = self.bias_names[layer]
        return None if not names else names[0] if not isinstance(self.layers[layer].bias, tuple) else names[unit]

    @cached_property
    def parameters(self) -> dict[str, float]:
        """Every weight and bias with its starting value, layer by layer, a layer's weights before its biases."""
        values: dict[str, float] = {}
        for layer, rows, biases in zip(self.layers, self.weight_names, self.bias_names, strict=True):
            for names, row in zip(rows, layer.weights, strict=True):
                values.update(zip(names, row, strict=True))
            values.update(zip(biases, layer.biases, strict=True))
        return values

    @cached_property
    def trained(self) -> tuple[str, ...]:
        """The parameters that gradient descent changes: weights first, then biases."""
        weights = [name for rows in self.weight_names for names in rows for name in names]
        pairs = zip(self.layers, self.bias_names, strict=True)
        return (*weights, *(name for layer, names in pairs if layer.train_bias for name in names))

    @cached_property
    def states(self) -> tuple[str, ...]:
        """What the optimiser remembers from one iteration to the next, by name; each is 0 before the first."""
        return self.optimizer.states(self.trained)

    def data(self, example: int, tag: str = "") -> dict[str, float]:
        """Targets and inputs of one example (counted from 0), by name."""
        chosen = self.examples[example]
        values = {f"t{k}{tag}": value for k, value in enumerate(chosen.targets, 1)}
        return values | {f"i{k}{tag}": value for k, value in enumerate(chosen.inputs, 1)}

    def turn(self, step: int) -> dict[str, float]:
        """Targets and inputs of the examples that a step (counted from 0) takes, by name."""
        first = step % self.turns * self.at_once
        values: dict[str, float] = {}
        for place, tag in enumerate(self.tags):
            values |= self.data(first + place, tag)
        return values

    def givens(self, iteration: int = 1) -> dict[str, float]:
        """Everything that must be known before an iteration, with the starting parameters: t, i, w, b."""
        return self.turn(iteration - 1) | self.parameters


def _valued(names: Sequence[str], values: Sequence[float]) -> str:
    return _listed([f"{name} {value:g}" for name, value in zip(names, values, strict=True)])


def _listed(words: Sequence[str], most: int = 8) -> str:
    """All of a few; of many the first, and the last.

    >>> _listed(["w1", "w2", "w3"], 2)
    'w1, .., w3'
    """
    return ", ".join(words if len(words) <= most else [*words[: most - 1], "..", words[-1]])


def _check(net: Net) -> None:
    where = net.source
    if not net.name or not net.name.isprintable():
        raise InputError("name", net.name, "a short text", where)
    for name, value, allowed in (("loss", net.loss, LOSSES), ("taken", net.taken, TAKEN)):
        if value not in allowed:
            raise InputError(name, value, ", ".join(allowed), where)
    finite("learning_rate", net.learning_rate, where)
    if net.learning_rate <= 0:
        raise InputError("learning_rate", net.learning_rate, "a finite number above 0", where)
    if not isinstance(net.optimizer, Optimizer):
        raise InputError("optimizer", net.optimizer, "an Optimizer; with_optimizer takes its name", where)
    if not net.layers:
        raise InputError("layers", None, "give at least one, the output", where, problem="are missing")
    for number, layer in enumerate(net.layers, 1):
        check_layer(f"layers[{number}]", layer, number == len(net.layers), where)
    for number, (before, after) in enumerate(zip(net.layers, net.layers[1:], strict=False), 2):
        if after.inputs != before.units:
            found = f"rows of {after.inputs}"
            raise InputError(f"layers[{number}].weights", found, f"rows of {before.units}, the units before it", where)
    count = sum(layer.units * layer.inputs + len(layer.biases) for layer in net.layers)
    if count > MOST_PARAMETERS:
        raise InputError("layers", f"{count:,} weights and biases", f"at most {MOST_PARAMETERS:,} in all", where)
    if not net.examples:
        raise InputError("examples", None, "give at least one", where, problem="are missing")
    _check_batch(net)
    for number, example in enumerate(net.examples, 1):
        _check_example(f"examples[{number}]", net, example)
    _check_loss(net)


def _check_batch(net: Net) -> None:
    if net.batch is None:
        return
    if net.taken == "one after the other":
        raise InputError("batch", net.batch, f"no batch with taken = {net.taken}", net.source)
    count = len(net.examples)
    whole = isinstance(net.batch, int) and not isinstance(net.batch, bool) and net.batch >= 1
    if not whole or count % net.batch:
        fitting = ", ".join(str(k) for k in range(1, count + 1) if count % k == 0)
        allowed = f"a number that divides the {count} examples: {fitting}" if count > 1 else "1: there is one example"
        raise InputError("batch", net.batch, allowed if len(fitting) < 60 else allowed.partition(":")[0], net.source)


def _check_example(place: str, net: Net, example: Example) -> None:
    first, last = net.shape[0], net.shape[-1]
    for name, values, count in (("inputs", example.inputs, first), ("targets", example.targets, last)):
        if len(values) != count:
            raise InputError(f"{place}.{name}", f"{len(values)} numbers", f"{count}, as the weights say", net.source)
        all_finite(f"{place}.{name}", values, net.source)


def _check_loss(net: Net) -> None:
    activation, cross = net.layers[-1].activation, net.loss.endswith("cross-entropy")
    fitting = {"binary cross-entropy": "sigmoid", "categorical cross-entropy": "softmax"}.get(net.loss)
    if fitting and activation != fitting:
        raise InputError("loss", net.loss, f"{net.loss} with {fitting} in the last layer", net.source)
    for number, example in enumerate(net.examples, 1):
        place = f"examples[{number}].targets"
        if cross and not all(0 <= target <= 1 for target in example.targets):
            raise InputError(place, list(example.targets), f"numbers from 0 to 1 with {net.loss}", net.source)
        if net.loss == "categorical cross-entropy" and abs(math.fsum(example.targets) - 1) > 1e-9:
            raise InputError(place, list(example.targets), "numbers that add up to 1", net.source)
