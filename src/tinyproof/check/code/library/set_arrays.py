"""The images and labels of a data set of torchvision as whole arrays: `tests.data`, `tests.targets`."""

from __future__ import annotations

from tinyproof.check.code.interpreter.machine import Machine
from tinyproof.check.code.interpreter.rows import Path, Root, RootKind, Rows, Side
from tinyproof.check.code.interpreter.values import THINNED, Made, Value
from tinyproof.check.code.library.loaders import dataset_of, split_of, split_of_loader
from tinyproof.check.code.library.splits import WITH_TRAIN_FLAG, Split

_SIDES: dict[str, Side] = {
    **dict.fromkeys((".data", ".train_data", ".test_data"), "x"),
    **dict.fromkeys((".targets", ".train_labels", ".test_labels"), "y"),
}


def as_array(machine: Machine, value: Value) -> Value:
    """The rows, where it is the images or the labels of a whole set that nothing was put into; else the value."""
    if not isinstance(value, Made) or value.path not in _SIDES or len(value.args) != 1:
        return value
    owner: Value | None = value.args[0]
    if isinstance(owner, Made) and owner.path == ".dataset" and owner.args:
        owner = dataset_of(owner.args[0])
    altered = machine.events.altered
    if not isinstance(owner, Made) or owner.open_kwargs or THINNED in owner.attrs:
        return value
    known = _whole(split_of(owner, altered))
    return Rows((Path(known),), _SIDES[value.path]) if known is not None else value


def learned_from(machine: Machine, loader: Value) -> Rows | None:
    """What a loop over a loader of such a set learns from: the set, or some of it."""
    split = split_of_loader(loader, machine.events.altered)
    known = _whole(split.whole if split.kind == "part" and split.whole is not None else split)
    return Rows((Path(known),)) if known is not None else None


def _whole(split: Split) -> Root | None:
    if split.kind not in ("train", "test") or split.family not in WITH_TRAIN_FLAG or not isinstance(split.root, Made):
        return None
    kind: RootKind = "train" if split.kind == "train" else "test"
    return Root(("set", split.family), kind, split.family, "set", split.root.place, split.size)
