"""What a worker of a cluster computes for a proof: it introduces itself, measures some steps, or ends one seed.

It has no folder of the proof: what it needs comes as bytes, what it makes goes back as bytes, and the folder of whoever
asked is the only one that counts.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path, PurePosixPath

from tinyproof import __version__
from tinyproof.core import cluster_worker, parcel
from tinyproof.core.errors import DataError, InputError, TinyproofError
from tinyproof.core.fields import from_mapping
from tinyproof.core.files import read_bounded
from tinyproof.core.plain_data import parse_json
from tinyproof.network import model_name
from tinyproof.network.own_files import EXTRACTED
from tinyproof.prove import evaluations, proof, worker
from tinyproof.prove.declaration import Declaration
from tinyproof.prove.evaluations import Look
from tinyproof.prove.unchanged import other_than_declared
from tinyproof.prove.worker import PROGRESS, Task, Work
from tinyproof.train import checkpoint, environment, store

ERRAND, RUN, OWN, PROOF = "errand.json", "run", "own", "proof"
# A path that begins in folders above is followed below this many.
_DEEP = 8
_MOST_FILE = 10_000_000


def errand(work: Work, seed: int | None, data: str, own: Mapping[str, bytes], run: Mapping[str, bytes]) -> bytes:
    """What a worker needs for a task; `data`: the digest under which it keeps the data set; `own`: the files of a
    network of somebody's own; `run`: those of a run that is trained already, and only exported there."""
    told = {
        "declaration": work.declared.to_dict(), "seed": seed, "dataset": work.dataset, "data": data,
        "keep_weights": work.keep_weights, "looks": [asdict(look) for look in work.looks],
    }  # fmt: skip
    held = {f"{OWN}/{name}": content for name, content in own.items()} | {f"{RUN}/{n}": c for n, c in run.items()}
    return parcel.pack({ERRAND: json.dumps(told).encode(), **held})


def introduction(declared: list[Declaration]) -> bytes:
    """What a worker is asked before anything else."""
    return json.dumps({"version": __version__, "declarations": [one.to_dict() for one in declared]}).encode()


def introduce(content: bytes, folder: Path) -> bytes:
    """Whether runs are computed here as they were declared: raises TinyproofError with each reason why not. What this
    machine is, as JSON: it stands in the record of each run, too."""
    told = parse_json(content, "an introduction")
    can_train(told["version"])
    for declared in (Declaration.from_dict(one) for one in told["declarations"]):
        computes_alike(other_than_declared(declared), declared.device)
    return json.dumps(environment.hardware()).encode()


def can_train(version: str) -> None:
    """Raise TinyproofError where this is another version than the one that asks, or cannot train."""
    if version != __version__:
        raise TinyproofError(f"has tinyproof {__version__}, where {version} asks")
    environment.need_training()


def computes_alike(reasons: Sequence[str], device: str) -> None:
    """Raise TinyproofError where there are reasons why runs would be others here, or the device is not there."""
    if reasons:
        said = "; ".join(reason.removeprefix("made ") for reason in reasons)
        raise TinyproofError(f"would not compute as declared: the runs were declared {said}")
    environment.device(device)


def compute(content: bytes, folder: Path) -> bytes:
    """Do what an errand asks: the seconds that were measured, or the files of the run, a parcel."""
    files = parcel.unpack(content)
    told = parse_json(files.pop(ERRAND), ERRAND)
    work = Work(
        folder=str(folder / PROOF), declared=Declaration.from_dict(told["declaration"], ERRAND),
        dataset=told["dataset"], keep_weights=told["keep_weights"],
        looks=tuple(from_mapping(Look, look, ERRAND) for look in told["looks"]), parent=os.getppid(),
        sent=str(cluster_worker.kept(folder, told["data"])),
    )  # fmt: skip
    lay_out(files, folder)
    if told["seed"] is None:
        return json.dumps(worker.do(Task(work, None))).encode()
    place = proof.seed_folder(Path(work.folder), told["seed"])
    parcel.into_folder(_below(RUN, files), place)
    worker.do(Task(work, told["seed"]))
    return parcel.pack(run_files(place))


def run_files(place: Path) -> dict[str, bytes]:
    """What belongs to a run, by its path in the run's folder."""
    left = {checkpoint.FILE, PROGRESS}
    paths = [path for path in sorted(place.rglob("*")) if path.is_file() and path.name not in left]
    named = {path.relative_to(place).as_posix(): path for path in paths if "__pycache__" not in path.parts}
    return {name: path.read_bytes() for name, path in named.items() if not any(p[0] == "." for p in name.split("/"))}


def progress_of(seed: int) -> str:
    """The file, from an errand's folder, that says how far a seed has come."""
    return f"{PROOF}/{proof.seed_folder(Path(), seed).name}/{PROGRESS}"


def own_files(model: str, names: Iterable[str]) -> dict[str, bytes]:
    """The files of a network of somebody's own, as they go out; nothing where it is named by an absolute path: then it
    has to be there on every worker."""
    file = model_name.file_of(model)
    if not model_name.is_own(model) or file.is_absolute():
        return {}
    found = {}
    for name in names:
        if not (file.parent / name).exists():  # what was run of a notebook
            name = name.removesuffix(EXTRACTED)
        found[own_name(model, name)] = read_bounded(file.parent / name, _MOST_FILE)
    return found


def own_name(model: str, name: str) -> str:
    """How a file of a network of somebody's own is called in a parcel: its path from a folder some way down, as the
    network names it. Raises InputError where that is no path from where the command is given.

    >>> own_name("nets/model.py:Net", "../blocks.py")
    'd/d/d/d/d/d/d/d/blocks.py'
    """
    path = PurePosixPath(model_name.file_of(model).as_posix()).parent / name
    parts, away = ["d"] * _DEEP, path.is_absolute()
    for part in path.parts:
        away = away or (part == ".." and not parts)
        parts = parts[:-1] if part == ".." else [*parts, part]
    if away:
        problem = "is not named from here, so that a worker would not find it under this name"
        remedy = "give its path from the folder of the command, as nets/model.py:Net"
        raise InputError("model", model, remedy, problem=problem)
    return "/".join(parts)


def _below(name: str, files: Mapping[str, bytes]) -> dict[str, bytes]:
    return {path.removeprefix(f"{name}/"): held for path, held in files.items() if path.startswith(f"{name}/")}


def lay_out(files: Mapping[str, bytes], folder: Path) -> None:
    """Put the files of a network where its name finds them, and go there. Where none were sent, they are here already
    (an absolute path): what they are is checked before they are used."""
    base = folder / OWN
    parcel.into_folder(_below(OWN, files), base)
    here = base.joinpath(*["d"] * _DEEP)
    here.mkdir(parents=True, exist_ok=True)
    os.chdir(here)


def finished(place: Path) -> dict[str, bytes]:
    """The files of a run that is trained, to be exported elsewhere; nothing of one that is not."""
    return run_files(place) if store.finished(place) else {}


def check_looks(place: Path, work: Work) -> None:
    """Raise DataError where a run that came back lacks an evaluation that was asked for."""
    lacking = {look.name for look in work.looks} - set(evaluations.load(place))
    if lacking and not proof.failure(place):
        raise DataError(place.name, f"lacks evaluations that were asked for: {', '.join(sorted(lacking))}")
