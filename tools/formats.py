"""The file formats as Markdown, from the code that reads and writes them, for docs/formats.md."""

from __future__ import annotations

import dataclasses
import inspect
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tinyproof.check import finding
from tinyproof.network.budget import Budget
from tinyproof.prove.declaration import DataFacts, Declaration
from tinyproof.ship.exported import Exported
from tinyproof.train.recipe import Augment, Recipe, Schedule
from tinyproof.train.run_record import EpochLog, Identity, Run

Schema = dict[str, Any]
RECORDS = (
    ("`run.json`: a run", (Run, Identity, EpochLog)),
    ("`declared.json`: what a proof declares", (Declaration, DataFacts, Budget)),
    ("`export.json`: an export", (Exported,)),
    ("A recipe, in records and as TOML", (Recipe, Schedule, Augment)),
)


def result_schema() -> Schema:
    """The schema of `audit --json`, as the package ships it."""
    path = Path(finding.__file__).with_name("result.schema.json")
    return dict(json.loads(path.read_text(encoding="utf-8")))


def kind(schema: Schema) -> str:
    """What may stand there, in words."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "const" in schema:
        return f"`{json.dumps(schema['const'])}`"
    if "enum" in schema:
        return ", ".join(f"`{json.dumps(each, ensure_ascii=False)}`" for each in schema["enum"])
    for word in ("anyOf", "oneOf"):
        if word in schema:
            return " or ".join(kind(each) for each in schema[word])
    if "items" in schema and isinstance(schema["items"], dict):
        return f"list of {kind(schema['items'])}"
    found = schema.get("type", "anything")
    return " or ".join(found) if isinstance(found, list) else str(found)


def rows(schema: Schema, within: str = "") -> Iterator[str]:
    """A row for each field, those of objects inside under their path."""
    needed = schema.get("required", [])
    for name, field in schema.get("properties", {}).items():
        path = f"{within}{name}"
        note = " ".join([field.get("description", ""), "" if name in needed else "May be missing."]).strip()
        yield f"| `{path}` | {kind(field)} | {note.replace('|', chr(92) + '|')} |"
        inner = field.get("items", field) if isinstance(field.get("items", field), dict) else {}
        yield from rows(inner, f"{path}{'[]' * ('items' in field)}.")


def fields(schema: Schema) -> str:
    """The table of an object of the schema; in one line what is none."""
    if "properties" not in schema:
        return f"{schema.get('description', '')} {kind(schema)}\n".lstrip()
    told = f"{schema['description']}\n\n" if "description" in schema else ""
    return (
        told + "\n".join(["| field | what may stand there | what it is |", "| --- | --- | --- |", *rows(schema)]) + "\n"
    )


def record(kind: type) -> str:
    """A record: its docstring and a row for each field."""
    prose = (inspect.getdoc(kind) or "").partition(">>> ")[0].rstrip()
    lines = ["| field | type | where it is not said |", "| --- | --- | --- |"]
    for field in dataclasses.fields(kind):
        made = field.default_factory is not dataclasses.MISSING
        default = field.default_factory() if made else field.default  # type: ignore[misc]
        default = dataclasses.asdict(default) if dataclasses.is_dataclass(default) else default  # type: ignore[arg-type]
        said = (
            "" if default is dataclasses.MISSING else "as below" if isinstance(default, dict) and default else default
        )
        shown = said if said in ("", "as below") and default != "" else f"`{json.dumps(said)}`"
        lines.append(f"| `{field.name}` | `{re.sub(r'[|]', 'or', str(field.type))}` | {shown} |")
    return f"### {kind.__name__}\n\n{prose}\n\n" + "\n".join(lines) + "\n"


def page() -> str:
    """The result of an audit, then the records."""
    schema = result_schema()
    parts = ["## `audit --json`: the result of an audit\n", fields(schema)]
    parts += [f"### {name}\n\n{fields(each)}" for name, each in schema["$defs"].items()]
    for title, kinds in RECORDS:
        parts += [f"## {title}\n", *(record(each) for each in kinds)]
    return "\n".join(parts)


if __name__ == "__main__":
    print(page())
