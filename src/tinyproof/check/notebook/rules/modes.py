"""Networks that answer whole arrays while dropout and batch normalisation work as in training."""

from __future__ import annotations

from collections.abc import Iterator

from tinyproof.check.finding import Finding
from tinyproof.check.notebook.interpreter.values import Made, Object
from tinyproof.check.notebook.library.modules import switches_mode
from tinyproof.check.notebook.measured import held_out_by_name, measured
from tinyproof.check.notebook.rules.rule import Rule
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
