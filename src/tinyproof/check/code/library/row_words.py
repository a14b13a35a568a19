"""Rows and what is done with them in words: "the held-out part of the file pets.csv"."""

from __future__ import annotations

from tinyproof.check.code.interpreter.events import Events
from tinyproof.check.code.interpreter.relations import relation
from tinyproof.check.code.interpreter.rows import Fit, Path, Rows
from tinyproof.check.code.interpreter.uses import Answered, Chosen, Measured, Saved, TargetAmong, Unpaired, Use
from tinyproof.check.code.interpreter.values import Scope

_PARTS = {"train": "the training part of", "held out": "the held-out part of", "validation": "the validation part of"}
_PARTS["test"] = "the test part of"


def described(rows: Rows) -> str:
    """Which rows, in words."""
    return " and ".join(dict.fromkeys(_path(path) for path in rows.paths))


def _path(path: Path) -> str:
    phrase = _root(path)
    slices = False
    for cut in path.cuts:
        if cut.kind == "split":
            phrase = f"{_PARTS.get(cut.part, 'a part of')} {phrase}"
        elif cut.key[:1] == ("folds",):
            phrase = f"the held-out folds of {phrase}"
        elif cut.key[:1] == ("sample",):
            phrase = f"{'a drawn part' if cut.part == 'yes' else 'the rest'} of {phrase}"
        elif not slices:
            slices = True
            phrase = f"a part of {phrase}" if cut.kind == "slice" else f"some of {phrase}"
    return phrase


def _root(path: Path) -> str:
    root = path.root
    if root.form == "set":
        if root.kind == "all":
            return f"the data set {root.what}"
        return {"train": "the training set", "test": "the test set", "validation": "the validation set"}[root.kind]
    if root.form == "rows":
        return root.what if root.what.startswith("the ") else f"the data {root.what}"
    if " set of the file " in root.what:
        return f"the {root.what}"
    form = "file" if root.form == "archive" else root.form
    return f"the {form} {root.what or 'that is read here'}"


def told(scope: Scope, events: Events) -> list[str]:
    """What the reader saw of rows, one line each: the variables that hold some, then what was done, in order."""
    names = [f"{name}: {_with_steps(value)}" for name, value in scope.names.items() if isinstance(value, Rows)]
    return [*names, *map(_use, events.uses)]


def _with_steps(rows: Rows) -> str:
    learned = [step for step in rows.steps if step.kind == "fitted"]
    if not learned:
        return described(rows)
    step = learned[-1]
    by = "its training part" if relation(step.learned, rows.paths) == "apart" else described(Rows(step.learned))
    return f"{described(rows)}, {step.name} learned from {by}"


def _use(use: Use | Fit) -> str:
    if isinstance(use, Fit):
        on = described(use.rows) if use.rows is not None else "what is not known"
        return f"{use.name} on {on}" + (f", validated on {described(use.validation)}" if use.validation else "")
    if isinstance(use, Measured):
        name = "the loop" if use.name == "loop" else use.name
        return f"{name} on {described(use.rows)}" + (", guesses first" if use.swapped else "")
    if isinstance(use, Chosen):
        return f"{use.by} chooses {use.what} on {described(use.rows)}"
    if isinstance(use, TargetAmong):
        return f"{use.column} is learned from itself, in {described(use.rows)}"
    if isinstance(use, Unpaired):
        return f"{described(use.images)} with the labels of {described(use.labels)}"
    if isinstance(use, Answered):
        return f"answers for {described(use.rows)}"
    return f"saved in {use.file}" if isinstance(use, Saved) else "a running figure is logged"
