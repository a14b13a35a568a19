"""CNNs: `models`, `summary`, `train`, `predict`, `export`, `data`."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

Model = Annotated[str, typer.Argument(help="A network's name (see `models`), or path/to/model.py:Class (.ipynb too).")]
RecipeOption = Annotated[
    str | None, typer.Option("--recipe", help="A recipe's name, or a TOML file; the network's own where not given.")
]
DatasetOption = Annotated[
    str, typer.Option("--dataset", help="auto (MNIST, else the digits), a name (see `data`), or the path of your own.")
]
DataOption = Annotated[Path | None, typer.Option("--data", help="The folder with the files of a data set by name.")]
SeedOption = Annotated[int, typer.Option("--seed", help="Decides initial weights, order, changes of the images.")]
EpochsOption = Annotated[int | None, typer.Option("--epochs", help="Instead of the recipe's number of epochs.")]
QuickOption = Annotated[bool, typer.Option("--quick", help="Two epochs only.")]
EngineOption = Annotated[str, typer.Option("--engine", help="auto, torch or native.")]
DeviceOption = Annotated[str, typer.Option("--device", help="auto, cpu, cuda or mps.")]
ThreadsOption = Annotated[int | None, typer.Option("--threads", help="Threads to compute with.")]
ForceOption = Annotated[bool, typer.Option("--force", help="Replace the run in the output folder.")]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing unless something is wrong.")]
SettingsOption = Annotated[
    list[str] | None, typer.Option("--set", help="An argument of a network of your own: norm=group. Again for more.")
]
SizeOption = Annotated[
    str | None, typer.Option("--size", help="Your own pictures fitted into 32, or 24x32 (height x width); else kept.")
]
ChannelsOption = Annotated[int | None, typer.Option("--channels", help="Your own pictures in 1 (grey) or 3 (colour).")]
InputOption = Annotated[str | None, typer.Option("--input", help="Channels, height and width at once: 3,32,32.")]
SkipBadOption = Annotated[bool, typer.Option("--skip-bad", help="Go on without pictures that cannot be read.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Machine-readable output.")]
# The limits of a budget, as `train` and `prove` take them.
TargetOption = Annotated[
    float | None, typer.Option("--target", help="Accuracy in percent; the data set's own where not given.")
]
ParametersOption = Annotated[
    int | None, typer.Option("--parameters-below", min=1, help="Budget: fewer parameters than this.")
]
EpochsBelowOption = Annotated[int | None, typer.Option("--epochs-below", min=1, help="Budget: fewer epochs than this.")]
BytesOption = Annotated[
    int | None, typer.Option("--bytes-below", min=1, help="Budget: fewer bytes of weights than this.")
]
MacsOption = Annotated[
    int | None, typer.Option("--macs-below", min=1, help="Budget: fewer multiply-adds an image than this.")
]
RulesOption = Annotated[
    list[str] | None, typer.Option("--rule", help="Budget: a rule on the layers, for example uses-dropout.")
]


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    app.command("models")(models)
    app.command("summary")(summary)
    app.command("train")(train)
    app.command("predict")(predict)
    app.command("export")(export)
    app.command("data")(data)


def models(as_json: JsonOption = False) -> None:
    """The networks by name: parameters, multiply-adds, receptive field, budget."""
    from tinyproof.api.models import models as twin

    _show(twin(), as_json)


def summary(
    model: Model,
    settings: SettingsOption = None,
    input: InputOption = None,
    classes: Annotated[int, typer.Option("--classes", help="For a network by name: how many classes.")] = 10,
    as_json: JsonOption = False,
) -> None:
    """The layers of a network: output shape, parameters, multiply-adds, receptive field, jump, memory."""
    from tinyproof.api.summary import summary as twin

    found = twin(model, settings=settings or (), input=input, classes=classes)
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
    target: TargetOption = None,
    parameters_below: ParametersOption = None,
    epochs_below: EpochsBelowOption = None,
    bytes_below: BytesOption = None,
    macs_below: MacsOption = None,
    rules: RulesOption = None,
    force: ForceOption = False,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
    settings: SettingsOption = None,
    size: SizeOption = None,
    channels: ChannelsOption = None,
    input: InputOption = None,
    skip_bad: SkipBadOption = False,
) -> None:
    """One run under a budget: progress, log, pictures, weights, a page. The same command again goes on, or finds it.

    Where a limit or a target is named, exit code 0 only when the whole budget is kept.
    """
    from tinyproof.api.train import train as twin

    found = twin(
        model, recipe=recipe, dataset=dataset, data=data, seed=seed, epochs=epochs, quick=quick, out=out,
        engine=engine, device=device, threads=threads, target=target, parameters_below=parameters_below,
        epochs_below=epochs_below, bytes_below=bytes_below, macs_below=macs_below, rules=rules or (), force=force,
        quiet=quiet or as_json, settings=settings or (), size=size, channels=channels, input=input,
        skip_bad=skip_bad,
    )  # fmt: skip
    if as_json:
        print(json.dumps(found.to_dict(), indent=1))
    elif not quiet:
        print(f"\n{found}")
    named = any(x is not None for x in (target, parameters_below, epochs_below, bytes_below, macs_below)) or rules
    raise typer.Exit(1 if named and found.kept is not True else 0)


def predict(
    run: Annotated[Path, typer.Argument(help="The folder of a trained run.")],
    pictures: Annotated[
        list[Path], typer.Argument(help="Pictures, folders of them, arrays (.npy, .npz, IDX), or - for standard input.")
    ],
    model: Annotated[
        str | None, typer.Option("--model", help="path/to/model.py:Class, for a run of a network of your own.")
    ] = None,
    csv: Annotated[Path | None, typer.Option("--csv", help="A file for all answers, a row a picture.")] = None,
    processes: Annotated[
        int | None, typer.Option("--processes", min=1, help="How many read at once; all cores.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Classify pictures with the saved weights of a run, read as those of training were; says how they were read.

    Exit code 1 where one of many pictures was left out, because it could not be read.
    """
    from tinyproof.api.predict import predict as one
    from tinyproof.api.predict_many import is_one, predict_many, standard_input

    with standard_input(pictures) as named:
        if is_one(named) and csv is None:
            found: Any = one(run, named[0], model)
            found = replace(found, image=found.image if named == pictures else "standard input")
        else:
            found = predict_many(run, named, model, csv=csv, processes=processes)
    print(json.dumps(found.to_dict(), indent=1) if as_json else found)
    raise typer.Exit(getattr(found, "exit_code", 0))


