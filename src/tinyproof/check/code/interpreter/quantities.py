"""The arithmetic of losses and counts: what is a batch's, what is a sum over batches, what divides what.

A loss of a batch is a mean over its images or a sum over them. Added up over a loader and divided by the number of
batches (means) or of images (sums) it is the average loss; crosswise it is wrong by the batch size.
"""

from __future__ import annotations

from dataclasses import replace

from tinyproof.check.code.interpreter.flows import Flow, Quantity, QuantityKind, Scale
from tinyproof.check.code.interpreter.rows import Rows
from tinyproof.check.code.interpreter.stepped import is_stepped
from tinyproof.check.code.interpreter.values import STEPPED, Const, Map, Seq, Unknown, Value, number, options

_MOST = 4  # figures on other rows that a sum is known to hold


def add(one: Value, other: Value, accumulate: bool = False) -> Value:
    """The sum of two values. A number and a batch's figure make a total, as does a total and a batch's figure."""
    if isinstance(one, Const) and isinstance(other, Const):
        a, b = number(one), number(other)
        if a is not None and b is not None:
            both_whole = isinstance(one.value, int) and isinstance(other.value, int)
            return Const(int(a + b) if both_whole else a + b)
        if isinstance(one.value, str) and isinstance(other.value, str) and len(one.value) + len(other.value) < 10_000:
            return Const(one.value + other.value)
        return Unknown()
    if isinstance(one, Seq) and isinstance(other, Seq):
        return Seq([*one.items, *other.items][:2_000], one.whole and other.whole)
    left, right = _figure(one), _figure(other)
    if left is not None and left.reach == "batch" and left.kind != "images":
        accumulate = False  # `loss += penalty`: still one batch's loss, since a sum over batches starts from a number
    if left and right:
        return _add_figures(left, right, accumulate)
    known, rest = (left, other) if left else (right, one)
    if known is None:
        return Unknown(STEPPED if is_stepped(one, other) else "")
    if known.kind == "loss" and isinstance(rest, Unknown | Flow) and not accumulate and known.reach == "batch":
        return known  # a penalty on the weights added to a batch's loss: still that batch's loss
    if known.reach == "batch" and (accumulate or isinstance(rest, Const)):
        return Quantity(known.kind, known.scale, "total", known.loader, known.place, known.turn)
    return known


def turned(value: Value) -> Value:
    """What should fall where a final accuracy should grow: `-accuracy`, `1 - accuracy`; of anything else, nothing."""
    if not isinstance(value, Quantity) or (value.kind, value.reach) != ("accuracy", "final"):
        return Unknown()
    return Quantity("loss", "unknown", "final", value.loader, value.place, value.turn)


def _figure(value: Value) -> Quantity | None:
    found = [option for option in options(value) if isinstance(option, Quantity)]
    return found[0] if found else None


def _add_figures(left: Quantity, right: Quantity, accumulate: bool) -> Value:
    if left.kind != right.kind:
        return Unknown()
    if left.kind == "images" and left.loader is not right.loader and isinstance(left.loader or right.loader, Rows):
        return Unknown()
    if left.reach == "batch" and right.reach == "batch" and not accumulate:
        same: Scale = left.scale if left.scale == right.scale else "unknown"
        return Quantity(left.kind, same, "batch", left.loader, left.place, left.turn, _more(left, right))
    if "final" in (left.reach, right.reach):
        return Quantity(left.kind, left.scale, "final", right.loader or left.loader, right.place, right.turn)
    same = right.scale if left.scale in (right.scale, "unknown") else "unknown"
    loader, place = right.loader or left.loader, right.place or left.place
    return Quantity(left.kind, same, "total", loader, place, right.turn, _more(right, left))


def _more(one: Quantity, other: Quantity) -> tuple[Quantity, ...]:
    """What was added to a figure: figures on whole arrays, each array once."""
    found: list[Quantity] = []
    for figure in (*one.more, other, *other.more):
        known = [mine.loader for mine in (one, *found)]
        if isinstance(figure.loader, Rows) and not any(figure.loader is rows for rows in known):
            found.append(figure)
    return tuple(found[:_MOST])


