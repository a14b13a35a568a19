"""Methods and functions of arrays, tables and data sets: which rows they leave."""

from __future__ import annotations

import ast
from dataclasses import replace

from tinyproof.check.code.interpreter import columns, made_arrays, picking, row_expressions
from tinyproof.check.code.interpreter.column_masks import cut_by, perhaps_set_anew
from tinyproof.check.code.interpreter.flows import Quantity
from tinyproof.check.code.interpreter.loops import EACH_ROW
from tinyproof.check.code.interpreter.machine import Machine
from tinyproof.check.code.interpreter.row_expressions import STATISTIC, compare, product
from tinyproof.check.code.interpreter.rows import Cut, Rows, Step, names_kept, rows_in, union
from tinyproof.check.code.interpreter.values import Const, Function, Made, Scope, Seq, Unknown, Value, constant, number
from tinyproof.check.code.library.facts.numpy import EACH, NOTHING, SAME, SOME
from tinyproof.check.code.library.samplers import sampled
from tinyproof.check.code.library.sources import named_places
from tinyproof.check.finding import CodePlace

_AS_NUMBERS = frozenset(("astype", "map", "apply", "float", "int", "long", "replace"))
_SAME_COLUMNS = frozenset(
    (
        *("abs", "astype", "batch", "bfill", "cache", "clip", "clone", "contiguous", "copy", "cpu", "cuda", "detach"),
        *("double", "ffill", "fillna", "float", "half", "int", "interpolate", "long", "numpy", "prefetch", "ravel"),
        *("repeat", "replace", "reset_index", "reshape", "round", "shuffle", "sort_index", "sort_values", "squeeze"),
        *("to", "to_frame", "to_numpy", "toarray", "todense", "tolist", "type", "unsqueeze", "view"),
    )
)
_PRODUCTS = frozenset(["dot", "matmul", "einsum", "tensordot", "inner"])


def method(
    machine: Machine, owner: Rows, name: str, args: list[Value], kwargs: dict[str, Value], node: ast.AST, scope: Scope
) -> Value:
    """A method of an array, a table or a data set."""
    perhaps_set_anew(machine, owner, name, kwargs)
    if name in ("eq", "equal", "__eq__") and args:
        found = compare(machine, ast.Eq(), owner, args[0], machine.place(node, scope))
        return found if found is not None else Unknown()
    if name in _PRODUCTS and args:
        return product(owner, args[0], True)
    if owner.side == "mask" and owner.origin is not None and name in _AS_NUMBERS:
        return columns.after(replace(owner.origin, side="y"), *columns.UNKNOWN)  # a label for each row
    if name == "get_idx_split" and _of_sets(owner):
        return named_places(owner.paths[0].root)
    if owner.side == "mask" and name in ("sum", "count_nonzero") and not args:
        return Quantity("images", "unknown", "total", owner)
    asked = next((arg for arg in args if isinstance(arg, Rows) and arg.side == "index"), None)
    if asked is not None and owner.side != "index" and name not in ("delete", "difference", "isin"):
        return picking.picked(owner, asked)  # take, gather, reindex
    if name == "transpose" and not args and not kwargs:
        return row_expressions.transposed(owner)
    if name in ("take", "head"):
        return _first_of(owner, args, kwargs, keep=True)
    if name == "tail":
        return _last_of(machine, owner, args, kwargs)
    if name == "skip":
        return _first_of(owner, args, kwargs, keep=False)
    if name == "sample":
        return _sampled(machine, owner, kwargs, node, scope)
    if name == "split" and _is_drawn(owner, args, kwargs):
        parts = ("train", "validation", "test") if _shares(args, kwargs) == 3 else ("train", "held out")
        key = ("drawn", machine.place(node, scope))
        return Seq([owner.cut(Cut("split", key, part)) for part in parts])  # of torchtext
    if name == "pop" and args:
        return columns.taken_out(owner, args[0])
    if name == "drop":
        return _dropped(machine, owner, args, kwargs)
    if name == "select" and args:
        machine.keep.append(args[0])
        return owner.cut(Cut("filter", ("index", id(args[0]))))
    if name == "delete" and args:
        return owner.cut(picking.left_by(machine, args[0]))
    if name == "difference" and args and isinstance(args[0], Rows):
        return picking.letting_through(picking.left_by(machine, args[0]), "index")
    if name == "isin" and args and isinstance(args[0], Rows):
        return picking.among(machine, owner, args[0])
    if name == "query" and args:
        return _asked_for(machine, owner, args[0], node, scope)
    if name == "drop_duplicates" and constant(kwargs.get("keep", Const("first"))) is False:
        return Unknown()  # what is in one of two tables alone
    if name in ("concatenate", "append") and args and isinstance(args[0], Rows):
        return union([owner, args[0]]) or Unknown()
    if name == "map" and args and isinstance(args[0], Function):
        return mapped_rows(machine, owner, args[0], node, scope)
    if name in ("DataLoader", "batch", "padded_batch"):
        size = int(number(kwargs.get("batch_size", args[0] if args else None)) or -1)
        if name == "DataLoader":
            owner = sampled(machine, owner, args, kwargs, machine.place(node, scope)).after(Step("opaque", name))
        return replace(owner, batch=size, names=[])
    if name in ("iterrows", "itertuples"):
        each = Made(EACH_ROW, [owner], {}, machine.place(node, scope))
        return each if name == "itertuples" else Made("builtins.enumerate", [each], {}, each.place)
    if name in ("mean", "std") and owner.side in ("x", "both") and _over_rows(args, kwargs):
        return Made(STATISTIC, [owner], {}, machine.place(node, scope), text=name)
    if name in SOME:
        return owner.cut(Cut("filter", (name, ast.unparse(node)[:80])))
    if name in NOTHING or name.startswith("reduce_"):
        return Unknown()
    if name in ("max", "min", "argmax", "argmin") and not (args or kwargs) and owner.side != "scores":
        return Unknown()
    if name in ("max", "min", "argmax", "argmin", "topk") or name in SAME or owner.side in ("scores", "y"):
        return (
            replace(owner, names=names_kept(owner)) if name in _SAME_COLUMNS else columns.after(owner, *columns.UNKNOWN)
        )
    if name not in EACH:  # it may leave rows out, as far as one can tell
        owner = owner.cut(Cut("filter", ("method", name, object())))
    return columns.after(owner.after(Step("opaque", name)), *columns.UNKNOWN)


