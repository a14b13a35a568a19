"""Arrays, tables and data sets in expressions: what cutting, computing and comparing does to their rows."""

from __future__ import annotations

import ast
from dataclasses import replace

from tinyproof.check.code.interpreter import columns, row_answers
from tinyproof.check.code.interpreter.column_masks import cut_by
from tinyproof.check.code.interpreter.flows import Quantity
from tinyproof.check.code.interpreter.machine import Machine
from tinyproof.check.code.interpreter.own_masks import as_places
from tinyproof.check.code.interpreter.pairs import note_pair
from tinyproof.check.code.interpreter.picking import both_masks, picked
from tinyproof.check.code.interpreter.relations import relation
from tinyproof.check.code.interpreter.rows import Cut, Path, Root, Rows, Step, kind_of_words, union
from tinyproof.check.code.interpreter.stepped import is_stepped
from tinyproof.check.code.interpreter.uses import Mismatched
from tinyproof.check.code.interpreter.values import FOLD, Const, Made, Scope, Seq, Unknown, Value, constant, number
from tinyproof.check.finding import CodePlace

GRADIENT = "(gradient)"  # a product of two arrays over the rows that they share: a slope for each weight
STATISTIC = "(statistic)"  # a mean or deviation over rows, by which rows are scaled

_KEPT = frozenset(
    (
        *("array", "at", "attention_mask", "data", "dt", "features", "iat", "iloc", "images", "index"),
        *("input_ids", "loc", "real", "token_type_ids"),
        *("sparse", "str", "values", "x", "y"),
    )
)


def attribute(machine: Machine, owner: Rows, name: str, node: ast.AST, scope: Scope) -> Value | None:
    """`rows.name`; None where it is a method."""
    if name == "T":
        return transposed(owner)
    if name == "dataset" and owner.batch:
        return replace(owner, batch=0, names=[])
    if name == "shape":
        return Made(".shape", [owner], {}, machine.place(node, scope))
    if owner.side == "scores" and name == "metrics" and owner.model is not None:
        return row_answers.told_with_answers(machine, owner, machine.place(node, scope))
    if owner.side == "scores" and name in ("predictions", "label_ids", "logits"):
        return owner if name != "label_ids" else replace(owner, side="y", model=None, fits=(), names=[])
    if name == "labels" or name == "targets" or name == "target":
        return columns.after(owner.turned("y"), "pick", name)
    return owner if name in _KEPT else None


def transposed(rows: Rows) -> Rows:
    """Rows beside each other for rows below each other; a column of labels, and guesses, stay what they are."""
    table = rows.side in ("x", "both") and not columns.is_one(rows)
    return replace(rows, across=not rows.across) if table else rows


def _of_transposed(machine: Machine, owner: Rows, node: ast.expr, scope: Scope) -> Value:
    """`rows.T[columns, rows]`."""
    first, rest = (node.elts[0], node.elts[1:]) if isinstance(node, ast.Tuple) and node.elts else (node, [])
    found = _of_columns(machine, owner, first, scope)
    if not rest or not isinstance(found, Rows):
        return found
    some = subscript(machine, replace(found, across=False), rest[0], scope)
    return replace(some, across=True) if isinstance(some, Rows) and not isinstance(rest[0], ast.Constant) else some


