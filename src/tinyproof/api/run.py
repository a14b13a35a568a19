"""`run`, the main job: the back-propagation workbook, one network trained under its budget, one report of both."""

from __future__ import annotations

from pathlib import Path

from tinyproof.api.course import FILES, write_course
from tinyproof.api.train import Ask, TrainResult, prepare, work
from tinyproof.core.errors import Stopped


def run(
    out: str | Path = "tinyproof-out",
    *,
    model: str = "s7-8k",
    recipe: str | None = None,
    dataset: str = "auto",
    data: str | Path | None = None,
    seed: int = 0,
    epochs: int | None = None,
    quick: bool = False,
    engine: str = "auto",
    device: str = "auto",
    threads: int | None = None,
    force: bool = False,
    quiet: bool = False,
) -> TrainResult:
    """Do everything once, on defaults, into the folder `out`; see `train` for the options and for what is raised.

    The same call again goes on where it was stopped, or finds what is done and writes the report again.

    For example `result = run("out", dataset="digits", quick=True)`.
    """
    from tinyproof.api.report import report

    ask = Ask(model, recipe, dataset, data, seed, epochs, quick, out, engine, device, threads, force=force, quiet=quiet)
    ready = prepare(ask)
    folder = ready.folder
    try:
        ask.say("\n1 of 3: back-propagation of the course network, written out")
        part = write_course(folder)
        ask.say(part.words)
        ask.say(f"written: {', '.join(name for name, _ in FILES)}")
        ask.say(f"\n2 of 3: training {model} under its budget")
        record, reused = work(ready)
        ask.say("\n3 of 3: the report")
        checks = report(folder, dataset=ready.images, budget=ready.budget, backprop=part, files=FILES, quiet=quiet)
    except KeyboardInterrupt:
        raise Stopped(f"stopped; what is done is kept in {folder}: the same command goes on there") from None
    return TrainResult(record, checks, folder, reused)