def multiply(one: Value, other: Value) -> Value:
    """The product. A mean times the number of images of its batch is a sum; times any other whole number unknown."""
    left, right = _figure(one), _figure(other)
    if left and right:
        for figure, count in ((left, right), (right, left)):
            if figure.kind in ("loss", "hits", "accuracy") and count.kind == "images" and count.reach == "batch":
                scale: Scale = "sum" if figure.scale == "mean" and figure.reach == "batch" else "unknown"
                kind: QuantityKind = "hits" if figure.kind == "accuracy" else figure.kind
                return Quantity(kind, scale, figure.reach, figure.loader, figure.place, figure.turn)
        if {left.kind, right.kind} == {"batches", "images"}:
            return Quantity("images", "unknown", "total", left.loader)
        return Unknown()
    known, rest = (left, other) if left else (right, one)
    if known is None:
        a, b = number(one), number(other)
        return Const(a * b) if a is not None and b is not None and abs(a) < 1e12 and abs(b) < 1e12 else Unknown()
    if known.kind == "batches":
        return Quantity("images", "unknown", "total", known.loader)
    if known.kind == "images" and isinstance(known.loader, Rows):
        return Unknown()  # a share of them, or several times as many
    if known.kind == "images":
        return Quantity("images", "unknown", known.reach, known.loader)
    factor = number(rest)
    if known.kind == "loss" and (factor is None or factor >= 2):
        # Perhaps times the batch size: then a mean has become a sum, or a wrong average was put right.
        return replace(known, scale="unknown")
    if known.kind == "hits" and known.reach == "total" and factor not in (1, 100):
        return replace(known, scale="mean")  # `100 / 32 * hits`: perhaps the share of a batch, added up over batches
    return known


def divide(one: Value, other: Value) -> tuple[Value, tuple[Quantity, Quantity] | None]:
    """The quotient, and (loss, count) where a loss is divided by a total count."""
    figure, count = _figure(one), _figure(other)
    if figure is None:
        a, b = number(one), number(other)
        return (Const(a / b), None) if a is not None and b else (Unknown(), None)
    if figure.kind in ("images", "batches"):
        if figure.kind == "images" and figure.reach == "total" and count is None:
            return Quantity("batches", "unknown", "total", figure.loader), None
        if count and figure.kind == "images" and figure.reach == "total" and count.reach == "batch":
            return Quantity("batches", "unknown", "total", figure.loader), None
        return Unknown(), None
    if count is None or count.kind not in ("images", "batches"):
        return _by_something(figure, other), None
    if count.reach == "batch":
        if figure.kind == "hits" and figure.scale == "sum" and figure.reach == "batch":
            return Quantity("accuracy", "mean", "batch", figure.loader, figure.place, figure.turn), None
        if figure.kind == "loss" and figure.scale == "sum" and figure.reach == "batch":
            return Quantity("loss", "mean", "batch", figure.loader, figure.place, figure.turn), None
        return Quantity(figure.kind, "unknown", figure.reach, figure.loader, figure.place, figure.turn), None
    if figure.kind == "loss":
        final = Quantity("loss", "mean", "final", figure.loader or count.loader, figure.place, figure.turn)
        return final, (figure, count)
    return Quantity("accuracy", "mean", "final", figure.loader or count.loader, figure.place, figure.turn), None


def _by_something(figure: Quantity, divisor: Value) -> Value:
    if figure.reach == "total" and figure.kind in ("loss", "hits", "accuracy"):
        kind: QuantityKind = "loss" if figure.kind == "loss" else "accuracy"
        return replace(figure, kind=kind, scale="mean", reach="final")
    if figure.kind == "hits" and figure.reach == "batch" and number(divisor) is None:
        return Quantity("accuracy", "unknown", "batch", figure.loader, figure.place, figure.turn)
    if figure.kind == "loss" and number(divisor) is None:
        return replace(figure, scale="unknown")
    return figure


def crossed(loss: Quantity, count: Quantity) -> str:
    """How an average is crossed: 'small' (means by images), 'large' (sums by batches), or '' when it is right.

    >>> crossed(Quantity("loss", "mean", "total"), Quantity("images", "unknown", "total"))
    'small'
    >>> crossed(Quantity("loss", "sum", "total"), Quantity("images", "unknown", "total"))
    ''
    """
    if loss.scale == "mean" and count.kind == "images":
        return "small"
    if loss.scale == "sum" and count.kind == "batches":
        return "large"
    return ""


def total_of(value: Value) -> Value:
    """What sum() or mean() makes of a list: the total of the figures appended to it."""
    items = value.items if isinstance(value, Seq) else list(value.items.values()) if isinstance(value, Map) else []
    figures = [item for item in items if isinstance(item, Quantity)]
    if not figures or len(figures) != len(items):
        return Unknown()
    last = figures[-1]
    for figure in figures[:-1]:
        last = replace(last, more=_more(last, figure))
    return replace(last, reach="total")
