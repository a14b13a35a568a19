"""What the page that steps through back-propagation knows: plain data, read off a network's equations.

Every step is one equation: its name, how it is written (MathML, in symbols and with places for numbers), what it uses,
and, in the backward pass, which path brings which part of a gradient. The page's arithmetic is the same equations,
printed as JavaScript.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tinyproof.backprop.diff import gradient_name
from tinyproof.backprop.equations import RATE, forward, gradients, updates
from tinyproof.backprop.expr import Call, Equation, Expr, names
from tinyproof.backprop.mathematics import MathML, gradient_parts, name_parts
from tinyproof.backprop.net import Net
from tinyproof.backprop.notation import javascript
from tinyproof.show.stepper.sentences import meaning_of_update, meanings

Phase = str  # 'forward', 'backward' or 'update'


class Numbers(MathML):
    """MathML in which every quantity is an empty place for its number: `<mrow data-q="w5">`."""

    def name(self, name: str) -> str:
        return f'<mrow data-q="{name}"></mrow>'


def page_data(net: Net, iterations: int) -> dict[str, Any]:
    """Everything that the page is told, ready for JSON."""
    ahead, back = forward(net), gradients(net)
    weights = [name for rows in net.weight_names for names_ in rows for name in names_]
    return {
        "iterations": iterations,
        "examples": net.at_once,
        "turns": net.turns,
        "givens": givens(net),
        "data": sorted(net.data(0, net.tags[0])),
        "loss": "E_total",
        "weights": weights,
        "trained": list(net.trained),
        "gradient": {name: gradient_name("E_total", name) for name in net.trained},
        "steps": steps(net, ahead, back),
    }


def givens(net: Net) -> dict[str, float]:
    """Every number that the reader may change: the rate, the optimiser's settings, inputs and targets of every example,
    all parameters; and the optimiser's states, which begin at 0.

    With several examples each of them carries its number, `i1[2]`, whether they are taken together or in turn.
    """
    values = {RATE: net.learning_rate}
    several = len(net.examples) > 1
    for number in range(len(net.examples)):
        values |= net.data(number, f"[{number + 1}]" if several else "")
    return values | net.parameters | net.optimizer.values() | dict.fromkeys(net.states, 0.0)


def steps(net: Net, ahead: Sequence[Equation], back: Sequence[Equation]) -> list[dict[str, Any]]:
    """The steps of one iteration in order: forward, backward from the output, update."""
    column, words = columns_of(net), meanings(net)
    result = [_step("forward", equation, column[equation.name], words[equation.name]) for equation in ahead]
    for equation in in_order(back, net, column):
        of = of_gradient(equation.name)
        step = _step("backward", equation, column[of], words[equation.name])
        found = paths(equation, ahead)
        step["of"] = of
        step["terms"] = [{"name": term.name, "through": through} for term, through in found]
        step["chain"] = chain_rule(of, [through for _, through in found])
        result.append(step)
    for equation in updates(net):
        name = equation.name
        part = 2 if name in net.trained else 1 if name.startswith("v_") else 0  # n and m, then v, then the parameters
        result.append(_step("update", equation, part, meaning_of_update(net, name)))
    return result


def chain_rule(of: str, through: Sequence[str]) -> str:
    """The chain rule in symbols, as MathML: `dE/do1 * do1/da_h1 + dE/do2 * do2/da_h1`."""
    write = MathML()
    return "<mo>+</mo>".join(
        write.name(gradient_name("E_total", name)) + "<mo>·</mo>" + write.name(f"d{name}/d{of}") for name in through
    )


def _step(phase: Phase, equation: Equation, column: int, meaning: str) -> dict[str, Any]:
    symbols, numbers = MathML(), Numbers()
    left = symbols.name(equation.name)
    tag = name_parts(of_gradient(equation.name))[2]
    return {
        "phase": phase,
        "name": equation.name,
        "of": equation.name,
        "example": int(tag) if tag else None,
        "group": f"{phase} {column}",
        "uses": list(names(equation.expr)),
        "left": left + ("<mo>←</mo>" if phase == "update" else "<mo>=</mo>"),
        "chain": "",
        "symbols": symbols(equation.expr),
        "numbers": numbers(equation.expr),
        "terms": [],
        "meaning": meaning,
    }


def of_gradient(name: str) -> str:
    """What a gradient is the gradient of: `dE/dw5` gives `w5`; any other name is itself."""
    parts = gradient_parts(name)
    return parts[1] if parts else name


def columns_of(net: Net) -> dict[str, int]:
    """The column of the drawing that each quantity belongs to, from the left: 1 for the first layer's, and so on."""
    column: dict[str, int] = {}
    for number in range(len(net.layers)):
        for unit in range(net.layers[number].units):
            bias = net.bias_of(number, unit)
            own = (*net.weight_names[number][unit], *((bias,) if bias else ()))
            column |= dict.fromkeys(own, 2 * number + 1)
            for tag in net.tags:
                column[net.unit(number, unit) + tag] = 2 * number + 2
                column[f"a_{net.unit(number, unit)}{tag}"] = 2 * number + 2
    last = 2 * len(net.layers) + 1
    for tag in net.tags:
        column |= {f"E{k + 1}{tag}": last for k in range(net.shape[-1])}
        column[f"E_total{tag}"] = last + 1
    column.setdefault("E_total", last + 2)
    return column