def subscript(machine: Machine, owner: Rows, node: ast.expr, scope: Scope) -> Value:
    """`rows[...]`: some rows, or columns of all."""
    if owner.across:
        return _of_transposed(machine, owner, node, scope)
    if isinstance(node, ast.Tuple) and node.elts:
        found = subscript(machine, owner, node.elts[0], scope)
        for other in node.elts[1:]:
            found = _of_columns(machine, found, other, scope)
        return found
    if isinstance(node, ast.Slice):
        return _sliced(machine, owner, node, scope)
    if isinstance(node, ast.Constant) and node.value is ...:
        return owner
    index = as_places(machine.evaluate(node, scope), machine.place(node, scope))
    if isinstance(index, Rows) and index.side in ("index", "mask"):
        return picked(owner, index)
    if isinstance(index, Const):
        return _by_constant(machine, owner, index, node)
    if isinstance(index, Seq) and index.whole and all(isinstance(constant(item), str) for item in index.items):
        return columns.after(owner, "picks", columns.named(index))
    if owner.side == "x" and owner.paths[0].root.form == "folder" and getattr(index, "name", "") != "index":
        return Unknown()  # no file in its turn: perhaps the name of a class, by what was guessed
    if owner.side == "y" or columns.is_one(owner):
        machine.looked_up.append(owner)
    owner = columns.after(owner, *columns.UNKNOWN)
    fold = isinstance(index, Unknown) and index.name == FOLD
    if (machine.loops or machine.passes) and not fold:
        return owner
    machine.keep.append(index)
    return owner.cut(Cut("filter", ("index", id(index))))


def _of_columns(machine: Machine, rows: Value, node: ast.expr, scope: Scope) -> Value:
    """The second of two indices: a column by its number or name, some of them, or all (`:`)."""
    if isinstance(node, ast.Slice):
        whole = node.lower is None and node.upper is None
        return rows if whole or not isinstance(rows, Rows) else columns.after(rows, *columns.UNKNOWN)
    index = machine.evaluate(node, scope)
    if not isinstance(rows, Rows):
        return rows
    known = constant(index)
    if isinstance(known, str) or (isinstance(known, int) and not isinstance(known, bool)):
        return columns.after(rows, "pick", known)
    names = columns.named(index)
    return columns.after(rows, "picks", names) if names is not None else columns.after(rows, *columns.UNKNOWN)


def _by_constant(machine: Machine, owner: Rows, index: Const, node: ast.expr) -> Value:
    key = index.value
    if isinstance(key, str):
        root = owner.paths[0].root
        if key in ("train", "test", "validation", "valid", "val") and root.form != "archive":
            return Unknown()  # rows of one part have no parts: this is another value than was thought
        if root.form == "archive" and not owner.paths[0].cuts:
            return _of_archive(owner, root, key)
        return columns.after(owner, "pick", key)
    if key is None:
        return owner
    of_paths = owner.paths[0].root.form == "folder" and owner.columns[-1:] == (columns.UNKNOWN,)
    if machine.loops or machine.passes or owner.side == "index" or of_paths:
        return owner  # of_paths: a piece of each path, `path.split('/')[-2]`
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
        return owner.cut(_each_so_many(machine, node, scope, low, high))
    if (low is None and high is None) or (low == 0 and high is None):
        return owner
    known = all(bound is None or isinstance(bound, int) for bound in (low, high))
    bounds = (
        () if known else (machine.evaluate(bound, scope) for bound in (node.lower, node.upper) if bound is not None)
    )
    if is_stepped(*bounds):
        return owner.cut(Cut("filter", ("stepped", machine.place(node, scope), _text(node.lower), _text(node.upper))))
    if not known and (machine.passes or (machine.loops and low is not None and high is not None)):
        # The batches of a loop: together they are all rows. Or a fold made by hand, which its complement will show.
        return replace(owner, turn=(_text(node.lower), _text(node.upper)), names=list(owner.names))
    cut = owner.cut(Cut("slice", ("slice",), low=None if low == 0 else low, high=high))
    return cut if known else replace(cut, turn=(_text(node.lower), _text(node.upper)))


