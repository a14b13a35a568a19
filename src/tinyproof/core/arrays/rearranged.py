"""Arrays made of nothing, put together, taken apart, sorted and looked through."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import accumulate, chain, compress, pairwise
from itertools import repeat as times_over
from operator import add, eq, ne, sub
from typing import Any

from tinyproof.core.arrays.array_places import Shape, common_shape, spread
from tinyproof.core.arrays.element_kinds import CAST, higher, kind_of
from tinyproof.core.arrays.plain_array import asarray, ndarray


def _shape(shape: Any) -> Shape:
    return (int(shape),) if not isinstance(shape, tuple) else shape


def full(shape: Any, value: Any, dtype: Any = None) -> ndarray:
    """An array of one number."""
    given = asarray(value, dtype)
    sizes = _shape(shape)
    if not given.shape:
        return ndarray(given.flat * math.prod(sizes), sizes, given.kind)
    return ndarray(list(spread(given.flat, given.shape, sizes)), sizes, given.kind)


def zeros(shape: Any, dtype: Any = float) -> ndarray:
    """An array of 0."""
    return full(shape, 0, dtype)


def ones(shape: Any, dtype: Any = float) -> ndarray:
    """An array of 1."""
    return full(shape, 1, dtype)


def full_like(other: Any, value: Any) -> ndarray:
    """One number in the shape and of the kind of another array."""
    like = asarray(other)
    return full(like.shape, value, like.kind)


def zeros_like(other: Any) -> ndarray:
    """0 in the shape and of the kind of another array."""
    return full_like(other, 0)


def ones_like(other: Any) -> ndarray:
    """1 in the shape and of the kind of another array."""
    return full_like(other, 1)


def array(values: Any, dtype: Any = None) -> ndarray:
    """A copy."""
    made = asarray(values, dtype)
    return made.copy() if made is values else made


def arange(*bounds: int) -> ndarray:
    """Whole numbers one after the other."""
    numbers = list(range(*map(int, bounds)))
    return ndarray(numbers, (len(numbers),), "i")


def linspace(first: float, last: float, count: int) -> ndarray:
    """So many numbers with equal steps, both ends among them."""
    step = (last - first) / (count - 1)
    return asarray([*(k * step + first for k in range(count - 1)), last], float)


def fromiter(values: Iterable[Any], dtype: Any) -> ndarray:
    """The numbers of an iteration."""
    return asarray(list(values), dtype)


def broadcast_to(values: Any, shape: Any) -> ndarray:
    """Spread to a larger shape."""
    given, sizes = asarray(values), _shape(shape)
    return ndarray(spread(given.flat, given.shape, sizes), sizes, given.kind)


def broadcast_arrays(*values: Any) -> list[ndarray]:
    """All of them spread to their common shape."""
    given = [asarray(value) for value in values]
    shape = common_shape(*(one.shape for one in given))
    return [broadcast_to(one, shape) for one in given]


def concatenate(parts: Sequence[Any], axis: int = 0) -> ndarray:
    """One after the other along an axis."""
    given = [asarray(part) for part in parts]
    kind = higher(*(part.kind for part in given))
    shape = list(given[0].shape)
    shape[axis] = sum(part.shape[axis] for part in given)
    widths = [math.prod(part.shape[axis:]) for part in given]
    rows = range(math.prod(shape[:axis]))
    flat = [x for k in rows for part, w in zip(given, widths, strict=True) for x in part.flat[k * w : (k + 1) * w]]
    mixed = any(part.kind != kind for part in given)
    return ndarray(list(map(CAST[kind], flat)) if mixed else flat, tuple(shape), kind)


def append(values: Any, more: Any) -> ndarray:
    """One after the other, as one axis."""
    return concatenate([asarray(values).ravel(), asarray(more).ravel()])


def stack(parts: Sequence[Any], axis: int = 0) -> ndarray:
    """Beside each other, along a new axis."""
    given = [asarray(part) for part in parts]
    shape = given[0].shape
    at = axis % (len(shape) + 1)
    return concatenate([part.reshape((*shape[:at], 1, *shape[at:])) for part in given], at)


def tile(values: Any, times: Any) -> ndarray:
    """So many copies side by side; `times` may be (1, copies) of rows."""
    given = asarray(values)
    if isinstance(times, tuple):
        return concatenate([given] * times[-1], len(times) - 1) if times[-1] else given[:, :0]
    return ndarray(given.flat * int(times), (len(given.flat) * int(times),), given.kind)


def repeat(values: Any, times: Any) -> ndarray:
    """Every element so many times; `times` is a number, or one for each."""
    given = asarray(values)
    counts = spread(asarray(times, int).flat, asarray(times).shape, given.shape)
    flat = list(chain.from_iterable(map(times_over, given.flat, counts)))
    return ndarray(flat, (len(flat),), given.kind)


def pieces(values: ndarray, first: ndarray, last: ndarray) -> ndarray:
    """Of each pair the elements from `first` to before `last`, one after the other."""
    cut = map(values.flat.__getitem__, map(slice, first.flat, last.flat))
    flat = list(chain.from_iterable(cut))
    return ndarray(flat, (len(flat),), values.kind)


def add_rows(out: ndarray, rows: ndarray, amounts: ndarray) -> None:
    """Add the rows of `amounts` to these rows of `out`, to one that occurs twice twice."""
    flat, given, width = out.flat, amounts.flat, out.shape[1]
    for at, row in enumerate(rows.flat):
        own = slice(row * width, (row + 1) * width)
        flat[own] = map(add, flat[own], given[at * width : (at + 1) * width])


def split(values: ndarray, at: Any) -> list[ndarray]:
    """Cut before each of these places."""
    bounds = [0, *asarray(at, int).flat, len(values)]
    return [values[first:last] for first, last in pairwise(bounds)]


def nonzero(values: Any) -> tuple[ndarray, ...]:
    """The places of what is not 0, an array for each axis."""
    given = asarray(values)
    places = list(compress(range(len(given.flat)), given.flat))
    steps = [math.prod(given.shape[axis + 1 :]) for axis in range(given.ndim)]
    sizes = zip(steps, given.shape, strict=True)
    return tuple(ndarray([i // step % size for i in places], (len(places),), "i") for step, size in sizes)


def flatnonzero(values: Any) -> ndarray:
    """The places of what is not 0, along one axis."""
    flat = asarray(values).flat
    places = list(compress(range(len(flat)), flat))
    return ndarray(places, (len(places),), "i")


def _order(x: Any) -> tuple[bool, Any]:
    return (x != x, x)  # nan comes last


def _in_order(values: list[Any]) -> list[Any]:
    return sorted(values, key=_order) if any(map(ne, values, values)) else sorted(values)


def argsort(values: Any, kind: str = "stable") -> ndarray:
    """The places in the order of the numbers; equal ones stay as they are."""
    flat = asarray(values).flat
    mixed = asarray(values).kind == "f" and any(map(ne, flat, flat))
    key = (lambda i: _order(flat[i])) if mixed else flat.__getitem__
    return ndarray(sorted(range(len(flat)), key=key), (len(flat),), "i")


def sort(values: Any, axis: int = -1) -> ndarray:
    """In order along the last axis."""
    given = asarray(values)
    width = given.shape[-1] or 1
    rows = (_in_order(given.flat[i : i + width]) for i in range(0, len(given.flat), width))
    return ndarray(list(chain.from_iterable(rows)), given.shape, given.kind)


def searchsorted(values: Any, wanted: Any) -> ndarray:
    """Before how many of the sorted values each number stands."""
    flat, asked = asarray(values).flat, asarray(wanted)
    return ndarray([bisect_left(flat, x) for x in asked.flat], asked.shape, "i")


def bincount(values: Any, minlength: int = 0) -> ndarray:
    """How often each whole number from 0 occurs."""
    flat = asarray(values, int).flat
    count = [0] * max(minlength, max(flat, default=-1) + 1)
    for number in flat:
        count[number] += 1
    return ndarray(count, (len(count),), "i")


def cumsum(values: Any) -> ndarray:
    """The sums of the first one, the first two, .."""
    given = asarray(values)
    return ndarray(
        list(accumulate(map(CAST[higher(given.kind, "i")], given.flat))), (given.size,), higher(given.kind, "i")
    )


def diff(values: Any, prepend: Any = None) -> ndarray:
    """Each less the one before it; `prepend` stands before the first."""
    given = asarray(values)
    whole = given if prepend is None else append(asarray(prepend, given.kind), given)
    flat = list(map(ne if whole.kind == "b" else sub, whole.flat[1:], whole.flat))
    return ndarray(flat, (len(flat),), whole.kind)


def unique(
    values: Any, return_index: bool = False, return_inverse: bool = False, return_counts: bool = False, axis: Any = None
) -> Any:
    """Each number (with `axis=0` each row) once, in order; where it stands first, which one each is, how often."""
    given = asarray(values)
    if axis is None and given.kind != "f" and not (return_index or return_inverse):
        count = Counter(given.flat) if return_counts else {}
        whole = sorted(count or set(given.flat))
        once = ndarray(whole, (len(whole),), given.kind)
        return (once, ndarray([count[x] for x in whole], once.shape, "i")) if return_counts else once
    rows = given.tolist() if axis == 0 else given.flat
    keys = list(map(tuple, rows)) if axis == 0 else [x if x == x else None for x in rows]
    first: dict[Any, int] = {}
    for place, key in enumerate(keys):
        first.setdefault(key, place)
    own = sorted(first.values(), key=lambda place: _order(rows[place]))
    result = [given[own] if axis == 0 else ndarray([rows[i] for i in own], (len(own),), given.kind)]
    rank = {keys[place]: number for number, place in enumerate(own)}
    which = ndarray([rank[key] for key in keys], (len(keys),), "i")
    result += [ndarray(own, (len(own),), "i")] if return_index else []
    result += [which if axis == 0 else which.reshape(given.shape)] if return_inverse else []
    result += [bincount(which, len(own))] if return_counts else []
    return tuple(result) if len(result) > 1 else result[0]


def isin(values: Any, among: Any) -> Any:
    """Whether each is one of these."""
    given, held = asarray(values), set(asarray(among).flat)
    return ndarray([x in held for x in given.flat], given.shape, "b")


def intersect1d(a: Any, b: Any) -> ndarray:
    """What both hold, in order, each once."""
    own: ndarray = unique(a)
    both: ndarray = own[isin(own, b)]
    return both


def setdiff1d(a: Any, b: Any) -> ndarray:
    """What the first holds and the second does not, in order, each once."""
    own: ndarray = unique(a)
    rest: ndarray = own[~isin(own, b)]
    return rest


def array_equal(a: Any, b: Any) -> bool:
    """The same shape and the same numbers."""
    x, y = asarray(a), asarray(b)
    return x.shape == y.shape and all(map(eq, x.flat, y.flat))


def atleast_2d(values: Any) -> ndarray:
    """With a row before it, where there is one axis only."""
    given = asarray(values)
    return given if given.ndim >= 2 else given.reshape(1, -1)


def empty(shape: Any, dtype: Any = float) -> ndarray:
    """To be filled."""
    return zeros(shape, kind_of(dtype))
