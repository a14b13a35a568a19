"""Which columns of a table are left in rows: what was picked and dropped, as far as the text names it."""

from __future__ import annotations

from dataclasses import replace

from tinyproof.check.code.interpreter.rows import Rows
from tinyproof.check.code.interpreter.values import Const, Made, Map, Method, Object, Seq, Unknown, Value, constant

UNKNOWN = ("?", None)
_MOST = 12
# Attributes of tables and generators that are no columns.
_NO_COLUMNS = frozenset(
    (
        *("axes", "attrs", "batch_size", "class_indices", "class_names", "columns", "dtype", "dtypes", "element_spec"),
        *("empty", "features", "file_paths", "filenames", "flags", "image_shape", "itemsize", "n", "nbytes", "ndim"),
        *("num_classes", "num_columns", "num_rows", "plot", "samples", "schema", "size", "style"),
    )
)


def after(rows: Rows, kind: str, what: object = None) -> Rows:
    """The rows with one more thing done to their columns: pick, picks, drop, or ? for what is not known."""
    if len(rows.columns) >= _MOST:
        return replace(rows, columns=(UNKNOWN,), names=[])
    return replace(rows, columns=(*rows.columns, (kind, what)), names=[])


def named(value: Value | None) -> tuple[object, ...] | None:
    """The names of columns in a text or a list of texts; None where they are not known."""
    if isinstance(value, Const) and isinstance(value.value, str):
        return (value.value,)
    if isinstance(value, Seq) and value.whole:
        names = tuple(constant(item) for item in value.items)
        return names if all(isinstance(name, str) for name in names) else None
    return None


def dropped(rows: Rows, args: list[Value], kwargs: dict[str, Value]) -> Rows:
    """`table.drop(...)` of columns."""
    given = kwargs.get("columns", kwargs.get("labels", args[0] if args else None))
    names = named(given)
    changed = after(rows, "drop", names) if names is not None else after(rows, *UNKNOWN)
    if constant(kwargs.get("inplace")) is True or isinstance(kwargs.get("inplace"), Unknown):
        rows.columns = changed.columns
        return rows
    return changed


def taken_out(rows: Rows, name: Value | None) -> Rows:
    """`table.pop(name)`, `del table[name]`: the column, which the table has no more."""
    names = named(name)
    column = after(rows, "pick", names[0]) if names else after(rows, *UNKNOWN)
    rows.columns = after(rows, "drop", names).columns if names else (UNKNOWN,)
    return column


def is_one(rows: Rows) -> bool:
    """Whether it is a single column of a table."""
    return rows.columns[-1:] != () and rows.columns[-1][0] == "pick"


def by_attribute(value: Value) -> Value:
    """A column of a table by its name, as an attribute that nothing calls: `table.text`."""
    if not isinstance(value, Method) or not isinstance(value.owner, Rows) or value.name in _NO_COLUMNS:
        return value
    rows = value.owner
    table = rows.side == "both" and rows.batch == 0 and not is_one(rows)
    if not table or any(path.root.form != "file" for path in rows.paths):
        return value
    return after(rows, "pick", value.name)


def target_among(features: Rows, target: Rows) -> object:
    """The column that is asked for where it is among those that are learned from; None where it surely is not known."""
    if features.paths != target.paths or features.side not in ("x", "both") or not is_one(target):
        return None
    if any(path.root.form != "file" for path in features.paths) or UNKNOWN in (*features.columns, *target.columns):
        return None
    windows = (features.turn, features.steps) != (("", ""), target.steps)
    if is_one(features) and (windows or features is target):
        return None  # a series, of which later rows may be asked for; what is to be told again as it is
    column = target.columns[-1][1]
    for kind, what in features.columns:
        names = what if isinstance(what, tuple) else (what,)
        if (kind == "drop" and column in names) or (kind in ("pick", "picks") and column not in names):
            return None
        if isinstance(column, int):
            return None  # counted among columns, some of which may have been dropped
    return column


def picks_itself(model: Value | None, depth: int = 0) -> bool:
    """Whether a model may pick the columns that it learns from: by a step of its own, or in a way that is not known."""
    if depth > 6 or isinstance(model, Object | Unknown):
        return True
    if isinstance(model, Made):
        if "Column" in model.short or "Function" in model.short or "Feature" in model.short or model.open_kwargs:
            return True
        return any(picks_itself(part, depth + 1) for part in (*model.args, *model.kwargs.values()))
    items = model.items.values() if isinstance(model, Map) else model.items if isinstance(model, Seq) else []
    return any(picks_itself(item, depth + 1) for item in items)
