"""Data sets of the notebook's own classes: derived from one of a library, or around files that are listed or opened."""

from __future__ import annotations

import ast
import re
from dataclasses import replace

from tinyproof.check.code.interpreter.attributes import find_member, library_bases
from tinyproof.check.code.interpreter.binding import LATER
from tinyproof.check.code.interpreter.rows import Cut, Path, Root, Rows, kind_of_words, rows_in
from tinyproof.check.code.interpreter.values import Const, Function, Made, Map, Object, Seq, Value
from tinyproof.check.code.library import facts
from tinyproof.check.code.library.facts.fact import Holds
from tinyproof.check.code.library.sources import make, path_text

# What a data set of a library keeps its rows in, and the methods by which it says which ones there are.
_KEPT_IN = frozenset(("samples", "imgs", "targets", "data", "labels", "_samples", "_images", "_image_files", "_labels"))
_CHOOSES = ("__len__", "find_classes", "_find_classes", "make_dataset")
_SAME_ROWS = frozenset(("transform", "transforms", "target_transform", "loader", "download"))
_TRANSFORMS = ("torchvision.transforms.", "albumentations.")


def held_rows(data: Made) -> Rows | None:
    """The rows that a data set object of a library holds, where a fact tells."""
    for fact in facts.of_function(data.path):
        if isinstance(fact, Holds) and not data.open_kwargs:
            made = make(fact, data.path, data.args, data.kwargs, data.place)
            return _valid(made, data) if isinstance(made, Rows) else None
    return None


def _valid(rows: Rows, data: Made) -> Rows:
    """Of the files of a folder those that a function lets through, where it is given one."""
    valid = data.kwargs.get("is_valid_file", data.args[4] if data.short == "ImageFolder" and data.args[4:] else None)
    none = valid is None or (isinstance(valid, Const) and valid.value is None)
    return rows if none else rows.cut(Cut("filter", ("is_valid_file", id(valid))))


def rows_of_own(data: Object) -> Rows | None:
    """The rows of a data set that keeps none as an array; None where they are not known."""
    return _of_base(data) or _listed_in(data) or _opened_later(data)


def wrapped_by(data: Object) -> Value | None:
    """The data set that one of the notebook's own hands on, place by place and whole; None where that is not plain.

    `return len(self.inner)` and `self.inner[index]`: no more and no fewer than the inner one has, in its order.
    """
    size, item = find_member(data.cls, "__len__"), find_member(data.cls, "__getitem__")
    if not isinstance(size, Function) or not isinstance(item, Function) or isinstance(item.node, ast.Lambda):
        return None
    said = size.node.body[-1] if isinstance(size.node, ast.FunctionDef) else None
    if not isinstance(said, ast.Return) or said.value is None or len(item.node.args.args) != 2:
        return None
    counted = re.fullmatch(r"len\(self\.(\w+)\)", ast.unparse(said.value))
    place = item.node.args.args[1].arg
    taken = {ast.unparse(node) for node in ast.walk(item.node) if isinstance(node, ast.Subscript)}
    moved = any(
        isinstance(node, ast.Name) and node.id == place and isinstance(node.ctx, ast.Store)
        for node in ast.walk(item.node)
    )
    if counted is None or moved or f"self.{counted[1]}[{place}]" not in taken:
        return None
    return data.attrs.get(counted[1])


def picks_some(data: Object) -> bool:
    """Whether a list that it filled by a rule of its own says how many rows a data set has: `len(self.ids)`."""
    size = find_member(data.cls, "__len__")
    said = size.node.body[-1] if isinstance(size, Function) and isinstance(size.node, ast.FunctionDef) else None
    counted = re.fullmatch(r"return len\(self\.(\w+)\)", ast.unparse(said)) if said is not None else None
    held = data.attrs.get(counted[1]) if counted is not None else None
    return isinstance(held, Seq) and not held.whole and rows_in(held) is None


def _of_base(data: Object) -> Rows | None:
    """The rows of a data set of the notebook's own that is derived from one of a library.

    Where the class leaves some out, those of two objects are the same only if both were told the same.
    """
    calls = [as_base(data, path) for path in library_bases(data.cls)]
    rows = next((rows for rows in map(held_rows, calls) if rows is not None), None)
    if rows is None or not narrowed(data):
        return rows
    told = _told(data)
    return rows.cut(Cut("filter", ("narrowed", id(data) if told is None else (id(data.cls), told))))


