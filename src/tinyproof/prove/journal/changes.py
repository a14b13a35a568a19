"""What differs between two entries of the journal, in words, and whether the accuracy differs more than by chance.

No torch.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tinyproof.core import stats
from tinyproof.network import model_name
from tinyproof.network.budget import RULES, Budget
from tinyproof.prove.declaration import FORMATS, Declaration
from tinyproof.train.run_record import Run

CONFIDENCE = 0.95
# Settings whose values are digests: nobody reads those, so what changed is said instead.
_OTHERS = "others"
_DIGESTS = {"model file": "model", "images": "data", "code": "", "code of version 0.1": ""}
# Digests of two kinds are not compared: by the first version or not.
_CODE = {True: "code of version 0.1", False: "code"}


@dataclass(frozen=True)
class Effect:
    """A difference in accuracy (points), the half width of its 95 % interval (None: not known), and both in words."""

    difference: float | None
    chance: float | None
    words: str

    @property
    def beyond(self) -> bool | None:
        """Whether the difference is more than chance does; None where that is not known."""
        if self.difference is None or self.chance is None:
            return None
        return abs(self.difference) > self.chance


UNKNOWN = Effect(None, None, "")


def of_run(run: Run, target: float | None, limits: Budget) -> dict[str, Any]:
    """Everything that may change between entries, of one run; `target` and `limits` are what it is held against."""
    who = run.identity
    data = who.dataset + (", held-out part" if who.held_out else "")
    return {
        **_what(who.model, _files(run.files, run.format > 1), data, who.data_digest),
        **_recipe(run.recipe.to_dict()),
        **_where(who.engine, who.device, who.threads, run.versions),
        _CODE[run.format == 1]: run.code_digest,
        **_machine(run),
        **asked(target, limits),
    }


def of_declaration(declared: Declaration, run: Run | None) -> dict[str, Any]:
    """Everything but target and budget of a declaration; `run`: one of its runs, which knows its machine."""
    first = declared.format == FORMATS[0]
    return {
        **_what(declared.model, _files(declared.files, not first), declared.data.name, declared.data.digest),
        **_recipe(declared.recipe.to_dict()),
        **_where(declared.engine, declared.device, declared.threads, declared.versions),
        _CODE[first]: declared.code_digest,
        "judged as": declared.judged_as or "the network itself",
        **({} if run is None else _machine(run)),
    }


def asked(target: float | None, limits: Budget) -> dict[str, Any]:
    """Target and limits by name. An entry of which nobody asked this (a comparison, a claim) goes without."""
    names = ("parameters", "epochs", "bytes", "macs", "flash", "ram", "instructions")
    below = {f"limit of {name}": getattr(limits, f"{name}_below") for name in names}
    return {"target": target, **below, "rules": ", ".join(RULES[rule] for rule in limits.rules) or None}


def words(before: Mapping[str, Any], after: Mapping[str, Any], between: str = " → ") -> tuple[str, ...]:
    """What changed from one to the other, in words. A setting that one of them does not know is no change."""
    names = [name for name in before if name in after and before[name] != after[name]]
    told = [
        _digest_words(n, before, after) if n in _DIGESTS else _value_words(n, before, after, between) for n in names
    ]
    return tuple(line for line in told if line)


def seeds_words(before: Sequence[int], after: Sequence[int]) -> str:
    """What to say where no setting changed."""
    if tuple(before) == tuple(after):
        return "nothing: the same seed" + ("s" if len(after) > 1 else "")
    if len(before) != len(after):
        return f"nothing but the seeds, {len(before)} → {len(after)} of them"
    return "nothing but the seed" + ("s" if len(after) > 1 else "")


def effect(before: Sequence[float], after: Sequence[float], images: int) -> Effect:
    """`after - before`, accuracies in percent on `images` test images, one a run.

    The spread comes from the seeds: Welch's t, and where the numbers of runs differ no narrower than Student's, for
    Welch's alone finds too much between two runs and ten. One run has no spread: that of the other side is taken for
    both. Two single runs: the number of test images alone (binomial), which says less.
    """
    if not before or not after:
        return UNKNOWN
    difference, step = stats.mean(after) - stats.mean(before), 100 / images
    if len(before) == len(after) == 1:
        # The two errors are independent; 1.96 of the combined one covers 95 of 100 differences that are only chance.
        return _effect(difference, 1.96 * math.hypot(_binomial(before[0], images), _binomial(after[0], images)))
    tests = [stats.pooled] if 1 in (len(before), len(after)) else [stats.pooled, stats.welch]
    intervals = [test(after, before, CONFIDENCE, step).interval for test in tests]
    return _effect(difference, max(interval.high - interval.low for interval in intervals) / 2)


def _effect(difference: float, chance: float) -> Effect:
    word = "no more than" if abs(difference) <= chance else "more than"
    return Effect(difference, chance, f"{difference:+.2f} points, {word} chance does (±{chance:.2f})")


def _binomial(percent: float, images: int) -> float:
    """The standard error, in points, that the number of test images alone leaves in one accuracy."""
    share = percent / 100
    return 100 * math.sqrt(share * (1 - share) / images)


def _files(digests: Mapping[str, str], whole: bool) -> dict[str, str]:
    """The files of a network by name; records of the first version do not say what the main one imported."""
    return {**digests, **({} if whole or not digests else {_OTHERS: "not recorded"})}


def _file_words(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    names = {*before} & {*after} if _OTHERS in {*before, *after} else {*before, *after}
    told = [
        f"the file {name} {'is new' if name not in before else 'is gone' if name not in after else 'changed'}"
        for name in sorted(names)
        if before.get(name) != after.get(name)
    ]
    return "; ".join(told)


def _what(model: str, file: Mapping[str, str], data: str, images: str) -> dict[str, Any]:
    return {"model": model_name.short(model), "model file": file, "data": data, "images": images}


def _recipe(values: Mapping[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, dict):
            flat |= {f"{key}.{inner}": entry for inner, entry in value.items()}
        elif key != "name":
            flat[key] = value
    return flat


def _where(engine: str, device: str, threads: int, versions: Mapping[str, str]) -> dict[str, Any]:
    return {**versions, "engine": engine, "device": device, "threads": threads}


def _machine(run: Run) -> dict[str, Any]:
    return {"processor": run.hardware["processor"]} if "processor" in run.hardware else {}


def _value_words(name: str, before: Mapping[str, Any], after: Mapping[str, Any], between: str) -> str:
    return f"{name} {_show(before[name])}{between}{_show(after[name])}"


def _digest_words(name: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """What a changed digest means; nothing where the change of a name says it already."""
    named = _DIGESTS[name]
    if named and before.get(named) != after.get(named):
        return ""
    if name == "code" and any(before.get(key) != after.get(key) for key in ("model", "engine")):
        # It is of what computes: of this network and this engine.
        return ""
    if name == "model file":
        return _file_words(before[name], after[name])
    return f"other images and labels under the name {after['data']}" if name == "images" else "other tinyproof code"


def _show(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, float):
        return str(value).removesuffix(".0")
    return f"{value:,}" if isinstance(value, int) else str(value)