def _shares(args: list[Value], kwargs: dict[str, Value]) -> int:
    """How many shares are asked for in a list."""
    given = kwargs.get("split_ratio", args[0] if args else None)
    return len(given.items) if isinstance(given, Seq) else 0


def _is_drawn(rows: Rows, args: list[Value], kwargs: dict[str, Value]) -> bool:
    """Whether a data set is split by shares (into two or three parts): no text that is split into words."""
    if _shares(args, kwargs):
        return _shares(args, kwargs) in (2, 3) and rows.side == "both"
    return (_of_sets(rows) or "split_ratio" in kwargs) and all(number(arg) is not None for arg in args)


def _of_sets(rows: Rows) -> bool:
    """Whether it is a data set of a library, images or texts with their labels: no text that is split into words."""
    return rows.side == "both" and all(path.root.form == "set" for path in rows.paths)


def _over_rows(args: list[Value], kwargs: dict[str, Value]) -> bool:
    """Whether a mean is taken over the rows (and perhaps more): not one for each row."""
    given = kwargs.get("axis", kwargs.get("dim", args[0] if args else None))
    return given is None or constant(given) in (0, "index")


def mapped_rows(machine: Machine, owner: Rows, function: Function, node: ast.AST, scope: Scope) -> Rows:
    """What a function of the notebook's own does to each pair of images and labels of a data set."""
    count = len(function.node.args.args) - (function.owner is not None)
    given = [owner] if count == 1 else [owner.turned("x"), owner.turned("y")]
    before = len(machine.events.uses)
    found = machine.call_value(function, list(given[:count]), {}, node, scope) if 0 < count <= 2 else Unknown()
    del machine.events.uses[before:]  # what is asked of a network inside is no measurement
    changed = rows_in(found)
    if changed is None or changed.paths != owner.paths or changed.side == "scores":
        return replace(owner, names=[])
    place = machine.place(node, scope)
    steps = [replace(step, used=step.used or place) for step in changed.steps]
    return replace(owner, steps=tuple(steps), names=[])


def _first_of(owner: Rows, args: list[Value], kwargs: dict[str, Value], keep: bool) -> Rows:
    value = args[0] if args else next(iter(kwargs.values()), Const(5))
    known = constant(value)
    bound: object = known if isinstance(known, int) else ("value", id(value))
    return owner.cut(Cut("slice", ("slice",), low=None if keep else bound, high=bound if keep else None))


def _asked_for(machine: Machine, owner: Rows, text: Value, node: ast.AST, scope: Scope) -> Rows:
    """`table.query("year < 2016")`: the rows whose column is so; of any other question, some of them."""
    asked = constant(text)
    try:
        test = ast.parse(asked, mode="eval").body if isinstance(asked, str) else None
    except SyntaxError:
        test = None
    named = isinstance(test, ast.Compare) and any(isinstance(part, ast.Name) for part in ast.walk(test.comparators[0]))
    if isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.left, ast.Name) and not named:
        told, value = columns.after(owner, "pick", test.left.id), machine.evaluate(test.comparators[0], scope)
        cut = cut_by(machine, told, test.ops[0], value, True) if isinstance(value, Const) else None
        if cut is not None:
            return owner.cut(cut)
    whole = isinstance(asked, str) and "@" not in asked  # else it hangs on what a name stands for just now
    return owner.cut(Cut("filter", ("query", asked if whole else object())))


