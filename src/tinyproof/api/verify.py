"""Verify: is a stored result what its own answers say? Every figure is counted again; weights are evaluated again.

What this finds: an edited figure, a swapped or missing run, other labels, answers that its weights do not give. What
it cannot find is listed in docs/prove.md. This module walks through the folders; what is checked in a proof stands in
`recount_proof`, in a search in `recount_search`, in a run in `recount_run`, in its further evaluations in
`recount_evaluations`, with data and weights in `recompute`; runs are trained again in `retrain`.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tinyproof.api import reproduce
from tinyproof.core import packed
from tinyproof.core.errors import InputError, TinyproofError
from tinyproof.core.fields import whole
from tinyproof.core.files import existing, reason
from tinyproof.core.plain_data import read_json
from tinyproof.core.printed import Part, Printed
from tinyproof.core.unpack import MOST_BYTES
from tinyproof.network import model_name, own_files
from tinyproof.prove import comparison, declaration, proof, published_claims, receipts, reproduction
from tinyproof.prove.comparison import SIDES
from tinyproof.prove.verify import recount_export, recount_proof, recount_run
from tinyproof.prove.verify import retrain as retraining
from tinyproof.prove.verify.lines import Case, Line, Verified, VerifyOptions, listed
from tinyproof.prove.verify.retrain import Retrain
from tinyproof.search import question as questions
from tinyproof.search import recount_search, searched
from tinyproof.ship import exported, replaced
from tinyproof.show.terminal import terminal
from tinyproof.train import store
from tinyproof.train.environment import need_torch

_DEEPEST = 4
_VERDICT_BYTES = 10_000_000


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
    model: str | Sequence[str] | None = None,
    retrain: int = 0,
    choice: int | None = None,
    receipt: str | None = None,
    quiet: bool = True,
) -> VerifyResult:
    """Count every stored figure again, and evaluate stored weights again, for all that a folder holds.

    `folder`: with proofs, comparisons, searches or runs, itself or below, packs among them; or one pack.
    `weights=False` evaluates nothing, loads no data and needs no torch. `dataset`: the path of your own data, `model`:
    `path/to/model.py:Class`, where the runs used your own: a name in a record is never opened as a path. `data`:
    the folder with MNIST's files. `retrain`: train so many of the runs again, which alone shows that they were
    trained as they say; `choice` decides which (None: at random, and told). `receipt`: what `prove` said before the
    first run. Raises InputError where there is nothing to check, or `data`, `dataset` or `model` lead to nothing.

    >>> import tinyproof
    >>> found = tinyproof.prove("s7-8k", "s7-8k,epochs=2", dataset="digits", seeds=2, target=20, out="two", quiet=True)
    >>> tinyproof.verify("two").broken
    ()
    """
    wanted = _retrain(retrain, choice)
    digits = None if receipt is None else receipts.digits(receipt)
    models = (model,) if isinstance(model, str) else tuple(model or ())
    here = None if data is None else str(existing(data, "data"))
    if dataset is not None:
        existing(dataset, "dataset")
    for own in filter(model_name.is_own, models):
        existing(model_name.file_of(own), "model")
    with contextlib.ExitStack() as packs:
        root = packs.enter_context(packed.folder(folder))
        case = Case(root, VerifyOptions(weights, dataset, here, models))
        found = _Found(packs, MOST_BYTES - (packed.size(root) if packed.is_pack(Path(folder)) else 0))
        lines = _inside(case, root, 0, found)
        if not lines:
            remedy = "name a folder that `tinyproof prove`, `compare` or `train` has written"
            raise InputError("folder", str(folder), remedy, problem="holds no proof, no comparison and no run")
        if digits is not None:
            lines.append(receipts.line(case, digits, found.declared))
        if wanted is not None:
            with terminal(quiet=quiet, errors=True) as listener:
                lines += retraining.lines(case, found.runs, wanted, listener)
        if found.idle:
            told = f"no proof, comparison or run: {listed(found.idle)}"
            lines.append(case.line(root, "other folders in it", None, told))
        return VerifyResult(Path(folder), tuple(lines))


def _retrain(count: int, choice: int | None) -> Retrain | None:
    """What is to be trained again; the choice is drawn where nobody names it. Raises InputError, MissingDependency."""
    whole("retrain", count, 0, 1000)
    if choice is not None:
        whole("choice", choice, 0, 2**31 - 1)
        if not count:
            raise InputError("choice", choice, "name both, with --retrain N", problem="decides nothing by itself")
    if not count:
        return None
    need_torch("training again")
    return Retrain(count, secrets.randbelow(2**31) if choice is None else choice)


@dataclass
class _Found:
    """What was met on the way: folders that hold nothing to check, those of declarations, those of their runs.
    `packs`: keeps what was unpacked until the end; `room`: the bytes that all of it together may still have."""

    packs: contextlib.ExitStack
    room: int = MOST_BYTES
    idle: list[str] = field(default_factory=list)
    declared: list[Path] = field(default_factory=list)
    runs: list[Path] = field(default_factory=list)

    def proof(self, place: Path) -> None:
        """A declaration was judged here, with the runs that it names."""
        self.declared.append(place)
        with contextlib.suppress(TinyproofError):
            self.runs += [proof.seed_folder(place, seed) for seed in declaration.read(place).seeds]


def _walk(case: Case, place: Path, depth: int, found: _Found) -> list[Line]:
    """The lines of a folder and of those in it."""
    children = _folders(place)
    if (place / declaration.FILE).is_file():
        found.proof(place)
        beside = [child for child in children if not child.name.startswith(("seed-", own_files.KEPT))]
        found.idle += map(case.name, beside)
        return recount_proof.lines(case, place, _shared_source(place))
    if (place / comparison.FILE).is_file():
        for side in SIDES:
            found.proof(place / side)
        found.idle += [case.name(child) for child in children if child.name not in SIDES]
        return recount_proof.compared(case, place)
    if (place / questions.FILE).is_file():
        winner = [child for child in children if child.name == searched.WINNER]
        proved = [line for child in winner for line in _inside(case, child, depth + 1, found)]
        return [*recount_search.lines(case, place), *proved]
    if store.finished(place):
        found.runs.append(place)
        found.idle += [case.name(child) for child in children if child not in replaced.beside(place)]
        return recount_run.lines(case, place)
    if (place / exported.RECORD).is_file():
        return recount_export.lines(case, place)
    packs = _packs(place)
    if not (children or packs) or depth == _DEEPEST or (depth and (place.is_symlink() or place.name.startswith("."))):
        orphan = _without_declaration(case, place, children)
        found.idle += [] if orphan else [case.name(place)]
        return orphan
    lines = [line for child in children for line in _inside(case, child, depth + 1, found)]
    lines += [line for file in packs for line in _packed(case, file, depth + 1, found)]
    return [*_without_declaration(case, place, children), *lines, *_reproduced(case, place)]


def _inside(case: Case, place: Path, depth: int, found: _Found) -> list[Line]:
    """The lines of a folder; one that may not be read is a line, and stops no other. Raises OSError for what is no
    fault of the folder: a full disk accuses nobody."""
    try:
        return _walk(case, place, depth, found)
    except OSError as error:
        if not Path(error.filename or "/").is_relative_to(place):
            raise
        return [case.line(place, "the folder can be read", False, reason(error))]


def _packed(case: Case, file: Path, depth: int, found: _Found) -> list[Line]:
    """The lines of a pack; of a .zip file that is none, that it is none."""
    called = case.name(file)
    try:
        place = found.packs.enter_context(packed.folder(file, room=found.room))
    except TinyproofError as error:
        return [Line(called, "an archive", None, str(error))]
    case.packs[place] = called
    found.room -= packed.size(place)
    known = len(found.idle)
    lines = _inside(case, place, depth, found)
    if not lines:  # somebody's archive
        found.idle[known:] = [called]
    return lines


def _packs(place: Path) -> list[Path]:
    return sorted(path for path in place.glob("*") if packed.is_pack(path) and not path.is_symlink())


def _without_declaration(case: Case, place: Path, children: Sequence[Path]) -> list[Line]:
    """A stored answer without the declaration that it judges proves nothing, whatever it says.

    Files of these names may be anybody's: only one that says what ours says, or that lies beside runs, is meant.
    """
    names = {child.name for child in children}
    lost = []
    if (place / proof.VERDICT).is_file() and (_is_verdict(place) or any(name.startswith("seed-") for name in names)):
        lost.append((proof.VERDICT, declaration.FILE))
    if (place / comparison.RESULT).is_file() and names.issuperset(SIDES):
        lost.append((comparison.RESULT, comparison.FILE))
    what = "the declaration of {} is there"
    return [case.line(place, what.format(answer), False, f"there is no {declared}") for answer, declared in lost]


def _is_verdict(place: Path) -> bool:
    try:
        data = read_json(place / proof.VERDICT, _VERDICT_BYTES)
    except TinyproofError:
        return False
    return isinstance(data, dict) and {"declaration", "verdict", "recipe"} <= data.keys()


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
