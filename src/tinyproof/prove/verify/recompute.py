"""What a verification computes again with the data, the network and the stored weights, where they are at hand.

A record from a stranger decides nothing here: a Python file or a path that it names is never opened.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyproof.core.errors import DataError, InputError, TinyproofError
from tinyproof.core.files import sha256
from tinyproof.data.arrays import MOST_BYTES
from tinyproof.data.dataset import NAMES, Dataset, overlap
from tinyproof.data.load import load
from tinyproof.data.reading import AS_IT_IS, BEFORE, Asked, Reading, Shape
from tinyproof.network import model_name, own_files
from tinyproof.network.budget import MADE_FOR, Facts
from tinyproof.prove import evaluations, known_figures, proof
from tinyproof.prove.declaration import DataFacts
from tinyproof.prove.evaluations import Look, LookResult
from tinyproof.prove.verify.lines import Case, Line, VerifyOptions
from tinyproof.train import environment, store
from tinyproof.train.run_record import Predictions, Run

# Other processors and engines round differently. `python benchmarks/rounding.py` finds 3e-6 at most, of a probability
# and of a log-probability as a share of 1 + its size; thirty times that is allowed for every image. A class may differ
# only where the two likeliest are as near as that. An accelerator's convolutions may keep ten bits of a number.
ROUNDING, ROUNDING_ELSEWHERE = 1e-4, 1e-2
_PART = "is not what the run was tested on: a part of the training images was"
# Of an evaluation on changed images only the count is kept: this share of them may fall on the other side of a tie.
_ROUNDING_SHARE = 0.0005


class Wrong(DataError):
    """The network or the weights are not those of the record."""


def allowed(images: int) -> int:
    """How many answers may differ by rounding alone.

    >>> allowed(10_000)
    5
    """
    return max(1, int(_ROUNDING_SHARE * images))


# ------------------------------------------------------------------ the data


def images(options: VerifyOptions, name: str, reading: Reading | None) -> known_figures.Images:
    """What is known of a data set: MNIST's by heart, another's from its images, read as the record says. Raises
    TinyproofError without them.
    """
    if name == known_figures.MNIST.facts.name:
        return known_figures.MNIST
    if not options.weights:
        raise DataError(name, "was not loaded (--no-weights)")
    return _images(*_where(options, name, reading), _asked(name, reading))


def _ours(name: str, reading: Reading | None) -> bool:
    """Whether a recorded name is that of a data set by name: data of somebody's own may have been called so before."""
    return name in NAMES and not (reading and reading.words)


def _asked(name: str, reading: Reading | None) -> Asked:
    """How data of somebody's own has to be read; what a record of an earlier version holds was read in one way."""
    if _ours(name, reading):
        return AS_IT_IS
    return reading.asked if reading else BEFORE


def _where(options: VerifyOptions, name: str, reading: Reading | None) -> tuple[str, str | None]:
    if _ours(name, reading):
        return name, options.data
    if options.dataset is None:
        raise InputError("dataset", name, "name the path of your own with --dataset", problem="is no data of ours")
    return options.dataset, None


@lru_cache(maxsize=4)
def _load(name: str, folder: str | None, asked: Asked) -> Dataset:
    return load(name, folder, fetch=False, asked=asked)


@lru_cache(maxsize=4)
def _images(name: str, folder: str | None, asked: Asked) -> known_figures.Images:
    found = _load(name, folder, asked)
    facts = DataFacts(
        name=found.name,
        digest=found.digest,
        labels_sha256=proof.labels_sha256(found.test_labels),
        training_images=len(found.train_labels),
        test_images=len(found.test_labels),
        overlap=len(overlap(found)),
    )
    return known_figures.Images(facts, found.classes, found.mean, found.std, found.shape)


# ------------------------------------------------------------------ the network


