"""Evidence: `prove`, `compare`, `reproduce`, `verify`."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer

Recipe = Annotated[
    str | None,
    typer.Option(help="Name or .toml file, then what differs: `best,epochs=2,augment.max_degrees=5`; else its own."),
]
DataSet = Annotated[
    str, typer.Option(help="`mnist`, `digits`, or the path of your own images (folder by class, .npz).")
]
Data = Annotated[str | None, typer.Option(help="The folder with the MNIST files.")]
Seeds = Annotated[int, typer.Option("--seeds", "-n", help="How many runs: declared now, before the first.")]
Target = Annotated[
    float | None, typer.Option(help="Accuracy in percent; the data set's own where not given (your own data has none).")
]
Out = Annotated[Path | None, typer.Option(help="The folder that keeps everything.")]
EngineName = Annotated[str, typer.Option("--engine", help="`auto`, `torch` or `native`.")]
Device = Annotated[str, typer.Option(help="`auto`, `cpu`, `cuda` or `mps`.")]
Processes = Annotated[int | None, typer.Option(min=1, max=256, help="Runs side by side; all cores where not given.")]
Threads = Annotated[int | None, typer.Option(min=1, max=256, help="Threads of each run.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


# What may be said beside a folder: its declaration has answered everything else.
_BESIDE_A_FOLDER = ("dataset", "data", "processes", "json")


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
    parameters_below: Annotated[int | None, typer.Option(min=1, help="Budget: fewer parameters than this.")] = None,
    epochs_below: Annotated[int | None, typer.Option(min=1, help="Budget: fewer epochs than this.")] = None,
    bytes_below: Annotated[int | None, typer.Option(min=1, help="Budget: fewer bytes of weights than this.")] = None,
    macs_below: Annotated[
        int | None, typer.Option(min=1, help="Budget: fewer multiply-adds an image than this.")
    ] = None,
    rule: Annotated[
        list[str] | None, typer.Option(help="Budget: a rule on the layers, for example uses-dropout.")
    ] = None,
    weights: Annotated[bool, typer.Option(help="Keep the weights of every run, for `verify`.")] = True,
    as_json: AsJson = False,
) -> None:
    """Train many seeds, declared beforehand, and judge: proved, refuted or undecided.

    The same command goes on after a stop, and judges again where nothing is missing. Exit code 0 only when the
    accuracy is proved and the budget is kept.
    """
    from tinyproof.api import prove as job
    from tinyproof.core.errors import InputError
    from tinyproof.prove import declaration
    from tinyproof.prove.declare import Ask, as_recipe

    limits = {
        "parameters_below": parameters_below,
        "epochs_below": epochs_below,
        "bytes_below": bytes_below,
        "macs_below": macs_below,
        "rules": tuple(rule or ()),
    }
    with show(as_json) as told:
        if (Path(model) / declaration.FILE).is_file():
            given = _given(context)
            refused = ", ".join(f"--{name}" for name in given if name not in _BESIDE_A_FOLDER)
            if refused:
                allowed = ", ".join(f"--{name}" for name in _BESIDE_A_FOLDER)
                raise InputError("prove", refused, allowed, f"{model} is a declared proof, which keeps its own values")
            found = job.resume(model, dataset if "dataset" in given else None, data, processes, told)
        else:
            ask = Ask(
                model, as_recipe(recipe, model, dataset), seeds, dataset, data, target, limits, engine, device,
                processes, threads, first_seed, weights,
            )  # fmt: skip
            found = job.prove(ask, out=out, told=told)
    _print_proof(found, as_json)
    raise typer.Exit(0 if found.proved else 1)


def _given(context: typer.Context) -> list[str]:
    """The options that stand on the command line, by their names."""
    names = {"as_json": "json", "weights": "no-weights"}
    sources = {name: context.get_parameter_source(name) for name in context.params if name != "model"}
    given = [name for name, source in sources.items() if source is not None and source.name != "DEFAULT"]
    return [names.get(name, name.replace("_", "-")) for name in given]


@contextlib.contextmanager
def show(quiet: bool, several: bool = False) -> Iterator[Any]:
    """Bars for the runs that are on, and a line for each that ends; of `several` proofs, with the proof's name."""
    from tinyproof.core.errors import Stopped
    from tinyproof.prove.parallel_runs import Told
    from tinyproof.show.progress import many_runs

    try:
        with many_runs(quiet) as (say, progress):
            yield Told(say=say, row=lambda seed, folder: say(_row(seed, folder, several)), progress=progress)
    except KeyboardInterrupt:
        raise Stopped("stopped; the same command starts again") from None


def _row(seed: int, folder: Path, several: bool) -> str:
    from tinyproof.prove import proof
    from tinyproof.train import store

    head = (f"{folder.parent.name:<8}  " if several else "") + f"seed {seed:<10}  "
    why = proof.failure(folder)
    if why:
        return f"{head}failed: {why}"
    run = store.load(folder)
    return f"{head}{run.accuracy_percent:.2f} %  ({run.correct:,} of {run.test_count:,})  {run.seconds:.1f} s"


