"""A network as a TOML file, read with messages that name the field, and written so that it reads back the same.

The keys are the fields of Net, Layer and Example:

    name = "mine"
    loss = "half squared error"
    learning_rate = 0.5
    optimizer = "adam"                       # left out: plain gradient descent; its settings by name, as beta1 = 0.9

    [[examples]]
    inputs = [0.05, 0.10]
    targets = [0.5, 0.5]

    [[layers]]
    activation = "sigmoid"
    weights = [[0.15, 0.20], [0.25, 0.30]]   # one row a unit
    bias = 0.35                              # or one number a unit, or left out
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tinyproof.backprop.net import Example, Layer, Net
from tinyproof.backprop.optimizer import SETTINGS, optimizer_of
from tinyproof.core.errors import DataError, InputError
from tinyproof.core.files import read_bounded
from tinyproof.core.plain_data import said_of, toml_table

MOST_BYTES = 4_000_000
_NET = ("name", "title", "loss", "taken", "learning_rate", "batch", "optimizer", *SETTINGS, "examples", "layers")
_LAYER = ("weights", "activation", "bias", "train_bias", "leak")
_EXAMPLE = ("inputs", "targets")


def read_net(path: Path | str) -> Net:
    """The network in a TOML file. Raises DataError for a file that is not TOML, InputError for a wrong field.

    >>> import tinyproof
    >>> with open("mine.toml", "w", encoding="utf-8") as file:
    ...     _ = file.write(tinyproof.derive("course").text("toml"))
    >>> tinyproof.read_net("mine.toml") == tinyproof.preset("course")
    True
    """
    path = Path(path)
    try:
        text = read_bounded(path, MOST_BYTES).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(str(path), "is not UTF-8 text", "a network is a TOML file") from error
    return from_toml(text, str(path), path.stem)


def from_toml(text: str, where: str = "", name: str = "network") -> Net:
    """The network in TOML text; `where` is named in messages, `name` is used where the text gives none."""
    try:
        data = toml_table(text)
    except (ValueError, RecursionError) as error:
        raise DataError(where or "network", f"is not TOML: {said_of(error)}") from error
    return from_dict(data, where, name)


def from_dict(data: Mapping[str, Any], where: str = "", name: str = "network") -> Net:
    """The network in plain data, as TOML or JSON gives it."""
    _known(data, _NET, "", where)
    layers = [_layer(item, f"layers[{k}]", where) for k, item in enumerate(_tables(data, "layers", where), 1)]
    examples = [_example(item, f"examples[{k}]", where) for k, item in enumerate(_tables(data, "examples", where), 1)]
    given = {key: data[key] for key in ("title", "loss", "taken", "learning_rate", "batch") if key in data}
    for key in ("name", "title", "loss", "taken"):
        if not isinstance(data.get(key, ""), str):
            raise InputError(key, data[key], "a text in quotes", where)
    settings = {key: data[key] for key in SETTINGS if key in data}
    optimizer = optimizer_of(data.get("optimizer", "sgd"), settings, where)
    name = data.get("name", name)
    return Net(name, tuple(layers), tuple(examples), optimizer=optimizer, source=where, **given)


def _layer(item: Any, place: str, where: str) -> Layer:
    _known(item, _LAYER, place, where)
    rows = _need(item, "weights", place, where)
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise InputError(f"{place}.weights", rows, "rows of numbers, one row a unit: [[0.1, 0.2], [0.3, 0.4]]", where)
    weights = tuple(_numbers(row, f"{place}.weights, row {k}", where) for k, row in enumerate(rows, 1))
    bias = item.get("bias")
    if isinstance(bias, list):
        bias = _numbers(bias, f"{place}.bias", where)
    elif bias is not None:
        bias = _numbers([bias], f"{place}.bias", where)[0]
    train_bias = item.get("train_bias", True)
    if not isinstance(train_bias, bool):
        raise InputError(f"{place}.train_bias", train_bias, "true or false", where)
    leak = _numbers([item.get("leak", 0.01)], f"{place}.leak", where)[0]
    activation = item.get("activation", "sigmoid")
    if not isinstance(activation, str):
        raise InputError(f"{place}.activation", activation, "a text in quotes", where)
    return Layer(weights, activation, bias, train_bias, leak)  # type: ignore[arg-type]  # Net checks the word


def _example(item: Any, place: str, where: str) -> Example:
    _known(item, _EXAMPLE, place, where)
    inputs, targets = (_numbers(_need(item, key, place, where), f"{place}.{key}", where) for key in _EXAMPLE)
    return Example(inputs, targets)


def _known(item: Any, allowed: tuple[str, ...], place: str, where: str) -> None:
    if not isinstance(item, Mapping):
        raise InputError(place, item, f"a table with {', '.join(allowed)}", where)
    for key in item:
        if key not in allowed:
            raise InputError(f"{place}.{key}" if place else str(key), item[key], f"only {', '.join(allowed)}", where)


def _tables(data: Mapping[str, Any], key: str, where: str) -> list[Any]:
    tables = data.get(key, [])
    if not isinstance(tables, list):
        raise InputError(key, tables, f"a list: one [[{key}]] each", where)
    return tables


def _need(item: Mapping[str, Any], key: str, place: str, where: str) -> Any:
    if key not in item:
        raise InputError(f"{place}.{key}", None, "give a list of numbers", where, problem="is missing")
    return item[key]


def _numbers(values: Any, place: str, where: str) -> tuple[float, ...]:
    if not isinstance(values, list):
        raise InputError(place, values, "a list of numbers", where)
    for value in values:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise InputError(place, value, "a finite number", where)
    try:
        return tuple(map(float, values))
    except OverflowError as error:
        raise InputError(place, "a number over 1.8e308", "a finite number", where) from error


def to_toml(net: Net) -> str:
    """TOML text that `from_toml` reads back as the same network."""
    lines = [f"name = {_quoted(net.name)}"]
    lines += [f"title = {_quoted(net.title)}"] if net.title else []
    lines += [f'loss = "{net.loss}"', f'taken = "{net.taken}"', f"learning_rate = {net.learning_rate!r}"]
    lines += [] if net.batch is None else [f"batch = {net.batch}"]
    if net.optimizer.kind != "sgd":
        lines.append(f'optimizer = "{net.optimizer.kind}"')
        lines += [f"{name} = {value!r}" for name, value in net.optimizer.settings]
    for example in net.examples:
        lines += ["", "[[examples]]", f"inputs = {_list(example.inputs)}", f"targets = {_list(example.targets)}"]
    for layer in net.layers:
        lines += ["", "[[layers]]", f'activation = "{layer.activation}"']
        lines += ["weights = [", *(f"  {_list(row)}," for row in layer.weights), "]"]
        if layer.bias is not None:
            bias = _list(layer.bias) if isinstance(layer.bias, tuple) else repr(layer.bias)
            lines += [f"bias = {bias}", f"train_bias = {str(layer.train_bias).lower()}"]
        if layer.activation == "leaky relu":
            lines.append(f"leak = {layer.leak!r}")
    return "\n".join(lines) + "\n"


def _list(values: tuple[float, ...]) -> str:
    return "[" + ", ".join(map(repr, values)) + "]"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in escaped) + '"'
