"""Layers of Keras that are put to the data before a network is: scaling, changes at random."""

from __future__ import annotations

from tinyproof.check.code.interpreter.rows import Step
from tinyproof.check.code.interpreter.values import Made, Seq, number

_PLAIN = ("Resizing", "CenterCrop", "InputLayer", "Input")


def preprocessing(layer: Made) -> tuple[Step, ...]:
    """What a layer, or a Sequential of such layers alone, does to rows; nothing where it does anything else."""
    if layer.short == "Sequential":
        given = layer.args[0] if layer.args and isinstance(layer.args[0], Seq) else Seq(list(layer.args))
        parts = [_step(item) if isinstance(item, Made) else None for item in given.items]
        known = [part for part in parts if part is not None]
        whole = given.whole and len(known) == len(parts)
        return tuple(step for step in known if step.name) if whole else ()
    step = _step(layer) if layer.short != "Normalization" else None
    return (step,) if step is not None and step.name else ()


def _step(layer: Made) -> Step | None:
    """One layer; a step without a name where it leaves the rows as they are, None where it is of another kind."""
    if layer.path.startswith("keras.") and layer.short.startswith("Random"):
        return Step("augmented", layer.short, maker=id(layer), place=layer.place)
    if layer.short == "Rescaling":
        factor = number(layer.kwargs.get("scale", layer.args[0] if layer.args else None))
        return Step("scaled", f"times {factor:.6g}", place=layer.place) if factor is not None else None
    return Step("opaque", "") if layer.short in _PLAIN else None
