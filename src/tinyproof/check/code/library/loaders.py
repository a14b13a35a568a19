"""Loaders and data sets: which images a loader gives.

Everything answers with None (or kind 'unknown') where the text does not settle it.
"""

from __future__ import annotations

from dataclasses import replace

from tinyproof.check.code.interpreter.attributes import library_bases
from tinyproof.check.code.interpreter.picking import picked
from tinyproof.check.code.interpreter.rows import Cut, Path, Root, Rows
from tinyproof.check.code.interpreter.values import (
    Choice,
    Const,
    Made,
    Object,
    Seq,
    Unknown,
    Value,
    constant,
    options,
)
from tinyproof.check.code.library.own_data_sets import as_base, held_rows, narrowed, picks_some, rows_of_own, wrapped_by
from tinyproof.check.code.library.samplers import only_orders, places_of, sampler_among
from tinyproof.check.code.library.splits import UNKNOWN, WITH_TRAIN_FLAG, Split
from tinyproof.check.finding import CodePlace

UNREAD = "(unread)"  # of a data set of which nothing is known: the start of the key of its root
_WITH_SPLIT = {"SVHN": 10, "STL10": 10}


def dataset_of(loader: Value) -> Value | None:
    """The data set a loader was made from."""
    if isinstance(loader, Made) and loader.short.endswith("DataLoader"):
        if loader.open_kwargs and not loader.args and "dataset" not in loader.kwargs:
            return None
        return loader.args[0] if loader.args else loader.kwargs.get("dataset")
    return None


def argument(made: Made, name: str, position: int) -> Value | None:
    """An argument by keyword or position; None when it is not given, Unknown when that cannot be known."""
    if name in made.kwargs:
        return made.kwargs[name]
    if len(made.args) > position and not any(isinstance(a, Unknown) and a.name == "*" for a in made.args):
        return made.args[position]
    return Unknown(name) if made.open_kwargs else None


def split_of_loader(loader: Value, altered: set[int]) -> Split:
    """Which images a loader gives."""
    found = {id(option): _split_of_loader(option, altered) for option in options(loader)}
    splits = list(found.values())
    return splits[0] if all(s.kind == splits[0].kind and s.root is splits[0].root for s in splits) else UNKNOWN


def _split_of_loader(loader: Value, altered: set[int]) -> Split:
    if isinstance(loader, Made) and loader.path == "itertools.chain":
        return Split("mixed", "", loader, parts=tuple(split_of_loader(arg, altered) for arg in loader.args[:20]))
    if isinstance(loader, Rows):
        return _split_of_rows(loader, None)
    data = dataset_of(loader)
    if data is None or id(loader) in altered or not isinstance(loader, Made):
        return UNKNOWN
    split = split_of(data, altered)
    for name, position in (("sampler", 3), ("batch_sampler", 4)):
        sampler = argument(loader, name, position)
        if sampler is not None and not (isinstance(sampler, Const) and sampler.value is None):
            if only_orders(sampler):
                continue
            if loader.open_kwargs and name not in loader.kwargs and split.kind == "train":
                return UNKNOWN  # perhaps all of them, perhaps a part held out
            return Split("part", split.family, split.root, split.kind, split)
    return split


