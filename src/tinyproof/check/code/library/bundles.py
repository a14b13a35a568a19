"""Objects that hold the rows to learn from and those to validate on together, as fastai makes them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tinyproof.check.code.interpreter.rows import Cut, Parts, Path, Root, Rows, kind_of_words, rows_in
from tinyproof.check.code.interpreter.uses import TargetAmong
from tinyproof.check.code.interpreter.values import Const, Made, Seq, Unknown, Value, constant
from tinyproof.check.code.library.call import Call
from tinyproof.check.code.library.facts.fact import Bundles
from tinyproof.check.code.library.sources import given, path_text

_OF_FOLDER = re.compile(r"split_by_folder|GrandparentSplitter")
_USUAL = ("train", "valid")
_ALL_FILES = ("get_image_files", "get_text_files", "get_files")


def bundle(fact: Bundles, call: Call) -> Value | None:
    """The two parts of what a call is given: by the names of their folders, or cut off from one set of rows."""
    if fact.of_owner and not isinstance(call.owner, Made):
        return None
    _note_target(call)
    separate = _given_apart(call)
    if separate is not None:
        return separate
    whole = _rows(fact, call)
    if fact.names and not _drawn(fact, call):
        text = path_text(given(call.args, call.kwargs, fact.folder))
        names = [_name(call.kwargs.get(name), name) for name in fact.names]
        return _parts(*(_in_folder(text, name, call) for name in names))
    splitter = _splitter(call)
    if isinstance(splitter, Made) and _OF_FOLDER.search(splitter.short):
        text = path_text(_source(call))
        told = [given(splitter.args, splitter.kwargs, (f"{part}_name", i)) for i, part in enumerate(_USUAL)]
        return _parts(*(_in_folder(text, _name(value, usual), call) for value, usual in zip(told, _USUAL, strict=True)))
    if isinstance(splitter, Made) and splitter.short == "IndexSplitter":
        picked = _picked(splitter)
        if picked is not None:
            return _parts(whole.cut(Cut("filter", ("index", id(picked)), "rest")), picked)
    key = ("parts", call.place, *(frame.place for frame in call.machine.frames))
    return _parts(whole.cut(Cut("split", key, "train")), whole.cut(Cut("split", key, "validation")))


def _parts(train: Rows, valid: Rows) -> Parts:
    """Both parts under the names that they are asked for by."""
    names: dict[str | int, Value] = {0: train, 1: valid}
    names |= {f"train{end}": train for end in ("", "_ds", "_dl")}
    names |= {f"valid{end}": valid for end in ("", "_ds", "_dl")}
    return Parts(names, whole=False)


def _given_apart(call: Call) -> Parts | None:
    """Two sets of rows, or two loaders, given side by side: `DataLoaders(train_dl, valid_dl)`, `valid_df=`."""
    named = [rows_in(call.kwargs.get(name)) for name in ("train_df", "valid_df")]
    found = named if all(named) else [rows for rows in map(rows_in, call.args[:6]) if rows is not None]
    if len(found) == 2 and found[0] is not None and found[1] is not None:
        return _parts(found[0], found[1])
    return None


def _rows(fact: Bundles, call: Call) -> Rows:
    """The rows that both parts come from."""
    value = given(call.args, call.kwargs, fact.items) if fact.items is not None else _source(call)
    rows = rows_in(value)
    if rows is not None:
        return rows
    folder = given(call.args, call.kwargs, fact.folder) if fact.folder is not None else value
    text = path_text(folder)
    if fact.names or (fact.items is None and _takes_all_files(call)):
        return _in_folder(text, "", call)
    call.machine.keep.append(folder or Unknown())
    what = text if text is not None and "..." not in text else "that is read here"
    root = Root(("items", what, call.place, id(folder)), "all", what, "folder", call.place)
    return Rows((Path(root),))


def _in_folder(text: str | None, name: str, call: Call) -> Rows:
    """All files of a folder, or of the folder `name` in it."""
    known = text is not None and "..." not in text
    what = "/".join(part for part in (text if known else "that is read here", name) if part and part != ".")
    key: tuple[object, ...] = ("folder", what) if known else ("folder", what, call.place)
    return Rows((Path(Root(key, kind_of_words(name or (text or "")), what, "folder", call.place)),))


def _name(value: Value | None, usual: str) -> str:
    known = constant(value)
    return known if isinstance(known, str) else usual if value is None else "..."


def _drawn(fact: Bundles, call: Call) -> bool:
    """Whether a share is drawn at random, whatever the folders are called."""
    share = call.kwargs.get(fact.share)
    return share is not None and not (isinstance(share, Const) and share.value is None)


def _chain(call: Call) -> Iterator[Made]:
    """The calls that the owner was made by, and what they were given."""
    owner = call.owner
    while isinstance(owner, Made):
        yield owner
        owner = owner.attrs.get("(before)")


def _source(call: Call) -> Value | None:
    """What the rows are read from: the first argument, else that of the object whose method it is."""
    if call.args and not isinstance(call.args[0], Const):
        return call.args[0]
    if call.args and isinstance(constant(call.args[0]), str):
        return call.args[0]
    for made in _chain(call):
        if made.args:
            return made.args[0]
    return None


def _takes_all_files(call: Call) -> bool:
    """Whether a block of data, or the beginning of a chain, takes every file of its folder."""
    for made in _chain(call):
        items = made.kwargs.get("get_items")
        path = getattr(items, "path", "")
        if path.rpartition(".")[2] in _ALL_FILES or made.short == "from_folder":
            return True
    return False


def _splitter(call: Call) -> Value | None:
    """What says which rows are for validation."""
    for made in _chain(call):
        for name in ("splitter", "splits"):
            if name in made.kwargs:
                return made.kwargs[name]
        if made.short.startswith("split_by"):
            return made
    return call.kwargs.get("splits")


def _picked(splitter: Made) -> Rows | None:
    """The rows whose places a splitter is given."""
    value = splitter.args[0] if splitter.args else None
    if isinstance(value, Made) and value.path == "builtins.list" and value.args:
        value = value.args[0]
    return rows_in(value)


def _note_target(call: Call) -> None:
    """A table whose target stands among the names of its features."""
    for made in _chain(call):
        target = constant(made.kwargs.get("y_names"))
        listed = [made.kwargs.get(name) for name in ("cat_names", "cont_names")]
        names = [constant(item) for value in listed if isinstance(value, Seq) for item in value.items]
        rows = rows_in(made.args[0]) if made.args else None
        if isinstance(target, str) and target in names and rows is not None:
            call.machine.events.uses.append(TargetAmong(target, rows, made.place))
