"""Data sets of the notebook's own classes: derived from one of a library, or around files that are listed or opened."""

from __future__ import annotations

import re
from dataclasses import replace

from tinyproof.check.code.interpreter.attributes import library_bases
from tinyproof.check.code.interpreter.rows import Path, Root, Rows, kind_of_words, rows_in
from tinyproof.check.code.interpreter.values import Choice, Const, Made, Map, Object, Seq, Unknown
from tinyproof.check.code.library import facts
from tinyproof.check.code.library.facts.fact import Holds
from tinyproof.check.code.library.sources import make, path_text


def held_rows(data: Made) -> Rows | None:
    """The rows that a data set object of a library holds, where a fact tells."""
    for fact in facts.of_function(data.path):
        if isinstance(fact, Holds) and not data.open_kwargs:
            made = make(fact, data.path, data.args, data.kwargs, data.place)
            return made if isinstance(made, Rows) else None
    return None


def rows_of_own(data: Object) -> Rows | None:
    """The rows of a data set that keeps none as an array; None where they are not known."""
    return _of_base(data) or _listed_in(data) or _opened_later(data)


def _of_base(data: Object) -> Rows | None:
    """The rows of a data set of the notebook's own that is derived from one of a library."""
    calls = [as_base(data, path) for path in library_bases(data.cls)]
    return next((rows for rows in map(held_rows, calls) if rows is not None), None)


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
    if any(isinstance(value, Unknown | Choice) for value in (*data.args, *data.kwargs.values())):
        return None
    told = [(name, value.value) for name, value in data.attrs.items() if isinstance(value, Const)]
    key = ("file", repr((data.cls.name, known, told)))
    return Rows((Path(Root(key, kind_of_words(paths[0]), paths[0], "file", data.place)),))
