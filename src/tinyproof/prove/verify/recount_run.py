"""One stored run: every figure that follows from its answers, its recipe, its network or its data, counted again."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np

from tinyproof.core.errors import TinyproofError
from tinyproof.data.dataset import PerChannel
from tinyproof.prove import proof
from tinyproof.prove.declaration import Declaration
from tinyproof.prove.verify import recompute, recount_evaluations, recount_export
from tinyproof.prove.verify.lines import Case, Line, kept_files, near, plain_names
from tinyproof.ship import exported, replaced
from tinyproof.train import store
from tinyproof.train.run_record import Predictions, Run
from tinyproof.train.schedule import rates

# A schedule of more steps than this is not computed: a stranger's record may name any number.
_MAX_STEPS = 20_000_000
_MOST_IMAGES = 10**9


def lines(case: Case, place: Path, declared: Declaration | None = None, seed: int = 0) -> list[Line]:
    """All checks of one run; `declared`: the declaration that names its `seed`."""
    try:
        run, answers = store.load(place), store.load_predictions(place)
    except TinyproofError as error:
        return [case.line(place, "the record and the answers can be read", False, str(error))]
    if declared:
        found = _declared(case, place, run, answers, declared, seed)
    else:
        found = plain_names(case, place, run.identity.model, run.recipe.name, run.identity.dataset)
    found += _images(case, place, run, declared is not None)
    found += _figures(case, place, run, answers)
    found += _epochs(case, place, run, declared is not None)
    found.append(_network(case, place, run))
    if declared is None:
        found += kept_files(case, place, run.model_files)
    again, told = recompute.weights(case, place, run, answers)
    found += [*told, *recount_evaluations.lines(case, place, run, answers, again)]
    for folder in replaced.beside(place):
        judged = declared.budget if declared and folder == exported.folder_of(place, declared.judged_as) else None
        found += recount_export.lines(case, folder, run, answers, again, judged)
    return found


def _declared(case: Case, place: Path, run: Run, answers: Predictions, declared: Declaration, seed: int) -> list[Line]:
    problem = proof.mismatch(declared, run, seed)
    labels = proof.labels_sha256(answers.labels) == declared.data.labels_sha256
    sizes = (run.train_count, len(answers.labels)) == (declared.data.training_images, declared.data.test_images)
    said = f"{run.train_count:,} to train, {len(answers.labels):,} to test"
    return [
        case.line(place, "it is the declared run", not problem, problem),
        case.line(place, "the labels are the declared ones", labels),
        case.line(place, "there are as many images as declared", sizes, said),
        _after(case, place, declared.declared_at, run.started),
    ]


def _after(case: Case, place: Path, declared: str, began: str) -> Line:
    """Whether the run is later than its declaration by their clocks, which anybody may set: earlier is only told."""
    what = "it began after it was declared"
    try:
        first, second = datetime.fromisoformat(declared), datetime.fromisoformat(began)
        if first <= second:
            return case.line(place, what, True, began)
    except (ValueError, TypeError):
        # No time at all, or one with a zone and one without.
        return case.line(place, what, False, f"{declared!r} and {began!r} are no two times")
    return case.line(place, what, None, f"by its clock it began {first - second} before: was the clock set back?")


def _images(case: Case, place: Path, run: Run, proved: bool) -> list[Line]:
    """The sizes, classes and normalisation of the data, where it is known or at hand; a proof says itself where not."""
    what, identity = "the recorded images are the data's", run.identity
    try:
        known = recompute.images(case.options, identity.dataset, run.reading)
    except TinyproofError as error:
        return [] if proved else [case.line(place, what, None, str(error))]
    if identity.held_out or known.facts.digest != identity.data_digest:
        part = "they are a part of it, held out" if identity.held_out else "they are others, or a part of it"
        return [] if proved else [case.line(place, what, None, part)]
    sizes = (run.train_count, run.test_count) == (known.facts.training_images, known.facts.test_images)
    shown = (run.classes, run.shape) == (known.classes, known.shape)
    shown = shown and _near(run.mean, known.mean) and _near(run.std, known.std)
    return [case.line(place, what, sizes and shown, f"{len(run.classes)} classes, mean {run.mean}, sd {run.std}")]


def _near(one: PerChannel, other: PerChannel) -> bool:
    """Whether what normalises each channel is the same; what is no number that a float can hold is not."""
    try:
        mine, theirs = np.atleast_1d(np.asarray(one, float)), np.atleast_1d(np.asarray(other, float))
    except (OverflowError, TypeError, ValueError):
        return False
    return mine.shape == theirs.shape and bool(np.allclose(mine, theirs, 1e-9, 0))


def _figures(case: Case, place: Path, run: Run, answers: Predictions) -> list[Line]:
    """The recorded figures against those counted from the answers."""
    counted = f"{answers.correct:,} of {len(answers.labels):,}"
    recorded = (run.correct, run.test_count) == (answers.correct, len(answers.labels))
    said = counted if recorded else f"the record says {run.correct:,} of {run.test_count:,}, the answers {counted}"
    loss = near(run.test_loss, answers.loss, 1e-6, 1e-9)
    return [
        case.line(place, "the recorded accuracy is what the answers give", recorded, said),
        case.line(place, "the recorded loss is what the answers give", loss, f"{answers.loss:.6f}"),
        case.line(place, "the answers are the recorded ones", run.predictions_digest == answers.digest),
        case.line(place, "classes, confidences and losses fit together", _consistent(answers)),
        case.line(place, "the last epoch logs that accuracy and loss", _last_epoch(run, answers)),
    ]


def _last_epoch(run: Run, answers: Predictions) -> bool:
    last = run.epochs[-1] if run.epochs else None
    if last is None or last.test_percent is None or last.test_loss is None:
        return False
    percent = 100 * answers.correct / len(answers.labels)
    # The loss in the log was summed before it was rounded to what is stored.
    return near(last.test_percent, percent, 0, 1e-6) and near(last.test_loss, answers.loss, 1e-4, 1e-6)


def _consistent(answers: Predictions) -> bool:
    """Right answers carry the confidence that their loss says; wrong ones give the true class no more than that."""
    truth = np.exp(-answers.losses.astype(np.float64))
    right = answers.predicted == answers.labels
    exact = np.abs(truth - answers.confidence) <= 1e-4
    below = truth <= answers.confidence + 1e-4
    return bool(np.where(right, exact, below).all() and np.isfinite(answers.losses).all())


def _epochs(case: Case, place: Path, run: Run, proved: bool) -> list[Line]:
    """The log of every epoch: complete, at the recipe's rates, and nothing in it that cannot be."""
    whole = [log.epoch for log in run.epochs] == list(range(1, run.recipe.epochs + 1))
    wrong = _impossible(run)
    found = [
        case.line(place, "every epoch is logged, in order", whole, f"{len(run.epochs)} of {run.recipe.epochs}"),
        _rates(case, place, run),
        case.line(place, "no logged figure is impossible", not wrong, wrong),
    ]
    early = [log.epoch for log in run.epochs[:-1] if log.test_percent is not None or log.test_loss is not None]
    if proved:
        told = f"also after epoch {early[0]}" if early else ""
        found.append(case.line(place, "the test images were looked at once, at the end", not early, told))
    elif early:
        what = "the earlier test accuracies are what the network gave"
        found.append(case.line(place, what, None, f"{len(early)} epochs, of which no answers are kept"))
    return found


