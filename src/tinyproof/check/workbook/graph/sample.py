"""Random numbers for the cells that a formula does not fill, such that what the sheet says stays consistent."""

from __future__ import annotations

from tinyproof.backprop.tape import Array
from tinyproof.check.workbook.graph.order import Order
from tinyproof.core.arrays import np

PLAIN = 8  # samples where no formula bends or jumps


def draw(
    order: Order,
    random: np.ndarray,
    held: np.ndarray,
    samples: int,
    seed: int,
    positive: bool = False,
    wide: bool = False,
) -> Array:
    """Values for the leaves: random where `random`, the sheet's own where not; `held` keeps its own in any case.

    Typed cells that hold the same number share one random number: the sheet may have an input twice. A parameter has
    one of its own. A blank cell is 0, as in a worksheet; a text makes what reads it nan.
    """
    net, graph = order.net, order.net.graph
    rng = np.random.default_rng(seed)
    typed = np.array(graph.typed)
    values = np.full((net.size, samples), np.nan)
    leaf = (net.form_of < 0) | order.cut | (order.level < 0)
    blank = np.array([graph.grid.cell(graph.places[c]) is None for c in np.flatnonzero(leaf)], dtype=bool)
    own = typed.copy()
    own[np.flatnonzero(leaf)[blank]] = 0.0
    values[leaf] = own[leaf][:, None]
    unread = np.zeros(net.size, dtype=bool)
    unread[list(graph.opaque)] = True
    never = leaf & unread & np.isnan(own)  # not read and never calculated: any number will do
    own[never] = np.random.default_rng(seed + 1).uniform(2.0, 3.0, int(never.sum()))
    chosen = np.flatnonzero(leaf & (random | never) & ~held & ~np.isnan(own))
    free = chosen[order.cut[chosen]]
    values[free] = _numbers(rng, len(free), samples, positive, wide)
    shared = chosen[~order.cut[chosen]]
    numbers, which = np.unique(own[shared], return_inverse=True)
    drawn = _numbers(rng, len(numbers), samples, positive, wide)
    drawn[numbers == 0] = np.abs(drawn[numbers == 0])
    values[shared] = drawn[which.ravel()]
    cut = np.flatnonzero(order.cut)
    values[cut] = _numbers(rng, len(cut), samples, positive, wide)
    return values


def _numbers(rng: np.random.Generator, count: int, samples: int, positive: bool, wide: bool) -> Array:
    size = rng.uniform(0.3, 1.4, (count, samples))
    if wide:  # a threshold must be passed on some samples
        size *= rng.choice([1.0, 1.0, 2.5], (count, samples))
    sign = 1.0 if positive else rng.choice([-1.0, 1.0], (count, samples))
    return np.asarray(size * sign)


def is_stepped(order: Order, depends: np.ndarray) -> bool:
    """Whether some formula on the way from the parameters jumps or bends."""
    for form in order.net.forms:
        if any(step[0] in ("gt", "ge", "max", "min", "abs", "if") for step in form.tape.steps):
            if depends[form.cells].any():
                return True
    return False


def has_thresholds(order: Order, depends: np.ndarray) -> bool:
    """Whether a unit answers with one of two plain values."""
    return any(form.tape.stairs and depends[form.cells].any() for form in order.net.forms)
