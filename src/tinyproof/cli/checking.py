"""Checking: `audit`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from tinyproof.core.files import distinct, write_atomic
from tinyproof.core.printed import visible


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    app.command("audit")(audit)


def _rules(asked: bool) -> None:
    if asked:
        from tinyproof.check.notebook import catalogue

        print(catalogue())
        raise typer.Exit


def audit(
    paths: Annotated[list[str], typer.Argument(metavar="PATH...", help="Files and folders of submissions.")],
    rules: Annotated[
        bool, typer.Option("--rules", callback=_rules, is_eager=True, help="Show the rules for notebooks and exit.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")] = False,
    csv: Annotated[Path | None, typer.Option("--csv", help="Write the findings as a table to this file.")] = None,
    html: Annotated[Path | None, typer.Option("--html", help="Write the class report to this file.")] = None,
    jobs: Annotated[int | None, typer.Option("--jobs", min=1, help="Worker processes (default: all cores).")] = None,
    brief: Annotated[bool, typer.Option("--brief", help="Only the table, not every finding.")] = False,
    details: Annotated[
        bool, typer.Option("--details", help="Notebooks: each finding with its reason and mend.")
    ] = False,
    convert: Annotated[
        bool, typer.Option("--convert", help="Let LibreOffice convert .xls, .xlsb and .numbers files first.")
    ] = False,
    disable: Annotated[
        list[str] | None,
        typer.Option("--disable", metavar="RULE", help="Switch off a rule for notebooks (repeatable)."),
    ] = None,
) -> None:
    """Read hand-made workbooks as mathematics and training notebooks with their logs, and name what is wrong.

    Nothing is executed. Notebooks are read with the modules they import and the README beside them.

    Exit code 0: all right; 1: a file is wrong or could not be decided or read; 2: the command was wrong.
    """
    from tinyproof.api.audit import audit as twin

    distinct(csv=csv, html=html)
    found = twin(*paths, jobs=jobs, disable=disable or (), convert=convert)
    if csv is not None:
        write_atomic(csv, found.table().csv())
    if html is not None:
        write_atomic(html, found.html())
    if as_json:
        print(json.dumps(found.to_json(), ensure_ascii=False, indent=1))
    else:
        print(visible(found.summary() if brief else found.text(details=details)))
    raise typer.Exit(found.exit_code or int(not found.files))