def _rates(case: Case, place: Path, run: Run) -> Line:
    what = "the logged rates are the recipe's"
    steps = max(1, -(-run.train_count // run.recipe.batch_size))
    if steps * run.recipe.epochs > _MAX_STEPS:
        return case.line(place, what, None, f"{steps * run.recipe.epochs:,} steps are too many to compute")
    wanted = rates(run.recipe, steps)[steps - 1 :: steps]
    logged = [log.rate for log in run.epochs]
    same = len(logged) == len(wanted) and all(
        near(a, float(b), 1e-9, 1e-15) for a, b in zip(logged, wanted, strict=True)
    )
    return case.line(place, what, same)


def _impossible(run: Run) -> str:
    """The first figure of the log that no training gives, in words; empty where there is none."""
    if not 1 <= run.train_count <= _MOST_IMAGES:
        return f"{run.train_count:,} training images"
    for log in run.epochs:
        right = min(100, max(0, log.train_percent)) * run.train_count / 100
        if not 0 <= log.train_percent <= 100 or not near(right, round(right), 0, 1e-4):
            return f"epoch {log.epoch}: {log.train_percent} % of {run.train_count:,} images is no number of images"
        if log.train_loss < 0 or log.seconds < 0:
            return f"epoch {log.epoch}: a loss or a time below zero"
    spent = sum(log.seconds for log in run.epochs)
    # Besides training, the run's time holds its evaluations.
    fits = spent <= run.seconds or near(spent, run.seconds, 1e-9)
    return "" if fits else "the epochs took longer than the run"


def _network(case: Case, place: Path, run: Run) -> Line:
    """Parameters, multiply-adds, bytes, kinds of layers and what the rules ask, against the network itself."""
    what = "parameters, MACs, bytes and layers are the network's"
    try:
        known = recompute.network(case.options, run)
    except recompute.Wrong as error:
        return case.line(place, what, False, str(error))
    except TinyproofError as error:
        return case.line(place, what, None, str(error))
    recorded = run.facts
    names = ("parameters", "bytes", "macs", "kinds", "dropout_active", "global_average_pooling")
    wrong = [name for name in names if getattr(recorded, name) != getattr(known, name)]
    said = f"differs in: {', '.join(wrong)}" if wrong else f"{known.parameters:,} parameters, {known.macs:,} MACs"
    return case.line(place, what, not wrong, said)
