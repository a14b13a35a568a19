"""Reproduce: the published claims, evaluated as they were published and as they truly are. One training gives both."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tinyproof.api.prove import REPORT
from tinyproof.core.files import write_atomic
from tinyproof.core.printed import Part, Printed
from tinyproof.core.table import Table
from tinyproof.data import reading
from tinyproof.data.dataset import TARGETS, shared_words
from tinyproof.prove import declaration, proof, published_claims, reproduction, where
from tinyproof.prove.declare import Ask, agree, declare, threads_for
from tinyproof.prove.reproduction import Reproduction
from tinyproof.prove.unchanged import same_code
from tinyproof.prove.worker import Work, missing
from tinyproof.show import reproduce_page
from tinyproof.show.terminal import terminal
from tinyproof.train import recipe

RESULT = "result.json"
_QUICK_EPOCHS = 2


@dataclass(frozen=True, eq=False, repr=False)
class ReproduceResult(Printed):
    """Published claims beside what their runs gave, evaluated as they were published and as they truly are."""

    claims: tuple[Reproduction, ...]
    page: Path | None

    def parts(self) -> Sequence[Part]:
        """Each claim, every evaluation, where the page is."""
        data = {one.proof.declaration.data for one in self.claims}
        warnings = sorted({shared_words(one.overlap, one.name) for one in data} - {""})
        page = [f"report: {self.page}"] if self.page is not None else []
        return [*warnings, *map(reproduction.words, self.claims), reproduction.looks_table(list(self.claims)), *page]

    def table(self) -> Table:
        """A row a claim: published, as published but measured, as it truly is, what was wrong."""
        return reproduction.table(list(self.claims))

    def to_json(self) -> list[dict[str, Any]]:
        """Plain data, a claim each."""
        return [one.to_json() for one in self.claims]


def reproduce(
    claim: str = "all",
    *,
    seeds: int = 3,
    dataset: str = "mnist",
    data: str | Path | None = None,
    out: str | Path | None = None,
    engine: str = "auto",
    device: str = "auto",
    processes: int | None = None,
    threads: int | None = None,
    weights: bool = False,
    quick: bool = False,
    page: bool = True,
    cluster: str | None = None,
    quiet: bool = False,
    size: str | int | Sequence[int] | None = None,
    channels: int | None = None,
    input: str | Sequence[int] | None = None,
    skip_bad: bool = False,
) -> ReproduceResult:
    """Run the published claims by their own recipes: as published, and as it truly is. One training gives both.

    `claim`: one by the name of its network, or `all`. `seeds`: runs of each. `quick`: two epochs only, to see it work.
    `page=False` writes neither page nor result beside the runs. The other arguments are those of `prove`. The same call
    goes on where it stopped. Raises InputError for an unknown claim or a folder that holds another declaration,
    DataError, OutputError; Stopped after Ctrl-C.

    >>> import tinyproof
    >>> found = tinyproof.reproduce("s6-12k", seeds=2, dataset="digits", out="claims", quick=True, quiet=True)
    >>> found.claims[0].claim.said
    '99.41 % (epoch 16)'
    """
    asked = {
        "seeds": seeds, "dataset": dataset, "data": None if data is None else str(data), "engine": engine,
        "device": device, "processes": processes, "threads": threads, "keep_weights": weights,
        "asked": reading.asked(size, channels, input, skip_bad), "cluster": cluster,
    }  # fmt: skip
    where.check(cluster, processes)
    wanted = published_claims.chosen(claim)
    folder = Path(out) if out is not None else Path("tinyproof-out", "reproduce-quick" if quick else "reproduce")
    with terminal(quiet=quiet, errors=True) as listener:
        works = [_work(folder / one.name, one, _ask(one, quick, asked), len(wanted) * seeds) for one in wanted]
        if any(missing(work) for work in works):
            for work in works:
                same_code(work.declared, folder)
            where.train_missing(works, cluster, processes, listener)
        found = finish(folder, [one.name for one in wanted], page)
    return ReproduceResult(tuple(found), folder / REPORT if page else None)


def _ask(claim: published_claims.Claim, quick: bool, asked: Mapping[str, Any]) -> Ask:
    published = recipe.named(claim.recipe)
    if quick:
        published = replace(published, name=f"{published.name} quick", epochs=min(_QUICK_EPOCHS, published.epochs))
    # Data without a target of its own is held against what was published.
    target = None if asked["dataset"] in TARGETS else claim.figures[-1].percent
    return Ask(model=claim.model, recipe=published, target=target, **asked)


def present(folder: Path) -> list[str]:
    """The claims that have been declared in a folder, in their usual order."""
    return [name for name in published_claims.CLAIMS if (folder / name / declaration.FILE).is_file()]


def finish(folder: Path, names: list[str], page: bool = True) -> list[Reproduction]:
    """Judge the stored runs of these claims; write result and page of all claims in the folder, unless only the answer
    is wanted. The page is made anew only where the result has changed.
    """
    if not page:
        return [reproduction.load(folder / name, published_claims.CLAIMS[name]) for name in names]
    found = {name: reproduction.load(folder / name, published_claims.CLAIMS[name]) for name in present(folder)}
    for one in found.values():
        proof.write_verdict(one.proof)
    text = json.dumps([one.to_json() for one in found.values()], indent=1, ensure_ascii=False) + "\n"
    if not (folder / REPORT).is_file() or not _holds(folder / RESULT, text):
        # The result comes last: killed in between, the next call makes the page again.
        write_atomic(folder / REPORT, reproduce_page.page(list(found.values())))
        write_atomic(folder / RESULT, text)
    return [found[name] for name in names]


def _holds(path: Path, text: str) -> bool:
    return path.is_file() and path.read_bytes() == text.encode("utf-8")


def _work(folder: Path, claim: published_claims.Claim, ask: Ask, runs: int) -> Work:
    """The declaration of a claim's runs, there already or written now, and the looks that the claim needs."""
    if (folder / declaration.FILE).is_file():
        declared = declaration.read(folder)
        agree(ask, declared, folder)
    else:
        declared = declare(replace(ask, threads=ask.threads or threads_for(ask, runs)), folder)
    looks = tuple(dict.fromkeys(reproduction.clipped(claim.looks, declared.recipe.epochs)))
    return Work(
        folder=str(folder),
        declared=declared,
        dataset=ask.dataset,
        data=ask.data,
        keep_weights=ask.keep_weights,
        looks=looks,
    )
