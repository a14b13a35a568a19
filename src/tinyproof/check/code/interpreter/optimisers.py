"""Which values are optimisers, and which change their learning rate."""

from __future__ import annotations

from tinyproof.check.code.interpreter.values import Made, Value


def is_scheduler(value: Value) -> bool:
    return isinstance(value, Made) and ".lr_scheduler." in value.path


def is_optimiser(value: Value) -> bool:
    return isinstance(value, Made) and value.path.startswith("torch.optim.") and not is_scheduler(value)