def export(
    run: Annotated[Path, typer.Argument(help="The folder of a trained run with its weights.")],
    to: Annotated[
        str,
        typer.Option(
            "--to", help="onnx or onnx-int8, torch (a Python file), c or c-int8, xlsx (a workbook), html (a page)."
        ),
    ] = "onnx",
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="A new folder; export-FORMAT in that of the run if not given.")
    ] = None,
    input: Annotated[
        str | None, typer.Option("--input", help="What an ONNX file takes: bytes (0 to 255) or normalised.")
    ] = None,
    model: Annotated[
        str | None, typer.Option("--model", help="path/to/model.py:Class, for a run of a network of your own.")
    ] = None,
    dataset: Annotated[str | None, typer.Option(help="The path of your own data, where the run used it.")] = None,
    data: DataOption = None,
    name: Annotated[str | None, typer.Option(help="What the names in C begin with; `network` if not given.")] = None,
) -> None:
    """Take a trained network elsewhere, as ONNX, PyTorch, C, a workbook or a page, with its answers counted."""
    from tinyproof.api.export import export as twin

    print(twin(run, to=to, out=out, input=input, model=model, dataset=dataset, data=data, name=name))


def data(
    name: Annotated[str | None, typer.Argument(help="One of them alone: fashion-mnist, kmnist, ...; else all.")] = None,
    data: DataOption = None,
    fetch: Annotated[
        bool, typer.Option("--fetch", help="Download it (MNIST where none is named) where it is missing or broken.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """What data there is: lists it, fetches it, verifies it."""
    from tinyproof.api.data import data as twin

    _show(twin(name, data=data, fetch=fetch), as_json)


def _show(table: Any, as_json: bool) -> None:
    print(json.dumps(table.records(), indent=1) if as_json else table)
