"""An array as a flat list and a shape: elements of one kind, float64 (`f`), whole numbers (`i`) or truths (`b`).

Other than in numpy, a part of an array is a copy (`a[1:]`, `a.T`); `reshape` and `ravel` share the elements.
"""

from __future__ import annotations

import math
import operator
from array import array as _machine_array
from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain, compress, repeat
from types import GenericAlias
from typing import Any, ClassVar

from tinyproof.core.arrays.array_places import Shape, common_shape, named_by, spread, taken
from tinyproof.core.arrays.element_kinds import CAST, KIND_OF_NUMBER, higher, kind_of, scalar
from tinyproof.core.arrays.scalars import divided, float64, power
from tinyproof.core.arrays.summaries import SUMMARIES, sum_of_products, summarised, summary_of

_OF_TRUTHS = {operator.add: operator.or_, operator.mul: operator.and_}
_CAREFUL = {operator.truediv: divided, math.pow: power}
_ALL = slice(None)


def made(flat: list[Any], shape: Shape, kind: str) -> Any:
    """The array of these elements; of no axis the element itself."""
    return ndarray(flat, shape, kind) if shape else scalar(flat[0])


class ndarray:
    """Elements of one kind in `flat`, the last axis running fastest."""

    __slots__ = ("flat", "kind", "shape")
    __hash__ = None  # type: ignore[assignment]
    __class_getitem__: ClassVar[Any] = classmethod(GenericAlias)

    def __init__(self, flat: list[Any], shape: Shape, kind: str) -> None:
        self.flat, self.shape, self.kind = flat, shape, kind

    @property
    def size(self) -> int:
        return len(self.flat)

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def dtype(self) -> type:
        return {"f": float64, "i": int, "b": bool}[self.kind]

    @property
    def T(self) -> ndarray:
        """The axes in reverse."""
        if len(self.shape) == 2:
            columns = (self.flat[at :: self.shape[1]] for at in range(self.shape[1]))
            return ndarray([*chain.from_iterable(columns)], self.shape[::-1], self.kind)
        order = [0]
        for axis in range(len(self.shape) - 1, -1, -1):
            step = math.prod(self.shape[axis + 1 :])
            order = [start + i * step for start in order for i in range(self.shape[axis])]
        return ndarray([self.flat[i] for i in order], self.shape[::-1], self.kind)

    def __len__(self) -> int:
        return self.shape[0]

    def __iter__(self) -> Iterator[Any]:
        return map(scalar, self.flat) if len(self.shape) == 1 else (self[i] for i in range(len(self)))

    def __bool__(self) -> bool:
        if len(self.flat) != 1:
            raise ValueError("whether an array of several elements holds is not said: any() or all()")
        return bool(self.flat[0])

    def __float__(self) -> float:
        return float(self.flat[0])

    def __int__(self) -> int:
        return int(self.flat[0])

    def __getitem__(self, key: Any) -> Any:
        if type(key) is int and len(self.shape) == 1:
            return scalar(self.flat[key])
        if type(key) is int and len(self.shape) == 2 and 0 <= key < self.shape[0]:
            width = self.shape[1]
            return ndarray(self.flat[key * width : (key + 1) * width], (width,), self.kind)
        if type(key) is tuple and len(key) == 2 and type(key[0]) is slice and key[0] == _ALL:
            if key[1] is None:
                return ndarray(self.flat[:], (self.shape[0], 1, *self.shape[1:]), self.kind)
            if type(key[1]) is int and len(self.shape) == 2 and 0 <= key[1] < self.shape[1]:
                return ndarray(self.flat[key[1] :: self.shape[1]], self.shape[:1], self.kind)
        key = _index(key)
        if isinstance(key, ndarray) and key.kind == "b" and key.shape == self.shape:
            found = list(compress(self.flat, key.flat))
            return ndarray(found, (len(found),), self.kind)
        if isinstance(key, ndarray) and key.kind == "i" and len(self.shape) == 1:
            return made(list(map(self.flat.__getitem__, key.flat)), key.shape, self.kind)
        numbers, width, shape = named_by(self.shape, key)
        return made(taken(self.flat, numbers, width), shape, self.kind)

    def __setitem__(self, key: Any, value: Any) -> None:
        numbers, width, shape = named_by(self.shape, _index(key))
        flat, given = self.flat, asarray(value, self.kind)
        values = spread(given.flat, given.shape[max(0, given.ndim - len(shape)) :], shape)
        if width == 1:
            for number, one in zip(numbers, values, strict=True):
                flat[number] = one
        else:
            for at, number in enumerate(numbers):
                flat[number * width : (number + 1) * width] = values[at * width : (at + 1) * width]

    def __matmul__(self, other: ndarray) -> Any:
        columns = other.T if other.ndim == 2 else other.reshape(1, -1)
        rows = self if self.ndim == 2 else self.reshape(1, -1)
        width, product = rows.shape[1], sum_of_products
        right = [columns.flat[i : i + width] for i in range(0, len(columns.flat), width)] if width else []
        flat: list[Any] = []
        for i in range(0, len(rows.flat), width or 1):
            left = rows.flat[i : i + width]
            flat += map(product, repeat(left), right)
        shape = (*self.shape[:-1], *(other.shape[1:]))
        return made(flat or [CAST[self.kind](0)] * math.prod(shape), shape, higher(self.kind, other.kind))

    def __neg__(self) -> Any:
        return self._each(operator.neg, self.kind)

    def __abs__(self) -> Any:
        return self._each(abs, self.kind)

    def __invert__(self) -> Any:
        return self._each(operator.not_ if self.kind == "b" else operator.invert, self.kind)

    def _each(self, of: Callable[[Any], Any], kind: str) -> Any:
        return made(list(map(of, self.flat)), self.shape, kind)

    def ravel(self) -> ndarray:
        """One axis; the elements are shared."""
        return ndarray(self.flat, (len(self.flat),), self.kind)

    def reshape(self, *shape: Any) -> ndarray:
        """The same elements, which are shared, in another shape; one size may be -1."""
        sizes = shape[0] if len(shape) == 1 and isinstance(shape[0], tuple) else shape
        known = math.prod(size for size in sizes if size != -1)
        return ndarray(self.flat, tuple(len(self.flat) // known if s == -1 else s for s in sizes), self.kind)

    def copy(self) -> ndarray:
        """The same, sharing nothing."""
        return ndarray(self.flat[:], self.shape, self.kind)

    def astype(self, dtype: Any) -> ndarray:
        """Elements of another kind."""
        kind = kind_of(dtype)
        return ndarray(list(map(CAST[kind], self.flat)), self.shape, kind)

    def tolist(self) -> Any:
        """Lists of lists of plain numbers."""
        if len(self.shape) < 2:
            return self.flat[:] if self.shape else self.flat[0]
        return [self[i].tolist() for i in range(len(self))]

    def tobytes(self) -> bytes:
        """The float64 or whole numbers as the machine holds them."""
        return _machine_array("d" if self.kind == "f" else "q", self.flat).tobytes()

    def summary(self, what: str, axis: int | None = None, keepdims: bool = False, initial: Any = None) -> Any:
        """Of all elements, or of those along an axis, what `SUMMARIES` says; `initial` counts as one of them."""
        of, kind = summary_of(what, self.flat)
        flat, shape = summarised(of, self.flat, self.shape, axis, keepdims, () if initial is None else (initial,))
        kind = kind or ("i" if what == "sum" and self.kind == "b" else self.kind)
        return made(list(map(float, flat)) if kind == "f" else flat, shape, kind)

    any: Callable[..., Any]
    all: Callable[..., Any]
    sum: Callable[..., Any]
    mean: Callable[..., Any]
    max: Callable[..., Any]
    min: Callable[..., Any]
    argmax: Callable[..., Any]
    argmin: Callable[..., Any]


def _index(key: Any) -> Any:
    """Lists in an index are arrays."""
    if isinstance(key, tuple):
        return tuple(map(_index, key))
    return asarray(key, int if not len(key) else None) if isinstance(key, list) else key


def asarray(values: Any, dtype: Any = None) -> ndarray:
    """Numbers, lists of lists and arrays as an array; an array of that dtype is itself."""
    if isinstance(values, ndarray):
        return values if dtype is None or values.kind == kind_of(dtype) else values.astype(dtype)
    shape, flat, kind = _nested(values)
    wanted = kind if dtype is None else kind_of(dtype)
    return ndarray(flat if set(map(type, flat)) <= {CAST[wanted]} else list(map(CAST[wanted], flat)), shape, wanted)


def _nested(values: Any) -> tuple[Shape, list[Any], str]:
    if isinstance(values, ndarray):
        return values.shape, values.flat, values.kind
    if not hasattr(values, "__len__") or isinstance(values, str):
        return (), [values], "b" if isinstance(values, bool) else "i" if isinstance(values, int) else "f"
    types = set(map(type, values))
    if not any(hasattr(one, "__len__") for one in types):
        kinds = {"b" if t is bool else "i" if issubclass(t, int) else "f" for t in types}
        return (len(values),), list(values), higher(*kinds) if kinds else "f"
    parts = [_nested(part) for part in values]
    if len({shape for shape, _, _ in parts}) > 1:
        raise ValueError("parts of different shapes make no array")
    flat = list(chain.from_iterable(own for _, own, _ in parts))
    return (len(parts), *parts[0][0]), flat, higher(*(kind for _, _, kind in parts))


def _operand(value: Any) -> tuple[list[Any] | None, Shape, str]:
    """Elements, shape and kind; no list for a number, which is repeated."""
    if not isinstance(value, ndarray):
        if isinstance(value, bool | int | float):
            return None, (), "b" if isinstance(value, bool) else "i" if isinstance(value, int) else "f"
        value = asarray(value)
    return value.flat, value.shape, value.kind


def columns(*operands: Any) -> tuple[list[Any], Shape, list[str]]:
    """The elements of several operands side by side, spread to one shape; a number is repeated."""
    found = [_operand(value) for value in operands]
    shape = common_shape(*(own for _, own, _ in found))
    size = math.prod(shape)
    sides: list[Any] = []
    for value, (flat, own, kind) in zip(operands, found, strict=True):
        sides.append(repeat(CAST[kind](value), size) if flat is None else spread(flat, own, shape))
    return sides, shape, [kind for _, _, kind in found]


def paired(of: Callable[[Any, Any], Any], a: Any, b: Any, kind: str = "") -> Any:
    """`of` on the elements of two operands, element by element. `kind`: of the result, "" for the higher one's."""
    x: Any
    y: Any
    if type(a) is ndarray and type(b) is ndarray and b.shape in (a.shape, (1,) * len(a.shape)):
        shape, one, other = a.shape, a.kind, b.kind
        x, y = a.flat, b.flat if a.shape == b.shape else repeat(b.flat[0])
    elif type(a) is ndarray and type(b) in KIND_OF_NUMBER:
        one, other, shape = a.kind, KIND_OF_NUMBER[type(b)], a.shape
        x, y = a.flat, repeat(CAST[other](b))
    elif type(b) is ndarray and type(a) in KIND_OF_NUMBER:
        one, other, shape = KIND_OF_NUMBER[type(a)], b.kind, b.shape
        x, y = repeat(CAST[one](a)), b.flat
    else:
        (x, y), shape, (one, other) = columns(a, b)
    result = kind or (one if one == other else higher(one, other))
    if result == "b" and not kind:
        of = _OF_TRUTHS.get(of, of)
    try:
        flat = list(map(of, x, y))
    except (ZeroDivisionError, OverflowError, ValueError):
        (x, y), _, _ = columns(a, b)
        flat = list(map(_CAREFUL[of], x, y))
    return made(flat, shape, result)


def raised(a: Any, b: Any) -> Any:
    """a**b; whole numbers stay whole."""
    if isinstance(b, int | float) and b == 2:
        return paired(operator.mul, a, a)
    whole = higher(*columns(a, b)[2]) != "f"
    return paired(operator.pow if whole else math.pow, a, b)


def _changed(of: Callable[[Any, Any], Any], self: ndarray, other: Any) -> ndarray:
    result = asarray(of(self, other), self.kind)
    self.flat[:] = spread(result.flat, result.shape, self.shape)
    return self


def _operators() -> None:
    def put(name: str, of: Callable[[Any, Any], Any]) -> None:
        setattr(ndarray, f"__{name}__", lambda self, other: of(self, other))
        setattr(ndarray, f"__r{name}__", lambda self, other: of(other, self))
        setattr(ndarray, f"__i{name}__", lambda self, other: _changed(of, self, other))

    for name in ("add", "sub", "mul", "mod", "floordiv", "and", "or", "xor"):
        put(name, partial(paired, getattr(operator, f"__{name}__")))
    put("truediv", partial(paired, operator.truediv, kind="f"))
    put("pow", raised)
    for name in ("lt", "le", "gt", "ge", "eq", "ne"):
        setattr(ndarray, f"__{name}__", _compared(getattr(operator, name)))
    for name in SUMMARIES:
        setattr(ndarray, name, _summary(name))


def _compared(of: Callable[[Any, Any], Any]) -> Callable[[ndarray, Any], Any]:
    return lambda self, other: paired(of, self, other, "b")


def _summary(name: str) -> Callable[..., Any]:
    return lambda self, axis=None, keepdims=False, initial=None: self.summary(name, axis, keepdims, initial)


_operators()
