"""What may be said of an exported network: its own figure, and that of the proof which it belongs to, as plain data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tinyproof.core import stats
from tinyproof.core.errors import InputError
from tinyproof.core.fields import one_of
from tinyproof.data.dataset import TITLES
from tinyproof.train.run_record import Run

CONFIDENCE = 0.95
_WORDS = ("proved", "refuted", "undecided")


@dataclass(frozen=True, kw_only=True)
class Proved:
    """The verdict of the proof that a run belongs to. Accuracies in percent: `mean` of the `seeds` that ended, `low` to
    `high` its 95 % interval (None below two), `worst` and `best` of them; `declared`: how many seeds were declared;
    `declaration`: its digest. `judged_as`: the format of the exports whose answers were judged, "" for the networks'.
    """

    word: str
    target: float
    declared: int
    seeds: tuple[int, ...]
    declaration: str
    mean: float
    low: float | None
    high: float | None
    worst: float
    best: float
    judged_as: str = ""

    def __post_init__(self) -> None:
        one_of("proved.word", self.word, _WORDS)
        if not self.seeds:
            raise InputError("proved.seeds", self.seeds, "one or more")

    @property
    def words(self) -> str:
        """The verdict with its figures, in one sentence."""
        between = "" if self.low is None or self.high is None else f" (95 % interval {self.low:.3f} to {self.high:.3f})"
        ended = f"{len(self.seeds)} of {self.declared} declared seeds" if len(self.seeds) < self.declared else ""
        ended = ended or f"{self.declared} seed{'s' * (self.declared > 1)}, declared beforehand"
        judged = f", each judged by what it answers as {self.judged_as}" if self.judged_as else ""
        told = f"{self.word}: at least {self.target:g} % on average; mean {self.mean:.3f} %{between} over {ended}"
        return told + judged


def own_interval(run: Run) -> tuple[float, float]:
    """What so many images say of the accuracy of this one network: Clopper-Pearson, 95 %, in percent."""
    exact = stats.clopper_pearson(run.correct, run.test_count, CONFIDENCE)
    return 100 * exact.low, 100 * exact.high


def data_title(run: Run) -> str:
    """The data set for people; of data of somebody's own the last part of its path."""
    name = run.identity.dataset
    return TITLES.get(name, name.replace("\\", "/").rstrip("/").rpartition("/")[2] or name)


def model_title(run: Run) -> str:
    """The network for people: its name, of one of somebody's own the class without its path."""
    return run.identity.model.replace("\\", "/").rpartition("/")[2] or run.identity.model


def sentences(run: Run, proved: Proved | None, whose: str = "This network") -> Iterator[str]:
    """What is known of a network, in sentences; what was not measured, too. `whose`: how the network is called."""
    low, high = own_interval(run)
    yield (
        f"{whose} ({model_title(run)}, {run.parameters:,} parameters, recipe {run.recipe.name}, seed "
        f"{run.identity.seed}) reads {run.correct:,} of the {run.test_count:,} test images of {data_title(run)} right: "
        f"{run.accuracy_percent:.2f} % (95 % interval {low:.2f} to {high:.2f}), after its last epoch."
    )
    if proved is None:
        yield "It is one run of one seed: what other seeds give was not measured here."
    else:
        yield f"How the recipe was proved: {proved.words}."
        yield f"The worst of these runs has {proved.worst:.2f} %, the best {proved.best:.2f} %."
    yield "How sure it is of a picture is its own estimate: nothing says that it is right so often."
