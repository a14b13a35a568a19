"""The kinds of mistake that people make, by name; each an edit of a right workbook."""

from __future__ import annotations

import random
from collections.abc import Callable

from tests.workbook.layouts import derivative, forwards, slips, updating
from tests.workbook.layouts.made import Made
from tests.workbook.layouts.mutate import Edit, Mutant, mutant

Mistake = Callable[[Made, random.Random], Edit | None]

MISTAKES: dict[str, Mistake] = {
    "neighbour": slips.neighbour,
    "wrong-factor": derivative.wrong_factor,
    "wrong-sign": derivative.wrong_sign,
    "lost-slope": derivative.lost_slope,
    "no-gate": derivative.no_gate,
    "half-slope": derivative.half_slope,
    "wrong-slope": derivative.wrong_slope,
    "lost-term": derivative.lost_term,
    "shifted-range": slips.shifted_range,
    "wrong-target": derivative.wrong_target,
    "no-rate": updating.no_rate,
    "drift": slips.drift,
    "stuck": slips.stuck,
    "other-example": slips.other_example,
    "typed": slips.typed,
    "blank": slips.blank,
    "stale": updating.stale,
    "other-weight": updating.other_weight,
    "other-gradient": updating.other_gradient,
    "other-step": updating.other_step,
    "update-sign": updating.update_sign,
    "state": updating.state,
    "no-mean": updating.no_mean,
    "wrong-total": updating.wrong_total,
    "wrong-delta": derivative.wrong_delta,
    "weight-for-signal": derivative.weight_for_signal,
    "late-weight": derivative.late_weight,
    "twice": derivative.twice,
    "forward-reference": forwards.forward_reference,
    "forward-form": forwards.forward_form,
    "loss": forwards.loss,
}


def broken(made: Made, kind: str, seed: int, tries: int = 12) -> Mutant | None:
    """A mutant of that kind, or None where this workbook has no place for such a mistake."""
    rng = random.Random(f"{made.layout} {made.seed} {kind} {seed}")
    for _ in range(tries):
        edit = MISTAKES[kind](made, rng)
        if edit is None:
            continue
        found = mutant(made, kind, edit)
        if found is not None:
            return found
    return None
