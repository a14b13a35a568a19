"""A recipe in one line: a name or a TOML file, then the values that differ: `s7-8k,rate=0.01,augment.max_degrees=8`."""

from __future__ import annotations

import json
from typing import Any

from tinyproof.core.errors import InputError
from tinyproof.core.fields import one_of
from tinyproof.train import recipe
from tinyproof.train.recipe import Recipe


def parse(text: str) -> Recipe:
    """The recipe that the text describes; its name says what was changed. Raises InputError that names the field.

    >>> changed = parse("s7-8k,rate=0.01,momentum=0.9")
    >>> changed.rate, changed.momentum, changed.name
    (0.01, 0.9, 's7-8k rate=0.01 momentum=0.9')
    """
    base, *changes = [part.strip() for part in text.split(",")]
    found = recipe.named(base)
    if not changes:
        return found
    data = found.to_dict()
    for change in changes:
        key, sign, value = change.partition("=")
        if not sign:
            raise InputError("recipe", change, "field=value after the name, for example rate=0.01", text)
        _set(data, key.strip(), _value(value.strip()), text)
    if not any(change.startswith("name=") for change in changes):
        data["name"] = " ".join([found.name, *changes])[:80]
    return Recipe.from_dict(data, text)


def _set(data: dict[str, Any], key: str, value: Any, where: str) -> None:
    part, dot, inner = key.partition(".")
    one_of("recipe field", part, list(data), where)
    if not dot:
        data[part] = value
    elif isinstance(data[part], dict):
        data[part] = data[part] | {one_of("recipe field", inner, list(data[part]), where): value}
    else:
        raise InputError("recipe field", key, f"{part}, which has no parts", where)


def _value(text: str) -> Any:
    """A number, true, false, null (or none) or a list as JSON writes it; anything else is a word."""
    try:
        return json.loads("null" if text.lower() == "none" else text)
    except (ValueError, RecursionError):
        return text
