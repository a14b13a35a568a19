"""CNNs: `models`, `summary`, `train`, `predict`, `data`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

Model = Annotated[str, typer.Argument(help="A network's name (see `models`), or path/to/model.py:Class.")]
RecipeOption = Annotated[
    str | None, typer.Option("--recipe", help="A recipe's name, or a TOML file; the network's own where not given.")
]
DatasetOption = Annotated[str, typer.Option("--dataset", help="auto (MNIST, else the digits), mnist or digits.")]
DataOption = Annotated[Path | None, typer.Option("--data", help="The folder with MNIST's four files.")]
SeedOption = Annotated[int, typer.Option("--seed", help="Decides initial weights, order, changes of the images.")]
EpochsOption = Annotated[int | None, typer.Option("--epochs", help="Instead of the recipe's number of epochs.")]
QuickOption = Annotated[bool, typer.Option("--quick", help="Two epochs only.")]
EngineOption = Annotated[str, typer.Option("--engine", help="auto, torch or native.")]
DeviceOption = Annotated[str, typer.Option("--device", help="auto, cpu, cuda or mps.")]
ThreadsOption = Annotated[int | None, typer.Option("--threads", help="Threads to compute with.")]
ForceOption = Annotated[bool, typer.Option("--force", help="Replace the run in the output folder.")]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing unless something is wrong.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Machine-readable output.")]


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    app.command("models")(models)
    app.command("summary")(summary)
    app.command("train")(train)
    app.command("predict")(predict)
    app.command("data")(data)


def models(as_json: JsonOption = False) -> None:
    """The networks by name: parameters, multiply-adds, receptive field, budget."""
    from tinyproof.api.models import models as twin

    _show(twin(), as_json)


def summary(model: Model, as_json: JsonOption = False) -> None:
    """The layers of a network: output shape, parameters, multiply-adds, receptive field, jump, memory."""
    from tinyproof.api.summary import summary as twin

    found = twin(model)
    print(json.dumps(found.layers.records(), indent=1) if as_json else found)


def train(
    model: Model,
    recipe: RecipeOption = None,
    dataset: DatasetOption = "auto",
    data: DataOption = None,
    seed: SeedOption = 0,
    epochs: EpochsOption = None,
    quick: QuickOption = False,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="The folder of the run.")] = None,
    engine: EngineOption = "auto",
    device: DeviceOption = "auto",
    threads: ThreadsOption = None,
    force: ForceOption = False,
    quiet: QuietOption = False,
) -> None:
    """One run under a budget: progress, log, pictures, weights, a page. The same command again goes on, or finds it."""
    from tinyproof.api.train import train as twin

    found = twin(
        model, recipe=recipe, dataset=dataset, data=data, seed=seed, epochs=epochs, quick=quick, out=out,
        engine=engine, device=device, threads=threads, force=force, quiet=quiet,
    )  # fmt: skip
    if not quiet:
        print(f"\n{found}")


def predict(
    run: Annotated[Path, typer.Argument(help="The folder of a trained run.")],
    image: Annotated[Path, typer.Argument(help="A picture of one digit: .png, .jpg, any size, ink dark or light.")],
    model: Annotated[
        str | None, typer.Option("--model", help="path/to/model.py:Class, for a run of a network of your own.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Classify a picture with the saved weights of a run; says how the picture was read."""
    from tinyproof.api.predict import predict as twin

    answer = twin(run, image, model)
    print(json.dumps(answer.to_dict(), indent=1) if as_json else answer)


def data(
    data: DataOption = None,
    fetch: Annotated[bool, typer.Option("--fetch", help="Download MNIST where it is missing, and verify it.")] = False,
    as_json: JsonOption = False,
) -> None:
    """What data there is: lists it, fetches it, verifies it."""
    from tinyproof.api.data import data as twin

    _show(twin(data=data, fetch=fetch), as_json)


def _show(table: Any, as_json: bool) -> None:
    print(json.dumps(table.records(), indent=1) if as_json else table)
