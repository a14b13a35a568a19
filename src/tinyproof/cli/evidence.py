"""Evidence: `prove`, `compare`, `reproduce`, `verify`."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from tinyproof.cli.cnn import (
    BytesOption,
    ChannelsOption,
    EpochsBelowOption,
    InputOption,
    MacsOption,
    ParametersOption,
    RulesOption,
    SettingsOption,
    SizeOption,
    SkipBadOption,
)
from tinyproof.core.errors import InputError

Recipe = Annotated[
    str | None,
    typer.Option(help="Name or .toml file, then what differs: `best,epochs=2,augment.max_degrees=5`; else its own."),
]
DataSet = Annotated[
    str, typer.Option(help="A name (see `data`), or the path of your own images (folder by class, .npz).")
]
Data = Annotated[str | None, typer.Option(help="The folder with the files of a data set by name.")]
Seeds = Annotated[int, typer.Option("--seeds", "-n", help="How many runs: declared now, before the first.")]
Target = Annotated[
    float | None, typer.Option(help="Accuracy in percent; the data set's own where not given (your own data has none).")
]
Out = Annotated[Path | None, typer.Option(help="The folder that keeps everything.")]
EngineName = Annotated[str, typer.Option("--engine", help="`auto`, `torch` or `native`.")]
Device = Annotated[str, typer.Option(help="`auto`, `cpu`, `cuda` or `mps`.")]
Processes = Annotated[int | None, typer.Option(min=1, max=256, help="Runs side by side; all cores where not given.")]
Threads = Annotated[int | None, typer.Option(min=1, max=256, help="Threads of each run.")]
ClusterOption = Annotated[
    str | None,
    typer.Option("--cluster", help="Compute on Dask workers: `local:4`, or a scheduler, `tcp://host:8786`."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


# What may be said beside a folder: its declaration has answered everything else.
_BESIDE_A_FOLDER = ("dataset", "data", "processes", "receipt", "also", "part", "cluster", "json")


def prove(
    context: typer.Context,
    model: Annotated[str, typer.Argument(help="A network's name, `path/to/model.py:Class`, or a folder of a proof.")],
    seeds: Seeds = 5,
    recipe: Recipe = None,
    dataset: DataSet = "mnist",
    data: Data = None,
    target: Target = None,
    out: Out = None,
    engine: EngineName = "auto",
    device: Device = "auto",
    processes: Processes = None,
    threads: Threads = None,
    first_seed: Annotated[int | None, typer.Option(min=0, help="Use this seed and the next ones.")] = None,
    parameters_below: ParametersOption = None,
    epochs_below: EpochsBelowOption = None,
    bytes_below: BytesOption = None,
    macs_below: MacsOption = None,
    flash_below: Annotated[
        int | None, typer.Option(min=1, help="Below this many bytes of flash on a Cortex-M4, with --as c or c-int8.")
    ] = None,
    ram_below: Annotated[
        int | None, typer.Option(min=1, help="Below this many bytes of RAM on a Cortex-M4, with --as c or c-int8.")
    ] = None,
    instructions_below: Annotated[
        int | None,
        typer.Option(
            min=1, help="Fewer instructions than this on a Cortex-M4, most of the first 10 test images; with --as, too."
        ),
    ] = None,
    rules: RulesOption = None,
    as_: Annotated[
        str | None,
        typer.Option("--as", help="Judge what each run answers once exported: c, c-int8, onnx, onnx-int8, torch."),
    ] = None,
    weights: Annotated[bool, typer.Option(help="Keep the weights of every run, for `verify`.")] = True,
    receipt: Annotated[
        bool, typer.Option("--receipt", help="Print some digits of the declaration before the first run.")
    ] = False,
    also: Annotated[
        str | None, typer.Option(help="Let the weights answer these too, reported beside: `qmnist-test50k`.")
    ] = None,
    part: Annotated[
        str | None, typer.Option(help="Train this share of the seeds alone, as `3/10`; `collect` merges the parts.")
    ] = None,
    declared_at: Annotated[
        str | None, typer.Option(help="With --part: the time of the declaration, the same on every machine.")
    ] = None,
    cluster: ClusterOption = None,
    as_json: AsJson = False,
    settings: SettingsOption = None,
    size: SizeOption = None,
    channels: ChannelsOption = None,
    input: InputOption = None,
    skip_bad: SkipBadOption = False,
) -> None:
    """Train many seeds, declared beforehand, and judge: proved, refuted or undecided.

    The same command goes on after a stop, and judges again where nothing is missing. Exit code 0 only when the
    accuracy is proved and the budget is kept; with --part when the runs of that part have ended.
    """
    from tinyproof.api import prove as job
    from tinyproof.prove import declaration, where
    from tinyproof.show.terminal import terminal

    if (Path(model) / declaration.FILE).is_file():
        given = _given(context)
        refused = ", ".join(f"--{name}" for name in given if name not in _BESIDE_A_FOLDER)
        if refused:
            allowed = ", ".join(f"--{name}" for name in _BESIDE_A_FOLDER)
            raise InputError("prove", refused, allowed, f"{model} is a declared proof, which keeps its own values")
        where.check(cluster, processes)
        with terminal(quiet=as_json and not receipt, errors=True) as listener:
            if receipt:
                job.say_receipt(declaration.read(Path(model)), listener)
            own = dataset if "dataset" in given else None
            found = job.resume(model, own, data, processes, also, listener, part=part, cluster=cluster)
    else:
        found = job.prove(
            model, recipe, seeds=seeds, dataset=dataset, data=data, target=target, out=out, engine=engine,
            device=device, processes=processes, threads=threads, first_seed=first_seed,
            parameters_below=parameters_below, epochs_below=epochs_below, bytes_below=bytes_below,
            macs_below=macs_below, flash_below=flash_below, ram_below=ram_below,
            instructions_below=instructions_below, rules=rules or (), as_=as_, weights=weights, receipt=receipt,
            also=also, part=part, declared_at=declared_at, cluster=cluster, quiet=as_json and not receipt,
            settings=settings or (), size=size, channels=channels, input=input, skip_bad=skip_bad,
        )  # fmt: skip
    _print(found, as_json, [found])
    raise typer.Exit(0 if found.proved or part else 1)


def _given(context: typer.Context) -> list[str]:
    """The options that stand on the command line, by their names."""
    names = {"as_json": "json", "weights": "no-weights", "rules": "rule", "settings": "set", "as_": "as"}
    sources = {name: context.get_parameter_source(name) for name in context.params if name != "model"}
    given = [name for name, source in sources.items() if source is not None and source.name != "DEFAULT"]
    return [names.get(name, name.replace("_", "-")) for name in given]


def _print(found: Any, as_json: bool, proofs: Sequence[Any]) -> None:
    """The result, or as JSON; then its warnings stand beside it."""
    if as_json:
        _warn(proofs)
        print(json.dumps(found.to_json(), indent=1, ensure_ascii=False))
    else:
        print(f"\n{found}")


def _warn(proofs: Sequence[Any]) -> None:
    """Say on standard error that test images are among the training images, where they are."""
    from tinyproof.data.dataset import shared_words

    data = {one.declaration.data for one in proofs}
    for line in sorted({shared_words(one.overlap, one.name) for one in data} - {""}):
        print(line, file=sys.stderr)


def compare(
    first: Annotated[str, typer.Argument(help="`MODEL@RECIPE`, for example `s7-8k@s7-8k,rate=0.01,momentum=0.9`.")],
    second: Annotated[str, typer.Argument(help="The other side: `s7-8k@s7-8k`. Without @RECIPE: its own.")],
    seeds: Seeds = 5,
    dataset: DataSet = "mnist",
    data: Data = None,
    target: Target = None,
    out: Out = None,
    within: Annotated[
        float | None, typer.Option(help="Ask whether both are equivalent within this many points, not which is better.")
    ] = None,
    engine: EngineName = "auto",
    second_engine: Annotated[
        str | None, typer.Option(help="The engine of the second side, where it is another one.")
    ] = None,
    device: Device = "auto",
    processes: Processes = None,
    threads: Threads = None,
    weights: Annotated[bool, typer.Option(help="Keep the weights of every run, for `verify`.")] = False,
    cluster: ClusterOption = None,
    as_json: AsJson = False,
    size: SizeOption = None,
    channels: ChannelsOption = None,
    input: InputOption = None,
    skip_bad: SkipBadOption = False,
) -> None:
    """Train two recipes, networks or engines on the same seeds, declared beforehand, and compare them pair by pair.

    Exit code 0 with an answer, 1 while it is undecided.
    """
    from tinyproof.api.compare import compare as twin

    found = twin(
        first, second, seeds=seeds, dataset=dataset, data=data, target=target, out=out, within=within, engine=engine,
        second_engine=second_engine, device=device, processes=processes, threads=threads, weights=weights,
        cluster=cluster, quiet=as_json, size=size, channels=channels, input=input, skip_bad=skip_bad,
    )  # fmt: skip
    _print(found, as_json, [found.first, found.second])
    raise typer.Exit(int(found.word == "undecided"))


def reproduce(
    claim: Annotated[str, typer.Argument(help="A claim by the name of its network, or `all`.")] = "all",
    seeds: Seeds = 3,
    dataset: DataSet = "mnist",
    data: Data = None,
    out: Out = None,
    engine: EngineName = "auto",
    device: Device = "auto",
    processes: Processes = None,
    threads: Threads = None,
    weights: Annotated[bool, typer.Option(help="Keep the weights of every run, for `verify`.")] = False,
    quick: Annotated[bool, typer.Option("--quick", help="Two epochs only, to see it work.")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the table as Markdown.")] = False,
    cluster: ClusterOption = None,
    as_json: AsJson = False,
    size: SizeOption = None,
    channels: ChannelsOption = None,
    input: InputOption = None,
    skip_bad: SkipBadOption = False,
) -> None:
    """Run the published claims by their own recipes: as published, and as it truly is."""
    from tinyproof.api.reproduce import reproduce as twin

    found = twin(
        claim, seeds=seeds, dataset=dataset, data=data, out=out, engine=engine, device=device, processes=processes,
        threads=threads, weights=weights, quick=quick, page=not markdown, cluster=cluster,
        quiet=as_json or markdown, size=size, channels=channels, input=input, skip_bad=skip_bad,
    )  # fmt: skip
    if markdown:
        _warn([one.proof for one in found.claims])
        print(found.table().markdown())
    else:
        _print(found, as_json, [one.proof for one in found.claims])


def verify(
    folder: Annotated[
        Path, typer.Argument(help="A folder that holds proofs, comparisons or runs, itself or below, or a pack.")
    ],
    weights: Annotated[bool, typer.Option(help="Load stored weights and evaluate them again.")] = True,
    dataset: Annotated[str | None, typer.Option(help="The path of your own data, where the runs used it.")] = None,
    data: Data = None,
    model: Annotated[
        list[str] | None,
        typer.Option(help="`path/to/model.py:Class`, where the runs used your own; twice where both sides did."),
    ] = None,
    retrain: Annotated[
        int, typer.Option(min=0, max=1000, help="Train so many of the runs again, from their seeds.")
    ] = 0,
    choice: Annotated[
        int | None, typer.Option(min=0, help="The number that decides which; at random, and told, where not given.")
    ] = None,
    receipt: Annotated[str | None, typer.Option(help="The digits that `prove --receipt` printed.")] = None,
    as_json: AsJson = False,
) -> None:
    """Count every stored figure again, and evaluate stored weights again. Exit code 1 where something does not hold."""
    from tinyproof.api.verify import verify as twin

    found = twin(
        folder, weights=weights, dataset=dataset, data=data, model=model, retrain=retrain, choice=choice,
        receipt=receipt, quiet=as_json,
    )  # fmt: skip
    print(json.dumps(found.to_json(), indent=1, ensure_ascii=False) if as_json else found)
    raise typer.Exit(found.exit_code)


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    app.command()(prove)
    app.command()(compare)
    app.command()(reproduce)
    app.command()(verify)