def _print_proof(found: Any, as_json: bool) -> None:
    from tinyproof.api.prove import REPORT
    from tinyproof.show.prove_page import answer_text, runs_table, verdict_line

    if as_json:
        _warn([found], sys.stderr)
        print(json.dumps(found.to_json(), indent=1, ensure_ascii=False))
        return
    declared = found.declaration
    print(f"\n{declared.model}, recipe {declared.recipe.name}, on {declared.data.name}\n")
    print(f"{runs_table(found).text()}\n\n{answer_text(found)}\n")
    _warn([found], sys.stdout)
    print(verdict_line(found))
    print(f"report: {found.folder / REPORT}")


def _warn(proofs: Sequence[Any], to: TextIO) -> None:
    """Say near the verdict that test images are among the training images, where they are."""
    from tinyproof.data.dataset import shared_words

    data = {found.declaration.data for found in proofs}
    for line in sorted({shared_words(one.overlap, one.name) for one in data} - {""}):
        print(line, file=to)


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
    as_json: AsJson = False,
) -> None:
    """Train two recipes, networks or engines on the same seeds, declared beforehand, and compare them pair by pair.

    Exit code 0 with an answer, 1 while it is undecided.
    """
    from tinyproof.api import compare as job
    from tinyproof.api.prove import REPORT
    from tinyproof.show.compare_page import pairs_table, side_names

    asked = {
        "seeds": seeds, "dataset": dataset, "data": data, "target": target, "device": device,
        "processes": processes, "threads": threads, "keep_weights": weights,
    }  # fmt: skip
    sides = job.side(first, {**asked, "engine": engine}), job.side(second, {**asked, "engine": second_engine or engine})
    with show(as_json, several=True) as told:
        found = job.compare(*sides, within=within, out=out, told=told)
    _warn([found.first, found.second], sys.stderr if as_json else sys.stdout)
    if as_json:
        print(json.dumps(found.to_json(), indent=1, ensure_ascii=False))
    else:
        names = side_names(found)
        print(f"\nfirst:  {names[0]}\nsecond: {names[1]}\n")
        print(pairs_table(found).text() + "\n")
        print(f"{found.word}: {found.reason}\nreport: {found.folder / REPORT}")
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
    as_json: AsJson = False,
) -> None:
    """Run the published claims by their own recipes: as published, and as it truly is."""
    from tinyproof.api import reproduce as job
    from tinyproof.api.prove import REPORT
    from tinyproof.prove.reproduction import looks_table, table

    with show(as_json or markdown, several=True) as told:
        found = job.reproduce(
            claim, seeds=seeds, dataset=dataset, data=data, out=out, engine=engine, device=device,
            processes=processes, threads=threads, quick=quick, keep_weights=weights, page=not markdown, told=told,
        )  # fmt: skip
    _warn([one.proof for one in found], sys.stderr if as_json or markdown else sys.stdout)
    if as_json:
        print(json.dumps([one.to_json() for one in found], indent=1, ensure_ascii=False))
    elif markdown:
        print(table(found).markdown())
    else:
        for one in found:
            print(f"\n{one.claim.name}\n  published                 {one.claim.said}")
            print(f"  as published, measured    {one.as_published}")
            print(f"  last epoch, test images   {one.truly}\n  what was wrong            {one.wrong}")
        print("\n" + looks_table(found).text())
        print(f"\nreport: {found[0].proof.folder.parent / REPORT}")


def verify(
    folder: Annotated[Path, typer.Argument(help="A folder that holds proofs, comparisons or runs, itself or below.")],
    weights: Annotated[bool, typer.Option(help="Load stored weights and evaluate them again.")] = True,
    dataset: Annotated[str | None, typer.Option(help="The path of your own data, where the runs used it.")] = None,
    data: Data = None,
    model: Annotated[str | None, typer.Option(help="`path/to/model.py:Class`, where the runs used your own.")] = None,
    as_json: AsJson = False,
) -> None:
    """Count every stored figure again, and evaluate stored weights again. Exit code 1 where something does not hold."""
    from tinyproof.api import verify as job

    found = job.verify(folder, job.Means(weights, dataset, data, model))
    if as_json:
        print(json.dumps(found.to_json(), indent=1, ensure_ascii=False))
    else:
        print(found.table().text() + "\n")
        held = sum(line.holds is True for line in found.lines)
        unknown = sum(line.holds is None for line in found.lines)
        print(f"{held} checks hold, {len(found.broken)} broken, {unknown} could not be made")
    raise typer.Exit(found.exit_code)


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    app.command()(prove)
    app.command()(compare)
    app.command()(reproduce)
    app.command()(verify)
