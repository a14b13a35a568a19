"""Back-propagation: `workbook`, `trace`, `derive`, `sweep`, `page`; and `draw`, which draws CNNs too."""

from __future__ import annotations

import json as writer
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from tinyproof.cli.cnn import InputOption, SettingsOption
from tinyproof.core.errors import InputError
from tinyproof.core.files import write_atomic

NET_HELP = (
    "A preset (course, worked-example, xor, relu, softmax, deep), a TOML file, or random:2-3-1:7 (shape and seed)."
)
NetArgument = Annotated[str, typer.Argument(metavar="[NET]", help=NET_HELP)]
Rates = Annotated[
    str, typer.Option(help="A list (0.1,0.5,2), from:to:step (0.1:2:0.1) or from:to:\\*factor (0.01:10:\\*2).")
]
Iterations = Annotated[int, typer.Option("--iterations", "-n", help="Rows of the table.")]
OptimizerOption = Annotated[
    str | None,
    typer.Option(
        help="sgd (plain gradient descent), momentum, rmsprop or adam, with settings as in adam:beta1=0.8,eps=1e-6; "
        "the network's own if not given."
    ),
]
BatchOption = Annotated[
    int | None, typer.Option(help="So many examples a step, in turn; a number that divides theirs. All if not given.")
]
COURSE = "0.1,0.2,0.5,0.8,1,2"


class Style(StrEnum):
    """The columns: the course's (gradients written out) or each gradient on the way as well."""

    course = "course"
    chain = "chain"


class AskedFor(StrEnum):
    """What an exercise leaves empty."""

    forward = "forward"
    gradients = "gradients"
    update = "update"
    all = "all"


Columns = Annotated[Style, typer.Option("--style", help="course: gradients written out; chain: those on the way too.")]


class TraceFormat(StrEnum):
    """How `trace` writes its table."""

    text = "text"
    csv = "csv"
    json = "json"
    markdown = "markdown"
    html = "html"


class DeriveFormat(StrEnum):
    """How `derive` writes the steps; `toml` is the network itself."""

    text = "text"
    markdown = "markdown"
    latex = "latex"
    html = "html"
    toml = "toml"


class ThemeName(StrEnum):
    """The colours of a drawing; `auto` follows the reader's preference."""

    auto = "auto"
    light = "light"
    dark = "dark"


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    app.command()(workbook)
    app.command()(derive)
    app.command()(trace)
    app.command()(sweep)
    app.command()(page)
    app.command()(draw)


def workbook(
    context: typer.Context,
    net: NetArgument = "course",
    out: Annotated[Path, typer.Option("--out", "-o", help="The .xlsx to write.")] = Path("backprop.xlsx"),
    rates: Rates = COURSE,
    iterations: Iterations = 100,
    style: Columns = Style.course,
    optimizer: OptimizerOption = None,
    batch: BatchOption = None,
    csv: Annotated[Path | None, typer.Option(help="Write the tables of all rates here too.")] = None,
    exercise: Annotated[
        AskedFor | None, typer.Option(help="Leave these columns empty, to be filled in: audit says what is right.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Of an exercise: draw other weights.")] = None,
    student: Annotated[str, typer.Option(help="Of an exercise: a name for its cover.")] = "",
    roster: Annotated[
        Path | None, typer.Option(help="Of an exercise: a CSV of names; one each, into the folder --out.")
    ] = None,
) -> None:
    """Write back-propagation as an .xlsx: live formulas, charts, a what-if sheet and a check sheet; or an exercise."""
    if exercise is not None:
        from tinyproof.api.exercise import exercise as of_exercise

        if csv is not None:
            raise InputError("csv", str(csv), "leave it out: it would hold what is asked for")
        print(
            of_exercise(
                net,
                _out(context, out, roster),
                asked=exercise.value,
                rate=_one_rate(rates) if _was_given(context, "rates") else None,
                iterations=iterations,
                style=style.value,
                seed=seed,
                student=student,
                roster=roster,
                optimizer=optimizer,
                batch=batch,
            )
        )
        return
    for name, value in (("seed", seed), ("student", student or None), ("roster", roster)):
        if value is not None:
            raise InputError(name, str(value), "only with --exercise")
    from tinyproof.api.workbook import workbook as twin

    print(
        twin(net, out, rates=rates, iterations=iterations, style=style.value, csv=csv, optimizer=optimizer, batch=batch)
    )


def _one_rate(rates: str) -> float:
    try:
        return float(rates)
    except ValueError as error:
        raise InputError("rates", rates, "one learning rate: an exercise has one table") from error


def _out(context: typer.Context, out: Path, roster: Path | None) -> Path:
    """Where an exercise goes that nobody named a file for."""
    if _was_given(context, "out"):
        return out
    return Path("exercises" if roster else "exercise.xlsx")


def _was_given(context: typer.Context, name: str) -> bool:
    """Whether somebody wrote this option."""
    source = context.get_parameter_source(name)
    return source is not None and source.name != "DEFAULT"


