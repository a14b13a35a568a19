"""Every command as Markdown, from its own help: `python tools/commands.py` prints what stands in docs/commands.md."""

from __future__ import annotations

import enum
import re
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from typer.main import get_command

from interface import VERBS
from tinyproof.cli import app

WORDS = {Path: "path", str: "text", int: "whole number", float: "number"}


def takes(parameter: Any, kind: Any) -> str:
    """What an option of that type takes, in a word: its own, the words it allows, or what kind of value."""
    inner = (typing.get_args(kind) or (kind,))[0]
    if getattr(parameter, "is_flag", False):
        return ""
    if isinstance(inner, type) and issubclass(inner, enum.Enum):
        return ", ".join(f"`{one.value}`" for one in inner)
    return f"`{parameter.metavar}`" if parameter.metavar else WORDS.get(inner, "text")


def usual(parameter: Any) -> str:
    """The default, where there is one to speak of."""
    value = parameter.default
    value = value.value if isinstance(value, enum.Enum) else value
    return "" if value is None or value is False or value in ("", (), []) else f"`{value}`"


def cell(text: str) -> str:
    """A text as it may stand in a table; `--options` and `file.names` in code."""
    text = text.replace("\\*", "*").replace("*", "\\*").replace("|", "\\|")
    return re.sub(r"(?<![\w`])--[a-z][a-z-]*", lambda found: f"`{found[0]}`", text)


def rows(command: Any) -> Iterator[str]:
    """A row for each argument, then for each option."""
    kinds = typing.get_type_hints(command.callback)
    for parameter in command.params:
        option = parameter.opts[0].startswith("-")
        if option:
            name = ", ".join(f"`{one}`" for one in sorted(parameter.opts, key=len, reverse=True))
            name += "".join(f", `{one}`" for one in parameter.secondary_opts)
        else:
            name = f"`{(parameter.metavar or parameter.name.upper()).strip('[]')}`"
        known = takes(parameter, kinds.get(parameter.name, str)) if option else "" if parameter.required else "optional"
        again = " (repeatable)" if parameter.multiple and "repeatable" not in parameter.help else ""
        yield f"| {name} | {known} | {cell(parameter.help or '')}{again} | {usual(parameter)} |"


def told(name: str, command: Any) -> str:
    """What stands of a command on the page."""
    places = [p for p in command.params if not p.opts[0].startswith("-")]
    usage = " ".join(["tinyproof", name, *((p.metavar or p.name.upper()) for p in places), "[OPTIONS]"])
    prose = "\n\n".join(cell(" ".join(part.split())) for part in command.help.split("\n\n"))
    head = "| argument, option | takes | what it does | default |\n| --- | --- | --- | --- |"
    table = "\n".join([head, *rows(command)])
    return f"### `{name}`\n\n{prose}\n\n```text\n{usage}\n```\n\n{table}\n"


def page() -> str:
    """All of them, by what they are for, as the Python twins are."""
    commands = dict(get_command(app).commands)  # type: ignore[attr-defined]
    parts = []
    for title, verbs in VERBS:
        parts.append(f"## {title}\n")
        for verb in verbs:
            name = verb.replace("_", "-")
            if name in commands:
                parts.append(told(name, commands.pop(name)))
    if commands:
        raise SystemExit(f"in no group of tools/interface.py: {', '.join(commands)}")
    return "\n".join(parts)


if __name__ == "__main__":
    print(page())
