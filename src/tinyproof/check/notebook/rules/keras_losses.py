"""What a Keras network ends with, and what its loss takes that for."""

from __future__ import annotations

from collections.abc import Iterator

from tinyproof.check.code.interpreter.values import Value
from tinyproof.check.code.library.keras_endings import Ending, ending, expects
from tinyproof.check.finding import CodePlace, Finding
from tinyproof.check.notebook.rules.rule import Rule
from tinyproof.check.notebook.study import Study

_SQUASHED = frozenset(("softmax", "sigmoid"))


def _compiled(study: Study) -> Iterator[tuple[Value, Ending, str, CodePlace]]:
    """The networks that are compiled: how each ends, what its loss expects, where that is said."""
    for model, loss, place in study.events.compiled:
        found = ending(model)
        if found is not None:
            yield model, found, expects(loss), place


def scores_taken_twice(rule: Rule, study: Study) -> Iterator[Finding]:
    """A softmax or sigmoid before a loss that takes one itself (from_logits=True)."""
    for _, end, wanted, place in _compiled(study):
        if wanted == "raw scores" and end.activation in _SQUASHED:
            yield rule.finding(
                place,
                f"the loss expects raw scores (from_logits=True), and the network ends with a {end.activation}",
                says=study.line(place),
                should_say=study.line(place).replace("from_logits=True", "from_logits=False"),
                effect="Keras 3 takes it twice: gradients are weak, the loss stays high; Keras 2 warns and undoes it",
                evidence=(f"{study.line(end.layer.place)} ({end.layer.place})",),
            )


def scores_for_probabilities(rule: Rule, study: Study) -> Iterator[Finding]:
    """No softmax at all before a loss that expects probabilities."""
    for _, end, wanted, place in _compiled(study):
        if wanted == "probabilities" and end.activation == "linear":
            yield rule.finding(
                place,
                "the loss expects probabilities, and the network ends with raw scores",
                says=study.line(place),
                fix="from_logits=True in the loss, or a softmax (of one output: a sigmoid) at the end of the network",
                effect="raw scores are cut off at 0 and 1: most gradients vanish, and the printed loss means nothing",
                evidence=(f"{study.line(end.layer.place)} ({end.layer.place})",),
            )


def softmax_of_one(rule: Rule, study: Study) -> Iterator[Finding]:
    """A softmax over a single output."""
    for _, end, _, _ in _compiled(study):
        if end.activation == "softmax" and end.width == 1:
            yield rule.finding(
                end.layer.place,
                "the softmax is taken over one value: it is 1 for every image",
                says=study.line(end.layer.place),
                should_say=study.line(end.layer.place).replace("softmax", "sigmoid"),
                effect="the network answers the same for all images, whatever it learns",
            )