def split_of(data: Value, altered: set[int], depth: int = 0) -> Split:
    """Which images a data set holds."""
    if isinstance(data, Choice):
        splits = [split_of(option, altered, depth + 1) for option in data.options]
        same = all(s.kind == splits[0].kind and s.family == splits[0].family for s in splits)
        return splits[0] if same and len({id(s.root) for s in splits}) == 1 else UNKNOWN
    if id(data) in altered or depth > 12:
        return UNKNOWN
    if isinstance(data, Object):
        return _split_of_object(data, altered, depth)
    if isinstance(data, Rows):
        return _split_of_rows(data, None)
    if not isinstance(data, Made):
        return UNKNOWN
    held = held_rows(data)
    if held is not None:
        return _split_of_rows(held, data)
    if data.path.startswith("torchvision.datasets."):
        return _split_of_library(data, data.short, data)
    if data.short in ("Subset", "random_split"):
        given = argument(data, "dataset", 0)
        inner = split_of(given, altered, depth + 1) if given is not None else UNKNOWN
        left_out = inner.kind == "part" and not inner.family and isinstance(inner.root, Object)  # of what is not known
        return Split("part", inner.family, data, "unknown" if left_out else inner.kind, inner)
    if data.short == "ConcatDataset":
        listed = argument(data, "datasets", 0)
        known = isinstance(listed, Seq) and listed.whole
        parts = [split_of(item, altered, depth + 1) for item in listed.items[:20]] if isinstance(listed, Seq) else []
        return Split("mixed", "", data, parts=tuple(parts if known else [*parts, UNKNOWN]))
    if data.path == ".dataset":
        inner_data = dataset_of(data.args[0])
        return split_of(inner_data, altered, depth + 1) if inner_data is not None else UNKNOWN
    if data.short == "load_dataset" and isinstance(constant(data.kwargs.get("split")), str):
        kind = constant(data.kwargs["split"])
        if kind in ("train", "test"):
            return Split("train" if kind == "train" else "test", "", data)
    return UNKNOWN


def _split_of_rows(rows: Rows, root: Made | None) -> Split:
    """Rows of one kind of source: whole, or a part of it."""
    kinds = {path.root.kind for path in rows.paths}
    if len(kinds) != 1:
        return Split("mixed", "", root)
    kind = kinds.pop()
    if kind == "validation" or any(path.cuts for path in rows.paths):
        return Split("part", "", root, kind if kind in ("train", "test") else "unknown")
    return Split(kind, "", root) if kind in ("train", "test") else Split("unknown", "", root)


def rows_behind(loader: Value) -> Rows | None:
    """The rows that a loop over a loader goes through: its own, or those of the data set that it was made from."""
    if isinstance(loader, Rows):
        return loader
    data = dataset_of(loader)
    if data is None or not isinstance(loader, Made):
        return None if data is None else rows_of(data)
    sampler = sampler_among(loader.args[1:], loader.kwargs)
    if sampler is None:
        return rows_of(data)
    places = places_of(sampler, loader.place)
    whole = rows_of(data) if places is not None else None
    return picked(whole, places) if whole is not None and places is not None else None


def rows_of(data: Value, depth: int = 0) -> Rows | None:
    """The rows that a data set holds; of a part that was drawn or picked from one, these; None where not known."""
    if isinstance(data, Rows):
        return data
    if isinstance(data, Seq):
        return data.rows if isinstance(data.rows, Rows) else None
    if isinstance(data, Made) and data.short in ("random_split", "Subset") and data.args and depth < 6:
        whole = rows_of(data.args[0], depth + 1)
        if data.short == "random_split":
            return _drawn(whole or _unread(data.args[0], depth), data)
        if whole is None:
            return None
        return picked(whole, argument(data, "indices", 1) or Unknown())
    if isinstance(data, Object):
        inside = [value for value in data.attrs.values() if isinstance(value, Rows) and not _whole_archive(value)]
        if not inside and not any(isinstance(value, Rows) for value in data.attrs.values()):
            return rows_of_own(data) or _handed_on(data, depth)
        together = inside and all(_together(rows, inside[0]) for rows in inside)
        some = inside[0].cut(Cut("filter", ("own", id(data)))) if together and picks_some(data) else None
        return some or (inside[0] if together else None)
    return held_rows(data) if isinstance(data, Made) else None


def _handed_on(data: Object, depth: int) -> Rows | None:
    """The rows of the data set around which one of the notebook's own is put."""
    inner = wrapped_by(data) if depth < 6 else None
    return rows_of(inner, depth + 1) if isinstance(inner, Made | Object) else None


def _together(one: Rows, other: Rows) -> bool:
    """Whether two arrays hold the same rows, or were cut by the same splits from two that belong together."""
    cuts = [[path.cuts for path in rows.paths] for rows in (one, other)]
    if _arrays_of_one(one, other) and cuts[0] == cuts[1]:
        return True
    if _of_two_folders(one, other) and cuts[0] == cuts[1]:
        return True
    return one.paths == other.paths or (cuts[0] == cuts[1] and all(cuts[0]) and one.side != other.side)


