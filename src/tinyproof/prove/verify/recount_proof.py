"""A declared proof, and a comparison of two: the declaration, its data and seeds, every run, the stored answer."""

from __future__ import annotations

from pathlib import Path

from tinyproof.core.errors import TinyproofError
from tinyproof.prove import comparison, declaration, evaluations, one_network, proof
from tinyproof.prove.declaration import DataFacts, Declaration
from tinyproof.prove.verify import recompute, recount_judged, recount_more, recount_run, replays
from tinyproof.prove.verify.lines import Case, Line, kept_files, listed, plain_names
from tinyproof.train import store


def lines(case: Case, folder: Path, source: str | None = None) -> list[Line]:
    """All checks of one proof; its seeds must follow from `source` (None: from its own question)."""
    what = "the declaration can be read"
    try:
        declared = declaration.read(folder)
    except TinyproofError as error:
        return [case.line(folder, what, False, str(error))]
    found = [case.line(folder, what, True, f"{len(declared.seeds)} seeds, {declared.declared_at}")]
    found += plain_names(case, folder, declared.model, declared.recipe.name, declared.data.name)
    found += [_data(case, folder, declared.data), _seeds(case, folder, declared, source or declared.question)]
    places = {seed: proof.seed_folder(folder, seed) for seed in declared.seeds}
    for seed, place in places.items():
        if store.finished(place):
            found += recount_run.lines(case, place, declared, seed)
        else:
            found.append(_missing(case, place))
    inside = {path.parent.name for path in folder.glob(f"*/{store.RECORD}")} | {p.name for p in folder.glob("seed-*")}
    extra = sorted(inside - {place.name for place in places.values()})
    found.append(case.line(folder, "there is no run that was not declared", not extra, listed(extra)))
    ended = [place for place in places.values() if store.finished(place)]
    found += [*_bound(case, folder, declared, ended), *_looks(case, folder, ended)]
    found += [*_one_network(case, folder, ended), *kept_files(case, folder, declared.model_files)]
    found += replays.line(case, folder, ended, "every seed is a run of its own")
    found += recount_judged.lines(case, folder, declared, ended)
    found += recount_more.lines(case, folder, declared, ended)
    what = "the stored verdict is what the answers give"
    count = lambda: proof.load(folder).to_json()  # noqa: E731
    return [*found, case.copy(folder / proof.VERDICT, what, count, lambda counted: str(counted["verdict"]))]


def compared(case: Case, folder: Path) -> list[Line]:
    """All checks of a comparison: what binds its sides, both proofs, the stored answer."""
    what = "both sides are the ones that were declared, with the seeds that follow from both"
    try:
        sides = [declaration.read(folder / side) for side in comparison.SIDES]
        bond = comparison.read(folder)
    except TinyproofError as error:
        return [case.line(folder, what, False, str(error))]
    same = bond.declarations == (sides[0].digest, sides[1].digest)
    source = comparison.source(sides[0].question, sides[1].question, bond.within)
    found = [case.line(folder, what, same and sides[0].seeds == sides[1].seeds)]
    for side in comparison.SIDES:
        found += lines(case, folder / side, source)
    runs = [place for side in comparison.SIDES for place in _ended(folder / side)]
    found += replays.line(case, folder, runs, "every run of both sides is a run of its own")
    what = "the stored answer is what the pairs give"
    count = lambda: comparison.load(folder).to_json()  # noqa: E731
    return [*found, case.copy(folder / comparison.RESULT, what, count, lambda counted: str(counted["answer"]))]


def _ended(folder: Path) -> list[Path]:
    places = [proof.seed_folder(folder, seed) for seed in declaration.read(folder).seeds]
    return [place for place in places if store.finished(place)]


def _missing(case: Case, place: Path) -> Line:
    what = "the declared run is there"
    try:
        why = proof.failure(place)
    except TinyproofError as error:
        return case.line(place, what, False, str(error))
    return case.line(place, what, bool(why), why or "it is missing")


def _data(case: Case, folder: Path, declared: DataFacts) -> Line:
    """The declared digests, sizes and overlap, against MNIST's or those of the data at hand."""
    what = "the declared digests, sizes and overlap are the data's"
    try:
        known = recompute.images(case.options, declared.name, declared.reading).facts
    except TinyproofError as error:
        return case.line(folder, what, None, str(error))
    if declared.name != "mnist" and known.digest != declared.digest:
        return case.line(folder, what, None, "the data at hand is another: its digest differs")
    wrong = [name for name, value in vars(known).items() if name != "reading" and getattr(declared, name) != value]
    return case.line(folder, what, not wrong, f"differs in: {', '.join(wrong)}" if wrong else known.name)


def _seeds(case: Case, folder: Path, declared: Declaration, source: str) -> Line:
    """Seeds follow from the question, or somebody named the first of a run of numbers: there is no third way."""
    what, count = "the seeds follow from the question", len(declared.seeds)
    if declared.seeds_from:
        return case.line(folder, what, declared.seeds_follow and declared.seeds_from == source)
    if declared.seeds == declaration.seeds_for(count, source, len(declared.earlier) + 1):
        return case.line(folder, what, False, "they do, and the declaration does not say so")
    if declared.seeds != tuple(range(declared.seeds[0], declared.seeds[0] + count)):
        return case.line(folder, what, False, "nor are they a row of numbers, as named seeds are")
    return case.line(folder, what, None, "somebody named them")


def _bound(case: Case, folder: Path, declared: Declaration, ended: list[Path]) -> list[Line]:
    """Whether every run's record names this very declaration, so that none of its values was changed afterwards."""
    if not ended:
        return []
    what = "every run names this declaration by its digest"
    try:
        runs = [store.load(place) for place in ended]
    except TinyproofError as error:
        return [case.line(folder, what, False, str(error))]
    other = [place.name for place, run in zip(ended, runs, strict=True) if run.declaration not in ("", declared.digest)]
    silent = sum(not run.declaration for run in runs)
    told = listed(other) if other else f"{silent} of {len(runs)} were made before records named it" if silent else ""
    return [case.line(folder, what, False if other else None if silent else True, told)]


def _one_network(case: Case, folder: Path, ended: list[Path]) -> list[Line]:
    """Whether the records alone say that all runs are of one network and one set of images."""
    try:
        problem = one_network.disagreement([store.load(place) for place in ended])
    except TinyproofError:
        # The run's own lines say so.
        return []
    return [case.line(folder, "every run is of one network", not problem, problem)] if ended else []


def _looks(case: Case, folder: Path, ended: list[Path]) -> list[Line]:
    """Runs of one proof are evaluated alike: one without an evaluation that others have has lost it."""
    try:
        names = {place.name: set(evaluations.load(place)) for place in ended}
    except TinyproofError:
        # The run's own lines say so.
        return []
    every = set().union(*names.values())
    lost = [f"{place} lacks {name}" for place, found in names.items() for name in sorted(every - found)]
    return [case.line(folder, "every run has the same evaluations", not lost, listed(lost, 2))] if every else []
