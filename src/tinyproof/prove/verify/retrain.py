"""Runs trained again: what no record can show, because every number in it can be typed, training shows."""

from __future__ import annotations

import hashlib
import math
import statistics
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tinyproof.core.errors import DataError, Stopped, TinyproofError
from tinyproof.core.listener import Listener
from tinyproof.prove.verify import recompute
from tinyproof.prove.verify.lines import Case, Line
from tinyproof.train import store
from tinyproof.train.run_record import Run

_WHAT = "trained again it is this run"
# On another kind of machine the same seed is another draw: two of them are seldom further apart than this many
# standard deviations of a difference.
_DEVIATIONS = 4.0
_MOST_STEPS, _MOST_THREADS = 20_000_000, 256


@dataclass(frozen=True)
class Retrain:
    """How many runs to train again; `choice` decides which: a number that the verifier names, and nobody knew."""

    count: int
    choice: int

    def chosen(self, names: Sequence[str]) -> list[str]:
        """The names whose digest with the choice comes first.

        >>> Retrain(2, 7).chosen(["seed-11", "seed-12", "seed-13"])
        ['seed-11', 'seed-13']
        """
        order = sorted(names, key=lambda name: hashlib.sha256(f"{self.choice}/{name}".encode()).digest())
        return sorted(order[: self.count])


def lines(case: Case, places: Sequence[Path], wanted: Retrain, listener: Listener) -> list[Line]:
    """Train the chosen ones of these runs again, each in a temporary folder, and hold the bits against theirs."""
    by_name = {case.name(place): place for place in places if store.finished(place)}
    if not by_name:
        return [Line(case.name(case.root), _WHAT, None, "there is no finished run", asked=True)]
    found = []
    chosen = wanted.chosen(list(by_name))
    for number, name in enumerate(chosen, 1):
        try:
            recorded = store.load(by_name[name])
            past = f"{recorded.seconds:,.0f} s where it was recorded"
            listener.say(f"training {name} again: {number} of {len(chosen)}, chosen by {wanted.choice}; {past}")
            found.append(_line(case, by_name[name], recorded, listener))
        except Stopped:
            raise
        except TinyproofError as error:
            found.append(Line(name, _WHAT, None, str(error), asked=True))
    return found


def _line(case: Case, place: Path, recorded: Run, listener: Listener) -> Line:
    _possible(recorded)
    again = _train(case, recorded, listener)
    percent = f"{again.correct:,} of {again.test_count:,} again, {recorded.correct:,} recorded"
    if _same_bits(again, recorded):
        return case.line(place, _WHAT, True, f"the same bits, {percent}")
    other = _other_kind(recorded, again)
    if not other:
        if not _same_bits(_train(case, recorded, listener), again):
            told = "trained twice here it ends differently: its network draws from more than the seed"
            return Line(case.name(place), _WHAT, None, told, asked=True)
        return case.line(place, _WHAT, False, f"other bits on the same kind of machine: {percent}")
    allowed = _allowed(place, recorded)
    apart = abs(again.accuracy_percent - recorded.accuracy_percent)
    said = f"{percent}: {apart:.3f} points apart, {allowed:.3f} allowed where {', '.join(other)} differ"
    return case.line(place, _WHAT, apart <= allowed, said)


def _same_bits(one: Run, other: Run) -> bool:
    """Whether two runs end alike; weights are compared where both have kept them."""
    weights = {one.weights_digest, other.weights_digest} - {""}
    return one.predictions_digest == other.predictions_digest and len(weights) <= 1


def _possible(recorded: Run) -> None:
    """Refuse what a stranger's record asks of this machine beyond measure. Raises DataError."""
    steps = -(-recorded.train_count // recorded.recipe.batch_size) * recorded.recipe.epochs
    if not recorded.epochs or steps > _MOST_STEPS:
        told = f"holds {len(recorded.epochs)} of {recorded.recipe.epochs} epochs, {steps:,} steps"
        raise DataError("the record", told)
    if recorded.identity.threads > _MOST_THREADS:
        raise DataError("the record", f"asks for {recorded.identity.threads} threads; at most {_MOST_THREADS} are used")


def _train(case: Case, recorded: Run, listener: Listener) -> Run:
    """The run of the recorded identity, trained here. Raises TinyproofError where it cannot be."""
    from tinyproof.train.loop import train

    identity = recorded.identity
    dataset = recompute.data_of(case.options, recorded)
    with tempfile.TemporaryDirectory(prefix="tinyproof-") as folder:
        done = train(
            recompute.model_of(case.options, recorded), recorded.recipe, dataset, identity.seed, folder=Path(folder),
            engine=identity.engine, device=identity.device, threads=identity.threads,
            test_each_epoch=recorded.epochs[0].test_percent is not None, files=recorded.model_files or None,
            listener=replace(listener, say=lambda words: None),
        )  # fmt: skip
    return done.run


def _other_kind(recorded: Run, again: Run) -> list[str]:
    """What makes other bits honest: another processor or other instructions, other versions, other code. What an older
    record does not say may differ."""
    mine, theirs = recorded.hardware, again.hardware
    kinds = {
        "processors": (mine.get("processor"), theirs.get("processor")),
        "instructions": (mine.get("instructions", "not recorded"), theirs.get("instructions")),
        "systems": (mine.get("system"), theirs.get("system")),
        "accelerators": (mine.get("accelerator"), theirs.get("accelerator")),
        "versions": (_computing(recorded.versions), _computing(again.versions)),
        "codes": (recorded.code_digest, again.code_digest),
    }
    if recorded.identity.device != "cpu":
        kinds["orders of sums on an accelerator"] = ("any", "another")
    return [name for name, (one, other) in kinds.items() if one != other]


def _computing(versions: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in versions.items() if name not in ("tinyproof", "python")}


def _allowed(place: Path, recorded: Run) -> float:
    """How far apart, in points, two draws of this run may be: from the spread of the runs beside it, and the number of
    its test images."""
    beside = [store.load(path.parent).accuracy_percent for path in place.parent.glob(f"seed-*/{store.RECORD}")]
    share = recorded.correct / recorded.test_count
    counting = 100 * math.sqrt(max(share * (1 - share), 1 / recorded.test_count) / recorded.test_count)
    spread = statistics.stdev(beside) if len(beside) > 1 else 0.0
    return _DEVIATIONS * math.sqrt(2) * max(spread, counting)
