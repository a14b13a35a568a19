"""Learning from runs: `journal`, `lr-test`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from tinyproof.cli.evidence import AsJson, Data, DataSet, Device, EngineName, Processes, Recipe, Threads, show


def journal(
    folder: Annotated[Path, typer.Argument(help="A folder with runs and proofs in it.")] = Path("tinyproof-out"),
    of: Annotated[str | None, typer.Option(help="The entry that --analysis is about, by its name.")] = None,
    analysis: Annotated[
        str | None, typer.Option(help="Your analysis: why it came out so, what to change next.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Runs and proofs in their order: what changed, what it did; Target, Result and Analysis as a page."""
    from tinyproof.api import journal as job
    from tinyproof.core.errors import InputError
    from tinyproof.show.journal_page import text

    if (of is None) != (analysis is None):
        raise InputError("analysis", "one of --of and --analysis", "both, or none")
    entries = job.journal(folder, of=of, analysis=analysis)
    if as_json:
        print(json.dumps([entry.to_json() for entry in entries], indent=1, ensure_ascii=False))
    else:
        print(text(entries) + f"\n\npage: {folder / job.PAGE}")


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
) -> None:
    """Look for a learning rate: a range test or a sweep of rates, on training images alone, never on the test set."""
    from tinyproof.api import lr_test as job
    from tinyproof.prove.declare import Ask, as_recipe

    ask = Ask(
        model, as_recipe(recipe, model, dataset), dataset=dataset, data=data, engine=engine, device=device,
        processes=processes, threads=threads,
    )  # fmt: skip
    if rates is None:
        found = job.lr_test(ask, steps=steps, low=low, high=high, picture=picture)
        print(json.dumps(vars(found), indent=1) if as_json else f"{job.words(found)}\npicture: {picture}")
        return
    with show(as_json) as told:
        swept = job.sweep(ask, _numbers(rates), picture=picture, told=told)
    print(json.dumps([vars(one) for one in swept], indent=1) if as_json else job.table(swept).text())


def _numbers(text: str) -> list[float]:
    from tinyproof.core.errors import InputError

    try:
        return [float(part) for part in text.split(",")]
    except ValueError as error:
        raise InputError("rates", text, "numbers with commas between them, for example 0.01,0.02") from error


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    app.command()(journal)
    app.command("lr-test")(lr_test)
