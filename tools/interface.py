"""The public interface as Markdown, from the docstrings: `python tools/interface.py` prints docs/python.md."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path

import tinyproof

VERBS = (
    (
        "Back-propagation",
        ("trace", "derive", "sweep", "workbook", "exercise", "page", "preset", "find_net", "read_net", "drawn"),
    ),
    ("Checking", ("audit",)),
    ("Networks and data", ("models", "summary", "draw", "data")),
    ("One run", ("train", "predict", "predict_many", "export", "report", "run", "lr_test")),
    ("Evidence", ("prove", "search", "collect", "verify", "pack", "frontier", "compare", "reproduce", "journal")),
)


def words(text: str) -> tuple[str, str]:
    """A docstring's prose and its example."""
    prose, sign, example = text.partition(">>> ")
    return prose.rstrip(), sign + example.rstrip()


def argument(parameter: inspect.Parameter) -> str:
    """An argument as it is written: name, type, default."""
    stars = "*" if parameter.kind is parameter.VAR_POSITIONAL else ""
    default = parameter.default
    if default is parameter.empty:
        return f"{stars}{parameter.name}: {parameter.annotation}"
    shown = f'"{default}"' if isinstance(default, str | Path) else repr(default)
    return f"{parameter.name}: {parameter.annotation} = {shown}"


def call(name: str) -> str:
    """A verb with its arguments, one a line where they are many."""
    signature = inspect.signature(getattr(tinyproof, name))
    parts: list[str] = []
    for parameter in signature.parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and not any(part.startswith("*") for part in parts):
            parts.append("*")
        parts.append(argument(parameter))
    short = f"{name}({', '.join(parts)}) -> {signature.return_annotation}"
    if len(short) <= 100:
        return short
    return f"{name}(\n{''.join(f'    {part},' + chr(10) for part in parts)}) -> {signature.return_annotation}"


def verb(name: str) -> Iterator[str]:
    """What stands of a verb on the page."""
    prose, example = words(inspect.getdoc(getattr(tinyproof, name)) or "")
    yield f"### `{name}`\n"
    yield f"```text\n{call(name)}\n```\n"
    yield f"{prose}\n"
    yield f"```pycon\n{example}\n```\n"


def members(kind: type) -> Iterator[str]:
    """The methods and properties that a result offers, with the first sentence of each."""
    seen = set()
    for place in kind.__mro__:
        if not place.__module__.startswith("tinyproof."):
            continue
        for name, member in vars(place).items():
            if name.startswith("_") or name in seen or name == "parts":
                continue
            text = inspect.getdoc(member.fget if isinstance(member, property) else member) or ""
            if text and (isinstance(member, property) or inspect.isfunction(member)):
                seen.add(name)
                yield f"- `{name}{'' if isinstance(member, property) else '()'}`: {text.splitlines()[0]}"


def result(name: str) -> Iterator[str]:
    """What stands of a result on the page."""
    kind = getattr(tinyproof, name)
    yield f"### `{name}`\n"
    yield words(inspect.getdoc(kind) or "")[0] + "\n"
    found = list(members(kind))
    if found:
        yield "\n".join(found) + "\n"


def page() -> str:
    """The verbs by what they are for, then the results."""
    parts = []
    for title, names in VERBS:
        parts += [f"## {title}\n", *(part for name in names for part in verb(name))]
    results = [name for name in tinyproof.__all__ if name.endswith("Result")]
    parts += ["## Results\n", *(part for name in [*results, "Table"] for part in result(name))]
    return "\n".join(parts)


if __name__ == "__main__":
    print(page())
