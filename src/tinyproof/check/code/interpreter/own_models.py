"""Models of the notebook's own classes: what learns and what answers, by the names of their methods."""

from __future__ import annotations

import ast
import re
from dataclasses import replace

from tinyproof.check.code.interpreter.attributes import is_network
from tinyproof.check.code.interpreter.flows import Quantity
from tinyproof.check.code.interpreter.machine import Machine
from tinyproof.check.code.interpreter.pairs import note_features, note_pair
from tinyproof.check.code.interpreter.relations import relation
from tinyproof.check.code.interpreter.row_answers import guesses
from tinyproof.check.code.interpreter.row_expressions import product
from tinyproof.check.code.interpreter.rows import Fit, Rows
from tinyproof.check.code.interpreter.uses import Measured
from tinyproof.check.code.interpreter.values import Function, Object, Seq, Unknown, Value
from tinyproof.check.finding import CodePlace
from tinyproof.core.trees import nodes

_FITS = frozenset(("fit", "train", "learn"))
_MEASURES = frozenset(("score", "accuracy", "evaluate", "get_accuracy"))
_DISTANCES = re.compile(
    r"(?:^|_)(?:r?ms(?:l|p)?e|rmsle|s?mape|mae|r2|r_squared|accuracy|error_rate|root_mean\w*|mean_\w*error)(?:$|_)"
)
_PREDICTS = re.compile(r"predict\w*$")


def note_method(machine: Machine, function: Function, args: list[Value], result: Value, place: CodePlace) -> Value:
    """`model.fit(x, y)` and `model.predict(x)` of an object of the notebook's own: it learns, it answers."""
    owner = function.owner
    if owner is None and _PREDICTS.match(function.name):
        return _guesses(machine, args, result)
    if owner is None:
        return _compares(machine, function.name, args, result, place) if _uses_all(function) else result
    if not isinstance(owner, Object) or is_network(owner.cls):
        return result
    given = [arg for arg in args if isinstance(arg, Rows)]
    if function.name in _FITS and len(given) > 1:
        _learns(machine, owner, given[0], given[1], place)
    elif _PREDICTS.match(function.name) and given and id(owner) in machine.events.learned:
        return _answers(machine, owner, given[0], result, place)
    elif function.name in _MEASURES and len(given) > 1 and id(owner) in machine.events.learned:
        return _measures(machine, owner, function.name, given, result, place)
    return result


def _guesses(machine: Machine, args: list[Value], result: Value) -> Value:
    """What a function `predict` of the notebook's own gives for rows, by weights that have learned."""
    given = [arg for arg in args if isinstance(arg, Rows)]
    taught = machine.events.learned.get(id(machine.events.weights))
    if not taught or len(given) != 1 or given[0].side not in ("x", "both") or isinstance(result, Rows | Quantity | Seq):
        return result
    return product(given[0], Unknown(), True)


def _uses_all(function: Function) -> bool:
    """Whether a function looks at everything that it is given by place."""
    read = {part.id for part in nodes(function.node) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load)}
    return all(argument.arg in read for argument in function.node.args.args[:2])


def _compares(machine: Machine, name: str, args: list[Value], result: Value, place: CodePlace) -> Value:
    """`rmse(y_test, guesses)`, a function of the notebook's own: guesses against labels of the same rows."""
    given = [arg for arg in args if isinstance(arg, Rows)]
    guess = next((rows for rows in given if rows.side == "scores" and rows.model is not None), None)
    truth = next((rows for rows in given if rows.side != "scores"), None)
    if guess is None or truth is None or len(given) != 2 or not _DISTANCES.search(name.lower()):
        return result
    run = machine.frames[0].place if machine.frames else place
    inside = any(isinstance(use, Measured) and place in (use.place, use.run) for use in machine.events.uses[-8:])
    measured = isinstance(result, Quantity) and isinstance(result.turn, Measured)
    if inside or measured or relation(guess.paths, truth.paths) != "inside":
        return result
    done = Measured(name, guess.model, replace(guess, names=list(truth.names)), place, f"{name}(...)", guess.fits)
    done.repeated = bool(machine.loops or machine.passes)
    done.run, done.asked = run, guess.asked
    machine.events.uses.append(done)
    return Quantity("accuracy", "mean", "final", guess, place, done)


def _learns(machine: Machine, owner: Object, features: Rows, labels: Rows, place: CodePlace) -> None:
    note_pair(machine, features, labels, place)
    note_features(machine, features, labels, None, place)
    machine.keep.append(owner)
    done = Fit(owner, features, place)
    machine.events.learned[id(owner)] = (done,)
    machine.events.uses.append(done)


def _measures(machine: Machine, owner: Object, name: str, given: list[Rows], result: Value, place: CodePlace) -> Value:
    """What a method of the usual name measures, where that could not be followed to its end."""
    if isinstance(result, Quantity) or note_pair(machine, given[0], given[1], place):
        return result
    rows = replace(given[0], names=list(given[1].names or given[0].names))
    done = Measured(name, owner, rows, place, f"{name}(...)", machine.events.learned[id(owner)])
    done.repeated = bool(machine.loops or machine.passes)
    done.run = machine.frames[0].place if machine.frames else place
    machine.events.uses.append(done)
    return Quantity("accuracy", "mean", "final", rows, place, done)


def _answers(machine: Machine, owner: Object, rows: Rows, result: Value, place: CodePlace) -> Value:
    if isinstance(result, Rows) and result.fits and result.model is not machine.events.weights:
        return result  # those of a model of a library inside
    if isinstance(result, Rows | Unknown | Seq):
        return guesses(machine, owner, rows, place)
    return result
