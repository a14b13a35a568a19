"""Layers of Keras that are made and belong to no model."""

from __future__ import annotations

from collections.abc import Iterator

from tinyproof.check.code.library.keras_graph import WEIGHTED, left_lying
from tinyproof.check.finding import Finding
from tinyproof.check.notebook.rules.rule import Rule
from tinyproof.check.notebook.study import Study


def layers_left_lying(rule: Rule, study: Study) -> Iterator[Finding]:
    """A layer that is made on a line of its own, or applied with an output that goes nowhere."""
    ends = {(cell.number, len(cell.source.rstrip().split("\n"))) for cell in study.document.code}
    added = {made.place.cell for made in study.events.made if made.short == "Sequential" and made.args}
    for layer, place in study.events.dropped:
        if layer.short in WEIGHTED and (place.cell, place.line) not in ends and place.cell in added:
            yield rule.finding(
                place,
                f"the layer {layer.short} is made and added to nothing",
                says=study.line(place),
                effect="the network is trained without it",
            )
    if study.events.missing_modules or study.events.unread:
        return
    for layer, place in left_lying(study.events):
        yield rule.finding(
            place,
            f"what the layer {layer.short} gives is used by no model",
            says=study.line(place),
            effect="the network is trained without it",
        )
