"""Networks in the mode of the other half: whole arrays answered in training mode, epochs trained in evaluation mode."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain

from tinyproof.check.code.interpreter.attributes import library_bases
from tinyproof.check.code.interpreter.turns import Pass, Seen
from tinyproof.check.code.interpreter.values import Made, Object, Value
from tinyproof.check.code.library.modules import switches_mode
from tinyproof.check.finding import Finding
from tinyproof.check.notebook.measured import held_out_by_name, measured
from tinyproof.check.notebook.rules.rule import Rule, once_per_place
from tinyproof.check.notebook.study import Study


def arrays_in_training_mode(rule: Rule, study: Study) -> Iterator[Finding]:
    """Held-out rows are answered in training mode, and their right answers counted."""
    for use in measured(study):
        model = use.model
        if model is None or use.mode != "train" or use.answers is None or not held_out_by_name(use.rows):
            continue
        told = model is study.events.weights  # by an argument of the call: then it makes a difference
        if not told and (not isinstance(model, Made | Object) or id(model) in study.events.escaped):
            continue
        if not told and not switches_mode(model):
            continue
        yield rule.finding(
            use.answers,
            "the accuracy is measured in training mode: "
            + ("the call says so" if told else "eval() is not called before the network answers"),
            says=study.line(use.answers),
            should_say="" if told else "model.eval()  # before this line",
            effect="dropout is on and batch normalisation uses these rows' own statistics while measuring",
        )


def evaluation_mode(study: Study) -> Iterator[Finding]:
    """A pass that measures while dropout and batch normalisation work as in training, or while gradients are kept."""
    rule = RULES["evaluation-mode"]
    yield from once_per_place(
        chain(_in_training_mode(study), arrays_in_training_mode(rule, study), told_to_train(rule, study))
    )


def _in_training_mode(study: Study) -> Iterator[Finding]:
    rule = RULES["evaluation-mode"]
    for turn in study.evaluations:
        if turn.framework or turn.escaped:
            continue
        for seen in turn.seen:
            model = seen.model
            if _of_keras(model):
                continue
            if not isinstance(model, Object | Made) or id(model) in study.events.escaped:
                continue
            modes = {other.mode for other in turn.seen if other.model is model}
            if modes == {"train"} and switches_mode(model):
                place = turn.place
                yield rule.finding(
                    place,
                    f"{_measured(turn)} is measured in training mode: eval() is not called before this loop",
                    says=study.line(place),
                    should_say="model.eval()  # before the loop",
                    effect="dropout is on and batch normalisation uses each batch's own statistics while measuring",
                )
            elif seen.mode == "eval" and seen.gradients and not _without_gradients(study):
                yield rule.finding(
                    turn.place,
                    "gradients are kept while measuring: torch.no_grad() is missing",
                    severity="note",
                    says=study.line(turn.place),
                    should_say="with torch.no_grad():  # around the loop",
                    effect="memory and time only; the accuracy is the same",
                )


def _measured(turn: Pass) -> str:
    return "the accuracy" if turn.hits else "the loss" if turn.loss else "what is counted"


def _without_gradients(study: Study) -> bool:
    """Whether gradients are switched off some other way: set_grad_enabled, or `volatile` before torch 0.4."""
    if any(made.short == "set_grad_enabled" for made in study.events.made):
        return True
    return any(re.search(r"\bvolatile\s*=\s*True\b", line) for lines in study.sources.values() for line in lines)


def told_to_train(rule: Rule, study: Study) -> Iterator[Finding]:
    """A Keras network that measures is called with training=True."""
    for turn in study.evaluations:
        for seen in turn.seen:
            if seen.mode == "train" and _of_keras(seen.model) and switches_mode(seen.model):
                yield rule.finding(
                    seen.place,
                    "the accuracy is measured with training=True: the network works as in training",
                    says=study.line(seen.place),
                    should_say=study.line(seen.place).replace("training=True", "training=False"),
                    effect="dropout is on and batch normalisation uses each batch's own statistics while measuring",
                )


def _of_keras(model: Value) -> bool:
    return isinstance(model, Object) and any(path.startswith("keras.") for path in library_bases(model.cls))


def trained_in_evaluation_mode(study: Study) -> Iterator[Finding]:
    """eval() inside the loop over epochs, and train() only before it, or nowhere."""

    def found() -> Iterator[Finding]:
        for turn in study.trainings:
            stuck = [
                seen.model
                for seen in turn.seen
                if (seen.mode == "train" or _begins_in_evaluation(seen)) and _left(study, turn, seen.model)
            ]
            if stuck and not turn.framework and not turn.escaped:
                yield RULES["trained-in-evaluation-mode"].finding(
                    turn.place,
                    "from the second epoch on the network learns in evaluation mode: eval() is called in the loop over "
                    "epochs, train() is not",
                    says=study.line(turn.place),
                    should_say="model.train()  # before this loop",
                    effect="dropout drops nothing, and batch normalisation keeps the statistics of the first epoch",
                )

    yield from once_per_place(found())


def _begins_in_evaluation(seen: Seen) -> bool:
    """Whether it is a network of transformers, which from_pretrained gives in evaluation mode."""
    return seen.mode == "eval" and _of_transformers(seen.model)


def _of_transformers(model: Value) -> bool:
    return isinstance(model, Made) and model.path.startswith("transformers.") and model.short == "from_pretrained"


def _left(study: Study, turn: Pass, model: Value) -> bool:
    """Whether the loop around a training pass leaves the network in evaluation mode for its next turn."""
    loop = turn.loops[-1] if turn.loops else None
    if loop is None or loop.listed or loop.count == 1 or id(model) in study.events.escaped:
        return False
    modes = {mode for key, mode in loop.switched if key == id(model)}
    return modes == {"eval"} and (switches_mode(model) or _of_transformers(model))


_LIST = (
    Rule(
        "evaluation-mode",
        "error",
        title="Measured in training mode",
        why="In training mode dropout removes units and batch normalisation uses the statistics of the batch at hand.",
        mend="Call model.eval() before measuring and model.train() before training; measure inside torch.no_grad().",
        reads="code",
        wrong="    loss_sum, correct = 0, 0\n    with torch.no_grad():",
        right="    model.eval()\n    loss_sum, correct = 0, 0\n    with torch.no_grad():",
        check=evaluation_mode,
    ),
    Rule(
        "trained-in-evaluation-mode",
        "warning",
        title="Later epochs are trained in evaluation mode",
        why="eval() holds until train() is called: what regularises the network is off from then on.",
        mend="Call model.train() in every epoch, before the loop over the training batches.",
        reads="code",
        wrong="def train(model, device, train_loader, optimizer, epoch):\n",
        right="def train(model, device, train_loader, optimizer, epoch):\n    model.train()\n",
        check=trained_in_evaluation_mode,
    ),
)
RULES = {rule.name: rule for rule in _LIST}
