"""Learning from runs: `journal`, `lr-test`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from tinyproof.cli.cnn import ChannelsOption, InputOption, SizeOption, SkipBadOption
from tinyproof.cli.evidence import AsJson, Data, DataSet, Device, EngineName, Processes, Recipe, Threads


def journal(
    folder: Annotated[Path, typer.Argument(help="A folder with runs and proofs in it.")] = Path("tinyproof-out"),
    of: Annotated[str | None, typer.Option(help="The entry that --analysis is about, by its name.")] = None,
    analysis: Annotated[
        str | None, typer.Option(help="Your analysis: why it came out so, what to change next.")
    ] = None,
    markdown: Annotated[
        Path | None, typer.Option(help="Also write this file, README.md for example, with log, layers and pictures.")
    ] = None,
    notebook: Annotated[
        Path | None,
        typer.Option(help="Also write a run as an .ipynb in plain PyTorch, executed: of --of, else the last."),
    ] = None,
    model: Annotated[str | None, typer.Option(help="For it: path/to/model.py:Class of a network of your own.")] = None,
    dataset: Annotated[str | None, typer.Option(help="For it: the path of your own data.")] = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Runs and proofs in their order: what changed, what it did; Target, Result and Analysis as a page."""
    from tinyproof.api.journal import journal as twin

    found = twin(
        folder, of=of, analysis=analysis, markdown=markdown, notebook=notebook, model=model, dataset=dataset, data=data,
        quiet=as_json,
    )  # fmt: skip
    print(json.dumps(found.to_json(), indent=1, ensure_ascii=False) if as_json else found)
    raise typer.Exit(found.exit_code)


def lr_test(
    model: Annotated[str, typer.Argument(help="A network's name or `path/to/model.py:Class`.")] = "s7-8k",
    recipe: Recipe = None,
    dataset: DataSet = "mnist",
    data: Data = None,
    steps: Annotated[int, typer.Option(help="How many batches the range test takes.")] = 200,
    low: Annotated[float, typer.Option(help="The rate of the first step.")] = 1e-5,
    high: Annotated[float, typer.Option(help="The rate of the last step.")] = 10.0,
    rates: Annotated[
        str | None, typer.Option(help="Instead: train the whole recipe at each of `0.01,0.02,0.05`.")
    ] = None,
    picture: Annotated[Path, typer.Option(help="The picture to write.")] = Path("tinyproof-out/lr-test.png"),
    engine: EngineName = "auto",
    device: Device = "auto",
    processes: Processes = None,
    threads: Threads = None,
    as_json: AsJson = False,
    size: SizeOption = None,
    channels: ChannelsOption = None,
    input: InputOption = None,
    skip_bad: SkipBadOption = False,
) -> None:
    """Look for a learning rate: a range test or a sweep of rates, on training images alone, never on the test set."""
    from tinyproof.api.lr_test import lr_test as twin

    asked: dict[str, Any] = {
        "dataset": dataset, "data": data, "steps": steps, "low": low, "high": high, "picture": picture,
        "engine": engine, "device": device, "processes": processes, "threads": threads, "quiet": as_json,
        "size": size, "channels": channels, "input": input, "skip_bad": skip_bad,
    }  # fmt: skip
    found = twin(model, recipe, **asked) if rates is None else twin(model, recipe, rates=rates, **asked)
    print(json.dumps(found.to_json(), indent=1) if as_json else found)


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    app.command()(journal)
    app.command("lr-test")(lr_test)