def network(options: VerifyOptions, run: Run) -> Facts:
    """What the run's network costs. Raises Wrong for a file that is not the recorded one, InputError where the network
    is somebody's own and no file is named.
    """
    identity = run.identity
    if run.reading is not None:
        _ = run.reading.asked  # a stranger's record must not ask for an input that no pictures give
    made_for, dropout = (run.shape, len(run.classes)), run.recipe.dropout
    if identity.model in known_figures.NETS:
        known = known_figures.network(identity.model, dropout) if made_for == MADE_FOR else None
        return known or _facts(identity.model, dropout, *made_for)[0]
    file = _own_file(options, identity.model)
    if not model_name.is_own(file):
        return _facts(file, dropout, *made_for)[0]
    facts, found = _facts(file, dropout, *made_for)
    place = model_name.file_of(file)
    if own_files.changed(place.parent, found):
        _facts.cache_clear()
        facts, found = _facts(file, dropout, *made_for)
    told = own_files.against(run.model_files, identity.model_digest, found, place.name)
    if told:
        raise Wrong(file, f"is not the network that the record names by its digest: {', '.join(told)}")
    return facts


def _own_file(options: VerifyOptions, model: str) -> str:
    """The file that the verifier names for the network of a record: the one there is, of several that of its name."""
    if not options.models:
        raise InputError("model", model, "name the file yourself with --model", problem="is no network of ours")
    if len(options.models) == 1:
        return model_name.like(options.models[0], model)
    called = model_name.short(model)
    found = next((named for named in options.models if called in (_short(named), _short(named, model))), None)
    if found is None:
        named_so = " and ".join(map(_short, options.models))
        raise InputError("model", called, "name it with --model too", problem=f"is not among {named_so}")
    return model_name.like(found, model)


def _short(named: str, recorded: str = "") -> str:
    """How a network that the verifier names is called, with the arguments of a record where it has none."""
    return model_name.short(model_name.like(named, recorded))


@lru_cache(maxsize=16)
def _facts(model: str, dropout: float | None, shape: Shape, classes: int) -> tuple[Facts, dict[str, str]]:
    """What a network costs, and the digests of the local files that it is made of."""
    environment.need_torch("measuring a network")
    from tinyproof.network import anatomy, nets, own_network

    module = nets.build(model, 0, shape, classes)
    nets.set_dropout(module, dropout)
    facts = anatomy.summary(module, shape).facts()
    return facts, own_files.digests(own_network.files_of(module))


# ------------------------------------------------------------------ the weights


@dataclass(frozen=True, eq=False)
class Again:
    """A stored network with its weights and its data, ready to answer again."""

    engine: Any
    dataset: Dataset
    run: Run
    module: Any

    def answers(self) -> NDArray[Any]:
        """The log-probabilities that the weights give for the test images, float32 [N, classes]."""
        seen = self.engine.evaluate(self.dataset.test_images, self.dataset.test_labels)
        log_probabilities: NDArray[Any] = seen.log_probabilities
        return log_probabilities

    def look(self, wanted: Look) -> LookResult:
        """The look at the last epoch once more."""
        return evaluations.seen(wanted, self.engine, self.dataset, self.run.recipe, self.run.identity.seed)


def weights(case: Case, place: Path, run: Run, answers: Predictions) -> tuple[Again | None, list[Line]]:
    """The stored weights, loaded, and whether they are the recorded ones and give the stored answers."""
    path, what = place / store.WEIGHTS, "the weights give these answers"
    if not run.weights_digest:
        return None, [case.line(place, what, None, "they were not kept")]
    recorded = "the weights are the recorded ones"
    if not path.is_file():
        # A record without its weights (they are large) is held to them only where they are asked for.
        told = "they are missing" + ("; --no-weights checks everything else" if case.options.weights else "")
        return None, [case.line(place, recorded, False if case.options.weights else None, told)]
    lines = [case.line(place, recorded, sha256(path, MOST_BYTES) == run.weights_digest), _readable(case, place, run)]
    if lines[-1].holds is False:
        return None, lines
    if not case.options.weights:
        return None, [*lines, case.line(place, what, None, "they were not evaluated (--no-weights)")]
    try:
        again = restored(case.options, place, run)
        seen = again.answers()
    except TinyproofError as error:
        return None, [*lines, case.line(place, what, False if isinstance(error, Wrong) else None, str(error))]
    differ = differing(seen, answers, ROUNDING if run.identity.device == "cpu" else ROUNDING_ELSEWHERE)
    said = f"{differ} of {len(seen):,} answers differ by more than rounding"
    return again, [*lines, case.line(place, what, not differ, said)]


