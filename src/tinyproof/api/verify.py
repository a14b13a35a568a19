"""Verify: is a stored result what its own answers say? Every figure is counted again; weights are evaluated again.

What this finds: an edited figure, a swapped or missing run, other labels, answers that its weights do not give. What
it cannot find is listed in docs/prove.md. This module walks through the folders; what is checked in a proof stands in
`recount_proof`, in a run in `recount_run`, in its further evaluations in `recount_evaluations`, with data and weights
in `recompute`; runs are trained again in `retrain`.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinyproof.api import reproduce
from tinyproof.core.errors import InputError, TinyproofError
from tinyproof.core.fields import whole
from tinyproof.core.files import existing, reason
from tinyproof.core.printed import Part, Printed
from tinyproof.network import own_files
from tinyproof.prove import comparison, declaration, proof, published_claims, receipts, reproduction
from tinyproof.prove.comparison import SIDES
from tinyproof.prove.verify import recount_proof, recount_run
from tinyproof.prove.verify import retrain as retraining
from tinyproof.prove.verify.lines import Case, Line, Verified, VerifyOptions, listed
from tinyproof.prove.verify.retrain import Retrain
from tinyproof.show.terminal import terminal
from tinyproof.train import store

_DEEPEST = 4


@dataclass(frozen=True, repr=False)
class VerifyResult(Printed, Verified):
    """Every check that was made of a folder: `lines` with place, check, whether it holds, what was found; `broken`.

    `exit_code`: 0 when something was checked and all of it holds, else 1.
    """

    def parts(self) -> Sequence[Part]:
        """The checks, and how many hold."""
        held = sum(line.holds is True for line in self.lines)
        unknown = sum(line.holds is None for line in self.lines)
        return [
            self.table(), f"{held} checks hold, {len(self.broken)} broken, {unknown} could not be made"
        ]  # fmt: skip


def verify(
    folder: str | Path,
    *,
    weights: bool = True,
    dataset: str | None = None,
    data: str | Path | None = None,
    model: str | None = None,
    retrain: int = 0,
    choice: int | None = None,
    receipt: str | None = None,
    quiet: bool = True,
) -> VerifyResult:
    """Count every stored figure again, and evaluate stored weights again, for all that a folder holds.

    `folder`: with proofs, comparisons or runs, itself or below. `weights=False` loads neither weights nor data, and
    needs no torch. `dataset`: the path of your own data, `model`: `path/to/model.py:Class`, where the runs used your
    own: a name in a record is never opened as a path. `data`: the folder with MNIST's files. `retrain`: train so many
    of the runs again, which alone shows that they were trained as they say; `choice` decides which (None: at random,
    and told). `receipt`: what `prove` said before the first run. Raises InputError where there is nothing to check.

    >>> import tinyproof
    >>> found = tinyproof.prove("s7-8k", "s7-8k,epochs=2", dataset="digits", seeds=2, target=20, out="two", quiet=True)
    >>> tinyproof.verify("two").broken
    ()
    """
    root = existing(folder, "folder")
    idle: list[str] = []
    case = Case(root, VerifyOptions(weights, dataset, None if data is None else str(data), model))
    lines = _walk(case, root, 0, idle)
    if not lines:
        raise InputError("folder", str(folder), "a folder that holds a proof, a comparison or a run")
    if receipt is not None:
        lines.append(receipts.line(case, receipt, _below(root, declaration.FILE)))
    if retrain:
        whole("retrain", retrain, 0, 1000)
        wanted = Retrain(retrain, secrets.randbelow(2**31) if choice is None else choice)
        with terminal(quiet=quiet, errors=True) as listener:
            lines += retraining.lines(case, _below(root, store.RECORD), wanted, listener)
    if idle:
        lines.append(case.line(root, "other folders in it", None, f"no proof, comparison or run: {listed(idle)}"))
    return VerifyResult(root, tuple(lines))


def _walk(case: Case, place: Path, depth: int, idle: list[str]) -> list[Line]:
    """The lines of a folder and of those in it; a folder that holds nothing to check goes to `idle`."""
    children = _folders(place)
    if (place / declaration.FILE).is_file():
        idle += [case.name(child) for child in children if not child.name.startswith(("seed-", own_files.KEPT))]
        return recount_proof.lines(case, place, _shared_source(place))
    if (place / comparison.FILE).is_file():
        idle += [case.name(child) for child in children if child.name not in SIDES]
        return recount_proof.compared(case, place)
    orphans = _without_declaration(case, place)
    if store.finished(place):
        idle += map(case.name, children)
        return [*orphans, *recount_run.lines(case, place)]
    if orphans:
        return [*orphans, *(line for child in children for line in _inside(case, child, depth + 1, idle))]
    if not children or depth == _DEEPEST or (depth and (place.is_symlink() or place.name.startswith("."))):
        idle.append(case.name(place))
        return []
    found = [line for child in children for line in _inside(case, child, depth + 1, idle)]
    return [*found, *_reproduced(case, place)]


def _below(root: Path, name: str) -> list[Path]:
    """The folders that hold a file of this name: itself and below, as far as `verify` walks."""
    return [path.parent for depth in range(_DEEPEST + 2) for path in sorted(root.glob("*/" * depth + name))]


def _inside(case: Case, place: Path, depth: int, idle: list[str]) -> list[Line]:
    """The lines of a folder in the folder; one that may not be read is a line, and stops no other."""
    try:
        return _walk(case, place, depth, idle)
    except OSError as error:
        return [case.line(place, "the folder can be read", False, reason(error))]


def _without_declaration(case: Case, place: Path) -> list[Line]:
    """A stored answer without the declaration that it judges proves nothing, whatever it says."""
    stored = ((proof.VERDICT, declaration.FILE), (comparison.RESULT, comparison.FILE))
    return [
        case.line(place, f"the declaration of {answer} is there", False, f"there is no {declared}")
        for answer, declared in stored
        if (place / answer).is_file()
    ]


def _folders(place: Path) -> list[Path]:
    try:
        return sorted(path for path in place.iterdir() if path.is_dir())
    except NotADirectoryError:
        return []


def _shared_source(side: Path) -> str | None:
    """What the seeds of a comparison's side follow from; None where the folder is no such side."""
    folder = side.parent
    if side.name not in SIDES or not (folder / comparison.FILE).is_file():
        return None
    try:
        questions = [declaration.read(folder / name).question for name in SIDES]
        return comparison.source(questions[0], questions[1], comparison.read(folder).within)
    except TinyproofError:
        return None


def _reproduced(case: Case, folder: Path) -> list[Line]:
    """Of a folder of claims, whether its stored result is what the runs and their evaluations give."""
    names = reproduce.present(folder)
    if not names or not (folder / reproduce.RESULT).is_file():
        return []

    def count() -> list[dict[str, Any]]:
        return [reproduction.load(folder / name, published_claims.CLAIMS[name]).to_json() for name in names]

    return [case.copy(folder / reproduce.RESULT, "the stored table of claims is what its runs give", count)]
