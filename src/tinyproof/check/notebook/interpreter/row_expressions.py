"""Arrays, tables and data sets in expressions: what cutting, computing and comparing does to their rows."""

from __future__ import annotations

import ast
from dataclasses import replace

from tinyproof.check.finding import CodePlace
from tinyproof.check.notebook.interpreter.flows import Quantity
from tinyproof.check.notebook.interpreter.machine import Machine
from tinyproof.check.notebook.interpreter.relations import relation
from tinyproof.check.notebook.interpreter.rows import Cut, Path, Root, Rows, Step, kind_of_words
from tinyproof.check.notebook.interpreter.uses import Measured
from tinyproof.check.notebook.interpreter.values import Const, Made, Scope, Seq, Unknown, Value, constant, number

_KEPT = frozenset(
    (
        *("T", "array", "at", "data", "dt", "features", "iat", "iloc", "images", "index", "loc", "real"),
        *("sparse", "str", "values", "x", "y"),
    )
)


def attribute(machine: Machine, owner: Rows, name: str, node: ast.AST, scope: Scope) -> Value | None:
    """`rows.name`; None where it is a method."""
    if name == "shape":
        return Made(".shape", [owner], {}, machine.place(node, scope))
    if name == "labels" or name == "targets" or name == "target":
        return owner.turned("y")
    return owner if name in _KEPT else None


def subscript(machine: Machine, owner: Rows, node: ast.expr, scope: Scope) -> Value:
    """`rows[...]`: some rows, or columns of all."""
    if isinstance(node, ast.Tuple) and node.elts:
        for other in node.elts[1:]:
            machine.evaluate(other, scope) if not isinstance(other, ast.Slice) else None
        return subscript(machine, owner, node.elts[0], scope)
    if isinstance(node, ast.Slice):
        return _sliced(machine, owner, node, scope)
    if isinstance(node, ast.Constant) and node.value is ...:
        return owner
    index = machine.evaluate(node, scope)
    if isinstance(index, Rows) and index.side in ("index", "mask"):
        return picked(owner, index)
    if isinstance(index, Const):
        return _by_constant(machine, owner, index, node)
    if isinstance(index, Seq) and index.whole and all(isinstance(constant(item), str) for item in index.items):
        return owner
    if machine.loops or machine.passes:
        return owner
    machine.keep.append(index)
    return owner.cut(Cut("filter", ("index", id(index))))


def picked(rows: Rows, index: Value) -> Rows:
    """The rows at some places, or those that a mask lets through."""
    if not isinstance(index, Rows) or index.side not in ("index", "mask"):
        return rows.cut(Cut("filter", ("index", id(index))))
    for cut in [cut for path in index.paths for cut in path.cuts]:
        rows = rows.cut(cut)
    return rows


def _by_constant(machine: Machine, owner: Rows, index: Const, node: ast.expr) -> Value:
    key = index.value
    if isinstance(key, str):
        root = owner.paths[0].root
        if key in ("train", "test", "validation", "valid", "val") and root.form != "archive":
            return Unknown()  # rows of one part have no parts: this is another value than was thought
        return _of_archive(owner, root, key) if root.form == "archive" and not owner.paths[0].cuts else owner
    if key is None:
        return owner
    if machine.loops or machine.passes or owner.side == "index":
        return owner
    return owner.cut(Cut("filter", ("row", key)))


def _of_archive(owner: Rows, root: Root, key: str) -> Rows:
    """An array of an archive: its name says which part; where it does not, the array is known by its name alone."""
    kind = kind_of_words(key)
    if kind == "all":
        what = f"the {key} of the file {root.what}" if root.what else key
        return replace(owner, paths=(Path(Root((*root.key, key), root.kind, what, "rows", root.place)),), names=[])
    words = {"train": "training", "test": "test"}.get(kind, "validation")
    what = f"{words} set of the file {root.what or 'that is read here'}"
    return replace(owner, paths=(Path(Root((*root.key, kind), kind, what, "archive", root.place)),), names=[])


def _sliced(machine: Machine, owner: Rows, node: ast.Slice, scope: Scope) -> Value:
    low, high = (_bound(machine, bound, scope) for bound in (node.lower, node.upper))
    if node.step is not None:
        return owner.cut(Cut("filter", ("step", ast.unparse(node))))
    if (low is None and high is None) or (low == 0 and high is None):
        return owner
    known = all(bound is None or isinstance(bound, int) for bound in (low, high))
    if not known and (machine.passes or (machine.loops and low is not None and high is not None)):
        # The batches of a loop: together they are all rows. Or a fold made by hand, which its complement will show.
        return replace(owner, turn=(_text(node.lower), _text(node.upper)), names=[])
    cut = owner.cut(Cut("slice", ("slice",), low=None if low == 0 else low, high=high))
    return cut if known else replace(cut, turn=(_text(node.lower), _text(node.upper)))


def _text(node: ast.expr | None) -> str:
    return ast.unparse(node) if node is not None else ""