def _last_of(machine: Machine, owner: Rows, args: list[Value], kwargs: dict[str, Value]) -> Rows:
    """`table.tail(20)`: the last 20 rows; of a negative number, all but so many at the beginning."""
    value = args[0] if args else kwargs.get("n", Const(5))
    machine.keep.append(value)
    known = constant(value)
    return owner.cut(Cut("slice", ("slice",), low=-known if isinstance(known, int) else ("last", id(value))))


def _sampled(machine: Machine, owner: Rows, kwargs: dict[str, Value], node: ast.AST, scope: Scope) -> Rows:
    """A share of a table, drawn at random; all of it where the share is 1."""
    share = number(kwargs.get("frac"))
    if share == 1:
        seed = constant(kwargs.get("random_state"))
        return replace(owner, names=[], moved=(*owner.moved, object() if seed is None else seed))
    return owner.cut(Cut("filter", ("sample", machine.place(node, scope)), "yes"))


def _dropped(machine: Machine, owner: Rows, args: list[Value], kwargs: dict[str, Value]) -> Rows:
    """`table.drop(other.index)`: the rows that the other table has not; without columns it is the same rows."""
    other = rows_in(args[0]) if args else rows_in(kwargs.get("index"))
    if other is None:
        in_rows = "index" in kwargs or (args and "columns" not in kwargs and constant(kwargs.get("axis")) in (None, 0))
        return replace(owner, names=[]) if in_rows and len(args) < 2 else columns.dropped(owner, args, kwargs)
    if len(other.paths) == 1 and other.paths[0].cuts:
        last = other.paths[0].cuts[-1]
        if last.part in picking.OTHER and last.part != "no":
            return owner.cut(replace(last, part=picking.OTHER[last.part]))
    machine.keep.append(other)
    return owner.cut(Cut("filter", ("drop", id(other))))


def picked(whole: Rows, places: Value | None) -> Rows:
    """The rows at certain places: those of a cut through all places, else some of them."""
    if isinstance(places, Rows) and len(places.paths) == 1:
        for cut in picking.cuts_of(places):
            whole = whole.cut(cut)
        return whole
    bounds = [number(arg) for arg in places.args] if isinstance(places, Made) and places.short == "range" else []
    if bounds and len(bounds) < 3 and all(bound is not None for bound in bounds):
        low, high = (None, bounds[0]) if len(bounds) == 1 else (bounds[0] or None, bounds[1])
        return whole.cut(Cut("slice", ("slice",), low=low if low is None else int(low), high=int(high or 0)))
    return whole.cut(Cut("filter", ("index", id(places))))


def numpy_function(
    machine: Machine, path: str, args: list[Value], kwargs: dict[str, Value], node: ast.AST, scope: Scope
) -> Value | None:
    """A function of numpy (or JAX, TensorFlow, pandas) of rows; None where none of its arguments is."""
    rows = next((found for found in map(_direct, args) if found is not None), None)
    name = path.rpartition(".")[2]
    if (
        name in ("setdiff1d", "delete")
        and len(args) > 1
        and (name == "setdiff1d" or made_arrays.places(args[0]) is not None)
    ):
        return picking.letting_through(picking.left_by(machine, args[1]), "index")
    if rows is None or name.endswith("Sampler") or (name == "DataLoader" and rows is not args[0]):
        return None  # a sampler draws from rows, or from places; it holds none, and is no data set
    if name == "Subset":
        machine.keep.extend(args[1:])
        return picked(rows, args[1]) if isinstance(args[0], Rows) and len(args) > 1 else None
    if name in _PRODUCTS:
        others = [arg for arg in args if not isinstance(arg, Rows) and constant(arg) is None]
        return product(rows, others[0] if others else rows, args[0] is rows)
    if path.startswith("tensorflow.image."):
        return _of_pictures(rows, name, machine.place(node, scope))
    if name in ("equal", "array_equal") and len(args) > 1:
        return compare(machine, ast.Eq(), args[0], args[1], machine.place(node, scope))
    return method(machine, rows, name, args[1:], kwargs, node, scope)


def _of_pictures(rows: Rows, name: str, place: CodePlace) -> Rows:
    """A function of tf.image: another size, numbers from 0 to 1, changes at random."""
    if name.startswith(("random_", "stateless_random_")):
        return rows.after(Step("augmented", name, place=place, used=place))
    if name == "convert_image_dtype":
        return rows.after(Step("scaled", f"times {1 / 255:.6g}", place=place))
    plain = name.startswith(("resize", "central_crop", "crop_to", "pad_to", "decode_", "grayscale_to", "rgb_to"))
    return replace(rows, names=[]) if plain else rows.after(Step("opaque", name))


def _direct(value: Value) -> Rows | None:
    return value if isinstance(value, Rows) else None
