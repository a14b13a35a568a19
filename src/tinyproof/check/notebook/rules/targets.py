"""Targets that are said to be met, parameters that are said to be there, fits that are said to be under."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tinyproof.check.code.library.parameters import parameter_count
from tinyproof.check.finding import CodePlace, Finding
from tinyproof.check.logs import Run
from tinyproof.check.notebook.rules.claims import from_readme, spans, tested
from tinyproof.check.notebook.rules.rule import Rule, percent
from tinyproof.check.notebook.rules.thresholds import FEWEST_EPOCHS_OF_A_RUN, ROUNDED_COUNT
from tinyproof.check.notebook.study import Study
from tinyproof.check.prose import Claim


def parameter_count_rule(study: Study) -> Iterator[Finding]:
    """A number of parameters in the text that no network or summary of the notebook has."""
    counts = {count for log in (study.log, *study.neighbours) for _, count in log.parameters}
    computed = [parameter_count(network) for network in study.networks]
    if not counts and (not computed or None in computed):
        return
    known = counts | {c for c in computed if c is not None}
    told = any(claim.kind == "parameters" and int(claim.value) in known for claim in study.claims)
    seen: set[float] = set()
    for claim in study.claims:
        if claim.kind != "parameters" or claim.is_target or claim.elsewhere or claim.value < 500:
            continue
        silent = not study.speaks_for_all or any(log.runs and not log.parameters for log in study.neighbours)
        if from_readme(study, claim) and silent:
            continue
        written = int(claim.value)
        if written in seen or written in known or written % 500 == 0 or not known:
            continue
        if any(abs(written - count) < ROUNDED_COUNT * count and written % 100 == 0 for count in known):
            continue
        if any(str(written) in re.sub(r"[,\s]", "", line) for line in _parameter_lines(study)):
            continue
        seen.add(written)
        nearest = min(known, key=lambda count: abs(count - written))
        yield RULES["parameter-count"].finding(
            claim.place,
            f"the text says {written:,} parameters; no network of this notebook has that many",
            # a text that gives the true count as well tells of more than one network
            severity="warning" if len(known) == 1 and not study.neighbours and not told else "note",
            says=claim.text,
            should_say=f"{nearest:,} parameters",
            evidence=(f"summaries and networks: {', '.join(f'{c:,}' for c in sorted(known)[:8])}",),
        )


def _parameter_lines(study: Study) -> list[str]:
    """Printed lines about parameters, of which the count may be one the reader of logs did not take for a total."""
    return [
        line
        for cell in study.document.code
        if "aram" in cell.output
        for line in cell.output[:200_000].split("\n")
        if re.search(r"\d{3,}", line)
    ]


def target_not_met(study: Study) -> Iterator[Finding]:
    """A target that the text says was reached, and the log says was not."""
    runs = tested(study)
    if not runs:
        return
    seen: set[float] = set()
    for claim in study.claims:
        if claim.kind != "accuracy" or not claim.reached or claim.phase == "train" or claim.elsewhere:
            continue
        if claim.value in seen or claim.decimals > 2 or claim.value < 90 or not _is_target(study, claim):
            continue
        seen.add(claim.value)
        if from_readme(study, claim) and not study.speaks_for_all:
            continue
        near = study.neighbours if from_readme(study, claim) else ()
        known = [*study.runs, *(run for log in near for run in log.runs)]
        best = max(run.best or 0 for run in known)
        last = max(run.last or 0 for run in known)
        if last >= claim.value - 1e-9:
            yield from _too_late(study, claim, known)
            continue
        touched = round(best, claim.decimals) >= claim.value - 1e-9
        yield RULES["target-not-met"].finding(
            claim.place,
            f"{claim.value:g} % is said to be reached; "
            + (
                f"only {'the best epoch' if best >= claim.value else 'rounding'} gets there (best {percent(best)}, "
                f"highest last epoch {percent(last)})"
                if touched
                else f"no epoch does (best {percent(best)}, highest last epoch {percent(last)})"
            ),
            severity="note" if touched else "warning",
            says=claim.text,
            evidence=(spans(study),),
        )


def _too_late(study: Study, claim: Claim, runs: list[Run]) -> Iterator[Finding]:
    """The accuracy is reached, after more epochs than the target allows."""
    allowed = [int(c.value) for c in study.claims if c.kind == "epochs" and c.is_target]
    firsts = [
        next((i for i, accuracy in enumerate(run.test_accuracies, start=1) if accuracy >= claim.value), None)
        for run in runs
    ]
    reached = [first for first in firsts if first is not None]
    if allowed and reached and min(reached) > max(allowed):
        yield RULES["target-not-met"].finding(
            claim.place,
            f"{claim.value:g} % is first reached in epoch {min(reached)}; the target allows {max(allowed)} epochs",
            severity="note",
            says=claim.text,
        )


def _is_target(study: Study, claim: Claim) -> bool:
    """Whether the number is wanted: the sentence or another one of the text says so."""
    return claim.is_target or any(
        c.is_target and c.kind == "accuracy" and abs(c.value - claim.value) < 1e-9 for c in study.claims
    )


# The sentence speaks of this model's figures, or stands where results are told.
_OWN = re.compile(
    r"\b(?:train(?:ing)?|test|validation)\b.*\b(?:acc\w*|%)|\d\s?%|\b(?:the|this|our|my) (?:model|network)\b", re.I
)
_RESULTS = re.compile(r"^\W*(?:analysis|results?|observations?|conclusions?|findings)\b", re.IGNORECASE)
# It tells of what may happen, or of how it is avoided.
_GENERAL = re.compile(
    r"\b(?:can|could|may|might|would|if|when|whenever|tends?|too (?:small|few|simple|low|short)|prevents?|avoid\w*"
    r"|no|not|isn't|without|never|n't|reduces?|overcome|fix(?:es|ed)?)\b",
    re.IGNORECASE,
)


def train_mode_accuracy(study: Study) -> Iterator[Finding]:
    """'Underfitting' concluded from a training accuracy below the test accuracy."""
    lower = [
        run
        for run in study.runs
        if len(run.epochs) >= FEWEST_EPOCHS_OF_A_RUN
        and run.train_accuracies
        and run.last is not None
        and run.train_accuracies[-1] < run.last
    ]
    if not lower:
        return
    readmes = [readme.cells[0] for readme in study.readmes] if study.speaks_for_all else []
    for cell in (*study.document.texts, *readmes):
        results = False
        for line_number, line in enumerate(cell.source.split("\n")[:5_000], start=1):
            if line.lstrip().startswith("#") or _RESULTS.match(line):
                results = bool(_RESULTS.match(line))
            found = re.search(r"under[- ]?fit\w*", line, re.IGNORECASE)
            if not found or _GENERAL.search(line[: found.end()]) or not (results or _OWN.search(line)):
                continue
            run = lower[0]
            file = study.document.name if cell in study.document.cells else study.readmes[0].name
            yield RULES["train-mode-accuracy"].finding(
                CodePlace(file, cell.number, line_number),
                "underfitting is concluded from a training accuracy below the test accuracy",
                says=line.strip()[:200],
                effect="the two figures are measured differently and cannot be compared",
                evidence=(
                    f"log of cell {run.cell}: "
                    f"training {percent(run.train_accuracies[-1])}, test {percent(run.last or 0)}",
                ),
            )
            return


_LIST = (
    Rule(
        "parameter-count",
        "warning",
        title="The number of parameters is another",
        why="The text and the summary of the network disagree.",
        mend="Quote the total that the summary of this notebook prints.",
        reads="text against summary and code",
        wrong="The network has 1,942 parameters",
        right="The network has 1,442 parameters",
        check=parameter_count_rule,
    ),
    Rule(
        "target-not-met",
        "warning",
        title="A target is said to be met and is not",
        why="A target holds for the result that is claimed, the last epoch of a run.",
        mend="Say what was reached.",
        reads="text against log",
        wrong="Result: the target of 99.4 % was reached.",
        right="Result: 98.85 % test accuracy after the last epoch.",
        check=target_not_met,
    ),
    Rule(
        "train-mode-accuracy",
        "note",
        title="Underfitting concluded from unlike figures",
        why="Training accuracy is measured while the weights still move, with dropout on and on augmented images; test "
        "accuracy is not. Training below test is expected then, and says nothing about underfitting.",
        mend="Measure both in evaluation mode, on images without augmentation, after the epoch.",
        reads="text against log",
        wrong="# Digits with few weights\nThe model is underfitting: 98.15 % in training, 98.85 % in the test.",
        right="# Digits with few weights",
        check=train_mode_accuracy,
        needs_reader=True,
    ),
)
RULES = {rule.name: rule for rule in _LIST}