def _bound(machine: Machine, node: ast.expr | None, scope: Scope) -> object:
    if node is None:
        return None
    value = machine.evaluate(node, scope)
    known = number(value)
    if known is not None:
        return int(known)
    if isinstance(node, ast.Name):
        machine.keep.append(value)
        return ("value", id(value))
    return ("text", ast.unparse(node))


def binary(machine: Machine, op: ast.operator, left: Value, right: Value, node: ast.AST, scope: Scope) -> Value:
    """Arithmetic with rows."""
    rows = left if isinstance(left, Rows) else right
    other = right if rows is left else left
    assert isinstance(rows, Rows)
    if isinstance(op, ast.MatMult):
        return product(rows, other, rows is left)
    if isinstance(other, Rows):
        same = relation(rows.paths, other.paths) == relation(other.paths, rows.paths) == "inside"
        return rows.after(Step("opaque", type(op).__name__)) if same else Unknown()
    if isinstance(other, Quantity) and other.kind != "images":
        return Unknown()
    known = number(other)
    if rows is right and known is None:
        return Unknown()  # whatever is on the left may well have other rows
    if known is not None and rows.side != "y" and isinstance(op, ast.Div | ast.Mult):
        factor = 1 / known if isinstance(op, ast.Div) and known else known
        return rows.after(Step("scaled", f"times {factor:.6g}", place=machine.place(node, scope)))
    if rows.side in ("y", "scores", "index", "mask"):
        return replace(rows, names=[])
    return rows.after(Step("opaque", ast.unparse(node)[:60] if isinstance(node, ast.AST) else ""))


def product(rows: Rows, other: Value, first: bool) -> Value:
    """A product with weights: a score for each row (rows second, transposed: likewise)."""
    if isinstance(other, Rows):
        return Unknown()
    return replace(rows, side="scores", names=[])


def compare(machine: Machine, op: ast.cmpop, left: Value, right: Value, place: CodePlace) -> Value | None:
    """A comparison with rows: right answers, or a mask over rows."""
    one, other = (left, right) if isinstance(left, Rows) else (right, left)
    if not isinstance(one, Rows):
        return None
    if isinstance(op, ast.Eq | ast.NotEq) and not isinstance(other, Const):
        return _hits(one, other, place, isinstance(op, ast.NotEq))
    if one is left and one.side == "scores" and isinstance(op, ast.Gt | ast.GtE) and number(other) is not None:
        return one  # scores against a threshold: a guess for each row
    root = Root(("mask", id(one), place), "all", "a mask", "rows", place)
    mask = Rows((Path(root, (Cut("filter", ("mask", id(root), place), "yes"),)),), "mask")
    machine.keep.extend((mask, one))
    return mask


def _hits(one: Rows, other: Value, place: CodePlace, unequal: bool) -> Value:
    if isinstance(other, Rows):
        scores = one if one.side == "scores" else other if other.side == "scores" else None
        if scores is None or relation(one.paths, other.paths) == "apart":
            return Unknown()
        rows = scores
    elif one.side in ("y", "scores") and not unequal:
        rows = one
    else:
        return Unknown()
    return Quantity("hits", "each", "final", rows, place)


def inverted(value: Value) -> Value | None:
    """`~mask`."""
    if not isinstance(value, Rows) or value.side != "mask":
        return None
    path = value.paths[0]
    cuts = tuple(replace(cut, part="no" if cut.part == "yes" else "yes") for cut in path.cuts)
    return Rows((Path(path.root, cuts),), "mask")


def counted(machine: Machine, figure: Quantity, place: CodePlace) -> None:
    """Right answers over rows were added up or averaged: that is a measurement."""
    rows = figure.loader
    if not isinstance(rows, Rows) or figure.kind != "hits" or figure.scale != "each":
        return
    fits = rows.fits if rows.model is not None else machine.events.learned.get(id(machine.events.weights), ())
    done = Measured("==", rows.model, rows, figure.place or place, "guesses == labels", fits)
    done.repeated = bool(machine.loops or machine.passes)
    done.run = machine.frames[0].place if machine.frames else place
    done.within = machine.passes[-1] if machine.passes else None
    done.mode, done.answers = machine.events.answered.get(id(rows.model), ("unknown", done.place))
    machine.events.uses.append(done)
    figure.turn = done


def held_out_within(machine: Machine, owner: Value, name: str, place: CodePlace) -> Value:
    """`search.best_score_`: a figure that the fit itself took of rows it held out in turns."""
    fits = machine.events.learned[id(owner)]
    rows = fits[-1].rows
    if rows is None:
        return Unknown()
    folds = rows.cut(Cut("filter", ("folds", fits[-1].place), "folds"))
    done = Measured(name, owner, folds, place, name, crossed=True)
    done.run = machine.frames[0].place if machine.frames else place
    machine.events.uses.append(done)
    return Quantity("accuracy", "mean", "final", folds, place, done)


def guesses(machine: Machine, model: Value, rows: Rows) -> Rows:
    """What a model answers: a row of scores, or a class, for each row."""
    machine.keep.append(model)
    return replace(rows, side="scores", model=model, fits=machine.events.learned.get(id(model), ()), names=[])
