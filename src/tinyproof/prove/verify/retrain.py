"""Runs trained again: what no record can show, because every number in it can be typed, training shows."""

from __future__ import annotations

import hashlib
import math
import statistics
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tinyproof.core.errors import InputError, TinyproofError
from tinyproof.core.listener import Listener
from tinyproof.prove.verify import recompute
from tinyproof.prove.verify.lines import Case, Line
from tinyproof.train import environment, store
from tinyproof.train.run_record import Run

_WHAT = "trained again it is this run"
# On another kind of machine the same seed is another draw: two of them are seldom further apart than this many
# standard deviations of a difference.
_DEVIATIONS = 4.0


@dataclass(frozen=True)
class Retrain:
    """How many runs to train again; `choice` decides which: a number that the verifier names, and nobody knew."""

    count: int
    choice: int

    def chosen(self, names: Sequence[str]) -> list[str]:
        """The names whose digest with the choice comes first.

        >>> Retrain(2, 7).chosen(["seed-11", "seed-12", "seed-13"])
        ['seed-12', 'seed-13']
        """
        order = sorted(names, key=lambda name: hashlib.sha256(f"{self.choice}/{name}".encode()).digest())
        return sorted(order[: self.count])


def lines(case: Case, places: Sequence[Path], wanted: Retrain, listener: Listener) -> list[Line]:
    """Train the chosen ones of these runs again, each in a temporary folder, and hold the bits against theirs."""
    environment.need_torch("training again")
    by_name = {case.name(place): place for place in places if store.finished(place)}
    if not by_name:
        raise InputError("retrain", wanted.count, "a folder with finished runs")
    found = []
    chosen = wanted.chosen(list(by_name))
    for number, name in enumerate(chosen, 1):
        listener.say(f"training {name} again ({number} of {len(chosen)}, chosen by {wanted.choice})")
        try:
            found.append(_line(case, by_name[name], listener))
        except TinyproofError as error:
            found.append(case.line(by_name[name], _WHAT, None, str(error)))
    return found


def _line(case: Case, place: Path, listener: Listener) -> Line:
    recorded = store.load(place)
    again = _train(case, recorded, listener)
    percent = f"{again.correct:,} of {again.test_count:,} again, {recorded.correct:,} recorded"
    if (again.predictions_digest, again.weights_digest or "") == (
        recorded.predictions_digest,
        recorded.weights_digest or again.weights_digest,
    ):
        return case.line(place, _WHAT, True, f"the same bits, {percent}")
    other = _other_kind(recorded, again)
    if not other:
        return case.line(place, _WHAT, False, f"other bits on the same kind of machine: {percent}")
    allowed = _allowed(place, recorded)
    apart = abs(again.accuracy_percent - recorded.accuracy_percent)
    said = f"{percent}: {apart:.3f} points apart, {allowed:.3f} allowed where {', '.join(other)} differ"
    return case.line(place, _WHAT, apart <= allowed, said)


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
    """What makes other bits honest: another processor, other versions, other code."""
    kinds = {
        "processors": (recorded.hardware.get("processor"), again.hardware.get("processor")),
        "systems": (recorded.hardware.get("system"), again.hardware.get("system")),
        "accelerators": (recorded.hardware.get("accelerator"), again.hardware.get("accelerator")),
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
