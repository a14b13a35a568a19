"""What a network computes, as equations: forward, backward, update; and the columns of its table.

>>> from tinyproof.backprop.notation import equation_text
>>> from tinyproof.backprop.presets import preset
>>> for equation in gradients(preset("course"), "course")[4:5]:
...     print(equation_text(equation))
dE/dw5 = (a_o1-t1)*a_o1*(1-a_o1)*a_h1
"""

from __future__ import annotations

from functools import lru_cache
from typing import Literal, get_args

from tinyproof.backprop.diff import backward, gradient_name, written_out
from tinyproof.backprop.expr import Call, Equation, Expr, Num, Var, call, substitute, total
from tinyproof.backprop.net import Layer, Net
from tinyproof.backprop.optimizer import STEP, next_state, step
from tinyproof.core.errors import InputError

Style = Literal["course", "chain"]
STYLES: tuple[Style, ...] = get_args(Style)
RATE = "learning_rate"
MOST_NODES = 400_000  # of a written-out gradient set: beyond it the text is of no use to anybody


def forward(net: Net) -> list[Equation]:
    """From the inputs to E_total, example after example."""
    return list(_forward(net))


@lru_cache(maxsize=8)
def _forward(net: Net) -> tuple[Equation, ...]:
    result: list[Equation] = []
    for tag in net.tags:
        for number, layer in enumerate(net.layers):
            result += _layer(net, number, layer, tag)
        result += _losses(net, tag)
    if net.together:
        whole = total(Var(f"E_total{tag}") for tag in net.tags)
        result.append(Equation("E_total", whole / len(net.tags) if net.taken == "averaged" else whole))
    return tuple(result)


def _layer(net: Net, number: int, layer: Layer, tag: str) -> list[Equation]:
    feeds = [Var(name) for name in net.feeds(number, tag)]
    units = [net.unit(number, k) for k in range(layer.units)]
    logits = [Var(unit + tag) for unit in units]
    pairs = []
    for k, unit in enumerate(units):
        terms: list[Expr] = [Var(w) * x for w, x in zip(net.weight_names[number][k], feeds, strict=True)]
        bias = net.bias_of(number, k)
        weighted = Equation(unit + tag, total([*terms, Var(bias)] if bias else terms))
        pairs.append((weighted, Equation(f"a_{unit}{tag}", activate(layer, k, logits))))
    if layer.activation == "softmax":  # every unit's activation needs all of them
        return [pair[0] for pair in pairs] + [pair[1] for pair in pairs]
    return [equation for pair in pairs for equation in pair]


def activate(layer: Layer, unit: int, logits: list[Var]) -> Expr:
    """The activation of one unit (counted from 0)."""
    x = logits[unit]
    match layer.activation:
        case "identity":
            return x
        case "relu":
            return call("max", x, 0)
        case "leaky relu":
            return call("if", call("gt", x, 0), x, layer.leak * x)
        case "softmax":
            return call("softmax", unit + 1, *logits)
        case _:
            return call(layer.activation, x)


def _losses(net: Net, tag: str) -> list[Equation]:
    count = net.shape[-1]
    result = []
    for k in range(1, count + 1):
        t, a = Var(f"t{k}{tag}"), Var(f"a_o{k}{tag}")
        match net.loss:
            case "half squared error":
                error = Num(1.0) / 2 * (t - a) ** 2
            case "mean squared error":
                error = (t - a) ** 2
            case "binary cross-entropy":
                error = -(t * call("ln", a) + (1 - t) * call("ln", 1 - a))
            case "categorical cross-entropy":
                error = -(t * call("ln", a))
        result.append(Equation(f"E{k}{tag}", error))
    whole = total(Var(equation.name) for equation in result)
    mean = net.loss == "mean squared error" and count > 1
    return [*result, Equation(f"E_total{tag}", whole / count if mean else whole)]


def gradients(net: Net, style: Style = "chain") -> list[Equation]:
    """dE/d.. of every trained parameter.

    `chain`: the gradients on the way are equations of their own, from the loss back, the parameters' last.
    `course`: each parameter's gradient written out in what the forward pass computed, as one cell holds it.
    Raises InputError where writing out would not fit a page (use `chain`).
    """
    if style not in STYLES:
        raise InputError("style", style, ", ".join(STYLES))
    if style == "course" and not can_be_written_out(net):
        raise InputError("style", "course", "chain for a network of this size", net.source)
    return list(_gradients(net, style))