def _each_so_many(machine: Machine, node: ast.Slice, scope: Scope, low: object, high: object) -> Cut:
    """`rows[1::2]`: each second row from the second one on."""
    step, start = _bound(machine, node.step, scope), low or 0
    if isinstance(step, int) and isinstance(start, int) and 0 <= start < step and high is None:
        return Cut("filter", ("step", step), f"{start}")
    return Cut("filter", ("step", ast.unparse(node)))


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
    if isinstance(other, Made) and other.path == STATISTIC and isinstance(op, ast.Sub | ast.Div) and rows is left:
        by = other.args[0]
        learned = by.paths if isinstance(by, Rows) else ()
        return rows.after(Step("fitted", f"the {other.text}", learned, id(other), place=machine.place(node, scope)))
    if isinstance(other, Rows) and rows.side == other.side == "mask":
        return both_masks(op, rows, other)
    if isinstance(other, Rows):
        lies = relation(rows.paths, other.paths)
        if lies == "apart" and isinstance(op, ast.Add) and left.side == other.side == "x":  # type: ignore[attr-defined]
            return union([rows, other]) or Unknown()  # of lists of texts: one behind the other
        same = lies == relation(other.paths, rows.paths) == "inside"
        if same and isinstance(op, ast.Sub):
            off = row_answers.off_by(rows, other, machine.place(node, scope))
            if off is not None:
                return off
        return rows.after(Step("opaque", type(op).__name__)) if same else Unknown()
    if isinstance(other, Quantity) and other.kind != "images":
        return Unknown()
    known = number(other)
    in_folder = rows.paths[0].root.form == "folder"
    if (
        in_folder
        and (isinstance(constant(other), str) or isinstance(other, Made))
        and isinstance(op, ast.Add | ast.Div)
    ):
        return rows  # the path of a file that stands for all those of a folder
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
        same = relation(rows.paths, other.paths) == relation(other.paths, rows.paths) == "inside"
        features = rows if rows.side in ("x", "both") else other
        return Made(GRADIENT, [features], {}, CodePlace("")) if same else Unknown()
    return replace(rows, side="scores", names=[])


def note_mismatch(machine: Machine, one: Rows, other: Rows, place: CodePlace) -> None:
    """Answers and labels that are apart: a fault where both are of one source, and so surely not the same rows."""
    answers, labels = (one, other) if one.side == "scores" else (other, one)
    sources = [{path.root.key[:2] for path in rows.paths} for rows in (answers, labels)]
    if answers.side == "scores" and labels.side == "y" and sources[0] & sources[1] and answers.model is not None:
        machine.events.uses.append(Mismatched(answers, labels, place))


def compare(machine: Machine, op: ast.cmpop, left: Value, right: Value, place: CodePlace) -> Value | None:
    """A comparison with rows: right answers, or a mask over rows."""
    one, other = (left, right) if isinstance(left, Rows) else (right, left)
    if not isinstance(one, Rows):
        return None
    of_a_turn = bool(machine.loops) and isinstance(other, Unknown) and one.side == "both" and columns.is_one(one)
    if isinstance(op, ast.Eq | ast.NotEq) and not isinstance(other, Const) and not of_a_turn:
        return _hits(machine, one, other, place, isinstance(op, ast.NotEq))
    if one is left and one.side == "scores" and isinstance(op, ast.Gt | ast.GtE) and number(other) is not None:
        return one  # scores against a threshold: a guess for each row
    root = Root(("mask", id(one), place), "all", "a mask", "rows", place)
    told = cut_by(machine, one, op, other, one is left) or Cut("filter", ("mask", id(root), place), "yes")
    mask = Rows((Path(root, (told,)),), "mask", origin=one)
    machine.keep.extend((mask, one))
    return mask


def _hits(machine: Machine, one: Rows, other: Value, place: CodePlace, unequal: bool) -> Value:
    if isinstance(other, Rows):
        scores = one if one.side == "scores" else other if other.side == "scores" else None
        if scores is not None and note_pair(machine, scores, other if scores is one else one, place):
            return Unknown()
        if scores is None or relation(one.paths, other.paths) == "apart":
            note_mismatch(machine, one, other, place)
            return Unknown()
        truth = other if scores is one else one
        rows = replace(scores, names=list(truth.names)) if truth.side != "scores" and truth.names else scores
    elif one.side in ("y", "scores") and not unequal:
        rows = one
    else:
        return Unknown()
    return Quantity("hits", "each", "final", rows, place)