def narrowed(data: Object) -> bool:
    """Whether a class derived from a data set of a library may hold other rows than that would."""
    if LATER in data.attrs or _KEPT_IN & data.attrs.keys():
        return True
    if any(find_member(data.cls, name) is not None for name in _CHOOSES):
        return True
    return any(map(_changes, ast.walk(data.cls.node)))


def _changes(node: ast.AST) -> bool:
    """`del self.samples[80:]`, `self.samples.pop()`, `super().__getitem__(self.order[i])`: other rows than before."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        if node.func.attr == "__getitem__":
            return not all(isinstance(arg, ast.Name) for arg in node.args)
        return getattr(node.func.value, "attr", "") in _KEPT_IN
    stored = isinstance(node, ast.Subscript | ast.Attribute) and not isinstance(node.ctx, ast.Load)
    return stored and any(getattr(inner, "attr", "") in _KEPT_IN for inner in ast.walk(node))


def _told(data: Object) -> str | None:
    """What an object was told when it was made, and what it keeps of that; None where that is not all known."""
    if LATER in data.attrs:
        return None
    start = find_member(data.cls, "__init__")
    names = [arg.arg for arg in start.node.args.args[1:]] if isinstance(start, Function) else []
    names += [f"{place}" for place in range(len(names), len(data.args))]
    given = {**dict(zip(names, data.args, strict=False)), **data.kwargs}
    told = {name: _text(value) for name, value in given.items() if name not in _SAME_ROWS and not _transforms(value)}
    if None in told.values():
        return None
    kept = {name: _text(value) for name, value in data.attrs.items() if name[0] != "(" and name not in _SAME_ROWS}
    return repr((told, kept))


def _transforms(value: Value) -> bool:
    return isinstance(value, Made) and value.path.startswith(_TRANSFORMS)


def _text(value: Value) -> str | None:
    """What a value is as a text: a constant, a path, a list of such; None for anything else."""
    if isinstance(value, Const):
        return repr(value.value)
    if isinstance(value, Seq):
        texts = [_text(item) for item in value.items] if value.whole else [None]
        return repr(texts) if None not in texts else None
    path = path_text(value)
    return repr(path) if path is not None and "..." not in path else None


def as_base(data: Object, path: str) -> Made:
    """The call by which an object of the notebook's own makes what it is derived from."""
    args, kwargs = data.args, data.kwargs
    given = data.attrs.get("(super)")
    if isinstance(given, Seq):
        named = data.attrs.get("(super keywords)")
        args = given.items
        kwargs = {str(k): v for k, v in named.items.items()} if isinstance(named, Map) else {}
    return Made(path, args, kwargs, data.place)


def _listed_in(data: Object) -> Rows | None:
    """The rows of a data set of the notebook's own around a list that a loop over a folder or a file filled."""
    if not {"__getitem__", "__len__"} <= data.cls.members.keys():
        return None
    lists = [value for value in data.attrs.values() if isinstance(value, Seq) and not value.whole]
    found = [rows for rows in map(rows_in, lists) if rows is not None and _of_files(rows)]
    return replace(found[0], side="both", names=[]) if found and _all_alike(found) else None


def _of_files(rows: Rows) -> bool:
    return all(path.root.form in ("folder", "file") for path in rows.paths)


def _all_alike(found: list[Rows]) -> bool:
    return all(rows.paths == found[0].paths for rows in found)


def _opened_later(data: Object) -> Rows | None:
    """The rows of a data set of the notebook's own that keeps the path of a file, which it opens for each row."""
    if not {"__getitem__", "__len__"} <= data.cls.members.keys():
        return None
    known = {name: path_text(value) for name, value in data.attrs.items()}
    paths = [text for text in known.values() if text is not None and re.search(r"/|\.\w{2,5}$", text)]
    if not paths or any("..." in path for path in paths):
        return None
    if any(rows_in(value) is not None for value in (*data.args, *data.kwargs.values())):
        return None  # which of the files there are asked for is said by the rows that it is given
    told = _told(data)
    if told is None:
        return None
    key = ("file", repr((data.cls.name, told)))
    return Rows((Path(Root(key, kind_of_words(paths[0]), paths[0], "file", data.place)),))
