"""Looking for a network: `search`."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from tinyproof.cli.cnn import (
    BytesOption,
    ChannelsOption,
    EpochsBelowOption,
    InputOption,
    MacsOption,
    ParametersOption,
    SizeOption,
    SkipBadOption,
)
from tinyproof.cli.evidence import (
    AsJson,
    ClusterOption,
    Data,
    DataSet,
    Device,
    EngineName,
    Out,
    Processes,
    Recipe,
    Target,
    Threads,
)


def search(
    dataset: DataSet = "mnist",
    data: Data = None,
    target: Target = None,
    parameters_below: ParametersOption = None,
    macs_below: MacsOption = None,
    bytes_below: BytesOption = None,
    epochs_below: EpochsBelowOption = None,
    family: Annotated[
        str,
        typer.Option(help="What is drawn from: `all`, `chains`, a .toml file, or `path/to/model.py:function`."),
    ] = "all",
    recipe: Recipe = None,
    candidates: Annotated[int, typer.Option("--candidates", "-c", help="How many networks are drawn.")] = 64,
    draw: Annotated[int, typer.Option(help="The seed from which they are drawn.")] = 0,
    seeds: Annotated[int, typer.Option("--seeds", "-n", help="How many fresh seeds prove the winner.")] = 10,
    confirm: Annotated[
        int, typer.Option(help="How many fresh seeds confirm each point of the front; 0 leaves it as it is.")
    ] = 5,
    by: Annotated[str, typer.Option(help="What is to be small: `parameters` or `macs`.")] = "parameters",
    out: Out = None,
    engine: EngineName = "auto",
    device: Device = "auto",
    processes: Processes = None,
    threads: Threads = None,
    cluster: ClusterOption = None,
    as_json: AsJson = False,
    size: SizeOption = None,
    channels: ChannelsOption = None,
    input: InputOption = None,
    skip_bad: SkipBadOption = False,
) -> None:
    """Search for the smallest network that meets a target, on held-out training images; declare and prove the winner.

    The same command goes on after a stop. Exit code 0 only when the winner is proved and its budget is kept.
    """
    from tinyproof.api.search import search as twin

    found = twin(
        dataset, data=data, target=target, parameters_below=parameters_below, macs_below=macs_below,
        bytes_below=bytes_below, epochs_below=epochs_below, family=family, recipe=recipe, candidates=candidates,
        draw=draw, seeds=seeds, confirm=confirm, by=by, out=out, engine=engine, device=device, processes=processes,
        threads=threads, cluster=cluster, quiet=as_json, size=size, channels=channels, input=input, skip_bad=skip_bad,
    )  # fmt: skip
    print(json.dumps(found.to_json(), indent=1, ensure_ascii=False) if as_json else f"\n{found}")
    raise typer.Exit(0 if found.proved else 1)


def register(app: typer.Typer) -> None:
    """Add this command to the application."""
    app.command()(search)
