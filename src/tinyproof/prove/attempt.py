"""One proof as the ledger of the frontier sees it: plain values that stay when its folder is gone."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from tinyproof.core import stats
from tinyproof.network import model_name
from tinyproof.prove import known_figures, more_answers
from tinyproof.prove.declaration import DataFacts
from tinyproof.prove.more_answers import MoreAnswers
from tinyproof.prove.proof import Proof


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One declared proof with at least one ended run. `percents`: the test accuracy of each ended run, counted from its
    answers, on `images` images; `answers`: their digests. `parameters` and `macs` (None: not known) of its network;
    `sized`: they are those of a network of this package, not of its record alone. `word`: what the proof says of its
    own `target`, with the `p_value` of "the mean is below it". `declared`: how many runs were. `earlier`: digests of
    declarations of the same question that stood beside it when it was declared.
    """

    name: str
    declaration: str
    declared_at: str
    data: DataFacts
    model: str
    recipe: str
    epochs: int
    parameters: int
    macs: int | None
    sized: bool
    judged_as: str
    target: float
    word: str
    p_value: float | None
    declared: int
    percents: tuple[float, ...]
    images: int
    answers: tuple[str, ...]
    earlier: tuple[str, ...] = ()
    also: tuple[MoreAnswers, ...] = ()

    @property
    def complete(self) -> bool:
        """Every declared run has ended, and they are two or more: the mean has a bound."""
        return len(self.percents) == self.declared and self.declared > 1

    @property
    def mean(self) -> float:
        """The mean accuracy in percent."""
        return stats.mean(self.percents)

    def bound(self, confidence: float) -> float | None:
        """The one-sided lower bound of the mean in percent; None where a run is missing, or there is one alone."""
        if not self.complete:
            return None
        return max(0.0, stats.mean_bound(self.percents, confidence, 100 / self.images).low)

    @property
    def network(self) -> str:
        """The network for people, and what of it was judged where that is an export."""
        return model_name.short(self.model) + (f" as {self.judged_as}" if self.judged_as else "")

    @property
    def also_words(self) -> list[str]:
        """What its runs answered to further test images, a line each."""
        return [one.words("the networks" if self.judged_as else "") for one in self.also]

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        values = {name: value for name, value in asdict(self).items() if name not in ("data", "also")}
        values |= {name: list(value) for name, value in values.items() if isinstance(value, tuple)}
        also = more_answers.to_json(self.also, "the networks" if self.judged_as else "")
        return {**values, "mean": self.mean, "complete": self.complete, "also": also}


def of_proof(found: Proof, name: str) -> Attempt | None:
    """A proof under a name of its own; None where no run has ended, so that nobody has seen how good it is."""
    declared, verdict = found.declaration, found.verdict
    if not found.results:
        return None
    run = found.results[0].run
    return Attempt(
        name=name,
        declaration=declared.digest,
        declared_at=declared.declared_at,
        data=declared.data,
        model=declared.model,
        recipe=declared.recipe.name,
        epochs=declared.recipe.epochs,
        parameters=run.parameters,
        macs=run.macs,
        sized=declared.model in known_figures.NETS,
        judged_as=declared.judged_as,
        target=declared.target,
        word=verdict.word,
        p_value=verdict.p_value,
        declared=len(declared.seeds),
        percents=tuple(score.percent for score in verdict.scores),
        images=verdict.scores[0].images,
        answers=tuple(result.judged.digest for result in found.results),
        earlier=declared.earlier,
        also=tuple(more_answers.every(found.folder)),
    )
