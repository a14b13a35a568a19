"""`run`, the main job: the back-propagation workbook, one network trained under its budget, one report of both."""

from __future__ import annotations

from pathlib import Path

from tinyproof.api.course import FILES, write_course
from tinyproof.api.run_report import write_report
from tinyproof.api.train import TrainResult, path_of, prepare, work
from tinyproof.core.errors import Stopped
from tinyproof.show.terminal import terminal
from tinyproof.train.recipe import Recipe


def run(
    out: str | Path = "tinyproof-out",
    *,
    model: str = "s7-8k",
    recipe: str | Recipe | None = None,
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
    """Do everything once, on defaults, into the folder `out`: workbook, learning rates, a trained network, one report.

    See `train` for the options. Raises what `train` raises. The same call again goes on where it was stopped, or finds
    what is done and writes the report again.

    >>> import tinyproof
    >>> result = tinyproof.run("everything", dataset="digits", epochs=1, quiet=True)
    >>> sorted(path.name for path in result.folder.glob("*.html"))
    ['backprop.html', 'report.html']
    """
    with terminal(quiet=quiet) as listener:
        ready = prepare(
            listener, model=model, recipe=recipe, dataset=dataset, data=data, seed=seed, epochs=epochs, quick=quick,
            out=out, engine=engine, device=device, threads=threads, budget=None, force=force,
        )  # fmt: skip
        folder = ready.folder
        try:
            listener.say("\n1 of 3: back-propagation of the course network, written out")
            part = write_course(folder)
            listener.say(part.words)
            listener.say(f"written: {', '.join(name for name, _ in FILES)}")
            listener.say(f"\n2 of 3: training {model} under its budget")
            reused = work(ready, listener)
            listener.say("\n3 of 3: the report")
            record, checks = write_report(
                folder, dataset=ready.images, budget=ready.budget, backprop=part, files=FILES, given=path_of(dataset)
            )
        except KeyboardInterrupt:
            raise Stopped(f"stopped; what is done is kept in {folder}: the same command goes on there") from None
    return TrainResult(record, checks, folder, reused)
