"""Running sums of squares beside the parameters, as Adagrad keeps them: they go on like parameters and are none.

What a sum grows by is never below 0 and does not hang on the sum; no output does either, and another parameter's
change reads it.
"""

from __future__ import annotations

from tinyproof.backprop.tape import Array
from tinyproof.check.workbook.graph.found_training import Study, grouped
from tinyproof.core.arrays import np

MOST_SUMS = 400  # parameters that only grow, looked at
MOST_STEPS = 3  # of each


def running_sums(found: Study) -> set[int]:
    """The updates that are such sums."""
    grows = _grows(found.change)
    if grows.any():  # of positive numbers alone most things grow
        grows &= _grows(_of_both_signs(found))
    if not grows.any():
        return set()
    sums = set[int]()
    for _, own in grouped(found.lineage)[:MOST_SUMS]:
        if grows[own].all() and all(_is_kept_aside(found, int(update)) for update in own[:MOST_STEPS]):
            sums.update(own.tolist())
    return sums if len(sums) < len(found.updates) else set()


def _grows(change: Array) -> np.ndarray:
    return np.asarray(np.isfinite(change).all(axis=1) & (change >= 0).all(axis=1) & (np.ptp(change, axis=1) > 0))


def _of_both_signs(found: Study) -> Array:
    """The changes where the parameters are positive or negative at random."""
    values, cut = found.values.copy(), np.flatnonzero(found.order.cut)
    values[cut] *= np.random.default_rng(13).choice([-1.0, 1.0], (len(cut), values.shape[1]))
    start = values[found.parameter]
    return np.asarray(found.order.compute(values)[found.successor] - start)


def _is_kept_aside(found: Study, update: int) -> bool:
    """Whether no output hangs on a parameter, nor its own change, and the change of another one does."""
    parameter, successor = int(found.parameter[update]), int(found.successor[update])
    if found.forward is None or found.forward[parameter]:
        return False
    reached = found.order.reach([parameter])
    reads = [cell for cell in found.net.reads(successor) if cell != parameter]
    others = found.order.cone(found.successor[found.lineage != found.lineage[update]])
    used = bool(others[[parameter, successor]].any())
    return used and not reached[reads].any() and bool(found.depends[reads].any())
