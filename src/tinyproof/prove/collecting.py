"""Collect: the runs of one declaration, trained on machines that share nothing, become one folder.

Everything is checked before anything is written: every run is the declared one and what its own answers say, and two
runs of one seed have the same bits. Then each run is copied beside its place and renamed into it, whole: killed at any
moment and given again, it goes on. Nothing here needs torch, data or the weights.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tinyproof.core import lease
from tinyproof.core.errors import DataError, InputError, OutputError
from tinyproof.core.files import output_folder, read_bounded, reason, write_atomic
from tinyproof.network import own_files
from tinyproof.prove import declaration, judged_export, one_network, proof
from tinyproof.prove.declaration import Declaration
from tinyproof.prove.proof import Result
from tinyproof.prove.verify import recount_run
from tinyproof.prove.verify.lines import Case, VerifyOptions, kept_files
from tinyproof.train import checkpoint, store

_BESIDE = ".collect-"
# What belongs to a run that has not ended, or to one machine.
_LEFT = frozenset({checkpoint.FILE, "__pycache__"})
_DEEPEST, _MOST_FILE = 4, 2_000_000_000
_AGAIN = "copy that part again, or leave it out"


@dataclass(frozen=True)
class Collected:
    """What became of the declared seeds: those copied now, with the part that each is from; those that were there
    already; those that no part has ended."""

    declared: Declaration
    copied: Mapping[int, str]
    known: tuple[int, ...]
    missing: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class EndedRun:
    """A run that has ended somewhere, or failed for good: what of it two machines must agree on."""

    place: Path
    called: str
    why: str = ""
    result: Result | None = None

    @property
    def answers(self) -> tuple[str, ...]:
        if self.result is None:
            return ()
        run, export = self.result.run, self.result.export
        return (run.predictions_digest, *([export.answers.digest] if export else []))

    def agree(self, other: EndedRun, seed: int) -> None:
        """Raise InputError where two runs of one seed have other bits."""
        if why := self._differs(other):
            problem = f"is another run of seed {seed} than {other.called}: {why}"
            remedy = "leave one of the two out, and say why: one seed has one run"
            raise InputError("parts", self.called, remedy, problem=problem)

    def _differs(self, other: EndedRun) -> str:
        if self.why != other.why:
            return "they failed otherwise" if self.why and other.why else "one of them failed"
        if self.answers != other.answers:
            return "other answers"
        weights = {one.result.run.weights_digest for one in (self, other) if one.result} - {""}
        return "other weights" if len(weights) > 1 else ""


def collect(parts: Mapping[str, Path], out: Path) -> Collected:
    """Merge the folders of `parts`, by what each is called, into `out`. Raises InputError where one is of another
    declaration, or has another run of a seed; DataError for a damaged one; Busy, OutputError.
    """
    folders = {**({str(out): out} if (out / declaration.FILE).is_file() else {}), **parts}
    declared = _declared(folders)
    ended = _ended(declared, folders)
    _belong_together(declared, ended)
    missing = tuple(seed for seed in declared.seeds if seed not in ended)
    copied: dict[int, str] = {}
    # Another one that collects here is waited for: it takes some seconds.
    with lease.hold(output_folder(out), patience=lease.PATIENCE_SECONDS):
        for left in out.glob(f"{_BESIDE}*"):
            shutil.rmtree(left, ignore_errors=True)  # of a process that was killed
        try:
            _keep_files(declared, folders, out)
            if not (out / declaration.FILE).is_file() or declaration.read(out).digest != declared.digest:
                declaration.write(out, declared)  # refuses another one, which somebody has just written
            for seed, one in ended.items():
                if one.place.parent != out and _put(declared, one, seed, out):
                    copied[seed] = one.called
        except OSError as error:
            raise OutputError(out, reason(error)) from error
    known = tuple(seed for seed in ended if seed not in copied)
    return Collected(declared, copied, known, missing)


def _declared(folders: Mapping[str, Path]) -> Declaration:
    """The declaration of all folders."""
    first, called = None, ""
    for name, folder in folders.items():
        here = declaration.read(folder)
        if first is None:
            first, called = here, name
        elif here.digest != first.digest:
            mine, theirs = first.to_dict(), here.to_dict()
            names = ", ".join(key for key in {**mine, **theirs} if mine.get(key) != theirs.get(key))
            problem = f"holds another declaration than {called}: another {names}"
            raise InputError("parts", name, "parts of one proof have one declaration", problem=problem)
    if first is None:
        raise InputError("parts", None, "name the folders of one proof", problem="are missing")
    return first


def _ended(declared: Declaration, folders: Mapping[str, Path]) -> dict[int, EndedRun]:
    """The ended runs of all folders by their seeds, the first of each seed; checked, and held against each other."""
    found: dict[int, EndedRun] = {}
    for name, folder in folders.items():
        for seed in declared.seeds:
            place = proof.seed_folder(folder, seed)
            one = ended_run(declared, place, seed, f"{name}/{place.name}")
            if one is None:
                continue
            if seed in found:
                one.agree(found[seed], seed)
            found.setdefault(seed, one)
        _nothing_else(declared, folder, name)
    return {seed: found[seed] for seed in declared.seeds if seed in found}


def _nothing_else(declared: Declaration, folder: Path, name: str) -> None:
    """Refuse a folder with a finished run of a seed that was not declared, which would be left out unseen, and one with
    other files of the network."""
    places = {proof.seed_folder(folder, seed).name for seed in declared.seeds}
    others = sorted(path.name for path in folder.glob("seed-*") if path.name not in places and store.finished(path))
    if others:
        raise InputError("parts", f"{name}/{others[0]}", "take it out", problem="is a run that was not declared")
    case = Case(folder, VerifyOptions(weights=False))
    for line in kept_files(case, folder, declared.model_files):
        if line.holds is False:
            raise DataError(f"{name}/{own_files.KEPT}", f"is not of the declared network: {line.found}", _AGAIN)


def ended_run(declared: Declaration, place: Path, seed: int, called: str) -> EndedRun | None:
    """A run that has ended, checked as `verify` does without weights; None where it has not."""
    if links := [path for path in (place, place / store.RECORD, place / store.PREDICTIONS) if path.is_symlink()]:
        raise DataError(called, f"{links[0].name} is a link, which may lead anywhere", "put what it leads to there")
    try:
        why, whole = proof.failure(place), proof.ended(declared, place)
        if not whole:
            return EndedRun(place, called, why) if why else None
        result = proof.read_result(declared, place, seed)
    except (DataError, InputError) as error:
        raise DataError(called, f"is no run of this proof: {error}", _AGAIN) from error
    case = Case(place.parent, VerifyOptions(weights=False))
    for line in recount_run.lines(case, place, declared, seed):
        if line.holds is False:
            raise DataError(called, f"it does not hold that {line.what}{_found(line.found)}", _AGAIN)
    weights, named = place / store.WEIGHTS, result.run.weights_digest
    there = weights.is_file() and not weights.is_symlink()
    # Of a run whose export is judged they may have been removed.
    if named and not there and not declared.judged_as:
        raise DataError(called, "its weights, which its record names, are missing", _AGAIN)
    return EndedRun(place, called, "", result)


def _found(words: str) -> str:
    return f" ({words})" if words else ""


def _belong_together(declared: Declaration, ended: Mapping[int, EndedRun]) -> None:
    """Raise DataError where the runs could not be judged as one proof."""
    results = [(seed, one.result) for seed, one in ended.items() if one.result]
    problem = one_network.disagreement([result.run for _, result in results])
    problem = problem or judged_export.unlike([(seed, r.export.record) for seed, r in results if r.export])
    if problem:
        raise DataError("parts", f"cannot be judged as one proof: {problem}")


def _keep_files(declared: Declaration, folders: Mapping[str, Path], out: Path) -> None:
    """The copies of a network's own files, from the first part that has them."""
    for name in declared.model_files:
        if not own_files.place(out, name).is_file():
            having = [folder for folder in folders.values() if own_files.place(folder, name).is_file()]
            own_files.keep(out, {name: read_bounded(own_files.place(having[0], name), _MOST_FILE)} if having else {})