def differing(seen: NDArray[Any], answers: Predictions, rounding: float = ROUNDING) -> int:
    """How many stored answers are not those of these log-probabilities [N, classes], rounding set aside: the loss, the
    confidence, or a class that is not the likeliest, nor as likely as it but for rounding."""
    if len(seen) != len(answers.labels):
        return len(seen)
    rows, classes = np.arange(len(seen)), seen.shape[1]
    inside = (answers.predicted < classes) & (answers.labels < classes)
    said, truth = (np.minimum(part, classes - 1) for part in (answers.predicted, answers.labels))
    losses, best = -seen[rows, truth].astype(np.float64), seen.max(1)
    near_best = seen[rows, said] >= best - rounding * (1 + np.abs(best))
    sure = np.abs(np.exp(best) - answers.confidence) <= rounding
    same = np.abs(losses - answers.losses) <= rounding * (1 + losses)
    return int((~(inside & near_best & sure & same)).sum())


def _readable(case: Case, place: Path, run: Run) -> Line:
    """Whether the weights are a whole file of numbers, no fewer than the network's parameters. A mask of a network may
    be infinite; what is no number at all gives no answers."""
    what = "the weights are numbers, one for every parameter"
    try:
        values = store.load_weights(place)
    except ImportError:
        return case.line(place, what, None, "safetensors is not installed: pip install 'tinyproof[train]'")
    except TinyproofError as error:
        return case.line(place, what, False, str(error))
    count = sum(value.size for value in values.values())
    numbers = not any(bool(np.isnan(value).any()) for value in values.values() if value.dtype.kind == "f")
    return case.line(place, what, numbers and count >= run.parameters, f"{count:,} numbers")


def model_of(options: VerifyOptions, run: Run) -> str:
    """The network of a run: a name, or the file that the options name. Raises InputError where they name none."""
    model = run.identity.model
    return model if model in known_figures.NETS else _own_file(options, model)


def data_of(options: VerifyOptions, run: Run) -> Dataset:
    """The data of a run. Raises InputError where what is at hand is not it, DataError where nothing is."""
    identity = run.identity
    dataset = _load(*_where(options, identity.dataset, run.reading), _asked(identity.dataset, run.reading))
    if identity.held_out:
        raise InputError("dataset", dataset.name, "nothing can be evaluated again", problem=_PART)
    if dataset.digest != identity.data_digest:
        remedy = "name the data of the record with --dataset or --data"
        raise InputError("dataset", dataset.name, remedy, problem="is not what was tested on: its digest differs")
    return dataset


def restored(options: VerifyOptions, place: Path, run: Run) -> Again:
    """A stored network with its weights and its data. Raises TinyproofError where one of them is not to be had."""
    return with_weights(place, run, model_of(options, run), data_of(options, run))


def with_weights(place: Path, run: Run, model: str, dataset: Dataset) -> Again:
    """A stored network with its weights, of the model and the data that the caller names. Raises TinyproofError."""
    environment.need_torch("evaluating weights")
    import torch

    from tinyproof.network import nets
    from tinyproof.train.engine.torch_engine import TorchEngine

    module = nets.build(model, 0, run.shape, len(run.classes))
    values = {key: torch.from_numpy(value.copy()) for key, value in store.load_weights(place).items()}
    try:
        module.load_state_dict(values)
    except RuntimeError as error:
        raise Wrong(str(place / store.WEIGHTS), "do not fit the network") from error
    # What is stored are the final weights: averaged already where the recipe averages.
    return Again(TorchEngine(module, replace(run.recipe, ema=None), dataset), dataset, run, module)
