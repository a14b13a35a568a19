"""Networks in the mode of the other half: whole arrays answered in training mode, epochs trained in evaluation mode."""

from __future__ import annotations

from collections.abc import Iterator

from tinyproof.check.finding import Finding
from tinyproof.check.notebook.interpreter.events import Pass
from tinyproof.check.notebook.interpreter.values import Made, Object, Value
from tinyproof.check.notebook.library.modules import switches_mode
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


def trained_in_evaluation_mode(study: Study) -> Iterator[Finding]:
    """eval() inside the loop over epochs, and train() only before it, or nowhere."""

    def found() -> Iterator[Finding]:
        for turn in study.trainings:
            stuck = [seen.model for seen in turn.seen if seen.mode == "train" and _left(study, turn, seen.model)]
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


def _left(study: Study, turn: Pass, model: Value) -> bool:
    """Whether the loop around a training pass leaves the network in evaluation mode for its next turn."""
    loop = turn.loops[-1] if turn.loops else None
    if loop is None or loop.listed or loop.count == 1 or id(model) in study.events.escaped:
        return False
    modes = {mode for key, mode in loop.switched if key == id(model)}
    return modes == {"eval"} and switches_mode(model)


_LIST = (
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
