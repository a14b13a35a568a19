"""The exports that a proof judges in the place of its networks: there, of their runs, made alike, none of them twice.

What each of them says and answers is counted again beside its run, in `recount_export`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from tinyproof.core.errors import TinyproofError
from tinyproof.prove import judged_export, proof
from tinyproof.prove.declaration import Declaration
from tinyproof.prove.verify.lines import Case, Line, listed
from tinyproof.ship import exported, replaced
from tinyproof.ship.exported import Exported
from tinyproof.train import store


def lines(case: Case, folder: Path, declared: Declaration, ended: Sequence[Path]) -> list[Line]:
    """All checks of the exports as those of one proof; `ended`: its runs that are trained. Nothing where its networks
    are judged themselves."""
    to = declared.judged_as
    if not to:
        return []
    found = [_there(case, place, to) for place in ended]
    records = _records(ended, to)
    if records:
        unlike = judged_export.unlike([(seed, record) for seed, record in records.items()])
        found.append(case.line(folder, "the exports were made alike", not unlike, unlike))
        found.append(_once(case, folder, records))
    return found


def _there(case: Case, place: Path, to: str) -> Line:
    """Whether a run has the export that is judged, and it is this run's."""
    what = f"the declared export to {to} is there, and this run's"
    try:
        if not judged_export.there(place, to):
            why = proof.failure(place)
            return case.line(place, what, bool(why), why or f"{exported.folder_of(place, to).name} is missing")
        judged_export.read(place, to, store.load(place), store.load_predictions(place))
        if exported.folder_of(place, to) not in replaced.beside(place):
            return case.line(place, what, False, "it is not among the exports that are counted again")
    except TinyproofError as error:
        return case.line(place, what, False, str(error))
    return case.line(place, what, True, exported.folder_of(place, to).name)


def _records(ended: Sequence[Path], to: str) -> dict[int, Exported]:
    """The records that can be read, by seed; of the others their own lines say why."""
    found = {}
    for place in ended:
        try:
            found[store.load(place).identity.seed] = exported.load(exported.folder_of(place, to))
        except TinyproofError:
            continue
    return found


def _once(case: Case, folder: Path, records: Mapping[int, Exported]) -> Line:
    """Whether no exported file stands for two seeds: the weights of two runs differ, so their exports do."""
    first, twice = dict[str, int](), list[str]()
    for seed, record in records.items():
        key = " ".join(sorted(record.files.values()))
        if first.setdefault(key, seed) != seed:
            twice.append(f"seed {first[key]} and seed {seed} have the same files")
    return case.line(folder, "every seed has an export of its own", not twice, listed(twice))
