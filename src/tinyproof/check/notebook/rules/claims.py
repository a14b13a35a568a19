"""What the text says, held against what the log says."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tinyproof.check.finding import Finding
from tinyproof.check.logs import Log, Run
from tinyproof.check.notebook.measured import words_of
from tinyproof.check.notebook.rules.rule import Rule, percent
from tinyproof.check.notebook.rules.thresholds import FEWEST_EPOCHS_OF_A_RUN
from tinyproof.check.notebook.study import Study
from tinyproof.check.prose import Claim


def reported(study: Study) -> list[Claim]:
    """Claims of this notebook's own test accuracy."""
    return [
        c
        for c in study.claims
        if c.kind == "accuracy" and c.phase != "train" and not c.is_target and not c.elsewhere and c.decimals >= 1
    ]


def matches(claim: Claim, figure: float) -> bool:
    """Whether a figure, rounded or cut to the claim's decimals, is the claim's."""
    scale = 10**claim.decimals
    cut = int(figure * scale + 1e-6) / scale
    return abs(round(figure, claim.decimals) - claim.value) < 1e-6 or abs(cut - claim.value) < 1e-6


_OF_AN_EPOCH = re.compile(r"valid|(?<![a-z])val(?![a-z])|epochs? ?\d|best epoch|\d(?:st|nd|rd|th) epoch|train")


def says_test(claim: Claim) -> bool:
    """Whether a claim is of the final accuracy on test rows, in so many words."""
    if claim.kind != "accuracy" or claim.is_target or claim.elsewhere or claim.best or claim.decimals < 2:
        return False
    if claim.phase == "train" or claim.epoch is not None or _OF_AN_EPOCH.search(claim.text.lower()):
        return False
    return claim.phase == "test" or words_of(claim.text) == "test"


def tested(study: Study) -> list[Run]:
    return [run for run in study.runs if len(run.test_accuracies) >= FEWEST_EPOCHS_OF_A_RUN]


def best_epoch_claimed(study: Study) -> Iterator[Finding]:
    """A claim that is the highest epoch's figure of a run and no run's last."""
    runs = tested(study)
    told: set[tuple[str, float, int | None]] = set()
    for claim in reported(study):
        if (claim.place.file, claim.value, claim.epoch) in told or claim.decimals < 2:
            continue
        told.add((claim.place.file, claim.value, claim.epoch))
        if claim.epoch is not None:
            if not claim.best and _at_epoch(study.runs, claim):
                continue  # a figure quoted with its epoch, as it stands in the log
            if not _at_epoch(study.runs, claim) and not (from_readme(study, claim) and study.neighbours):
                yield from _wrong_epoch(study, claim)
        if any(run.last is not None and matches(claim, run.last) for run in study.runs):
            continue
        if any(matches(claim, a) for run in study.runs for a in (run.train_accuracies or [])):
            continue
        if _of_a_neighbour(study, claim):
            continue
        best = [run for run in runs if run.best is not None and matches(claim, run.best)]
        if best:
            yield _best_finding(study, claim, best[0])


def _wrong_epoch(study: Study, claim: Claim) -> Iterator[Finding]:
    """The figure stands in the log, at another epoch than the text says."""
    for run in tested(study):
        for position, epoch in enumerate(run.epochs, start=1):
            if epoch.test_accuracy is not None and matches(claim, epoch.test_accuracy):
                number = epoch.number if epoch.number is not None else position
                yield RULES["best-epoch-claimed"].finding(
                    claim.place,
                    f"{claim.value:.2f} % is the figure of epoch {number}, not of epoch {claim.epoch}",
                    severity="note",
                    says=claim.text,
                    effect="the right figure with the wrong epoch",
                )
                return


def _at_epoch(runs: tuple[Run, ...], claim: Claim) -> bool:
    """Whether some run has the claim's figure at the claim's epoch (counted from 0 or from 1)."""
    for run in runs:
        for position, epoch in enumerate(run.epochs):
            figures = [f for f in (epoch.test_accuracy, epoch.train_accuracy, epoch.other_accuracy) if f is not None]
            if claim.epoch in (epoch.number, position, position + 1) and any(matches(claim, f) for f in figures):
                return True
    return False


