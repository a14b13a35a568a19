"""Keras networks and layers put to whole arrays."""

from __future__ import annotations

from dataclasses import replace

from tinyproof.check.code.interpreter.machine import Machine
from tinyproof.check.code.interpreter.rows import Rows, Step
from tinyproof.check.code.interpreter.values import (
    Made,
    Value,
)
from tinyproof.check.code.library.keras_preprocessing import preprocessing


def of_rows(machine: Machine, made: Made, rows: Rows) -> Value:
    """A Keras network's answers; a layer's changes."""
    steps = preprocessing(made)
    if steps:
        for step in steps:
            rows = rows.after(step)
        return rows
    if made.short in ("Sequential", "Model", "load_model") or id(made) in machine.events.learned:
        fits = machine.events.learned.get(id(made), ())
        return replace(rows, side="scores", model=made, fits=fits, names=[])
    return rows.after(Step("opaque", made.short))
