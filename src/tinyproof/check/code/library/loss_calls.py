"""Losses taken of what a network answers."""

from __future__ import annotations

from tinyproof.check.code.interpreter.events import LossCall
from tinyproof.check.code.interpreter.flows import Batch, Flow, Quantity, Scale
from tinyproof.check.code.interpreter.machine import Machine
from tinyproof.check.code.interpreter.pairs import note_pair
from tinyproof.check.code.interpreter.relations import relation
from tinyproof.check.code.interpreter.rows import Rows
from tinyproof.check.code.interpreter.turns import narrow
from tinyproof.check.code.interpreter.uses import Measured
from tinyproof.check.code.interpreter.values import Made, Value, constant, options
from tinyproof.check.finding import CodePlace
from tinyproof.core.word_sets import words

LOSSES = words(
    """
    nll_loss cross_entropy mse_loss l1_loss binary_cross_entropy binary_cross_entropy_with_logits kl_div
    smooth_l1_loss multi_margin_loss
    """
)


# What the loss classes of torch.nn take when they are made; given in the call, it raises.
WHEN_MADE = ("reduction", "size_average", "reduce", "ignore_index", "label_smoothing", "pos_weight")


def take_loss(machine: Machine, path: str, kwargs: dict[str, Value], args: list[Value], place: CodePlace) -> Quantity:
    """The loss of one batch."""
    turn = machine.passes[-1] if machine.passes else None
    loader: Value | None = None
    for value in args:
        for option in options(value):
            if isinstance(option, Flow):
                machine.events.losses.append(LossCall(path, option, place, turn))
                if isinstance(option.source, Batch):
                    loader = option.source.loader
    if turn is not None:
        turn.loss = True
        narrow(turn, loader)
        return Quantity("loss", reduction(kwargs), "batch", loader, place, turn)
    return Quantity("loss", reduction(kwargs), "batch", loader, place, _measured(machine, loader, args, place))


def _measured(machine: Machine, loader: Value | None, args: list[Value], place: CodePlace) -> Measured | None:
    """A loss on a whole array, of a network that does not learn by it: without gradients, or in evaluation mode.

    Also one on other rows than it has learned from; should a gradient be taken of it, it is a measurement no longer.
    """
    answers = [option for value in args for option in options(value) if isinstance(option, Flow)]
    model = answers[-1].model if answers else None
    if not isinstance(loader, Rows) or model is None:
        return None
    if not machine.events.learned.get(id(model)) and not machine.loops:
        return None
    if machine.no_grad == 0 and machine.mode(model) != "eval" and not _on_others(machine, model, loader):
        return None
    labels = next((value for value in args if isinstance(value, Rows)), None)
    if note_pair(machine, loader, labels, place):
        return None
    return _measured_loss(machine, model, loader, place)


def _on_others(machine: Machine, model: Value, rows: Rows) -> bool:
    """Whether a network has learned, and nothing of it from these rows."""
    fits = machine.events.learned.get(id(model), ())
    known = [fit.rows.paths for fit in fits if fit.rows is not None]
    return bool(known) and len(known) == len(fits) and all(relation(rows.paths, paths) == "apart" for paths in known)


def of_network(machine: Machine, loss: Quantity, model: Value, source: Value | None, place: CodePlace) -> Quantity:
    """The loss that a network gives of its answers by itself: `scores, loss = net(x, y)`."""
    loader = source.loader if isinstance(source, Batch) else None
    if machine.passes:
        machine.passes[-1].loss = True
        return Quantity("loss", loss.scale, "batch", loader, place, machine.passes[-1])
    quiet = machine.no_grad > 0 or machine.mode(model) == "eval"
    known = bool(machine.loops) or bool(machine.events.learned.get(id(model)))
    taken = isinstance(loader, Rows) and quiet and known
    done = _measured_loss(machine, model, loader, place) if taken else None  # type: ignore[arg-type]
    return Quantity("loss", loss.scale, "batch", loader, place, done)


def _measured_loss(machine: Machine, model: Value, loader: Rows, place: CodePlace) -> Measured:
    fits = machine.events.learned.get(id(model), ())
    done = Measured("loss", model, loader, place, "the loss", fits)
    if not fits:
        machine.before_learning.append(done)  # in a loop that learns further down
    done.repeated = bool(machine.loops)
    done.run = machine.frames[0].place if machine.frames else place
    machine.events.uses.append(done)
    return done


def note_keras_loss(machine: Machine, loss: Made, args: list[Value]) -> None:
    """A loss of Keras, taken in a loop of the notebook's own, of what a network answers."""
    answers = [option for value in args for option in options(value) if isinstance(option, Flow)]
    known = [(model, made) for model, made, _ in machine.events.compiled]
    model = answers[-1].model if answers else None
    if model is not None and not any(model is m and loss is made for m, made in known):
        machine.events.compiled.append((model, loss, loss.place))


def reduction(kwargs: dict[str, Value]) -> Scale:
    """What a loss function gives for a batch, from its keyword arguments."""
    known = kwargs.get("reduction")
    if known is not None:
        word = constant(known)
        return {"mean": "mean", "sum": "sum", "none": "each"}.get(str(word), "unknown")  # type: ignore[return-value]
    for old, scale in (("size_average", "sum"), ("reduce", "each")):
        if old in kwargs:
            answer = constant(kwargs[old])
            if answer is False:
                return "sum" if scale == "sum" else "each"
            if answer is not True:
                return "unknown"
    return "mean"
