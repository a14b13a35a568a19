"""Transforms: the steps that are done to the images of a data set, which of them are random, and the normalisation.

Everything answers with None where the text does not settle it.
"""

from __future__ import annotations

import ast

from tinyproof.check.code.interpreter.values import Const, Function, Made, Object, Seq, Unknown, Value, number
from tinyproof.check.code.library.loaders import argument, dataset_of
from tinyproof.check.code.library.splits import WITH_TRAIN_FLAG

_RANDOM = (
    "AutoAugment RandAugment TrivialAugmentWide AugMix ElasticTransform ColorJitter HorizontalFlip VerticalFlip "
    "ShiftScaleRotate Rotate CoarseDropout Cutout ToGray HueSaturationValue GaussNoise RGBShift GridDistortion"
)
_RANDOM_STEPS = frozenset(_RANDOM.split(" "))
_FIXED_AT_ONE = frozenset(
    ("RandomHorizontalFlip", "RandomVerticalFlip", "RandomInvert", "RandomGrayscale", "RandomEqualize")
)


def transform_of(data: Value) -> Value | None:
    """The transform of a data set; Const(None) when it has none, None when it cannot be known."""
    if isinstance(data, Object):
        found = [v for v in (*data.attrs.values(), *data.args, *data.kwargs.values()) if _is_transform(v)]
        distinct = {id(v): v for v in found}
        return next(iter(distinct.values())) if len(distinct) == 1 else None
    if not isinstance(data, Made):
        return None
    if data.path == ".dataset":
        inner = dataset_of(data.args[0])
        return transform_of(inner) if inner is not None else None
    if "transform" in data.attrs:
        return data.attrs["transform"]
    if data.short in WITH_TRAIN_FLAG or data.short in ("EMNIST", "SVHN", "STL10"):
        given = argument(data, "transform", 2)
    elif data.short == "ImageFolder":
        given = argument(data, "transform", 1)
    else:
        return None
    return Const(None) if given is None else given


def always_applied(data: Object) -> bool:
    """Whether a data set of the notebook's own puts every image through its transform, on no other condition."""
    getter = data.cls.members.get("__getitem__")
    names = [name for name, value in data.attrs.items() if _is_transform(value)]
    if not isinstance(getter, Function) or len(names) != 1 or isinstance(getter.node, ast.Lambda):
        return False
    applied = f"self.{names[0]}("
    ways = [statement for statement in getter.node.body if applied in ast.unparse(statement)]
    asked = [part.test for statement in ways for part in ast.walk(statement) if isinstance(part, ast.If | ast.IfExp)]
    plain = (f"self.{names[0]}", f"self.{names[0]} is not None", f"self.{names[0]} != None")
    return len(ways) == 1 and all(ast.unparse(test) in plain for test in asked)


def _is_transform(value: Value) -> bool:
    return isinstance(value, Made) and ("transforms" in value.path or value.path.startswith("albumentations"))


def steps_of(transform: Value | None, depth: int = 0) -> list[Made] | None:
    """The steps of a transform in order; None when one of them cannot be known.

    >>> steps_of(Const(None))
    []
    """
    if isinstance(transform, Const) and transform.value is None:
        return []
    if isinstance(transform, Object):
        inner = [v for v in (*transform.attrs.values(), *transform.args) if _is_transform(v)]
        distinct = {id(v): v for v in inner}
        return steps_of(next(iter(distinct.values())), depth + 1) if len(distinct) == 1 else None
    if isinstance(transform, Function) or not isinstance(transform, Made) or depth > 8:
        return None
    if not _is_transform(transform) and transform.path != "torch.nn.Sequential":
        return None
    if transform.short not in ("Compose", "Sequential", "Sequence"):
        return [transform]
    listed = transform.args[0] if transform.args else transform.kwargs.get("transforms")
    parts = transform.args if transform.short == "Sequential" and transform.path.startswith("torch") else None
    if parts is None:
        if not isinstance(listed, Seq) or not listed.whole:
            return None
        parts = listed.items
    found: list[Made] = []
    for part in parts:
        if isinstance(part, Made) and not _is_transform(part):
            continue
        inner_steps = steps_of(part, depth + 1) if isinstance(part, Made) else None
        if inner_steps is None and not isinstance(part, Function | Object | Unknown):
            return None
        found.extend(inner_steps or [])
    return found


def random_step(step: Made) -> bool:
    """Whether a step of a transform changes an image differently each time."""
    name = step.short
    if not (name.startswith("Random") or name in _RANDOM_STEPS):
        return False
    chance = number(step.kwargs.get("p"))
    if chance == 0 or (name in _FIXED_AT_ONE and chance == 1):
        return False
    if name == "RandomCrop":
        return bool(step.kwargs.get("padding") or len(step.args) > 1)
    if name in ("RandomRotation", "RandomAffine"):
        first = step.args[0] if step.args else step.kwargs.get("degrees")
        still = number(first) == 0 or (isinstance(first, Seq) and all(number(i) == 0 for i in first.items))
        if still and name == "RandomRotation":
            return False
        others = {"translate", "scale", "shear"} & set(step.kwargs)
        return not (still and not others and len(step.args) < 2)
    if name == "RandomApply":
        return True
    return True


def normalisation(steps: list[Made]) -> tuple[tuple[float, ...], tuple[float, ...]] | None:
    """Mean and standard deviation of the Normalize among the steps; () when there is none; None when not known.

    >>> normalisation([])
    ((), ())
    """
    found = [step for step in steps if step.short == "Normalize"]
    if not found:
        return (), ()
    if len(found) > 1:
        return None
    mean, deviation = (argument(found[0], name, i) for i, name in enumerate(("mean", "std")))
    pair = (_numbers(mean), _numbers(deviation))
    return (pair[0], pair[1]) if pair[0] is not None and pair[1] is not None else None


def _numbers(value: Value | None) -> tuple[float, ...] | None:
    single = number(value)
    if single is not None:
        return (single,)
    if not isinstance(value, Seq) or not value.items:
        return None
    numbers = [number(item) for item in value.items]
    known = [n for n in numbers if n is not None]
    return tuple(known) if len(known) == len(numbers) else None
