"""The further evaluations of a run (`looks.json`): possible at all, and counted again from its answers or weights."""

from __future__ import annotations

import math
from pathlib import Path

from tinyproof.core.errors import TinyproofError
from tinyproof.prove import evaluations
from tinyproof.prove.evaluations import Look, LookResult
from tinyproof.prove.verify.lines import Case, Line, listed, near
from tinyproof.prove.verify.recompute import Again, allowed
from tinyproof.train.run_record import Predictions, Run


def lines(case: Case, place: Path, run: Run, answers: Predictions, again: Again | None) -> list[Line]:
    """All checks of a run's evaluations; none where it has none. `again`: its network, where the weights are kept."""
    try:
        found = evaluations.load(place)
    except TinyproofError as error:
        return [case.line(place, "the evaluations can be read", False, str(error))]
    if not found:
        return []
    wrong = [f"{name}: {problem}" for name, seen in found.items() if (problem := _impossible(name, seen, run))]
    told = [case.line(place, "no evaluation is impossible", not wrong, listed(wrong, 2))]
    left = []
    for name, seen in found.items():
        look = evaluations.named(name)
        counted = None if look is None or look.epoch != len(run.epochs) else _count(look, answers, again)
        if look is None or counted is None:
            left.append(name)
        else:
            said = f"recorded {seen.correct:,}, counted {counted.correct:,} of {counted.images:,}"
            told.append(case.line(place, f"{name} is what the network gives", _same(look, seen, counted), said))
    if left:
        why = "their epoch's weights are not at hand"
        told.append(case.line(place, "the other evaluations are what the network gave", None, f"{listed(left)}: {why}"))
    return told


def _count(look: Look, answers: Predictions, again: Again | None) -> LookResult | None:
    """What a look at the last epoch sees: the plain test images are in the answers, others need the weights."""
    if _answered(look):
        return LookResult(answers.correct, len(answers.labels), answers.loss)
    return None if again is None else again.look(look)


def _answered(look: Look) -> bool:
    return look.images == "test" and not look.augmented


def _same(look: Look, seen: LookResult, counted: LookResult) -> bool:
    close = abs(seen.correct - counted.correct) <= (0 if _answered(look) else allowed(counted.images))
    return seen.images == counted.images and close and near(seen.loss, counted.loss, 0.01, 1e-4)


def _impossible(name: str, seen: LookResult, run: Run) -> str:
    """Why no network gives this evaluation, in words; empty where one may."""
    look = evaluations.named(name)
    if look is None or not 1 <= look.epoch <= len(run.epochs):
        return "names no evaluation of this run"
    images = run.train_count if look.images == "training" else run.test_count
    if seen.images != images:
        return f"{seen.images:,} images where there are {images:,}"
    # A wrong answer gives the true class at most half of the probability, and no right one less than an equal share.
    least = (seen.images - seen.correct) / seen.images * math.log(2)
    if seen.loss < least - 1e-3:
        return f"a loss of {seen.loss} with {seen.images - seen.correct:,} wrong answers"
    if seen.correct == seen.images and seen.loss > math.log(max(2, len(run.classes))) + 1e-3:
        return f"a loss of {seen.loss} with every answer right"
    return ""