def _of_two_folders(one: Rows, other: Rows) -> bool:
    """Whether the files of one folder stand beside those of another, images beside their masks."""
    roots = [path.root for path in (*one.paths, *other.paths)]
    return len({root.kind for root in roots}) == 1 and all(root.form == "folder" for root in roots)


def _whole_archive(rows: Rows) -> bool:
    """Whether it is an archive, of which only arrays are looked at."""
    return all(path.root.form == "archive" and len(path.root.key) == 2 and not path.cuts for path in rows.paths)


def _arrays_of_one(one: Rows, other: Rows) -> bool:
    """Whether two arrays, whose names say no part, lie in one archive: what is beside each other in it."""
    roots = [path.root for path in (*one.paths, *other.paths)]
    named = all(root.key[:1] == ("archive",) and root.form == "rows" for root in roots)
    return named and len({root.key[:2] for root in roots}) == 1


def _unread(data: Value, depth: int) -> Rows | None:
    """The rows of a data set of which nothing is known but that it is this one: for two parts drawn from it."""
    if isinstance(data, Choice) or split_of(data, set(), depth + 1).kind != "unknown":
        return None
    place = getattr(data, "place", None) or CodePlace("")
    names = getattr(data, "names", [])
    what = f"the data set {names[0]}" if names else "the data set that is split"
    return Rows((Path(Root((UNREAD, id(data)), "all", what, "rows", place)),))


def _drawn(whole: Rows | None, data: Made) -> Rows | None:
    """The part of random_split that was unpacked at this place, the first of them for training."""
    index = constant(data.args[-1]) if len(data.args) > 2 else None
    if whole is None or not isinstance(index, int):
        return None
    part = ("train", "held out")[index] if index < 2 else f"held out {index}"
    return whole.cut(Cut("split", ("drawn", data.place), part))


def _split_of_library(data: Made, name: str, root: Made | Object) -> Split:
    if name in WITH_TRAIN_FLAG or name in ("EMNIST", "QMNIST"):
        if name == "QMNIST":
            return Split("unknown", name, root)
        flag = data.kwargs.get("train") if name == "EMNIST" else argument(data, "train", 1)
        if name == "EMNIST" and flag is None and (data.open_kwargs or len(data.args) > 2):
            return Split("unknown", name, root)
        value = True if flag is None else constant(flag)
        if isinstance(value, bool | int) and value in (0, 1):
            return Split("train" if value else "test", name, root)
        return Split("unknown", name, root)
    if name in _WITH_SPLIT:
        flag = argument(data, "split", 1)
        value = "train" if flag is None else constant(flag)
        if value in ("train", "test"):
            return Split("train" if value == "train" else "test", name, root)
    return Split("unknown", name, root)


def _split_of_object(data: Object, altered: set[int], depth: int) -> Split:
    for path in library_bases(data.cls):
        if path.startswith("torchvision.datasets."):
            call = as_base(data, path)
            held = held_rows(call)
            known = rows_of_own(data) if held is not None else None
            if known is not None:
                split = _split_of_rows(known, call)
                return replace(split, root=data) if narrowed(data) else split
            whole = _split_of_library(call, call.short, data)
            if not narrowed(data):
                return whole  # else, of two parts of one set, it is not known
            return Split("part", whole.family, data, whole.kind if whole.kind == "test" else "unknown", whole)
    own = [value for value in data.attrs.values() if isinstance(value, Rows)]
    own = own or [rows for rows in [rows_of(data)] if rows is not None]
    if own and all(rows.paths == own[0].paths for rows in own):
        return _split_of_rows(own[0], None)
    inside: dict[int, Split] = {}
    for value in (*data.attrs.values(), *data.args, *data.kwargs.values()):
        if isinstance(value, Made | Object) and value is not data:
            split = split_of(value, altered, depth + 1)
            if split.root is not None:
                inside[id(split.root)] = split
    # A data set of the notebook's own around one known data set: its images are those, perhaps not all of them.
    return next(iter(inside.values())) if len(inside) == 1 else UNKNOWN
