"""What was asked of a notebook, held against the one of a submission that meets most of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tinyproof.check.classes.asked_answers import Answer
from tinyproof.check.classes.requirements import AskedNotebook
from tinyproof.check.facts import LoggedRun, NotebookFacts
from tinyproof.check.finding import CodePlace, FileReport
from tinyproof.network.budget import RULES, at_least

# What is printed is then no test accuracy of this code, whatever it is called.
_UNTRUE = ("evaluates-on-training-data", "figure-changed", "answers-of-another-batch", "target-among-features",
           "log-not-from-this-code")  # fmt: skip
_NOT_READ = "a part of its code was not read"


def notebook_answers(files: Sequence[FileReport], asked: AskedNotebook, unread: str) -> list[Answer]:
    """`files`: the notebooks (or scripts), at least one; `unread`: why a part of the submission was not read."""
    tried = [list(_answers(file, asked)) for file in files]
    best = min(tried, key=lambda answers: (sum(a.met is False for a in answers), sum(a.met is None for a in answers)))
    unsure = unread or next((file.problem or file.status for file in files if file.facts is None), "")
    if not unsure:
        return best
    return [each if each.met else Answer(each.file, each.rule, each.asked, unsure, None) for each in best]


def _answers(file: FileReport, asked: AskedNotebook) -> Iterator[Answer]:
    facts = file.facts if isinstance(file.facts, NotebookFacts) else NotebookFacts()
    untrue = next((finding for finding in file.findings if finding.rule in _UNTRUE), None)
    if asked.data:
        yield _data(file, facts, asked.data)
    reached = facts.runs
    if asked.accuracy_percent is not None:
        reached = tuple(run for run in facts.runs if at_least(_figure(run, asked), asked.accuracy_percent))
        yield _accuracy(file, facts, asked, f"{untrue.rule} ({untrue.place})" if untrue else "")
    if asked.parameters_below is not None:
        yield _parameters(file, facts, asked.parameters_below)
    if asked.epochs_below is not None:
        yield _epochs(file, reached, facts.runs, asked.epochs_below)
    for rule in asked.rules:
        yield _rule(file, facts, rule)


def _data(file: FileReport, facts: NotebookFacts, name: str) -> Answer:
    """Met where it takes this set and no other."""
    there = [taken.casefold() == name.casefold() for taken in facts.data]
    told = ", ".join(facts.data) or "no public data set that was recognised"
    met = True if there and all(there) else None if any(there) or not there or not facts.whole else False
    return Answer(file, "asked-data", f"the data set {name}", told, met)


def _figure(run: LoggedRun, asked: AskedNotebook) -> float:
    return run.accuracies[-1] if asked.epoch == "last" else max(run.accuracies)


def _accuracy(file: FileReport, facts: NotebookFacts, asked: AskedNotebook, untrue: str) -> Answer:
    words = f"a test accuracy of at least {asked.accuracy_percent:g} % in the {asked.epoch} epoch"
    if untrue:
        return Answer(file, "asked-accuracy", words, f"what its log shows is not that: {untrue}", None)
    if not facts.runs:
        return Answer(file, "asked-accuracy", words, "no test accuracy was read in its log", None)
    run = max(facts.runs, key=lambda run: _figure(run, asked))
    reached, best = _figure(run, asked), max(max(run.accuracies) for run in facts.runs)
    met = at_least(reached, asked.accuracy_percent or 0.0)
    told = f"{_percent(reached)}"
    if not met and asked.epoch == "last" and best > reached:
        told += f" (the best epoch has {_percent(best)})"
    return Answer(file, "asked-accuracy", words, told, met, CodePlace(_name(file), run.cell))


def _percent(value: float) -> str:
    """To two decimals, and never rounded up to what it did not reach."""
    return f"{int(value * 100 + 1e-6) / 100:.2f} %"


def _name(file: FileReport) -> str:
    return file.file.replace("\\", "/").rpartition("/")[2]


def _parameters(file: FileReport, facts: NotebookFacts, below: int) -> Answer:
    words = f"fewer than {below:,} parameters"
    sizes = sorted({int(size.value) for size in facts.parameters})
    told = f"{sizes[0]:,}" if len(sizes) == 1 else f"{sizes[0]:,} to {sizes[-1]:,}" if sizes else ""
    if not sizes:
        return Answer(file, "asked-parameters", words, "they could not be counted", None)
    if not facts.counted or sizes[0] < below <= sizes[-1]:
        why = f"networks of {told} are in it, and perhaps others" if not facts.counted else f"networks of {told}"
        return Answer(file, "asked-parameters", words, why, None)
    first = facts.parameters[0]
    return Answer(file, "asked-parameters", words, told, sizes[-1] < below,
                  CodePlace(first.file, first.cell, first.line))  # fmt: skip


def _epochs(file: FileReport, reached: Sequence[LoggedRun], runs: Sequence[LoggedRun], below: int) -> Answer:
    """The shortest run counts, of those that `reached` the accuracy where they number their epochs."""
    words = f"fewer than {below:,} epochs"
    numbered = [run for run in reached if run.numbered] or [run for run in runs if run.numbered]
    if not numbered:
        return Answer(file, "asked-epochs", words, "its log does not number them", None)
    run = min(numbered, key=lambda run: run.epochs)
    return Answer(file, "asked-epochs", words, f"{run.epochs:,}", run.epochs < below, CodePlace(_name(file), run.cell))


def _rule(file: FileReport, facts: NotebookFacts, rule: str) -> Answer:
    met = _kept(facts, rule)
    told = {True: "yes", False: "no", None: _NOT_READ}[met]
    place = None
    if rule == "no-fully-connected" and met is False:
        part = next(part for part in facts.parts if part.kind == "fully-connected")
        told, place = "one", CodePlace(part.file, part.cell, part.line)
    if met is None and facts.whole:
        told = "whether its code does so could not be told"
    return Answer(file, "asked-layers", RULES[rule], told, met, place)


def _kept(facts: NotebookFacts, rule: str) -> bool | None:
    if rule == "no-fully-connected-or-global-average-pooling":
        both = _kept(facts, "no-fully-connected"), _kept(facts, "uses-global-average-pooling")
        return True if True in both else None if None in both else False
    kind = rule.removeprefix("uses-").removeprefix("no-")
    there = any(part.kind == kind for part in facts.parts)
    if not there and (not facts.whole or kind in facts.mentioned):
        return None
    return there if rule.startswith("uses-") else not there
