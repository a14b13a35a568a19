"""Compare: two recipes or networks on the same seeds, declared beforehand, paired."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tinyproof.api.prove import REPORT
from tinyproof.core.errors import InputError
from tinyproof.core.fields import number
from tinyproof.core.files import write_atomic
from tinyproof.core.listener import SILENT, Listener
from tinyproof.core.printed import Part, Printed, printed
from tinyproof.data import reading
from tinyproof.data.reading import AS_IT_IS
from tinyproof.prove import comparison, declaration, proof, where
from tinyproof.prove.comparison import SIDES, Comparison
from tinyproof.prove.declare import Ask, agree, as_recipe, declare, default_folder, draft, threads_for
from tinyproof.prove.unchanged import same_code
from tinyproof.prove.worker import Work, missing
from tinyproof.show import compare_page
from tinyproof.show.terminal import terminal


@dataclass(frozen=True, eq=False, repr=False)
class CompareResult(Printed, Comparison):
    """Two judged proofs on the same seeds and the paired test of `first - second` (points of accuracy).

    `word`: `the first is better`, `the second is better`, `equivalent` or `undecided`; `reason`: from which figures.
    """

    def parts(self) -> Sequence[Part]:
        """Both sides, every pair, the answer, where the page is."""
        return compare_page.comparison_parts(self, self.folder / REPORT)


def compare(
    first: str,
    second: str,
    *,
    seeds: int = 5,
    dataset: str = "mnist",
    data: str | Path | None = None,
    target: float | None = None,
    out: str | Path | None = None,
    within: float | None = None,
    engine: str = "auto",
    second_engine: str | None = None,
    device: str = "auto",
    processes: int | None = None,
    threads: int | None = None,
    weights: bool = False,
    cluster: str | None = None,
    quiet: bool = False,
    size: str | int | Sequence[int] | None = None,
    channels: int | None = None,
    input: str | Sequence[int] | None = None,
    skip_bad: bool = False,
) -> CompareResult:
    """Train two recipes, networks or engines on the same seeds, declared beforehand, and compare them pair by pair.

    `first`, `second`: `MODEL@RECIPE` as `s7-8k@s7-8k,rate=0.01`; without @: the network's own recipe. `seeds`: how many
    pairs. `within`: ask whether both are equivalent within this many points of accuracy, not which is better.
    `second_engine`: the engine of the second side, where it is another one. The other arguments are those of `prove`.
    The folder keeps everything, and the same call goes on where it stopped. Raises InputError where the folder holds
    another comparison, DataError, OutputError; Stopped after Ctrl-C.

    >>> import tinyproof
    >>> sides = "s7-8k@s7-8k,epochs=2", "s7-8k@s7-8k,epochs=1"
    >>> found = tinyproof.compare(*sides, dataset="digits", seeds=2, out="pairs", quiet=True)
    >>> found.paired.n
    2
    """
    asked: dict[str, Any] = {
        "seeds": seeds, "dataset": dataset, "data": None if data is None else str(data), "target": target,
        "device": device, "processes": processes, "threads": threads, "keep_weights": weights,
        "asked": reading.asked(size, channels, input, skip_bad), "cluster": cluster,
    }  # fmt: skip
    where.check(cluster, processes)
    sides = side(first, {**asked, "engine": engine}), side(second, {**asked, "engine": second_engine or engine})
    if within is not None:
        number("within", within, 0, 100, above=True)
    if sides[0] == sides[1]:
        raise InputError("compare", first, "name two recipes, networks or engines that differ", problem="is both sides")
    with terminal(quiet=quiet, errors=True) as listener:
        return compare_asked(*sides, within=within, out=out, listener=listener)


def compare_asked(
    first: Ask,
    second: Ask,
    *,
    within: float | None = None,
    out: str | Path | None = None,
    listener: Listener = SILENT,
) -> CompareResult:
    """Declare both sides with the same seeds, train what is missing, pair the runs.

    Both sides must agree in the data and in the number of seeds (InputError).
    """
    if (first.seeds, first.dataset) != (second.seeds, second.dataset):
        raise InputError("compare", None, "ask for the same on both sides", problem="has other seeds or data")
    folder = Path(out) if out is not None else folder_of(first, second)
    declared = _declare(folder, first, second, within)
    works = [
        Work(
            folder=str(folder / side),
            declared=d,
            dataset=first.dataset,
            data=first.data,
            keep_weights=first.keep_weights,
        )
        for side, d in zip(SIDES, declared, strict=True)
    ]
    if any(missing(work) for work in works):
        for work in works:
            same_code(work.declared, folder)
        where.train_missing(works, first.cluster, first.processes, listener)
        (folder / REPORT).unlink(missing_ok=True)
    return finish(folder)


def side(text: str, asked: Mapping[str, Any]) -> Ask:
    """One side of a comparison from its text."""
    model, _, recipe = text.partition("@")
    images = asked.get("dataset", "mnist"), asked.get("data"), asked.get("asked", AS_IT_IS)
    return Ask(model=model, recipe=as_recipe(recipe, model, *images), **asked)


def finish(folder: Path) -> CompareResult:
    """Judge the stored runs and write result and page."""
    found = comparison.load(folder)
    write_atomic(folder / comparison.RESULT, json.dumps(found.to_json(), indent=1, ensure_ascii=False) + "\n")
    for side in (found.first, found.second):
        proof.write_verdict(side)
    if not (folder / REPORT).is_file():
        write_atomic(folder / REPORT, compare_page.page(found))
    return printed(CompareResult, found)


def _declare(
    folder: Path, first: Ask, second: Ask, within: float | None
) -> tuple[declaration.Declaration, declaration.Declaration]:
    """Both declarations; their seeds follow from both questions together, and from the margin."""
    if (folder / comparison.FILE).is_file():
        there = comparison.read(folder).within
        if there != within:
            shown = ["no margin" if margin is None else f"a margin of {margin:g}" for margin in (within, there)]
            problem = f"asks for {shown[0]}, and {folder} holds a comparison with {shown[1]}"
            raise InputError("within", None, "another comparison needs another --out", problem=problem)
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
        raise InputError("out", str(folder), "name another folder", problem="holds another comparison")
    two = declare(asks[1], folder / SIDES[1], seeds_from)
    comparison.write(folder, comparison.Bond((one.digest, two.digest), within))
    return one, two


def folder_of(first: Ask, second: Ask) -> Path:
    """`tinyproof-out/compare/FIRST_against_SECOND_Nseeds`, with the engines where they differ."""
    names = [default_folder(ask).name.rpartition("_")[0] for ask in (first, second)]
    if first.engine != second.engine:
        names = [f"{name}_{ask.engine}" for name, ask in zip(names, (first, second), strict=True)]
    return Path("tinyproof-out", "compare", f"{names[0]}_against_{names[1]}_{first.seeds}seeds"[:200])
