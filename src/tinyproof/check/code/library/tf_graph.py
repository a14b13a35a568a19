"""Graphs of TensorFlow 1: nodes that are put together first, and run in a session with rows fed to them.

A node is what a call of TensorFlow gives where a placeholder is among its arguments. What a run fetches says what it
does: a step of an optimiser learns from the rows that are fed, a mean of right answers measures on them.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tinyproof.check.code.interpreter.events import LossCall
from tinyproof.check.code.interpreter.flows import Flow, Op, Quantity
from tinyproof.check.code.interpreter.machine import Machine
from tinyproof.check.code.interpreter.operators import NODE
from tinyproof.check.code.interpreter.pairs import note_pair
from tinyproof.check.code.interpreter.rows import Rows, rows_in
from tinyproof.check.code.interpreter.turns import Mode
from tinyproof.check.code.interpreter.values import Const, Made, Map, Scope, Seq, Unknown, Value, constant, number
from tinyproof.check.code.library.call import Call
from tinyproof.check.code.library.fits_and_measures import noted
from tinyproof.check.code.library.passes import learn

_PLACEHOLDERS = frozenset(("placeholder", "placeholder_with_default"))
_SESSIONS = frozenset(("Session", "InteractiveSession"))
_STEPS = frozenset(("minimize", "apply_gradients", "train"))
_RIGHT = frozenset(("equal", "in_top_k", "accuracy", "not_equal"))
_DEEPEST = 60


def of_function(
    machine: Machine, path: str, args: list[Value], kwargs: dict[str, Value], node: ast.AST, scope: Scope
) -> Value | None:
    """The node that a function of TensorFlow gives; None where no placeholder is behind its arguments."""
    if not path.startswith("tensorflow."):
        return None
    short = path.rpartition(".")[2]
    given = [*args, *kwargs.values()]
    if short not in _PLACEHOLDERS and not any(is_node(value) for value in _flat(given)):
        return None
    if "softmax_cross_entropy" in short or short == "sigmoid_cross_entropy_with_logits":
        _note_loss(machine, short, args, kwargs, node, scope)
    return machine.made(Made(path, args, kwargs, machine.place(node, scope), attrs={NODE: Const(True)}))


def of_method(
    machine: Machine, owner: Value, name: str, args: list[Value], kwargs: dict[str, Value], node: ast.AST, scope: Scope
) -> Value | None:
    """`optimizer.minimize(cost)`, `session.run(nodes, feed_dict=...)`, `node.eval(feed_dict=...)`."""
    if not isinstance(owner, Made):
        return None
    given = [*args, *kwargs.values()]
    if name in ("minimize", "compute_gradients", "apply_gradients") and any(is_node(value) for value in _flat(given)):
        path = f"tensorflow.{name}"
        return machine.made(Made(path, args, kwargs, machine.place(node, scope), attrs={NODE: Const(True)}))
    call = Call(machine, owner, name, args, kwargs, node, scope, path="")
    if owner.short in _SESSIONS and name == "run" and args:
        return _run(call, args[0], kwargs.get("feed_dict", args[1] if len(args) > 1 else None))
    if is_node(owner) and name in ("eval", "run"):
        return _run(call, owner, kwargs.get("feed_dict", args[0] if args else None))
    return None


def is_node(value: Value) -> bool:
    return isinstance(value, Made) and NODE in value.attrs


def _flat(values: list[Value]) -> Iterator[Value]:
    for value in values:
        yield from _flat(value.items[:20]) if isinstance(value, Seq) else [value]


def _behind(node: Value, depth: int = 0) -> Iterator[Made]:
    """A node and the nodes that it is made from."""
    if not isinstance(node, Made) or depth > _DEEPEST:
        return
    yield node
    for value in _flat([*node.args, *node.kwargs.values()]):
        if is_node(value):
            yield from _behind(value, depth + 1)


def _run(call: Call, fetched: Value, feed: Value | None) -> Value | None:
    fed = _fed(feed)
    images = next((rows for _, rows in fed if isinstance(rows, Rows) and rows.side in ("x", "both")), None)
    labels = next((rows for _, rows in fed if isinstance(rows, Rows) and rows.side == "y"), None)
    if images is None:
        return None
    apart = note_pair(call.machine, images, labels, call.place)
    listed = fetched.items if isinstance(fetched, Seq) else [fetched]
    steps = [node for node in listed if isinstance(node, Made) and node.short in _STEPS]
    if steps:
        learn(call.machine, call.machine.events.weights, images, call.place)
    found = [Unknown() if apart else _figure(call, node, images, fed, bool(steps)) for node in listed]
    return Seq(found) if isinstance(fetched, Seq) else found[0]


def _fed(feed: Value | None) -> list[tuple[Value, Value]]:
    """The placeholders and what is fed to each."""
    pairs = feed.others if isinstance(feed, Map) else []
    return [
        (pair.items[0], rows_in(pair.items[1]) or pair.items[1])
        for pair in pairs
        if isinstance(pair, Seq) and len(pair.items) == 2
    ]


def _figure(call: Call, node: Value, images: Rows, fed: list[tuple[Value, Value]], learns: bool) -> Value:
    """What a run gives for a node: an accuracy where right answers are behind it."""
    if learns or not any(part.short in _RIGHT for part in _behind(node)):
        return Unknown()
    weights = call.machine.events.weights
    done = noted(call, weights, images, call.machine.events.learned.get(id(weights), ()))
    done.mode, done.answers = _mode(node, fed), call.place
    return Quantity("accuracy", "mean", "final", images, call.place, done)


def _mode(node: Value, fed: list[tuple[Value, Value]]) -> Mode:
    """Whether units are dropped in a run, by what is fed to the placeholders of the dropout layers."""
    for part in _behind(node):
        if part.short not in ("dropout", "batch_normalization", "batch_norm"):
            continue
        for name, position in (("keep_prob", 1), ("rate", NO_RATE), ("training", NO_RATE), ("is_training", NO_RATE)):
            holder = part.kwargs.get(name, part.args[position] if position < len(part.args) else None)
            told = next((value for key, value in fed if key is holder and holder is not None), None)
            if told is not None:
                return "train" if _drops(name, told) else "eval"
    return "unknown"


NO_RATE = 99


def _drops(name: str, told: Value) -> bool:
    known = number(told)
    if name == "keep_prob":
        return known is not None and known < 1
    return constant(told) is True or (known is not None and known > 0)


def _note_loss(
    machine: Machine, short: str, args: list[Value], kwargs: dict[str, Value], node: ast.AST, scope: Scope
) -> None:
    """A loss of scores, given what a softmax or a sigmoid made of them."""
    positional = [value for value in args if is_node(value)]
    scores = kwargs.get("logits", positional[-1] if positional else None)
    if not isinstance(scores, Made):
        return
    ends = scores.short if scores.short in ("softmax", "sigmoid") else ""
    told = getattr(scores.kwargs.get("activation", scores.kwargs.get("activation_fn")), "path", "").rpartition(".")[2]
    ends = ends or (told if told in ("softmax", "sigmoid") else "")
    loss = "binary_cross_entropy_with_logits" if short.startswith("sigmoid") else "cross_entropy"
    if ends and (ends == "sigmoid") == short.startswith("sigmoid"):
        flow = Flow((Op(ends, scores.place),), machine.events.weights)
        machine.events.losses.append(LossCall(loss, flow, machine.place(node, scope), None))
