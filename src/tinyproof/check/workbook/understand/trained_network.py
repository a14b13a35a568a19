"""The network that a table trains, understood from its own forward formulas.

As written, if everything fits together; otherwise with the fewest forward formulas put right that make the gradients
fit. So a wrong forward formula is one mistake, and not one in every gradient that follows from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

from tinyproof.backprop.diff import gradient_name
from tinyproof.backprop.expr import Equation, Expr, Var, names, substitute, total
from tinyproof.check.workbook.thresholds import MOST_FIXES
from tinyproof.check.workbook.understand.meaning import Values, equal, order, same, value
from tinyproof.check.workbook.understand.network_values import LOSS, Network, column_values, sample
from tinyproof.check.workbook.understand.patterns import (
    ColumnPatterns,
    before,
    column_of,
    current,
)
from tinyproof.check.workbook.understand.roles import FORWARD, Roles, forward_pattern
from tinyproof.check.workbook.understand.structure import LOSSES, simpler
from tinyproof.check.workbook.understand.tables import Table
from tinyproof.check.workbook.understand.template import Templates
from tinyproof.check.workbook.understand.unread import tainted_parameters, unknown_through, unread_columns


def understand(table: Table, roles: Roles, columns: dict[int, ColumnPatterns]) -> Network:
    """The network with the fewest mistakes in its table."""
    written = forward_as_written(roles, columns)
    unread = unread_columns(columns)
    network = Network(table, roles, columns, unread=unread)
    if not written:
        return network
    templates = Templates(roles, written)
    forms = templates.all()
    differs = [name for name, form in forms.items() if name in written and not equal(written[name], form)]
    # A column of typed numbers, or with a formula that was not understood, is taken for what the network needs there.
    written = {**written, **{name: form for name, form in forms.items() if name not in written}}
    best: tuple[float, Network] | None = None
    for fixes in _hypotheses(templates, written, forms, differs):
        trial = _settle(Network(table, roles, columns, unread=unread), {**written, **fixes}, set(fixes))
        unfixed = len([name for name in differs if name not in fixes])
        cost = len(fixes) + trial.misfits + 0.5 * unfixed + 3 * len(trial.loops)
        if best is None or cost < best[0] - 1e-9:
            best = cost, trial
        if not fixes and trial.equations and not trial.misfits and not trial.loops and roles.of("gradient"):
            break  # forward formulas and gradients agree as they are: nothing to put right
    assert best is not None
    return best[1]


def _hypotheses(
    templates: Templates, written: Mapping[str, Expr], forms: dict[str, Expr], differs: list[str]
) -> list[dict[str, Expr]]:
    found: list[dict[str, Expr]] = [{}]
    for count in range(1, min(MOST_FIXES, len(differs)) + 1):
        found += [{name: forms[name] for name in chosen} for chosen in combinations(differs[:8], count)]
    if len(differs) > MOST_FIXES:
        found.append({name: forms[name] for name in differs})
    for form in LOSSES:
        losses = {n: e for n, e in templates.loss_form(form).items() if n in written and not equal(e, written[n])}
        if losses and losses not in found:
            found.append(losses)
    return found


def forward_as_written(roles: Roles, columns: dict[int, ColumnPatterns]) -> dict[str, Expr]:
    """The forward columns' formulas and those of every column that they read, total loss last."""
    found: dict[str, Expr] = {}
    waiting = roles.of(*FORWARD)
    while waiting:
        col = waiting.pop(0)
        pattern = forward_pattern(columns[col])
        if current(col) in found or pattern is None or pattern.expr is None:
            continue
        found[current(col)] = pattern.expr
        for name in names(pattern.expr):
            place = column_of(name)
            if place and place.here and roles.kinds.get(place.col) == "helper":
                waiting.append(place.col)
    return found


def _settle(network: Network, written: dict[str, Expr], fixed: set[str]) -> Network:
    """Order the equations, end them with the loss, and count the gradients that do not fit."""
    roles = network.roles
    totals = [current(col) for col in roles.of("total") if current(col) in written]
    losses = [current(col) for col in roles.of("loss") if current(col) in written]
    loss = _the_loss(totals, losses, written)
    if not loss:
        return network
    whole = dict(written)
    if loss == LOSS:
        whole[LOSS] = total(Var(name) for name in losses)
    ordered, network.loops = order({name: simpler(expr) for name, expr in whole.items()})
    if any(e.name == loss for e in ordered):
        late = _after(loss, ordered)
        network.equations = [e for e in ordered if e.name not in late] + [e for e in ordered if e.name == loss]
    network.fixed = fixed
    network.tainted = tainted_parameters(roles, network.columns, network.equations, network.unread)
    network.misfits = len(misfits(network))
    return network


def _after(loss: str, ordered: list[Equation]) -> set[str]:
    """The loss, and what is computed from it: no part of the way to it."""
    late = {loss}
    for equation in ordered:
        if late & set(names(equation.expr)):
            late.add(equation.name)
    return late


def _the_loss(totals: list[str], losses: list[str], written: Mapping[str, Expr]) -> str:
    if totals:
        read = {name for total_name in totals for name in names(written[total_name])}
        last = [name for name in totals if name not in read]
        return (last or totals)[-1]
    return LOSS if losses else ""


def gradient_of(network: Network, col: int) -> int | None:
    """The parameter whose gradient a column holds, by its heading."""
    name = network.roles.names[col]
    parameter = network.roles.named(name.removeprefix("dE/d")) if name.startswith("dE/d") else None
    return parameter if parameter in network.parameters else None


def misfits(network: Network) -> list[int]:
    """Gradient columns (by heading) whose formula is not the gradient of this network's loss."""
    if not network.equations:
        return []
    values, _ = sample(network)
    values = with_helpers(network, values)
    wrong = []
    for col in network.roles.of("gradient"):
        parameter, main = gradient_of(network, col), network.columns[col].main
        if parameter is None or parameter in network.tainted or main is None or main.expr is None:
            continue
        if unknown_through(main.expr, network.roles, network.columns, network.unread) is not None:
            continue
        if not all(name in values for name in names(main.expr)):
            wrong.append(col)
            continue
        right = column_values(values, gradient_name(network.loss, current(parameter)))
        if not same(value(main.expr, values), right):
            wrong.append(col)
    return wrong


def with_helpers(network: Network, values: Values) -> Values:
    """The values, and after them every helper column's and gradient column's in this row and the row before."""
    known = dict(values)
    exprs: dict[str, Expr] = {}
    for col in network.roles.of("helper", "derivative", "given", "rate"):
        pattern = forward_pattern(network.columns[col])
        if pattern is not None and pattern.expr is not None and current(col) not in known:
            exprs[current(col)] = pattern.expr
    for col in network.roles.of("gradient"):
        parameter = gradient_of(network, col)
        if parameter is not None:
            name = gradient_name(network.loss, current(parameter))
            known[current(col)] = column_values(values, name)
            known[before(col)] = column_values(values, f"{name}@past")
    for name, expr in _shifted(exprs).items():
        if all(used in known for used in names(expr)):
            known[name] = value(expr, known)
    return known


def _shifted(exprs: Mapping[str, Expr]) -> dict[str, Expr]:
    """The helpers in this row and in the row before, in an order in which they can be evaluated."""
    both = dict(exprs)
    for name, expr in exprs.items():
        places = [place for used in names(expr) if (place := column_of(used))]
        own = column_of(name)
        if own and all(place.here for place in places):
            both[before(own.col)] = substitute(expr, {place: Var(before(place.col)) for place in places})
    ordered, _ = order(both)
    return {e.name: e.expr for e in ordered}
