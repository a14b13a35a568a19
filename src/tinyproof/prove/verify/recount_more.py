"""Answers to further test images beside a proof (`also-NAME.json`): counted again, given again by the weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tinyproof.core.errors import DataError, TinyproofError
from tinyproof.data import more_tests
from tinyproof.data.more_tests import MoreTests
from tinyproof.prove import more_answers, proof
from tinyproof.prove.declaration import Declaration
from tinyproof.prove.more_answers import MoreAnswers
from tinyproof.prove.verify import recompute
from tinyproof.prove.verify.lines import Case, Line, listed
from tinyproof.train import store
from tinyproof.train.run_record import Predictions


def lines(case: Case, folder: Path, declared: Declaration, ended: list[Path]) -> list[Line]:
    """All checks of the further answers of one proof; none where it has none."""
    found = []
    for name in more_answers.stored(folder):
        what = f"the answers to {name} can be read"
        try:
            told = more_answers.load(folder, name)
            answers = {run.seed: _answers(folder, name, run.seed) for run in told.runs}
        except TinyproofError as error:
            found.append(case.line(folder, what, False, str(error)))
            continue
        found += [_counted(case, folder, told, answers), _every_run(case, folder, told, declared, ended)]
        found += _with_images(case, folder, told, answers)
    return found


def _answers(folder: Path, name: str, seed: int) -> Predictions:
    return store.read_predictions(more_answers.answers_of(proof.seed_folder(folder, seed), name))


def _counted(case: Case, folder: Path, told: MoreAnswers, answers: dict[int, Predictions]) -> Line:
    """Whether each count and each digest is that of the stored answers."""
    wrong = [
        str(run.seed)
        for run in told.runs
        if (answers[run.seed].correct, answers[run.seed].digest) != (run.correct, run.answers)
        or len(answers[run.seed].labels) != told.images
        or proof.labels_sha256(answers[run.seed].labels) != told.labels_sha256
    ]
    said = f"seed {listed(wrong)}" if wrong else told.words()
    return case.line(folder, f"the counts on {told.name} are those of the answers", not wrong, said)


def _every_run(case: Case, folder: Path, told: MoreAnswers, declared: Declaration, ended: list[Path]) -> Line:
    """Whether every ended run of this declaration is counted, and no other."""
    seeds = {proof.seed_folder(folder, seed) for seed in (run.seed for run in told.runs)}
    holds = seeds == set(ended) and told.declaration == declared.digest
    return case.line(folder, f"every run has answered {told.name}", holds)


def _with_images(case: Case, folder: Path, told: MoreAnswers, answers: dict[int, Predictions]) -> list[Line]:
    """What the images themselves can tell: their digest and labels, and the weights' answers to them."""
    what = f"the weights give the answers to {told.name}"
    if not case.options.weights:
        return [case.line(folder, what, None, "they were not evaluated (--no-weights)")]
    try:
        more = more_tests.load(told.name, case.options.data, fetch=False)
    except TinyproofError as error:
        return [case.line(folder, what, None, str(error))]
    same = more.digest == told.digest and all(np.array_equal(a.labels, more.labels) for a in answers.values())
    first = case.line(folder, f"the images of {told.name} are those that were answered", same)
    if not same:
        return [first]
    differ = 0
    try:
        for seed, given in answers.items():
            differ += _differing(case, proof.seed_folder(folder, seed), more, given)
    except TinyproofError as error:
        return [first, case.line(folder, what, False if isinstance(error, DataError) else None, str(error))]
    said = f"{differ} of {len(answers) * told.images:,} answers differ by more than rounding"
    return [first, case.line(folder, what, not differ, said)]


def _differing(case: Case, place: Path, more: MoreTests, given: Predictions) -> int:
    """How many answers of a run are not those of its weights, rounding set aside."""
    run = store.load(place)
    seen = more_answers.log_probabilities(place, run, more, recompute.model_of(case.options, run))
    rounding = recompute.ROUNDING if run.identity.device == "cpu" else recompute.ROUNDING_ELSEWHERE
    return recompute.differing(seen, given, rounding)
