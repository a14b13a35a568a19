"""Least squares by singular values, which one-sided rotations find (Hestenes 1958): few columns, high precision."""

from __future__ import annotations

import math
from operator import mul
from typing import Any

from tinyproof.core.arrays.plain_array import asarray, ndarray
from tinyproof.core.arrays.summaries import summarised

_EPSILON, _ROUNDS = 2.0**-52, 60
Column = list[float]


class LinAlgError(ValueError):
    """There is no answer."""


def _dot(a: Column, b: Column) -> float:
    return math.fsum(map(mul, a, b))


def lstsq(table: Any, wanted: Any, rcond: None = None) -> tuple[ndarray, None, int, ndarray]:
    """The shortest x with the least |table x - wanted|; no residuals, the rank, and the singular values, largest first.

    `table`: [rows, columns] of finite numbers. Values below the largest times 2^-52 times the longer side are 0.
    """
    given, right = asarray(table, float), asarray(wanted, float).flat
    rows, count = given.shape
    if not all(map(math.isfinite, [*given.flat, *right])):
        raise LinAlgError("numbers that are not finite")
    turned, basis = _orthogonal([given.flat[i::count] for i in range(count)], rows)
    sizes = [math.sqrt(_dot(column, column)) for column in turned]
    least = _EPSILON * max(rows, count) * max(sizes, default=0.0)
    answer = [0.0] * count
    for column, size, share in zip(turned, sizes, basis, strict=True):
        if size > least:
            amount = _dot(column, right) / size / size
            answer = [held + amount * part for held, part in zip(answer, share, strict=True)]
    rank = sum(size > least for size in sizes)
    return asarray(answer, float), None, rank, asarray(sorted(sizes, reverse=True)[: min(rows, count)], float)


def _orthogonal(columns: list[Column], rows: int) -> tuple[list[Column], list[Column]]:
    """The columns turned until each stands upright on the others, and how they were turned."""
    count = len(columns)
    basis = [[float(i == j) for j in range(count)] for i in range(count)]
    for _ in range(_ROUNDS):
        still = True
        for i in range(count):
            for j in range(i + 1, count):
                a, b, c = _dot(columns[i], columns[i]), _dot(columns[j], columns[j]), _dot(columns[i], columns[j])
                if abs(c) > _EPSILON * math.sqrt(a * b) and c:
                    still = False
                    columns[i], columns[j] = _turn(columns[i], columns[j], a, b, c)
                    basis[i], basis[j] = _turn(basis[i], basis[j], a, b, c)
        if still:
            return columns, basis
    return columns, basis


def _turn(first: Column, second: Column, a: float, b: float, c: float) -> tuple[Column, Column]:
    slant = (b - a) / (2 * c)
    tangent = math.copysign(1.0, slant) / (abs(slant) + math.hypot(1.0, slant))
    cosine = 1 / math.hypot(1.0, tangent)
    sine = cosine * tangent
    pairs = list(zip(first, second, strict=True))
    return [cosine * x - sine * y for x, y in pairs], [sine * x + cosine * y for x, y in pairs]


def norm(values: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """The length of a vector, or of those along an axis."""
    given = asarray(values, float)
    flat, shape = summarised(lambda row: math.sqrt(sum(map(mul, row, row))), given.flat, given.shape, axis, keepdims)
    return ndarray(flat, shape, "f")
