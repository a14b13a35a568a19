"""Proofs as files and folders: `collect`, `pack`, `frontier`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from tinyproof.cli.evidence import AsJson


def collect(
    parts: Annotated[
        list[Path],
        typer.Argument(help="The folders that `prove --part` wrote, all of one declaration, or packs of them."),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="The folder that they are merged into; new, or again.")],
    as_json: AsJson = False,
) -> None:
    """Merge the parts of a proof, trained on machines that share nothing, into one folder, and judge it.

    The same parts may be given again, and with more. Exit code 0 only when all of it is proved.
    """
    from tinyproof.api.collect import collect as twin

    found = twin(*parts, out=out, quiet=as_json)
    print(json.dumps(found.to_json(), indent=1, ensure_ascii=False) if as_json else found)
    raise typer.Exit(0 if found.proof.proved else 1)


def pack(
    folder: Annotated[
        Path, typer.Argument(help="The folder of a proof, comparison or run, or one that holds several.")
    ],
    out: Annotated[
        Path | None, typer.Option(help="The .zip file; beside the folder, by its name, where not given.")
    ] = None,
    weights: Annotated[bool, typer.Option(help="Pack stored weights too.")] = True,
    as_json: AsJson = False,
) -> None:
    """Write a proof with all that belongs to it as one .zip file, which `verify`, `report` and `journal` read."""
    from tinyproof.api.pack import pack as twin

    found = twin(folder, out=out, weights=weights)
    print(json.dumps(found.to_json(), indent=1, ensure_ascii=False) if as_json else found)


def frontier(
    records: Annotated[
        Path, typer.Option(help="A folder with packs of proofs, or with the folders themselves, on one data set.")
    ] = Path("records"),
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Write it as a page too (.html), or its picture (.svg).")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show the ledger of proved means: the best proof of each tier of parameters, corrected for all that were tried.

    Every proof is counted again, without torch or data; one that does not hold ends the command.
    """
    from tinyproof.api.frontier import frontier as twin

    found = twin(records, out=out)
    print(json.dumps(found.to_json(), indent=1, ensure_ascii=False) if as_json else found)


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    app.command()(collect)
    app.command()(pack)
    app.command()(frontier)