def trace(
    net: NetArgument = "course",
    iterations: Iterations = 100,
    rate: Annotated[float | None, typer.Option(help="The learning rate; the network's own if not given.")] = None,
    style: Columns = Style.course,
    optimizer: OptimizerOption = None,
    batch: BatchOption = None,
    columns: Annotated[str, typer.Option(help="Only these quantities: E_total,w5,dE/dw5.")] = "",
    show: Annotated[str, typer.Option(help="Only these iterations: 1,2,100. In text: 1,2,3,10,.. if not given.")] = "",
    format: Annotated[TraceFormat, typer.Option(help="How the table is written.")] = TraceFormat.text,
    digits: Annotated[int, typer.Option(min=1, max=17, help="Significant digits, in text, Markdown and HTML.")] = 8,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Write it to a file.")] = None,
) -> None:
    """Show every number of gradient descent, iteration by iteration."""
    from tinyproof.api.trace import trace as twin

    found = twin(net, iterations, style.value, rate, optimizer, batch)
    text = found.text(format.value, columns=_words(columns), iterations=_whole(show), digits=digits)
    if out is None:
        print(text, end="" if text.endswith("\n") else "\n")
    else:
        print(f"wrote {write_atomic(out, text)}")


def derive(
    net: NetArgument = "course",
    iteration: Annotated[int, typer.Option("--iteration", "-i", help="Whose numbers are filled in.")] = 1,
    rate: Annotated[float | None, typer.Option(help="The learning rate; the network's own if not given.")] = None,
    format: Annotated[
        DeriveFormat | None,
        typer.Option(
            help="How the steps are written, where the ending of --out (.tex, .md, .html, .toml) does not say it; "
            "toml: the network itself, to edit."
        ),
    ] = None,
    weight: Annotated[str | None, typer.Option(help="Only what leads to this weight or bias: w3.")] = None,
    optimizer: OptimizerOption = None,
    batch: BatchOption = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Write it to a file.")] = None,
) -> None:
    """Write the chain rule out for this network, step by step, in symbols and in numbers."""
    from tinyproof.api.derive import derive as twin
    from tinyproof.api.derive import format_of

    text = twin(net, iteration, rate, weight, optimizer, batch).text(format.value if format else format_of(out))
    print(text if out is None else f"wrote {write_atomic(out, text)}\n", end="")


def sweep(
    net: NetArgument = "course",
    rates: Rates = COURSE,
    iterations: Iterations = 100,
    optimizer: OptimizerOption = None,
    batch: BatchOption = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="A folder for rates.csv, loss.csv, loss.png.")] = None,
    json: Annotated[bool, typer.Option("--json", help="The table as JSON.")] = False,
) -> None:
    """Try many learning rates: which is best, where it diverges, where a larger one stops helping."""
    from tinyproof.api.sweep import sweep as twin

    found = twin(net, rates, iterations, optimizer, batch)
    written = found.save(out) if out is not None else ()
    if json:
        answer = {"network": found.net.name, "iterations": iterations, "best": found.best, "verdict": found.verdict()}
        print(writer.dumps(answer | {"rates": found.table().records()}, indent=2))
    else:
        print(found)
    for path in written:
        typer.echo(f"wrote {path}", err=json)


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _whole(text: str) -> list[int]:
    try:
        return [int(word) for word in _words(text)]
    except ValueError as error:
        raise InputError("show", text, "whole numbers, as in 1,2,100") from error


def page(
    net: NetArgument = "course",
    out: Annotated[Path, typer.Option("--out", "-o", help="The .html to write.")] = Path("backprop.html"),
    iterations: Annotated[int, typer.Option("--iterations", "-n", help="How far the slider goes, 1 to 10,000.")] = 100,
    rate: Annotated[float | None, typer.Option(help="Another learning rate than the network's.")] = None,
    optimizer: OptimizerOption = None,
    batch: BatchOption = None,
) -> None:
    """Write one HTML page that steps through back-propagation: play it, change it, see where a gradient comes from."""
    from tinyproof.api.page import page as twin

    print(twin(net, out, iterations=iterations, rate=rate, optimizer=optimizer, batch=batch))


def draw(
    network: Annotated[
        str, typer.Argument(metavar="NET|MODEL", help=f"{NET_HELP} Or a CNN: its name, or model.py:Class.")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="The .svg or .png to write.")] = Path("network.svg"),
    theme: Annotated[ThemeName, typer.Option(help="auto follows the reader: light or dark.")] = ThemeName.auto,
    settings: SettingsOption = None,
    input: InputOption = None,
    classes: Annotated[int, typer.Option("--classes", help="For a CNN by name: how many classes.")] = 10,
) -> None:
    """Draw a network: a fully connected one with its weights, a CNN with its layers, sizes and kernels."""
    from tinyproof.api.draw import draw as twin

    print(twin(network, out, theme=theme.value, settings=settings or (), input=input, classes=classes))