def _put(declared: Declaration, one: EndedRun, seed: int, out: Path) -> bool:
    """Copy a run beside its place, and rename it into that: whole, or not at all; False where it is there by now."""
    place = proof.seed_folder(out, seed)
    with _beside(out) as beside, contextlib.ExitStack() as held:
        unfinished = place.is_dir()
        if unfinished:
            # A run that has not ended: whoever trains it is not disturbed; nobody else goes on with it.
            held.enter_context(lease.hold(place))
            if there := ended_run(declared, place, seed, f"{out}/{place.name}"):
                one.agree(there, seed)
                return False
        staged = beside / place.name
        try:
            for file in _files(one.place, 0):
                write_atomic(staged / file.relative_to(one.place), read_bounded(file, _MOST_FILE))
        except OutputError as error:
            raise OutputError(out, error.reason) from error  # nobody knows the folder beside its place
        if one.result is not None:
            copy = proof.read_result(declared, staged, seed)
            if EndedRun(staged, "", "", copy).answers != one.answers:
                raise DataError(one.called, "changed while it was copied", "give the same command again")
        if unfinished:
            place.rename(beside / "replaced")
        staged.rename(place)
        return True


@contextlib.contextmanager
def _beside(out: Path) -> Iterator[Path]:
    place = Path(tempfile.mkdtemp(prefix=_BESIDE, dir=out))
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _files(place: Path, depth: int) -> Sequence[Path]:
    """What belongs to a run; no link, nothing whose name begins with a dot."""
    found: list[Path] = []
    try:
        children = sorted(place.iterdir())
    except OSError as error:
        raise DataError(str(place), f"cannot be read: {reason(error)}", _AGAIN) from error
    for child in children:
        if child.is_symlink() or child.name.startswith(".") or child.name in _LEFT:
            continue
        if child.is_dir() and depth < _DEEPEST:
            found += _files(child, depth + 1)
        elif child.is_file():
            found.append(child)
    return found
