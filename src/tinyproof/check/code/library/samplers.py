"""Which rows of a data set a loader gives that draws them through a sampler."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tinyproof.check.code.interpreter.machine import Machine
from tinyproof.check.code.interpreter.own_masks import as_places
from tinyproof.check.code.interpreter.picking import picked
from tinyproof.check.code.interpreter.rows import Cut, Rows
from tinyproof.check.code.interpreter.values import Const, Made, Value
from tinyproof.check.finding import CodePlace


def only_orders(sampler: Value) -> bool:
    """Whether a sampler leaves no image out."""
    ordering = isinstance(sampler, Made) and sampler.short in ("RandomSampler", "SequentialSampler")
    return ordering and "num_samples" not in getattr(sampler, "kwargs", {})


def sampler_among(args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value | None:
    """The sampler that a loader is given (`args`: behind the data set); None where it gives all rows."""
    for name, position in (("sampler", 2), ("batch_sampler", 3)):
        given = kwargs.get(name, args[position] if len(args) > position else Const(None))
        while isinstance(given, Made) and given.short == "BatchSampler" and given.args:
            given = given.args[0]
        if not (isinstance(given, Const) and given.value is None) and not only_orders(given):
            return given
    return None


def places_of(sampler: Value, place: CodePlace) -> Rows | None:
    """The places that a sampler draws from; None where they are not told."""
    if isinstance(sampler, Made) and sampler.short == "SubsetRandomSampler" and sampler.args:
        sampler = as_places(sampler.args[0], place)
    return sampler if isinstance(sampler, Rows) and sampler.side == "index" else None


def sampled(
    machine: Machine, whole: Rows, args: Sequence[Value], kwargs: Mapping[str, Value], place: CodePlace
) -> Rows:
    """The rows of `whole` that a loader gives: some, others than another sampler as far as one can tell."""
    sampler = sampler_among(args, kwargs)
    if sampler is None:
        return whole
    places = places_of(sampler, place)
    machine.keep.append(sampler)
    return picked(whole, places) if places is not None else whole.cut(Cut("filter", ("sampler", id(sampler))))