def _best_finding(study: Study, claim: Claim, run: Run) -> Finding:
    last = run.last or 0.0
    epochs = [e for e in run.epochs if e.test_accuracy is not None and matches(claim, e.test_accuracy)]
    number = epochs[0].number if epochs and epochs[0].number is not None else None
    at = f"epoch {number}" if number is not None else "one epoch"
    targets = [c.value for c in study.claims if c.kind == "accuracy" and c.is_target and last < c.value <= claim.value]
    return RULES["best-epoch-claimed"].finding(
        claim.place,
        f"{claim.value:.2f} % is the best epoch's figure ({at} of {len(run.epochs)}), not the last: {percent(last)}",
        severity="note" if claim.best else "warning",
        says=claim.text,
        should_say=f"{percent(last)} (last epoch)",
        effect=f"the target of {targets[0]:g} % is reached only that way" if targets else "",
        evidence=(
            f"log of cell {run.cell}: best {percent(run.best or 0)}, last {percent(last)}",
            said_again(study, claim),
        ),
    )


def said_again(study: Study, claim: Claim) -> str:
    """Where else the same file gives the same figure; empty where it does not."""
    others = [
        c.place
        for c in study.claims
        if c.kind == claim.kind
        and c.value == claim.value
        and c.place.file == claim.place.file
        and c.place != claim.place
    ]
    return f"said again: {', '.join(str(place) for place in dict.fromkeys(others))}" if others else ""


def from_readme(study: Study, claim: Claim) -> bool:
    """Whether a claim may be about any of several notebooks: it stands in a README, in no notebook's own section."""
    return claim.place.file != study.document.name and not claim.owned


def _of_a_neighbour(study: Study, claim: Claim) -> bool:
    """Whether a README's figure is the last epoch's of another notebook that it speaks of."""
    return from_readme(study, claim) and any(
        run.last is not None and matches(claim, run.last) for log in study.neighbours for run in log.runs
    )


def _told_elsewhere(study: Study, claim: Claim) -> bool:
    """Whether a README's figure stands in another notebook's log, or its absence is told with another notebook."""
    if not from_readme(study, claim):
        return False
    return not study.speaks_for_all or any(_in_log(log, claim) for log in study.neighbours)


def missing_numbers(study: Study) -> list[Claim]:
    """The reported accuracies that were printed nowhere, each once."""
    if not (study.runs or study.trainings or study.evaluations or not study.document.code):
        return []
    found: dict[float, Claim] = {}
    for claim in reported(study):
        if not claim.named or claim.decimals < 2 or _in_log(study.log, claim) or _told_elsewhere(study, claim):
            continue
        found.setdefault(claim.value, claim)
    return list(found.values())


def number_in_no_log(study: Study) -> Iterator[Finding]:
    """A reported accuracy that was printed nowhere."""
    for claim in missing_numbers(study):
        yield RULES["number-in-no-log"].finding(
            claim.place,
            f"{claim.value:.{claim.decimals}f} % is in no log {'of this notebook' if study.document.code else 'here'}",
            says=claim.text,
            effect="it may come from a run that was not kept; a reader has to judge",
            evidence=(spans(study), said_again(study, claim)),
        )


def _in_log(log: Log, claim: Claim) -> bool:
    if any(matches(claim, float(figure)) for figure in log.figures):
        return True
    if any(matches(claim, 100 * float(f)) for f in log.figures if f.startswith(("0.", "1.0"))):
        return True
    figures = [
        a
        for run in log.runs
        for e in run.epochs
        for a in (e.test_accuracy, e.train_accuracy, e.other_accuracy)
        if a is not None
    ]
    return any(matches(claim, figure) for figure in figures)


def spans(study: Study) -> str:
    figures = [a for run in study.runs for a in run.test_accuracies]
    if not figures:
        return "no test accuracy was printed"
    return f"test accuracies in the log: {percent(min(figures))} to {percent(max(figures))}"


_LIST = (
    Rule(
        "best-epoch-claimed",
        "warning",
        title="The best epoch is quoted as the result",
        why="Picking the best of many epochs by the test set gives a figure that is high by luck; "
        "the last epoch was not "
        "picked.",
        mend="Quote the last epoch, or choose the epoch on a validation part and quote its test accuracy.",
        reads="text against log",
        wrong="Result: 98.93 % test accuracy",
        right="Result: 98.85 % test accuracy",
        check=best_epoch_claimed,
    ),
    Rule(
        "number-in-no-log",
        "note",
        title="A number that is in no log",
        why="A figure without its run cannot be checked.",
        mend="Keep the log of the run that gave it, or quote the one that is there.",
        reads="text against log",
        wrong="Result: 99.12 % accuracy",
        right="Result: 98.85 % test accuracy",
        check=number_in_no_log,
        needs_reader=True,
    ),
)
RULES = {rule.name: rule for rule in _LIST}
