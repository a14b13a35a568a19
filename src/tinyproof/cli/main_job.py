"""The main job: `run`, `report`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tinyproof.cli.cnn import (
    DataOption,
    DatasetOption,
    DeviceOption,
    EngineOption,
    EpochsOption,
    ForceOption,
    QuickOption,
    QuietOption,
    RecipeOption,
    SeedOption,
    ThreadsOption,
)


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    app.command("run")(run)
    app.command("report")(report)


def run(
    out: Annotated[Path, typer.Option("--out", "-o", help="The folder that everything is written into.")] = Path(
        "tinyproof-out"
    ),
    model: Annotated[str, typer.Option("--model", help="The network to train.")] = "s7-8k",
    recipe: RecipeOption = None,
    dataset: DatasetOption = "auto",
    data: DataOption = None,
    seed: SeedOption = 0,
    epochs: EpochsOption = None,
    quick: QuickOption = False,
    engine: EngineOption = "auto",
    device: DeviceOption = "auto",
    threads: ThreadsOption = None,
    force: ForceOption = False,
    quiet: QuietOption = False,
) -> None:
    """The main job: the back-propagation workbook, a network trained under its budget, one report of both.

    The same command again goes on after Ctrl-C, or finds what is done.
    """
    from tinyproof.api.run import run as twin

    found = twin(
        out, model=model, recipe=recipe, dataset=dataset, data=data, seed=seed, epochs=epochs, quick=quick,
        engine=engine, device=device, threads=threads, force=force, quiet=quiet,
    )  # fmt: skip
    if not quiet:
        print(f"\n{found}")


def report(
    run: Annotated[Path, typer.Argument(help="The folder of a run, a proof, a comparison.")],
    data: DataOption = None,
    quiet: QuietOption = False,
) -> None:
    """The pictures and the page of a stored run, made again from its record and predictions."""
    from tinyproof.api.report import report as twin

    found = twin(run, data=data)
    if not quiet:
        print(found if found.run is None else f"\n{found}")
