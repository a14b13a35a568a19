"""What one worker process of a search does: train a candidate from one seed, with one fold of the training images held
out. The test images are in none of it."""

from __future__ import annotations

import functools
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tinyproof.core.errors import DataError
from tinyproof.core.lease import Busy
from tinyproof.data.dataset import Dataset, fold
from tinyproof.data.reading import AS_IT_IS, Asked
from tinyproof.prove import proof, sent_data
from tinyproof.prove.worker import load_data
from tinyproof.search.contender import Contender
from tinyproof.search.question import Question
from tinyproof.train import environment, store
from tinyproof.train.computes import code_digest
from tinyproof.train.origin import other_versions

# The worker of a search that was killed may hold its run for as long as it takes to notice.
PATIENCE_SECONDS = 120.0
_POLL_SECONDS = 0.5


@dataclass(frozen=True)
class Where:
    """The name of a data set or the path of somebody's own, the folder to look in, and how pictures are read; `sent`:
    the file in which it was sent here from another machine."""

    dataset: str
    data: str | None = None
    asked: Asked = AS_IT_IS
    sent: str = ""

    def load(self) -> Dataset:
        """The data set."""
        return sent_data.read(self.sent) if self.sent else load_data(self.dataset, self.data, self.asked)


@dataclass(frozen=True, kw_only=True)
class Errand:
    """One run of a search: plain values only, so that it can be sent to another process."""

    question: Question
    contender: Contender
    place: str
    seed: int
    fold: int
    where: Where


def do(errand: Errand) -> float:
    """Train a run to its end, or keep why it cannot end; the seconds that it took, 0 where it was there already."""
    from tinyproof.train.loop import Diverged, train

    place, one, question = Path(errand.place), errand.contender, errand.question
    begun = time.monotonic()
    while not (store.finished(place) or proof.failure(place)):
        try:
            found = train(
                one.model,
                one.recipe,
                _part(errand.where, errand.fold, len(question.folds)),
                errand.seed,
                folder=place,
                engine=one.engine,
                device=question.device,
                threads=question.threads,
                test_each_epoch=False,
                keep_weights=False,
                declaration=question.digest,
                files=one.files,
            )
            return 0.0 if found.reused else found.run.seconds
        except Busy:
            if time.monotonic() - begun > PATIENCE_SECONDS:
                raise
            time.sleep(_POLL_SECONDS)
        except Diverged as error:
            proof.write_failure(place, str(error))
    return 0.0


@functools.lru_cache(maxsize=2)
def _part(where: Where, which: int, count: int) -> Dataset:
    """The training images with one fold held out; the last ones are kept, for the runs on it follow each other."""
    return fold(where.load(), which, count)


def mismatch(question: Question, contender: Contender, place: Path, seed: int, which: int) -> str:
    """In what a finished run is not the one that its search declared, in one line; empty where it is. Raises DataError
    for a broken record."""
    run, answers = store.load(place), store.load_predictions(place)
    there, held = run.identity, question.folds[which]
    wanted = {
        "model": (there.model, contender.model),
        "recipe": (there.recipe.digest, contender.recipe.digest),
        "seed": (there.seed, seed),
        "data": ((there.dataset, there.data_digest), (question.data.name, held.digest)),
        "held-out part": (there.held_out, True),
        "engine": (there.engine, contender.engine),
        "device": (there.device, question.device),
        "number of threads": (there.threads, question.threads),
        "code": (run.code_digest, contender.code_digest),
        "files of the network": (dict(run.model_files), dict(contender.files)),
        "search": (run.declaration, question.digest),
        "number of epochs": (len(run.epochs), contender.recipe.epochs),
        "held-out labels": (proof.labels_sha256(answers.labels), held.labels_sha256),
    }
    different = [name for name, (is_there, should) in wanted.items() if is_there != should]
    return f"is not the declared run: another {', '.join(different)}" if different else ""


def percent(question: Question, contender: Contender, place: Path, seed: int, which: int) -> float:
    """The held-out accuracy of a finished run in percent, counted from its answers. Raises DataError where it is not
    the declared run."""
    if problem := mismatch(question, contender, place, seed, which):
        raise DataError(str(place / store.RECORD), problem)
    answers = store.load_predictions(place)
    return 100.0 * answers.correct / len(answers.labels)


def other_figures(contender: Contender, place: Path) -> str:
    """In what a record is not what its answers and its candidate say, in one line; empty where it is."""
    run, answers = store.load(place), store.load_predictions(place)
    said = {
        "right answers": (run.correct, answers.correct),
        "number of images": (run.test_count, len(answers.labels)),
        "answers": (run.predictions_digest, answers.digest),
        "parameters": (run.parameters, contender.parameters),
        "MACs": (run.macs, contender.macs),
        "bytes": (run.weight_bytes, contender.bytes),
    }
    wrong = [name for name, (recorded, counted) in said.items() if recorded != counted]
    return f"says something else of: {', '.join(wrong)}" if wrong else ""


def declared_otherwise(question: Question, contenders: Sequence[Contender]) -> list[str]:
    """Why runs would not be computed here as they were declared: other code, other versions of what it stands on."""
    engines = {one.engine: one for one in contenders}
    changed = any(code_digest(one.model, one.engine) != one.code_digest for one in engines.values())
    reasons = ["with other code than this"] if changed else []
    return reasons + other_versions(question.versions, environment.versions(engine_of(contenders)))


def engine_of(contenders: Sequence[Contender]) -> str:
    """The engine whose versions a search declares: native where one of its candidates is trained by it."""
    return "native" if any(one.engine == "native" for one in contenders) else "torch"
