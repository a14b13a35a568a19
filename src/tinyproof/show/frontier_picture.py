"""The picture of the ledger: error by parameters, both logarithmic, the best proof of each tier with its bound."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from tinyproof.core.stats import never_above
from tinyproof.prove.ledger import TIERS, Ledger, parameters_of
from tinyproof.prove.published_claims import Claim, Figure
from tinyproof.show.drawing.shapes import Circle, Line, Picture, Text

_WIDTH, _HEIGHT = 860.0, 440.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 84.0, 20.0, 24.0, 64.0
# Errors in percent at which a line is drawn, and below which none is told apart.
_STEPS = (0.1, 0.2, 0.3, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0, 100.0)
_LEAST_ERROR = 0.01


@dataclass(frozen=True)
class _Scale:
    """From parameters and accuracy in percent to pixels."""

    fewest: float
    most: float
    least: float
    largest: float

    def x(self, parameters: float) -> float:
        share = math.log(parameters / self.fewest) / math.log(self.most / self.fewest)
        return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)

    def y(self, percent: float) -> float:
        error = max(_LEAST_ERROR, 100 - percent)
        share = math.log(error / self.least) / math.log(self.largest / self.least)
        return _TOP + share * (_HEIGHT - _TOP - _BOTTOM)


def picture(found: Ledger) -> Picture:
    """The tiers from left to right, the accuracy upwards; proofs above the last tier are not in it."""
    scale = _scale(found)
    shapes = [*_axes(scale), *_others(found, scale), *_best(found, scale), *_published(found, scale)]
    title = f"Proved means on {found.dataset} by parameters"
    return Picture(_WIDTH, _HEIGHT, title, _described(found), tuple(shapes))


def _scale(found: Ledger) -> _Scale:
    inside = [one for tier in found.tiers for one in tier.attempts]
    percents = [one.mean for one in inside] + [tier.bound for tier in found.tiers if tier.bound is not None]
    percents += [figure.percent for _, figure in _measured(found)]
    errors = [max(_LEAST_ERROR, 100 - percent) for percent in percents] or [1.0]
    fewest = min([TIERS[0], *(one.parameters for one in inside)])
    return _Scale(0.5 * max(1, fewest), TIERS[-1] * 1.08, min(errors) / 1.3, max(errors) * 1.3)


def _axes(scale: _Scale) -> Iterator[Line | Text]:
    low, high = _HEIGHT - _BOTTOM, _TOP
    for error in _STEPS:
        if scale.least <= error <= scale.largest:
            y = scale.y(100 - error)
            yield Line(((_LEFT, y), (_WIDTH - _RIGHT, y)), "wire", 0.6)
            yield Text(_LEFT - 32, y, f"{100 - error:g} %", 12, "quiet")
    for below in TIERS:
        x = scale.x(below)
        yield Line(((x, low), (x, high)), "wire", 0.8, dashed=True)
        yield Text(x, low + 16, f"{below:,}", 12, "quiet")
    yield Line(((_LEFT, low), (_WIDTH - _RIGHT, low)), "quiet")
    yield Text((_LEFT + _WIDTH - _RIGHT) / 2, low + 42, "parameters (dashed: the limits of the tiers)", 13, "quiet")


def _others(found: Ledger, scale: _Scale) -> Iterator[Circle]:
    for tier in found.tiers:
        for one in tier.attempts:
            if one != tier.best:
                yield Circle(scale.x(one.parameters), scale.y(one.mean), 3.2, "other")


def _published(found: Ledger, scale: _Scale) -> Iterator[Line]:
    for claim, figure in _measured(found):
        x, y = scale.x(parameters_of(claim)), scale.y(figure.percent)
        yield Line(((x - 5, y - 5), (x + 5, y + 5)), "negative", 1.8)
        yield Line(((x - 5, y + 5), (x + 5, y - 5)), "negative", 1.8)


def _measured(found: Ledger) -> list[tuple[Claim, Figure]]:
    """The published figures that were measured on test images: others are of another quantity."""
    claims = found.published
    return [(claim, figure) for claim in claims for figure in claim.figures if figure.look.images == "test"]


def _best(found: Ledger, scale: _Scale) -> Iterator[Line | Circle | Text]:
    for tier in found.tiers:
        best, bound = tier.best, tier.bound
        if best is None or bound is None:
            continue
        x, top, low = scale.x(best.parameters), scale.y(best.mean), scale.y(bound)
        yield Line(((x, top), (x, low)), "positive", 2.4)
        yield Line(((x - 6, low), (x + 6, low)), "positive", 2.4)
        yield Circle(x, top, 6, "hidden")
        words = f"≥ {never_above(bound, 2)} %"
        yield Text(max(x - 44, _LEFT + 40), top - 16, words, 12.5, "ink", bold=True, boxed=True)


def _described(found: Ledger) -> str:
    told = []
    for tier in found.tiers:
        best, bound = tier.best, tier.bound
        if best is None or bound is None:
            told.append(f"Below {tier.below:,} parameters: none.")
        else:
            told.append(
                f"Below {tier.below:,} parameters: {best.network}, {best.parameters:,} parameters, mean "
                f"{best.mean:.3f} %, at least {never_above(bound, 3)} % after correction for {tier.tried} proof(s)."
            )
    return " ".join(told)
