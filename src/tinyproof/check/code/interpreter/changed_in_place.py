"""Arrays and tables that may hold something else from here on: what is not here may have changed them in place."""

from __future__ import annotations

import ast
import re

from tinyproof.check.code.interpreter.column_masks import set_anew
from tinyproof.check.code.interpreter.machine import Machine
from tinyproof.check.code.interpreter.relations import relation
from tinyproof.check.code.interpreter.rows import Path, Root, Rows, rows_in
from tinyproof.check.code.interpreter.values import Method, Scope, Unknown, Value, options
from tinyproof.core.word_sets import words

# Functions that are called for what they show, measure or keep, and that leave what they are given as it is: by the
# word that their names begin with (`plot_classes`) or end on (`class_summary`), or of nothing but these and `_BESIDE`.
_SHOWS = words(
    """
    plot show print pprint display draw imshow hist histogram visualize visualise view describe summary summarize
    summarise info inspect report save write dump export evaluate score measure compare check assert explore peek
    """
)
_BESIDE = words(
    """
    train fit run test predict eval evaluation validate log time count training experiment
    model net network classifier loop epoch epochs accuracy loss metric metrics on with all the of data shape shapes
    """
)
_WRITES = frozenset(("numpy.copyto", "numpy.put", "numpy.place", "numpy.putmask", "numpy.put_along_axis"))


def note_given_away(machine: Machine, function: Value, args: list[Value], node: ast.AST, scope: Scope) -> None:
    """A function that is not here was given arrays: one that gives nothing back was called to change them."""
    name = _name_of(machine, function, node)
    if not name:
        return
    changes = machine.discarded is node and not _only_looks(name)
    given = [option for arg in args for option in options(arg) if isinstance(option, Rows)]
    for rows in given:
        if rows.side not in ("both", "x", "y") or rows.batch:
            continue
        set_anew(machine, rows, None)
        if changes:
            _open(machine, rows, node, scope)


def _only_looks(name: str) -> bool:
    """Whether a name speaks of looking alone: `plot_rows`, `train_and_evaluate`; no `train_scaler`, `show_and_drop`."""
    whole = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower().replace("im_show", "imshow")
    parts = [part.strip("_").split("_") for part in re.split(r"_and_|_then_", re.sub(r"\d+", "", whole))]
    return all(
        bool({part[0], part[-1]} & _SHOWS) or all(word in _SHOWS or word in _BESIDE for word in part) for part in parts
    )


def note_written(machine: Machine, path: str, args: list[Value], node: ast.AST, scope: Scope) -> None:
    """`numpy.copyto(rows, others)` and its kin write into what they are given first."""
    target = node.args[0] if isinstance(node, ast.Call) and node.args else None
    if path in _WRITES and args and target is not None:
        whole = machine.evaluate(target.value, scope) if isinstance(target, ast.Subscript) else args[0]
        if isinstance(whole, Rows):  # `rows[:20]` is a view of the whole
            written_over(machine, whole, args[-1], node, scope)


def written_over(machine: Machine, rows: Rows, value: Value, node: ast.AST, scope: Scope) -> None:
    """Rows of an array were set to others: which rows it holds is known only where those are its own."""
    others = rows_in(value)
    if others is None or others.side not in ("both", "x", "y") or rows.side not in ("both", "x", "y"):
        return
    if relation(others.paths, rows.paths) in ("apart", "unknown"):
        _open(machine, rows, node, scope)


def _open(machine: Machine, rows: Rows, node: ast.AST, scope: Scope) -> None:
    machine.keep.append(rows)
    place = machine.place(node, scope)
    root = Root(("value", id(rows), place), "all", rows.names[0] if rows.names else "the data", "rows", place)
    rows.paths, rows.steps = (Path(root),), ()


def _name_of(machine: Machine, function: Value, node: ast.AST) -> str:
    """The name of a function of a module that is not here; empty for anything else."""
    called = node.func if isinstance(node, ast.Call) else None
    if isinstance(function, Method) and isinstance(function.owner, Unknown):
        missing = {module.lstrip(".").partition(".")[0] for module in machine.events.missing_modules}
        return function.name if function.owner.name.partition(".")[0] in missing else ""
    if isinstance(function, Unknown) and isinstance(called, ast.Name):
        return function.name or called.id
    return ""
