"""Checking: `audit`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from tinyproof.core.errors import InputError
from tinyproof.core.files import check_output, distinct, write_atomic
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
    feedback: Annotated[
        Path | None,
        typer.Option("--feedback", metavar="DIR", help="Write a page and Markdown for each submission to this folder."),
    ] = None,
    template: Annotated[
        list[Path] | None,
        typer.Option("--template", metavar="FILE", help="Your own words for --feedback: .html or .md, or one of each."),
    ] = None,
    grades: Annotated[
        Path | None, typer.Option("--grades", metavar="FILE", help="Write a row of points for each submission as CSV.")
    ] = None,
    assignment: Annotated[
        str | None,
        typer.Option(
            "--assignment",
            metavar="FILE",
            help="What was asked, and its points: TOML, or course-workbook, mnist-20k, mnist-8k.",
        ),
    ] = None,
    roster: Annotated[
        Path | None, typer.Option("--roster", metavar="FILE", help="CSV of the class, as your platform exports it.")
    ] = None,
    jobs: Annotated[int | None, typer.Option("--jobs", min=1, help="Worker processes (default: all cores).")] = None,
    brief: Annotated[bool, typer.Option("--brief", help="Only the table, not every finding.")] = False,
    details: Annotated[
        bool, typer.Option("--details", help="Every finding of a class; in notebooks with its reason and mend.")
    ] = False,
    convert: Annotated[
        bool, typer.Option("--convert", help="Let LibreOffice convert .xls, .xlsb and .numbers files first.")
    ] = False,
    student: Annotated[
        str,
        typer.Option("--student", metavar="PATTERN", help="The name in that of a file or folder: '{name}_*.xlsx'."),
    ] = "",
    one: Annotated[
        bool, typer.Option("--one", help="The folder is one student's: its loose files are one submission.")
    ] = False,
    cache: Annotated[
        Path | None, typer.Option("--cache", metavar="DIR", help="Where to keep what was said (default: user's cache).")
    ] = None,
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Judge everything anew, and keep nothing.")] = False,
    since: Annotated[
        Path | None, typer.Option("--since", metavar="JSON", help="What changed since this result of --json.")
    ] = None,
    anonymous: Annotated[
        Path | None,
        typer.Option("--anonymous", metavar="KEY", help="Pseudonyms for names; the key goes to this file."),
    ] = None,
    disable: Annotated[
        list[str] | None,
        typer.Option("--disable", metavar="RULE", help="Switch off a rule for notebooks (repeatable)."),
    ] = None,
    cluster: Annotated[
        str | None,
        typer.Option("--cluster", help="Judge on Dask workers: `local:4`, or a scheduler, `tcp://host:8786`."),
    ] = None,
) -> None:
    """Read hand-made workbooks as mathematics and training notebooks with their logs, and name what is wrong.

    Nothing is executed. Notebooks are read with the modules they import and the README beside them.

    Exit code 0: all right; 1: a file is wrong or could not be decided or read; 2: the command was wrong.
    """
    from tinyproof.api.audit import AuditResult
    from tinyproof.api.audit import audit as twin

    distinct(csv=csv, html=html, grades=grades, roster=roster, assignment=assignment, since=since, anonymous=anonymous)
    if anonymous is not None and roster is not None:
        raise InputError("roster", str(roster), "leave it out: the key leads back", problem="holds the names")
    if grades is None and roster is not None:
        raise InputError("grades", None, "--roster is for it: --grades FILE", problem="is missing")
    if template and feedback is None:
        raise InputError("feedback", None, "--template is for it: --feedback DIR", problem="is missing")
    AuditResult(()).grades(assignment, roster)  # what is wrong with them is said before the work
    if feedback is not None:
        check_output(feedback)
        AuditResult(()).templates(template or ())
    found = twin(
        *paths, jobs=jobs, disable=disable or (), convert=convert, student=student, one=one, assignment=assignment,
        cache=cache, no_cache=no_cache, since=since, anonymous=anonymous, cluster=cluster,
    )  # fmt: skip
    if csv is not None:
        write_atomic(csv, found.table().csv())
    if html is not None:
        write_atomic(html, found.html())
    if feedback is not None:
        found.feedback(feedback, templates=template or ())
    if grades is not None:
        write_atomic(grades, found.grades(roster=roster).csv())
    if as_json:
        print(json.dumps(found.to_json(), ensure_ascii=False, indent=1))
    else:
        print(visible(found.summary() if brief else found.text(details=details)))
    if roster is not None:
        told = visible(found.roster_text(roster, details=details))
        print(told if as_json else f"\n{told}", file=sys.stderr if as_json else sys.stdout)
    raise typer.Exit(found.exit_code or int(not found.files))
