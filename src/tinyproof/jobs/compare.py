"""Compare: two recipes or networks on the same seeds, declared beforehand, paired."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path

from tinyproof.cnn import comparison, declaration, proof
from tinyproof.cnn.comparison import SIDES, Comparison
from tinyproof.core.errors import InputError
from tinyproof.core.files import write_atomic
from tinyproof.jobs import prove, series
from tinyproof.jobs.one_run import Work, missing
from tinyproof.jobs.prove import REPORT, Ask
from tinyproof.jobs.series import Told

RESULT = "result.json"


def compare(first: Ask, second: Ask, out: str | Path | None = None, told: Told | None = None) -> Comparison:
    """Declare both sides with the same seeds, train what is missing, pair the runs; the folder keeps everything.

    Both sides must agree in the data and in the number of seeds (InputError).
    """
    told = told or Told()
    if (first.seeds, first.dataset) != (second.seeds, second.dataset):
        raise InputError("compare", "different seeds or data", "the same seeds and data on both sides")
    folder = Path(out) if out is not None else default_folder(first, second)
    declared = _declare(folder, first, second)
    works = [
        Work(str(folder / side), d, first.dataset, first.data, first.keep_weights)
        for side, d in zip(SIDES, declared, strict=True)
    ]
    if any(missing(work) for work in works):
        for work in works:
            prove.same_code(work.declared, folder)
        begun = time.monotonic()
        count, _ = series.share_cores(2 * first.seeds, declared[0].device, first.processes, declared[0].threads)
        series.run(works, count, told)
        told.say(f"trained in {series.duration(time.monotonic() - begun)}")
        (folder / REPORT).unlink(missing_ok=True)
    return finish(folder)


def finish(folder: Path) -> Comparison:
    """Judge the stored runs and write result and page."""
    from tinyproof.show import compare_page

    found = comparison.load(folder)
    write_atomic(folder / RESULT, json.dumps(found.to_json(), indent=1, ensure_ascii=False) + "\n")
    for side in (found.first, found.second):
        proof.write_verdict(side)
    if not (folder / REPORT).is_file():
        write_atomic(folder / REPORT, compare_page.page(found))
    return found


def _declare(folder: Path, first: Ask, second: Ask) -> tuple[declaration.Declaration, declaration.Declaration]:
    """Both declarations; their seeds follow from both questions together."""
    if (folder / comparison.FILE).is_file():
        stored = tuple(declaration.read(folder / side) for side in SIDES)
        for ask, declared in zip((first, second), stored, strict=True):
            prove.agree(ask, declared, folder)
        return stored[0], stored[1]
    # Threads are shared out over the runs of both sides.
    both = 2 * first.seeds
    asks = [
        replace(ask, seeds=ask.seeds, threads=ask.threads or prove.threads_for(ask, both)) for ask in (first, second)
    ]
    drafts = [prove.draft(ask, folder / side) for ask, side in zip(asks, SIDES, strict=True)]
    seeds_from = comparison.source(drafts[0].question, drafts[1].question)
    one, two = (prove.declare(ask, folder / side, seeds_from) for ask, side in zip(asks, SIDES, strict=True))
    comparison.write(folder, one, two)
    return one, two


def default_folder(first: Ask, second: Ask) -> Path:
    """`tinyproof-out/compare/FIRST_against_SECOND_Nseeds`."""
    names = [prove.default_folder(ask).name.rpartition("_")[0] for ask in (first, second)]
    return Path("tinyproof-out", "compare", f"{names[0]}_against_{names[1]}_{first.seeds}seeds"[:200])