def in_order(back: Sequence[Equation], net: Net, column: Mapping[str, int]) -> list[Equation]:
    """The gradients as one writes them on paper: each layer's parameters as soon as its units are known."""
    place = {name: k for k, name in enumerate(net.parameters)}

    def key(item: tuple[int, Equation]) -> tuple[int, int, int]:
        position, equation = item
        of = of_gradient(equation.name)
        return -column[of], of in place, place.get(of, position)

    return [equation for _, equation in sorted(enumerate(back), key=key)]


def paths(equation: Equation, ahead: Sequence[Equation]) -> list[tuple[Equation, str]]:
    """The terms of a gradient, each as an equation of its own, with the quantity through which it comes.

    `dE/da_h1 = dE/do1*w5 + dE/do2*w7` comes through o1 and through o2. Of a loss that is simply added up no gradient
    is written (it is 1), so a term without one comes through what is left.
    """
    of = of_gradient(equation.name)
    users = [user.name for user in ahead if of in names(user.expr)]
    terms = list(_terms(equation.expr))
    found = [_upstream(term) for term in terms]
    left = [user for user in users if user not in found]
    through = [name or (left.pop(0) if left else "") for name in found]
    return [
        (Equation(f"{equation.name} {k}", term), name)
        for k, (term, name) in enumerate(zip(terms, through, strict=True))
    ]


def _upstream(term: Expr) -> str:
    return next((parts[1] for name in names(term) if (parts := gradient_parts(name))), "")


def _terms(expr: Expr, sign: int = 1) -> Iterable[Expr]:
    if isinstance(expr, Call) and expr.function == "add":
        for arg in expr.args:
            yield from _terms(arg, sign)
    elif isinstance(expr, Call) and expr.function == "sub" and any(gradient_parts(n) for n in names(expr)):
        yield from _terms(expr.args[0], sign)
        yield from _terms(expr.args[1], -sign)
    else:
        yield expr if sign > 0 else -expr


def equations(net: Net) -> dict[str, list[str]]:
    """The arithmetic as JavaScript, one `[name, v => value]` a line, in the order of computation."""
    ahead, back = forward(net), gradients(net)
    terms = [term for equation in back for term, _ in paths(equation, ahead)]
    parts = {"forward": ahead, "backward": back, "update": updates(net), "terms": terms}
    return {part: [_line(equation) for equation in lines] for part, lines in parts.items()}


def _line(equation: Equation) -> str:
    return f"[{json.dumps(equation.name)}, v => {javascript(equation.expr)}]"
