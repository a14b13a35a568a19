"""Where rows come from: a call of load_data, a file, a folder, with the part that its arguments name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from tinyproof.check.code.interpreter.made_arrays import as_rows
from tinyproof.check.code.interpreter.picking import named_part
from tinyproof.check.code.interpreter.rows import Cut, Parts, Path, Root, Rows, Side, Step, kind_of_words
from tinyproof.check.code.interpreter.values import Const, Made, Seq, Unknown, Value, constant, number
from tinyproof.check.code.library.facts.fact import Argument, Makes, Shape
from tinyproof.check.finding import CodePlace

_SIZES = {"mnist": (60_000, 10_000), "fashion_mnist": (60_000, 10_000), "cifar10": (50_000, 10_000)}
_SIZES |= {"cifar100": (50_000, 10_000), "imdb": (25_000, 25_000)}
_WHOLE = {"iris": 150, "digits": 1_797, "wine": 178, "breast_cancer": 569, "diabetes": 442}
# Arguments of a generator of pictures that change them at random.
RANDOM = (
    *("brightness_range", "channel_shift_range", "height_shift_range", "horizontal_flip"),
    *("rotation_range", "shear_range", "vertical_flip", "width_shift_range", "zoom_range"),
)


def given(args: list[Value], kwargs: Mapping[str, Value], argument: Argument | None) -> Value | None:
    """An argument by keyword or position; None where it is not given."""
    if argument is None:
        return None
    name, position = argument
    if name in kwargs:
        return kwargs[name]
    return args[position] if position < len(args) else None


def path_text(value: Value | None) -> str | None:
    """The text of a path: a constant, or parts that are joined, with ... for one that is not known."""
    if isinstance(value, Const) and isinstance(value.value, str):
        return value.value
    if isinstance(value, Made):
        if value.path in ("os.path.join", "pathlib.Path", "pathlib.PurePath", "(path)"):
            parts = [path_text(arg) for arg in value.args]
            joined = "/".join(part or "..." for part in parts) if any(parts) else None
            return None if joined is None else re.sub(r"//+", "/", joined)
        if value.short == "untar_data" and value.args:
            return path_text(value.args[0]) or getattr(value.args[0], "path", "").rpartition(".")[2] or None
        if value.path.endswith(".get_file") and (value.args or "fname" in value.kwargs):
            return path_text(value.args[0] if value.args else value.kwargs["fname"])
        if value.path in ("builtins.open", "gzip.open", "builtins.str", "os.path.abspath") and value.args:
            return path_text(value.args[0])
    return None


def make(
    fact: Makes,
    path: str,
    args: list[Value],
    kwargs: dict[str, Value],
    place: CodePlace,
    owner: Value | None = None,
    calls: tuple[object, ...] = (),
) -> Value | None:
    """What a call gives, by a fact; None where the fact does not hold."""
    if fact.when and constant(kwargs.get(fact.when)) is not True:
        return None
    named = given(args, kwargs, fact.source)
    if isinstance(named, Rows) and all(path.root.form == "folder" for path in named.paths):
        return replace(named, side="x" if fact.form == "folder" else "both", names=[])  # a file of a folder
    if fact.form == "folder" and isinstance(owner, Made) and owner.path in ("pathlib.Path", "(path)"):
        args = [owner]
    if owner is not None and fact.source is not None and isinstance(owner, Made) and owner.short == "open":
        args = owner.args  # what is read from an open file comes from that file
    if fact.each and any(name in kwargs for name in fact.each):
        return _of_each(fact, args, kwargs, place)
    root = _root(fact, path, args, kwargs, place, calls)
    if fact.part is not None:
        return _parts(fact, root, args, kwargs)
    made = _shaped(fact.gives, root, fact.form)
    if fact.batched:
        made = _in_batches(made, int(number(given(args, kwargs, ("batch_size", 0))) or -1))
    if isinstance(made, Rows):
        made = _half(fact, made, args, kwargs, owner, place)
    return made


def _in_batches(made: Value, size: int) -> Value:
    if isinstance(made, Seq):
        return Seq([_in_batches(item, size) for item in made.items])
    return replace(made, batch=size) if isinstance(made, Rows) else made


def _of_each(fact: Makes, args: list[Value], kwargs: dict[str, Value], place: CodePlace) -> Value:
    """A part for each argument that names its file."""
    folder = path_text(given(args, kwargs, fact.source)) or "..."
    parts: list[Value] = []
    for name in fact.each:
        text = constant(kwargs.get(name))
        if name in kwargs and not (isinstance(kwargs[name], Const) and text is None):
            what = f"{folder}/{text}" if isinstance(text, str) else f"{folder}/{name}"
            root = Root(("file", what, place), kind_of_words(name), what.replace("//", "/"), "file", place)
            parts.append(Rows((Path(root),)))
    return Seq(parts)


def _root(
    fact: Makes, path: str, args: list[Value], kwargs: dict[str, Value], place: CodePlace, calls: tuple[object, ...]
) -> Root:
    text = path_text(given(args, kwargs, fact.source)) if fact.source is not None else None
    if fact.source is not None and text is None:
        text = next((found for found in map(path_text, kwargs.values()) if found is not None), None)
    if fact.form == "set":
        what = text or _set_name(path)
        lasting = not path.rpartition(".")[2].startswith("make_")
        of_set: tuple[object, ...] = ("set", what) if lasting else ("set", what, place, calls)
        return Root(of_set, "all", what, "set", place, _whole_size(path, what, args, kwargs))
    text = _one_set(text) if text is not None else None
    if fact.form == "folder" and text is not None:
        text = re.split(r"/[^/]*[*?\[]", text)[0]  # pets/train/*/*.png: what lies in pets/train
    what = text if text is not None else "that is read here"
    named = given(args, kwargs, fact.source)  # a path that is not known is another one each time it is put together
    key = (fact.form, text) if text is not None and "..." not in text else (fact.form, place, calls, named)
    return Root(key, kind_of_words(text or ""), what, fact.form, place)


def _one_set(path: str) -> str:
    """The name of a file; in MNIST's layout (IDX) images and labels are two files of one set, in the same order.

    >>> _one_set("d/t10k-labels-idx1-ubyte.gz"), _one_set("d/labels.npy")
    ('d/t10k-…-ubyte.gz', 'd/labels.npy')
    """
    return re.sub(r"(?:images|labels)[-.]idx[0-9]", "…", path)


def _whole_size(path: str, what: str, args: list[Value], kwargs: dict[str, Value]) -> int | None:
    """How many rows a set of scikit-learn has, or was asked to have."""
    if not path.startswith("sklearn.datasets."):
        return None
    if ".make_" in path:
        asked = given(args, kwargs, ("n_samples", 0))
        known = number(asked) if asked is not None else 100
        return int(known) if known is not None and known >= 1 else None
    return _WHOLE.get(what)


def _set_name(path: str) -> str:
    head, _, short = path.rpartition(".")
    name = re.sub(r"^(?:load_data|load|fetch|make)_?", "", short)
    return head.rpartition(".")[2] if name in ("data", "", "data_sets") else name


def _shaped(shape: Shape, root: Root, form: str) -> Value:
    if isinstance(shape, str):
        kind, _, side = shape.partition(" ")
        if side in ("mask", "index"):
            return _picking(kind, side, root)  # type: ignore[arg-type]
        return _rows(kind, "both" if side not in ("x", "y") else side, root, form)  # type: ignore[arg-type]
    if isinstance(shape, tuple):
        return Seq([_shaped(part, root, form) for part in shape])
    named = {int(key) if key.isdigit() else key: _shaped(part, root, form) for key, part in shape.items()}
    return Parts(named, whole=False)


def named_places(root: Root) -> Parts:
    """The places of the parts of a data set of graphs, by name."""
    kinds = {"train": "train", "valid": "validation", "test": "test"}
    return Parts({name: _picking(kind, "index", root) for name, kind in kinds.items()}, whole=False)


def _picking(kind: str, side: Side, root: Root) -> Rows:
    """What picks a part of the rows of a source: `graph.train_mask`."""
    return replace(named_part(root, kind), side=side)


def _rows(kind: str, side: Side, root: Root, form: str) -> Rows:
    if form == "set":
        return Rows((Path(_as_part(root, kind)),), side)
    if kind == "all":
        return Rows((Path(root),), side)
    return Rows((Path(root, (Cut("split", ("parts", root.key), kind),)),), side)


def _as_part(root: Root, kind: str) -> Root:
    if kind == "all":
        return root
    sizes = _SIZES.get(root.what)
    size = None if sizes is None or kind == "validation" else sizes[kind == "test"]
    return Root((*root.key, kind), kind, root.what, root.form, root.place, size)  # type: ignore[arg-type]


def _parts(fact: Makes, root: Root, args: list[Value], kwargs: dict[str, Value]) -> Value | None:
    """The part that a text names: "test", "train[:80%]"; several for a list; all by name where nothing is said."""
    value = given(args, kwargs, fact.part)
    if value is None and fact.usual:
        value = Const(fact.usual)
    if value is None or (isinstance(value, Const) and value.value is None):
        names: dict[str | int, Value] = {
            name: _rows(kind, "both", root, "set")
            for name, kind in (
                ("train", "train"),
                ("test", "test"),
                ("validation", "validation"),
                ("val", "validation"),
            )
        }
        made: Value = Parts(names, whole=False)
    elif isinstance(value, Seq):
        made = Seq([_part(fact, root, constant(item)) or Unknown() for item in value.items])
    else:
        found = _part(fact, root, constant(value))
        if found is None:
            return Unknown()
        made = found
    return Seq([made, Unknown("info")]) if constant(kwargs.get("with_info")) is True else made


def _part(fact: Makes, root: Root, text: object) -> Value | None:
    match = re.fullmatch(r"(\w+)(?:\[(-?\d*%?):(-?\d*%?)\])?", text) if isinstance(text, str) else None
    if match is None:
        return None
    if match[1] == "trainval" and not isinstance(fact.gives, Mapping):
        both = [_rows(kind, "both", root, "set") for kind in ("train", "validation")]
        return replace(both[0], paths=(*both[0].paths, *both[1].paths))
    kind = {"all": "all"}.get(match[1]) or kind_of_words(match[1])
    if isinstance(fact.gives, Mapping):
        return _shaped({key: f"{kind} {str(side).partition(' ')[2]}" for key, side in fact.gives.items()}, root, "set")
    rows = _rows(kind, "both", root, "set")
    if match[2] is not None:
        rows = rows.cut(Cut("slice", ("text", root.key), low=_bound(match[2]), high=_bound(match[3])))
    return rows


def _bound(text: str) -> object:
    return None if not text else int(text) if text.lstrip("-").isdigit() else text


def _half(
    fact: Makes, rows: Rows, args: list[Value], kwargs: dict[str, Value], owner: Value | None, place: CodePlace
) -> Value:
    """The part of a folder that `subset` names, with what its generator does to the pictures."""
    rows = generated(rows, owner, place)
    subset = given(args, kwargs, fact.subset)
    if subset is None:
        return rows
    return subset_of(rows, subset)


def subset_of(rows: Rows, subset: Value) -> Value:
    """`subset="training"` or "validation" of rows that a share is cut off from."""
    word = constant(subset)
    key = ("subset", *(path.root.key for path in rows.paths))
    halves = {
        name: rows.cut(Cut("split", key, part)) for name, part in (("training", "train"), ("validation", "held out"))
    }
    if word == "both":
        return Seq(list(halves.values()))
    return halves[word] if isinstance(word, str) and word in halves else rows if word is None else Unknown()


def generated(rows: Rows, owner: Value | None, place: CodePlace) -> Rows:
    """The rows as a generator of pictures gives them at a place: scaled, changed at random."""
    if not isinstance(owner, Made) or owner.short != "ImageDataGenerator":
        return rows
    if owner.open_kwargs:
        return rows.after(Step("opaque", "generator"))
    scale = number(owner.kwargs.get("rescale"))
    if scale is not None:
        rows = rows.after(Step("scaled", f"times {scale:.6g}", place=owner.place))
    elif "rescale" in owner.kwargs:
        rows = rows.after(Step("opaque", "rescale"))
    if "preprocessing_function" in owner.kwargs:
        rows = rows.after(Step("opaque", "preprocessing_function"))
    changes = [name for name in RANDOM if _is_on(owner.kwargs.get(name))]
    if changes:
        rows = rows.after(Step("augmented", ", ".join(changes), maker=id(owner), place=owner.place, used=place))
    return rows


def _is_on(value: Value | None) -> bool:
    return isinstance(value, Seq) or (isinstance(value, Const) and bool(value.value))


def opaque(value: Value, text: str, place: CodePlace) -> Rows:
    """Rows of which nothing is known but that they are those of this value."""
    made = as_rows(value, place)
    return made if made is not None else Rows((Path(Root(("value", id(value)), "all", text, "rows", place)),))
