"""A recipe in one line: a name or a TOML file, then the values that differ: `s7-8k,rate=0.01,augment.max_degrees=8`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from tinyproof.core.errors import InputError
from tinyproof.core.fields import one_of
from tinyproof.network.model_name import is_own
from tinyproof.train import recipe
from tinyproof.train.recipe import Recipe


def parse(text: str) -> Recipe:
    """The recipe that the text describes; its name says what was changed. Raises InputError that names the field.

    >>> changed = parse("s7-8k,rate=0.01,momentum=0.9")
    >>> changed.rate, changed.momentum, changed.name
    (0.01, 0.9, 's7-8k rate=0.01 momentum=0.9')
    """
    base, *changes = [part.strip() for part in text.split(",")]
    return changed(recipe.named(base), changes, text)


def changed(base: Recipe, changes: Sequence[str], where: str = "") -> Recipe:
    """The recipe with the values that `field=value` names, which its own name tells then. Raises InputError.

    >>> changed(recipe.BEST, ["rate=0.01"]).name
    'best rate=0.01'
    """
    if not changes:
        return base
    data = base.to_dict()
    for change in changes:
        key, sign, value = change.partition("=")
        if not sign:
            raise InputError("recipe", change, "field=value after the name, for example rate=0.01", where)
        _set(data, key.strip(), _value(value.strip()), where)
    if not any(change.startswith("name=") for change in changes):
        data["name"] = " ".join([base.name, *changes])[:80]
    return Recipe.from_dict(data, where)


def written(wanted: Recipe) -> str | None:
    """The shortest text that `parse` makes this recipe of, but for its name; None where no text can say it.

    >>> written(parse("best,epochs=2"))
    'best,epochs=2'
    """
    texts = [",".join([name, *_changes(base.to_dict(), wanted.to_dict())]) for name, base in recipe.RECIPES.items()]
    for text in sorted(texts, key=len):
        try:
            if parse(text).digest == wanted.digest:
                return text
        except InputError:
            continue
    return None


def _changes(base: dict[str, Any], wanted: dict[str, Any], prefix: str = "") -> list[str]:
    found = []
    for key, value in wanted.items():
        if isinstance(value, dict):
            found += _changes(base[key], value, f"{key}.")
        elif value != base[key] and (prefix or key != "name"):
            found.append(f"{prefix}{key}={value if isinstance(value, str) else json.dumps(value)}")
    return found


def for_model(text: str, model: str) -> Recipe:
    """The recipe that the text describes for a network: one of somebody's own keeps its own dropout, unless the text,
    or the file that it names, sets it.

    >>> for_model("best", "model.py:Net").dropout, for_model("best,dropout=0", "model.py:Net").dropout
    (None, 0)
    """
    found = parse(text)
    base, *changes = [part.strip() for part in text.split(",")]
    asked = base.endswith(".toml") or any(change.partition("=")[0].strip() == "dropout" for change in changes)
    return found if asked or not is_own(model) else replace(found, dropout=None)


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
