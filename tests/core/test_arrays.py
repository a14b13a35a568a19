"""The stand-in for numpy against numpy: the same shapes, kinds and numbers, whatever the arrays hold."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable
from typing import Any

import numpy
import pytest
from hypothesis import HealthCheck, assume, settings
from hypothesis import given as drawn
from hypothesis import strategies as st

from tinyproof.core.arrays import numpy_pieces, plain, rearranged

FLOATS = st.one_of(
    st.floats(-1e6, 1e6), st.sampled_from([0.0, -0.0, 1.0, 0.5, math.inf, -math.inf, math.nan, 1e300, 1e-300])
)
ELEMENTS = {float: FLOATS, int: st.integers(-9, 9), bool: st.booleans()}
Arrays = tuple[Any, Any]


def given(*strategies: Any) -> Callable[[Any], Any]:
    """Drawn without a clock: where other tests run beside these, the first draw takes seconds."""
    calm = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
    return lambda test: calm(drawn(*strategies)(test))


def both(nested: Any, dtype: type) -> Arrays:
    return numpy.array(nested, dtype=dtype), plain.array(nested, dtype=dtype)


def sized(elements: st.SearchStrategy[Any], shape: tuple[int, ...]) -> st.SearchStrategy[Any]:
    for size in reversed(shape):
        elements = st.lists(elements, min_size=size, max_size=size)
    return elements


@st.composite
def arrays(draw: Any, axes: tuple[int, ...] = (1, 2, 3), kinds: tuple[type, ...] = (float, int, bool)) -> Arrays:
    """The same array of either."""
    shape = tuple(draw(st.integers(1, 4)) for _ in range(draw(st.sampled_from(axes))))
    kind = draw(st.sampled_from(kinds))
    return both(draw(sized(ELEMENTS[kind], shape)), kind)


@st.composite
def pairs(draw: Any, kinds: tuple[type, ...] = (float, int)) -> tuple[Arrays, Arrays]:
    """Two arrays that fit each other: an axis of either may be 1, or be missing."""
    shape = tuple(draw(st.integers(1, 4)) for _ in range(draw(st.integers(1, 3))))
    made = []
    for _ in range(2):
        own = tuple(size if draw(st.booleans()) else 1 for size in shape)[draw(st.integers(0, len(shape) - 1)) :]
        kind = draw(st.sampled_from(kinds))
        made.append(both(draw(sized(ELEMENTS[kind], own)), kind))
    return made[0], made[1]


def alike(theirs: Any, ours: Any, close: float = 0.0) -> None:
    """Shape, kind and numbers; `close`: by how much, in parts, a number may differ."""
    if isinstance(theirs, tuple | list) and not isinstance(ours, float):
        assert len(theirs) == len(ours)
        for one, other in zip(theirs, ours, strict=True):
            alike(one, other, close)
        return
    theirs = numpy.asarray(theirs)
    held = ours if isinstance(ours, plain.ndarray) else plain.asarray(ours)
    assert theirs.shape == held.shape
    assert theirs.dtype.kind == {"f": "f", "i": "i", "b": "b"}[held.kind]
    numpy.testing.assert_allclose(numpy.array(held.flat, dtype=theirs.dtype), theirs.ravel(), rtol=close, atol=0)


def same(of: Callable[[Any, Any], Any], given_arrays: Arrays, close: float = 0.0) -> None:
    """`of(numpy, array)` and `of(plain, array)`."""
    with numpy.errstate(all="ignore"):
        alike(of(numpy, given_arrays[0]), of(plain, given_arrays[1]), close)


BINARY = {
    "add": lambda a, b: a + b, "sub": lambda a, b: a - b, "mul": lambda a, b: a * b, "div": lambda a, b: a / b,
    "lt": lambda a, b: a < b, "le": lambda a, b: a <= b, "gt": lambda a, b: a > b, "ge": lambda a, b: a >= b,
    "eq": lambda a, b: a == b, "ne": lambda a, b: a != b,
}  # fmt: skip


@pytest.mark.parametrize("name", BINARY)
@given(pairs())
def test_two_arrays_are_computed_as_numpy_does(name: str, two: tuple[Arrays, Arrays]) -> None:
    (a, p), (b, q) = two
    with numpy.errstate(all="ignore"):
        alike(BINARY[name](a, b), BINARY[name](p, q))


@given(pairs((float,)), st.sampled_from([-2.0, -1.0, 0.0, 0.5, 2.0, 3.0]))
def test_powers(two: tuple[Arrays, Arrays], number: float) -> None:
    (a, p), (b, q) = two
    assume(not numpy.isinf(a).any())  # numpy has two answers for a root of minus infinity: of an array, and of a number
    with numpy.errstate(all="ignore"):
        alike(a**b, p**q, 1e-13)
        alike(a**number, p**number, 1e-13)


@given(pairs((bool,)))
def test_truths(two: tuple[Arrays, Arrays]) -> None:
    (a, p), (b, q) = two
    for of in (lambda x, y: x & y, lambda x, y: x | y, lambda x, y: x ^ y, lambda x, y: x + y, lambda x, y: x * y):
        alike(of(a, b), of(p, q))
    alike(~a, ~p)


@given(pairs((float, int)), arrays((1,), (bool,)))
def test_one_or_the_other(two: tuple[Arrays, Arrays], truths: Arrays) -> None:
    (a, p), (b, q) = two
    for name in ("maximum", "minimum"):
        alike(getattr(numpy, name)(a, b), getattr(plain, name)(p, q))
    with numpy.errstate(all="ignore"):
        alike(numpy.where(a > b, a, b), plain.where(p > q, p, q))
        alike(numpy.where(a > 0, b, 0.0), plain.where(p > 0, q, 0.0))
    same(lambda np, x: np.where(x, 1.5, np.nan), truths)


@pytest.mark.parametrize("name", ["exp", "log", "log1p", "log10", "sqrt", "tanh"])
@given(arrays(kinds=(float,)))
def test_functions_of_one_number(name: str, given_arrays: Arrays) -> None:
    same(lambda np, x: getattr(np, name)(x), given_arrays, 1e-13)


@given(arrays(kinds=(float,)), st.integers(-3, 12))
def test_rounding_signs_and_what_is_no_number(given_arrays: Arrays, digits: int) -> None:
    for of in (
        lambda np, x: np.round(x, digits), lambda np, x: np.sign(x), lambda np, x: np.abs(x), lambda np, x: -x,
        lambda np, x: np.isfinite(x), lambda np, x: np.isnan(x), lambda np, x: np.nan_to_num(x),
        lambda np, x: np.nan_to_num(x, nan=1.0, posinf=2.0, neginf=-3.0), lambda np, x: np.floor(x),
        lambda np, x: np.clip(x, -1.0, 2.0),
    ):  # fmt: skip
        same(of, given_arrays)


@given(arrays(), st.data())
def test_summaries_along_an_axis(given_arrays: Arrays, data: Any) -> None:
    axis = data.draw(st.sampled_from([None, *range(given_arrays[0].ndim), -1]))
    for name in ("any", "all", "max", "min"):
        same(lambda np, x, name=name: getattr(x, name)(axis=axis), given_arrays)
    for name in ("sum", "mean"):
        finite = both(numpy.nan_to_num(given_arrays[0], posinf=1.0, neginf=1.0).clip(-1e6, 1e6).tolist(), float)
        with numpy.errstate(all="ignore"):
            theirs, ours = getattr(finite[0], name)(axis=axis), getattr(finite[1], name)(axis=axis)
        size = numpy.abs(finite[0]).sum() + 1.0
        numpy.testing.assert_allclose(numpy.array(plain.asarray(ours).tolist()), theirs, rtol=0, atol=1e-14 * size)
    same(lambda np, x: x.sum(axis=axis), (given_arrays[0] == 0, given_arrays[1] == 0))
    same(lambda np, x: (x == 1).any(axis=axis, keepdims=True), given_arrays)
    same(lambda np, x: (x * 1.0).max(axis=axis, initial=1), given_arrays)
    same(lambda np, x: x.argmax(axis=axis), given_arrays)
    same(lambda np, x: np.count_nonzero(x), given_arrays)
    same(lambda np, x: np.ptp(x * 1.0, axis=axis), given_arrays)
    if axis is not None:
        same(lambda np, x: np.median(x * 1.0, axis=axis), given_arrays)


def _indices(np: Any) -> dict[str, Callable[[Any], Any]]:
    return {
        "one": lambda x: x[0], "last": lambda x: x[-1], "part": lambda x: x[1:], "every second": lambda x: x[::2],
        "backwards": lambda x: x[::-1], "new axis": lambda x: x[None], "new last": lambda x: x[:, None],
        "list": lambda x: x[[0, -1]], "array": lambda x: x[np.array([[0, -1], [-1, 0]])], "none": lambda x: x[[]],
        "mask": lambda x: x[np.arange(len(x)) % 2 == 0], "own mask": lambda x: x[x > 0], "turned": lambda x: x.T,
        "flat": lambda x: x.ravel(), "shape": lambda x: x.reshape(-1, 1), "copy": lambda x: x.copy(),
        "number": lambda x: x.astype(float) if not isinstance(x, float) else x,
    }  # fmt: skip


def _deeper(np: Any) -> dict[str, Callable[[Any], Any]]:
    return {
        "cell": lambda x: x[0, -1], "column": lambda x: x[:, 0], "columns": lambda x: x[:, [0, -1]],
        "part of columns": lambda x: x[:, :1], "pairs": lambda x: x[np.array([0, -1]), np.array([-1, 0])],
        "rows of a column": lambda x: x[[0, -1], 0], "rows and a part": lambda x: x[[0, -1], 1:],
        "column mask": lambda x: x[:, np.arange(x.shape[1]) > 0], "middle": lambda x: x[:, None, :],
        "mask of all": lambda x: x[np.arange(x.shape[0]) == 0, 0],
    }  # fmt: skip


@given(arrays())
def test_parts_of_an_array(given_arrays: Arrays) -> None:
    for name in _indices(numpy):
        alike(_indices(numpy)[name](given_arrays[0]), _indices(plain)[name](given_arrays[1]))


@given(arrays((2, 3)))
def test_parts_along_several_axes(given_arrays: Arrays) -> None:
    for name in _deeper(numpy):
        alike(_deeper(numpy)[name](given_arrays[0]), _deeper(plain)[name](given_arrays[1]))


@given(arrays((2,), (float,)), st.floats(-5, 5))
def test_putting_numbers_into_an_array(given_arrays: Arrays, number: float) -> None:
    def put(np: Any, x: Any) -> list[Any]:
        made = [x.copy() for _ in range(7)]
        made[0][0] = number
        made[1][:, 0] = number
        made[2][x > 0] = number
        made[3][[0, -1]] = x[:1]
        made[4][np.array([0, -1]), 0] = np.array([1.0, number])
        made[5] *= number
        made[5] += x
        made[6][0] += x[-1]
        return made

    same(put, given_arrays)


@given(arrays((2,), (float,)), st.data())
def test_adding_into_places_that_come_twice(given_arrays: Arrays, data: Any) -> None:
    size = len(given_arrays[0])
    places = data.draw(st.lists(st.integers(0, size - 1), min_size=1, max_size=6))
    assume(numpy.isfinite(given_arrays[0]).all())

    def added(np: Any, x: Any) -> list[Any]:
        sums, part, least = np.zeros_like(x), np.zeros_like(x), np.arange(size)
        np.add.at(sums, np.array(places), x[0])
        np.add.at(part, (np.array(places), slice(0, 1)), x[0, :1])
        np.minimum.at(least, np.array(places), 0)
        return [sums, part, least]

    same(added, given_arrays)


@given(arrays((1,), (float, int)))
def test_sorting_and_finding(given_arrays: Arrays) -> None:
    for of in (
        lambda np, x: np.unique(x), lambda np, x: np.unique(x, return_counts=True),
        lambda np, x: np.unique(x, return_index=True, return_inverse=True), lambda np, x: np.sort(x),
        lambda np, x: np.argsort(x, kind="stable"), lambda np, x: np.flatnonzero(x > 0), lambda np, x: np.nonzero(x),
        lambda np, x: np.isin(x, x[:1]) | np.isnan(x), lambda np, x: np.intersect1d(x[x == x], [0, 1]),
        lambda np, x: np.setdiff1d(x[x == x], [0, 1]), lambda np, x: np.diff(x[np.isfinite(x)], prepend=0),
        lambda np, x: np.repeat(x, 2), lambda np, x: np.tile(x, 2), lambda np, x: np.append(x, 1.5),
        lambda np, x: np.searchsorted(np.sort(x[x == x]), np.array([0, 1])), lambda np, x: np.cumsum(np.isfinite(x)),
        lambda np, x: np.repeat(x, np.arange(len(x))), lambda np, x: np.array_equal(x, np.sort(x)),
        lambda np, x: np.split(x, [1]), lambda np, x: np.bincount(np.array([3, 1, 3]), minlength=2),
    ):  # fmt: skip
        same(of, given_arrays)


@given(arrays((2,), (float, bool)))
def test_putting_together_and_taking_rows_once(given_arrays: Arrays) -> None:
    for of in (
        lambda np, x: np.concatenate([x, x[:1]]), lambda np, x: np.concatenate([x, x], axis=1),
        lambda np, x: np.stack([x, x], axis=0), lambda np, x: np.stack([x, x], axis=1),
        lambda np, x: np.tile(x, (1, 3)), lambda np, x: np.broadcast_to(x[:1], x.shape), lambda np, x: np.ones_like(x),
        lambda np, x: np.broadcast_arrays(x, x[:1]), lambda np, x: np.nonzero(x == x), lambda np, x: np.full_like(x, 1),
    ):  # fmt: skip
        same(of, given_arrays)
    rows = given_arrays[0] == given_arrays[0][:1], given_arrays[1] == given_arrays[1][:1]
    same(lambda np, x: np.unique(x, axis=0), rows)


@given(st.integers(1, 4), st.integers(1, 4), st.integers(1, 4), st.data())
def test_products_and_lengths(rows: int, inner: int, cols: int, data: Any) -> None:
    small = st.floats(-10, 10)
    a, b = (data.draw(sized(small, shape)) for shape in ((rows, inner), (inner, cols)))
    (x, p), (y, q) = both(a, float), both(b, float)
    numpy.testing.assert_allclose(numpy.array((p @ q).tolist()), x @ y, atol=1e-12)
    numpy.testing.assert_allclose(numpy.array((p @ q[:, 0]).tolist()), x @ y[:, 0], atol=1e-12)
    same(lambda np, m: np.linalg.norm(m, axis=1, keepdims=True), (x, p), 1e-14)


@given(st.integers(1, 3), st.integers(3, 16), st.booleans(), st.randoms(use_true_random=False))
def test_least_squares(columns: int, rows: int, repeated: bool, rng: Any) -> None:
    """Also where a column is a multiple of another, so that the rank is less."""
    table = [[rng.uniform(-2, 2) for _ in range(columns)] for _ in range(rows)]
    if repeated and columns > 1:
        for row in table:
            row[-1] = 2 * row[0]
    wanted = [rng.uniform(-2, 2) for _ in range(rows)]
    theirs, _, rank, sizes = numpy.linalg.lstsq(numpy.array(table), numpy.array(wanted), rcond=None)
    assume(sizes[rank - 1] > 1e-6 * sizes[0])
    ours, _, own_rank, own_sizes = plain.linalg.lstsq(plain.array(table), plain.array(wanted))
    assert own_rank == rank
    numpy.testing.assert_allclose(ours.tolist(), theirs, rtol=1e-7, atol=1e-9)
    numpy.testing.assert_allclose(own_sizes.tolist(), sizes, rtol=1e-10, atol=1e-12 * sizes[0])


@given(st.integers(0, 2**63 - 1), st.integers(1, 40))
def test_the_same_seed_draws_the_same_numbers(seed: int, count: int) -> None:
    theirs, ours = numpy.random.default_rng(seed), plain.random.default_rng(seed)
    for of in (
        lambda rng: rng.uniform(0.3, 1.4, (2, count)), lambda rng: rng.choice([1.0, 1.0, 2.5], count),
        lambda rng: rng.uniform(-1.0, 1.0), lambda rng: rng.choice([-1.0, 1.0], (count, 3)),
    ):  # fmt: skip
        alike(of(theirs), of(ours))


@given(FLOATS, FLOATS)
def test_a_number_by_itself_follows_ieee_754(a: float, b: float) -> None:
    with numpy.errstate(all="ignore"):
        for of in BINARY.values():
            numpy.testing.assert_array_equal(float(of(plain.float64(a), b)), float(of(numpy.float64(a), b)))


def test_what_has_no_answer_is_an_error_as_in_numpy() -> None:
    for np in (numpy, plain):
        for wrong, kind in (
            (lambda np=np: np.zeros(3) + np.zeros(2), ValueError),
            (lambda np=np: np.zeros(3)[3], IndexError),
            (lambda np=np: np.zeros(3)[np.zeros(2, dtype=bool)], IndexError),
            (lambda np=np: bool(np.zeros(3)), ValueError),
            (lambda np=np: np.zeros(0).max(), ValueError),
            (lambda np=np: np.broadcast_to(np.zeros(3), (2,)), ValueError),
        ):
            with pytest.raises(kind):
                wrong()
    with contextlib.suppress(numpy.linalg.LinAlgError), pytest.raises(plain.linalg.LinAlgError):
        plain.linalg.lstsq(plain.array([[math.nan]]), plain.array([1.0]))


@given(st.lists(st.integers(0, 6), min_size=1, max_size=8), st.integers(1, 3), st.booleans())
def test_pieces_and_rows_that_are_added(rows: list[int], width: int, even: bool) -> None:
    counts = [3 if even else row for row in rows]
    several = [[float(17 * i + j) for j in range(width)] for i in range(len(rows))]
    held = []
    for np, add, cut in (
        (numpy, numpy_pieces.add_rows, numpy_pieces.pieces),
        (plain, rearranged.add_rows, rearranged.pieces),
    ):
        out, first = np.ones((7, width)), np.array(rows, dtype=int)
        add(out, first, np.array(several))
        held.append((out, cut(np.arange(20), first, first + np.array(counts, dtype=int))))
    alike(*held)