@lru_cache(maxsize=8)
def can_be_written_out(net: Net) -> bool:
    """Whether the gradients in the course's style are of a size that anybody can use."""
    return _written_size(backward(forward(net), net.trained), _wanted(net)) <= MOST_NODES


def _wanted(net: Net) -> list[str]:
    return [gradient_name("E_total", name) for name in net.trained]


@lru_cache(maxsize=8)
def _gradients(net: Net, style: Style) -> tuple[Equation, ...]:
    chain, wanted = backward(forward(net), net.trained), _wanted(net)
    if style == "course":
        return tuple(written_out(chain, wanted))
    found = {equation.name: equation for equation in chain}
    return tuple(found[name] for name in (*_on_the_way(net), *wanted) if name in found)


def _on_the_way(net: Net) -> list[str]:
    """The gradients on the way as one works through them: from the output back, `a_o1 a_o2` before `o1 o2`."""
    names = []
    for number in reversed(range(len(net.layers))):
        units = [net.unit(number, k) for k in range(net.layers[number].units)]
        names += [f"a_{unit}{tag}" for tag in net.tags for unit in units]
        names += [f"{unit}{tag}" for tag in net.tags for unit in units]
    return [gradient_name("E_total", name) for name in names]


def _written_size(chain: list[Equation], wanted: list[str]) -> int:
    """How many nodes the written-out gradients have, without writing them."""
    sizes: dict[str, int] = {}

    def size(expr: Expr) -> int:
        if isinstance(expr, Call):
            return 1 + sum(map(size, expr.args))
        return sizes.get(expr.name, 1) if isinstance(expr, Var) else 1

    for equation in chain:
        sizes[equation.name] = size(equation.expr)
    return sum(sizes[name] for name in wanted)


def updates(net: Net) -> list[Equation]:
    """The next value of everything that goes on to the next iteration: the optimiser's states, then the parameters.

    Plain descent: `w1 = w1 - learning_rate*dE/dw1`. Momentum: `m_w1 = momentum*m_w1+dE/dw1`, and then
    `w1 = w1-learning_rate*m_w1`, which reads the new `m_w1`; so does every parameter read the states.
    """
    return list(_updates(net))


@lru_cache(maxsize=8)
def _updates(net: Net) -> tuple[Equation, ...]:
    kind = net.optimizer.kind
    found = []
    for state in net.states:
        letter, _, parameter = state.partition("_")
        gradient = Var(gradient_name("E_total", parameter))
        found.append(Equation(state, next_state(kind, letter, Var(state), gradient)))
    for name in net.trained:
        states = {letter: Var(f"{letter}_{name}") for letter in "mv"} | {STEP: Var(STEP)}
        gradient = Var(gradient_name("E_total", name))
        found.append(Equation(name, Var(name) - step(kind, Var(RATE), gradient, states)))
    return tuple(found)


def next_values(net: Net) -> dict[str, Expr]:
    """The same in quantities of the iteration before alone: the states in a parameter's update are written out."""
    states: dict[str, Expr] = {}
    found: dict[str, Expr] = {}
    for equation in updates(net):
        if equation.name in net.states:
            found[equation.name] = states[equation.name] = equation.expr
        else:
            found[equation.name] = substitute(equation.expr, states) if states else equation.expr
    return found


def columns(net: Net, style: Style = "course") -> tuple[str, ...]:
    """The columns of the table, in order: t, i, then layer by layer parameters and units, losses, gradients, states.

    For the course network in the course's style these are the 31 columns of its sheets.
    """
    names: list[str] = []
    for tag in net.tags:
        names += [f"t{k + 1}{tag}" for k in range(net.shape[-1])]
        names += [f"i{k + 1}{tag}" for k in range(net.shape[0])]
    for number in range(len(net.layers)):
        names += [name for row in net.weight_names[number] for name in row]
        names += net.bias_names[number]
        for tag in net.tags:
            units = [net.unit(number, k) for k in range(net.layers[number].units)]
            names += [name for unit in units for name in (unit + tag, f"a_{unit}{tag}")]
    for tag in net.tags:
        names += [f"E{k + 1}{tag}" for k in range(net.shape[-1])] + ([f"E_total{tag}"] if tag else [])
    return (*names, "E_total", *(equation.name for equation in gradients(net, style)), *net.states)
