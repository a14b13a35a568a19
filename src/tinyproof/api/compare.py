"""Compare: two recipes or networks on the same seeds, declared beforehand, paired."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from tinyproof.api.prove import REPORT
from tinyproof.core.errors import InputError
from tinyproof.core.files import write_atomic
from tinyproof.prove import comparison, declaration, parallel_runs, proof
from tinyproof.prove.comparison import SIDES, Comparison
from tinyproof.prove.declare import Ask, agree, as_recipe, declare, default_folder, draft, threads_for
from tinyproof.prove.parallel_runs import Told
from tinyproof.prove.unchanged import same_code
from tinyproof.prove.worker import Work, missing


def compare(
    first: str | Ask,
    second: str | Ask,
    *,
    within: float | None = None,
    out: str | Path | None = None,
    told: Told | None = None,
    **asked: Any,
) -> Comparison:
    """Declare both sides with the same seeds, train what is missing, pair the runs; the folder keeps everything.

    A side is an Ask, or text as `s7-8k@s7-8k,rate=0.01` (network, recipe; without @: the network's own), to which
    `asked` (other fields of Ask, as seeds=5) belongs. Both sides must agree in the data and in the number of seeds
    (InputError). `within`: ask whether both are equivalent within this many points of accuracy, not which is better.
    """
    first, second = side(first, asked), side(second, asked)
    told = told or Told()
    if (first.seeds, first.dataset) != (second.seeds, second.dataset):
        raise InputError("compare", "different seeds or data", "the same seeds and data on both sides")
    folder = Path(out) if out is not None else folder_of(first, second)
    declared = _declare(folder, first, second, within)
    works = [
        Work(str(folder / side), d, first.dataset, first.data, first.keep_weights)
        for side, d in zip(SIDES, declared, strict=True)
    ]
    if any(missing(work) for work in works):
        for work in works:
            same_code(work.declared, folder)
        count, _ = parallel_runs.share_cores(2 * first.seeds, declared[0].device, first.processes, declared[0].threads)
        parallel_runs.run(works, count, told)
        (folder / REPORT).unlink(missing_ok=True)
    return finish(folder)


def side(text: str | Ask, asked: Mapping[str, Any]) -> Ask:
    """One side of a comparison from its text."""
    if isinstance(text, Ask):
        return text
    model, _, recipe = text.partition("@")
    return Ask(model, as_recipe(recipe, model, asked.get("dataset", "mnist")), **asked)


def finish(folder: Path) -> Comparison:
    """Judge the stored runs and write result and page."""
    from tinyproof.show import compare_page

    found = comparison.load(folder)
    write_atomic(folder / comparison.RESULT, json.dumps(found.to_json(), indent=1, ensure_ascii=False) + "\n")
    for side in (found.first, found.second):
        proof.write_verdict(side)
    if not (folder / REPORT).is_file():
        write_atomic(folder / REPORT, compare_page.page(found))
    return found


def _declare(
    folder: Path, first: Ask, second: Ask, within: float | None
) -> tuple[declaration.Declaration, declaration.Declaration]:
    """Both declarations; their seeds follow from both questions together, and from the margin."""
    if (folder / comparison.FILE).is_file():
        there = comparison.read(folder).within
        if there != within:
            hint = f"{folder} holds another comparison; this one needs another --out"
            raise InputError("within", "none" if within is None else within, f"{there or 'none'}, as declared", hint)
        stored = tuple(declaration.read(folder / side) for side in SIDES)
        for ask, declared in zip((first, second), stored, strict=True):
            agree(ask, declared, folder)
        return stored[0], stored[1]
    # Threads are shared out over the runs of both sides.
    both = 2 * first.seeds
    asks = [replace(ask, seeds=ask.seeds, threads=ask.threads or threads_for(ask, both)) for ask in (first, second)]
    drafts = [draft(ask, folder / side) for ask, side in zip(asks, SIDES, strict=True)]
    seeds_from = comparison.source(drafts[0].question, drafts[1].question, within)
    one = declare(asks[0], folder / SIDES[0], seeds_from)
    if one.seeds_from != (seeds_from if first.first_seed is None else ""):
        # Somebody was stopped after declaring this side, for another comparison.
        raise InputError("out", str(folder), "a folder without another comparison in it")
    two = declare(asks[1], folder / SIDES[1], seeds_from)
    comparison.write(folder, comparison.Bond((one.digest, two.digest), within))
    return one, two


def folder_of(first: Ask, second: Ask) -> Path:
    """`tinyproof-out/compare/FIRST_against_SECOND_Nseeds`, with the engines where they differ."""
    names = [default_folder(ask).name.rpartition("_")[0] for ask in (first, second)]
    if first.engine != second.engine:
        names = [f"{name}_{ask.engine}" for name, ask in zip(names, (first, second), strict=True)]
    return Path("tinyproof-out", "compare", f"{names[0]}_against_{names[1]}_{first.seeds}seeds"[:200])
