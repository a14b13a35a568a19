"""What a worker of a cluster computes for a search: it introduces itself, and trains one run of one candidate.

It has no folder of the search: what it needs comes as bytes, and the run goes back as bytes.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from tinyproof import __version__
from tinyproof.core import cluster_worker, parcel
from tinyproof.core.plain_data import parse_json
from tinyproof.prove import proof, remote
from tinyproof.search import fold_runs
from tinyproof.search.contender import Contender
from tinyproof.search.fold_runs import Errand, Where
from tinyproof.search.question import Question
from tinyproof.train import environment

ERRAND, RUNS = "errand.json", "runs"


def errand(run: Errand, data: str) -> bytes:
    """What a worker needs for a run: `data` is the digest under which it keeps the data set. Raises InputError for a
    network that is not named from here."""
    one = run.contender
    told = {
        "question": run.question.to_dict(), "contender": one.to_dict(), "seed": run.seed, "fold": run.fold,
        "dataset": run.where.dataset, "data": data,
    }  # fmt: skip
    own = {f"{remote.OWN}/{name}": held for name, held in remote.own_files(one.model, one.files).items()}
    return parcel.pack({ERRAND: json.dumps(told).encode(), **own})


def introduction(question: Question, contenders: Sequence[Contender]) -> bytes:
    """What a worker is asked before anything else; one candidate of each engine stands for all."""
    engines = {one.engine: one for one in contenders}.values()
    told = {"version": __version__, "question": question.to_dict(), "contenders": [one.to_dict() for one in engines]}
    return json.dumps(told).encode()


def introduce(content: bytes, folder: Path) -> bytes:
    """Whether runs are computed here as they were declared: raises TinyproofError with each reason why not. What this
    machine is, as JSON."""
    told = parse_json(content, "an introduction")
    remote.can_train(told["version"])
    question = Question.from_dict(told["question"])
    contenders = [Contender.from_dict(one, "an introduction") for one in told["contenders"]]
    remote.computes_alike(fold_runs.declared_otherwise(question, contenders), question.device)
    return json.dumps(environment.hardware()).encode()


def compute(content: bytes, folder: Path) -> bytes:
    """Train the run of an errand: its files, a parcel."""
    files = parcel.unpack(content)
    told = parse_json(files.pop(ERRAND), ERRAND)
    remote.lay_out(files, folder)
    place = proof.seed_folder(folder / RUNS, told["seed"])
    sent = str(cluster_worker.kept(folder, told["data"]))
    fold_runs.do(
        Errand(
            question=Question.from_dict(told["question"], ERRAND),
            contender=Contender.from_dict(told["contender"], ERRAND),
            place=str(place),
            seed=told["seed"],
            fold=told["fold"],
            where=Where(told["dataset"], sent=sent),
        )
    )
    return parcel.pack(remote.run_files(place))
