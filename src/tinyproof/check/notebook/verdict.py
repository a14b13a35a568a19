"""From findings to one word for a file (wrong, unsupported, undecided, nothing to judge, right), and what was measured.

A file is right only where a measurement was found and can be named.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from tinyproof.check.code.interpreter.relations import relation
from tinyproof.check.code.interpreter.turns import Pass
from tinyproof.check.code.library import facts
from tinyproof.check.code.library.loaders import dataset_of, rows_behind
from tinyproof.check.code.library.splits import Split, overlap
from tinyproof.check.finding import Finding, Status
from tinyproof.check.notebook.left_open import left_open
from tinyproof.check.notebook.measured import fits, measured, spoken
from tinyproof.check.notebook.nothing import ASIDE, ON_LEARNED, is_python, nothing_to_judge
from tinyproof.check.notebook.rules import claims
from tinyproof.check.notebook.rules.rule import percent
from tinyproof.check.notebook.said import quoted_lines, right_lines, settled
from tinyproof.check.notebook.study import Study
from tinyproof.check.prose import Claim

# Libraries that train, measure or hold data in ways of their own, by the name that is imported.
_FRAMEWORKS = {
    "tensorflow": "TensorFlow",
    "keras": "Keras",
    "fastai": "fastai",
    "transformers": "transformers",
    "datasets": "datasets",
    "jax": "JAX",
    "flax": "Flax",
    "mxnet": "MXNet",
    "paddle": "Paddle",
    "skorch": "skorch",
    "ignite": "ignite",
    "medmnist": "medmnist",
    "mlx": "MLX",
    "chainer": "Chainer",
}
_LEARNED_ONLY = "only rows that the model learned from are measured"
# What is measured is not what it is called: nothing is said of it being right.
_UNTRUE = ("evaluates-on-training-data", "figure-changed", "answers-of-another-batch", "target-among-features")


def judge(study: Study, findings: Sequence[Finding]) -> tuple[Status, str, tuple[str, ...]]:
    """The status of a file, why something is open (or what there is not), and what was found right."""
    named = measured_lines(study, findings)
    checked = tuple(checked_lines(study, findings))
    problem = open_question(study)
    if any(finding.severity == "error" for finding in findings):
        return "wrong", problem, checked
    if unsupported(study, findings):
        return "unsupported", problem, checked
    learned = any(finding.rule == "evaluates-on-training-data" for finding in findings)
    if not problem and not named:
        problem = _LEARNED_ONLY if learned else "what is measured could not be named"
    problem = problem or left_open(study, findings)
    if not problem:
        return "right", "", checked
    nothing = nothing_to_judge(study)
    if learned and nothing == ON_LEARNED:
        nothing = ""  # what is measured there is called something else
    return ("nothing to judge", nothing, checked) if nothing else ("undecided", problem, checked)


def unsupported(study: Study, findings: Sequence[Finding]) -> bool:
    """Whether the text claims a test accuracy, or a target met, that no log here supports."""
    rules = {finding.rule for finding in findings}
    if any(finding.rule == "target-not-met" and finding.severity == "warning" for finding in findings):
        return True
    missing = claims.missing_numbers(study) if rules & {"number-in-no-log", "evaluation-disagrees"} else []
    return any(not (claims.from_readme(study, claim) and study.neighbours) for claim in missing)


def open_question(study: Study) -> str:
    """Why it could not be decided what is measured on which images; empty when it could."""
    events = study.events
    if not is_python(study):
        return f"its code is written in {study.document.language}, which is not read{_from_the_log(study)}"
    if events.exhausted:
        return "the program is too long to be read to its end, and what it measures on in the end stays open"
    if _named(study):
        return _changed_training(study)
    if settled(study):
        return ""
    if events.hidden:
        place = events.hidden[0]
        return f"code that is not read may change what is measured on ({place}: {study.line(place)[:60]})"
    roots = list(dict.fromkeys(name.lstrip(".").partition(".")[0] for name in events.missing_modules))
    frameworks = [_FRAMEWORKS[root] for root in roots if root in _FRAMEWORKS]
    if frameworks:
        return f"written with {' and '.join(frameworks[:2])}, which is not read{_from_the_log(study)}"
    missing = sorted({name for name in events.missing_modules if name.partition(".")[0] not in ASIDE})
    if missing:
        return (
            f"what it measures on may be in a module that is not here: {', '.join(missing[:3])}{_from_the_log(study)}"
        )
    if measured(study):
        return f"which rows {spoken(measured(study)[-1])} measures on could not be read{_from_the_log(study)}"
    if events.unread:
        return f"a piece of code could not be read ({events.unread[0]}), and what it measures on stays open"
    unknown = _not_imported(study)
    if unknown:
        return f"{unknown}{_from_the_log(study)}"
    if not events.passes and not study.runs and not events.uses:
        text = "\n".join("\n".join(lines) for lines in study.sources.values())
        if re.search(r"\.(?:fit|score|evaluate|predict)\(", text):
            return "it trains or measures by calls of a library that are not read"
        return "nothing that trains or measures was found in it"
    if not study.evaluations:
        if fits(study):
            return f"a model is fitted, and what measures it was not found in the code{_from_the_log(study)}"
        return f"no loop that measures an accuracy was found in the code{_from_the_log(study)}"
    return f"which images the accuracy is measured on could not be read from the code{_from_the_log(study)}"


def _not_imported(study: Study) -> str:
    """That calls of a framework stand in the code, and no import of it; empty where there are none."""
    text = "\n".join("\n".join(lines) for lines in study.sources.values())
    for call in dict.fromkeys(re.findall(r"\.(\w+)\(", text)):
        found = facts.framework_of_call(call)
        if found is not None and not any(re.search(rf"\b{root}", text) for root in found[1]):
            return f"`{call}` is a call of {found[0]}, which is not imported here: on which rows it works stays open"
    return ""


def _from_the_log(study: Study) -> str:
    last = next((run.last for run in reversed(study.runs) if run.last is not None), None)
    return f"; from the log alone: {percent(last)}" if last is not None else ""


def _named(study: Study) -> list[tuple[Pass, Split]]:
    """The measurements on images that are known."""
    found = [(turn, study.split(turn.loader)) for turn in study.evaluations]
    known = [(turn, split) for turn, split in found if "unknown" not in (split.kind, split.of if _part(split) else "")]
    return [(turn, split) for turn, split in known if not (_part(split) and _perhaps_learned(study, turn))]


def _perhaps_learned(study: Study, turn: Pass) -> bool:
    """Whether it is not known how the rows that are measured lie to those that are learned from."""
    rows = rows_behind(turn.loader)
    taught = [rows_behind(other.loader) for other in study.trainings] if rows is not None else []
    return any(
        relation(rows.paths, other.paths) == "unknown" for other in taught if rows is not None and other is not None
    )


def _part(split: Split) -> bool:
    return split.kind == "part"


def _changed_training(study: Study) -> str:
    """Why it is open what the network learns from, where code changed it in a way that is not followed."""
    for turn in study.trainings:
        if study.split(turn.loader).kind != "unknown":
            continue
        data = dataset_of(turn.loader)
        if data is not None and id(data) in study.events.altered:
            return f"the images that are trained on are replaced by others ({turn.place}), perhaps by test images"
        if study.events.batches_added:
            return f"batches are added to those that are trained on ({study.events.batches_added[0]})"
    return ""


def checked_lines(study: Study, findings: Sequence[Finding]) -> list[str]:
    """What was checked and found right, one line each: measurements, and claims that quote them."""
    if any(finding.rule in _UNTRUE for finding in findings):
        return []
    quoted = quoted_lines(study)
    told = {line.partition(" is ")[0] for line in quoted}
    rest = [line for line in confirmed(study) if line.partition(" is ")[0] not in told]
    return [*measured_lines(study, findings), *quoted, *rest]


def measured_lines(study: Study, findings: Sequence[Finding]) -> list[str]:
    """The measurements that were found, one line each; none where what is measured is not what it is called."""
    if any(finding.rule in _UNTRUE for finding in findings):
        return []
    detailed = right_lines(study)
    lines: dict[str, str] = {}
    for turn, split in _named(study):
        if detailed and rows_behind(turn.loader) is not None:
            continue  # said in more detail below
        lines.setdefault(
            _where(study, split), f"{_what(study, turn)} is measured on {_where(study, split)} ({turn.place})"
        )
    test = [line for where, line in lines.items() if where.endswith("test set")]
    return [*(test[:1] or list(lines.values())[:2]), *detailed]


def _what(study: Study, turn: Pass) -> str:
    counted = turn.hits or turn.framework or any(run.test_accuracies for run in study.runs)
    return "the accuracy" if counted else "the loss" if turn.loss else "a figure"


def _where(study: Study, split: Split) -> str:
    if split.kind == "test":
        return "the test set"
    if split.kind == "part":
        learned = [study.split(turn.loader) for turn in study.trainings]
        known = learned and not any(other.kind == "unknown" or overlap(other, split) for other in learned)
        return f"a part of the {'test' if split.of == 'test' else 'training'} set" + (
            " that is held out" if known and split.of == "train" else ""
        )
    return "training and test images together" if split.kind == "mixed" else "the training set, and called so"


def confirmed(study: Study) -> list[str]:
    """The claims that quote the last epoch of a run, where nothing here says otherwise."""
    lines = []
    for claim in study.claims:
        if claim.kind != "accuracy" or claim.is_target or claim.phase == "train" or claim.decimals < 2:
            continue
        run = next((run for run in study.runs if run.last is not None and claims.matches(claim, run.last)), None)
        if run is None or _typed(study, claim.value, claim.decimals) or _measured_again(study, run.cell, claim):
            continue
        lines.append(f"{percent(claim.value)} is the last epoch's figure, quoted correctly ({claim.place})")
    return list(dict.fromkeys(lines))


def _typed(study: Study, value: float, decimals: int) -> bool:
    """Whether the code itself holds the figure as text: then the log shows what somebody wrote."""
    shown = f"{value:.{decimals}f}"
    return any(
        re.search(rf"(?<![\d.]){re.escape(shown)}(?!\d)", line) and re.search(r"print|[\"']", line)
        for lines in study.sources.values()
        for line in lines
    )


def _measured_again(study: Study, cell: int | None, claim: Claim) -> bool:
    """Whether a later cell prints one more test accuracy, and another one."""
    if cell is None:
        return False
    later = [run for run in study.runs if run.cell is not None and run.cell > cell and len(run.test_accuracies) == 1]
    return bool(later) and not any(claims.matches(claim, run.last or 0) for run in later)
