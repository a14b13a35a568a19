"""The names of numpy for the stand-in: what is not here, an audit does not use."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from typing import Any

from tinyproof.core.arrays import drawing_numbers as random
from tinyproof.core.arrays import elementwise
from tinyproof.core.arrays import least_squares as linalg
from tinyproof.core.arrays.elementwise import (
    add,
    clip,
    equal,
    exp,
    floor,
    greater,
    greater_equal,
    isfinite,
    isnan,
    log,
    log1p,
    log10,
    logical_or,
    maximum,
    minimum,
    multiply,
    nan_to_num,
    not_equal,
    sign,
    sqrt,
    tanh,
    where,
)
from tinyproof.core.arrays.plain_array import asarray, made, ndarray
from tinyproof.core.arrays.rearranged import (
    append,
    arange,
    argsort,
    array,
    array_equal,
    atleast_2d,
    bincount,
    broadcast_arrays,
    broadcast_to,
    concatenate,
    cumsum,
    diff,
    empty,
    flatnonzero,
    fromiter,
    full,
    full_like,
    intersect1d,
    isin,
    linspace,
    nonzero,
    ones,
    ones_like,
    repeat,
    searchsorted,
    setdiff1d,
    sort,
    split,
    stack,
    tile,
    unique,
    zeros,
    zeros_like,
)
from tinyproof.core.arrays.scalars import float64
from tinyproof.core.arrays.summaries import Summary, largest, median_of, smallest, summarised, without_nan

__all__ = [
    "abs",
    "add",
    "all",
    "any",
    "append",
    "arange",
    "argmax",
    "argmin",
    "argsort",
    "array",
    "array_equal",
    "asarray",
    "ascontiguousarray",
    "atleast_2d",
    "bincount",
    "broadcast_arrays",
    "broadcast_to",
    "clip",
    "concatenate",
    "count_nonzero",
    "cumsum",
    "diff",
    "dtype",
    "empty",
    "equal",
    "errstate",
    "exp",
    "flatnonzero",
    "float64",
    "floor",
    "fromiter",
    "full",
    "full_like",
    "greater",
    "greater_equal",
    "inf",
    "intersect1d",
    "isfinite",
    "isin",
    "isnan",
    "linalg",
    "linspace",
    "log",
    "log1p",
    "log10",
    "logical_or",
    "max",
    "maximum",
    "mean",
    "median",
    "minimum",
    "multiply",
    "nan",
    "nan_to_num",
    "nanmax",
    "nanmedian",
    "nanmin",
    "ndarray",
    "ndim",
    "nonzero",
    "not_equal",
    "ones",
    "ones_like",
    "ptp",
    "random",
    "repeat",
    "round",
    "searchsorted",
    "setdiff1d",
    "sign",
    "sort",
    "split",
    "sqrt",
    "stack",
    "tanh",
    "tile",
    "unique",
    "where",
    "zeros",
    "zeros_like",
]

nan, inf, dtype = math.nan, math.inf, type
abs, round, ascontiguousarray = elementwise.absolute, elementwise.rounded, asarray


@contextlib.contextmanager
def errstate(**_: str) -> Iterator[None]:
    """Nothing warns here; of use as a decorator too."""
    yield


def ndim(values: Any) -> int:
    """How many axes."""
    return asarray(values).ndim


def any(values: Any, axis: int | None = None) -> Any:
    """Whether one of them is not 0."""
    return asarray(values).summary("any", axis)


def all(values: Any, axis: int | None = None) -> Any:
    """Whether none of them is 0."""
    return asarray(values).summary("all", axis)


def max(values: Any, axis: int | None = None) -> Any:
    """The largest; nan where one is nan."""
    return asarray(values).summary("max", axis)


def mean(values: Any, axis: int | None = None) -> Any:
    """The mean."""
    return asarray(values).summary("mean", axis)


def argmax(values: Any) -> int:
    """Where the first of the largest stands."""
    return int(asarray(values).summary("argmax"))


def argmin(values: Any) -> int:
    """Where the first of the smallest stands."""
    return int(asarray(values).summary("argmin"))


def count_nonzero(values: Any) -> int:
    """How many are not 0."""
    return asarray(values).size - asarray(values).flat.count(0)


def _of_groups(of: Summary, values: Any, axis: int | None) -> Any:
    given = asarray(values)
    flat, shape = summarised(of, given.flat, given.shape, axis, False)
    return made(flat, shape, given.kind)


def ptp(values: Any, axis: int | None = None) -> Any:
    """The largest less the smallest."""
    return _of_groups(lambda group: largest(group) - smallest(group), values, axis)


def median(values: Any, axis: int | None = None) -> Any:
    """The value in the middle."""
    return _of_groups(median_of, asarray(values, float), axis)


def nanmedian(values: Any, axis: int | None = None) -> Any:
    """The value in the middle of those that are no nan."""
    return _of_groups(without_nan(median_of), asarray(values, float), axis)


def nanmax(values: Any) -> Any:
    """The largest of those that are no nan."""
    return _of_groups(without_nan(largest), asarray(values, float), None)


def nanmin(values: Any) -> Any:
    """The smallest of those that are no nan."""
    return _of_groups(without_nan(smallest), asarray(values, float), None)
