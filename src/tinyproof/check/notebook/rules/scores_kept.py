"""Scores that run on: what an epoch is said to reach is the mean of all epochs so far."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from tinyproof.check.code.interpreter.events import Kept
from tinyproof.check.code.interpreter.running_scores import epoch_loop
from tinyproof.check.finding import Finding
from tinyproof.check.notebook.rules.rule import Rule, once_per_place
from tinyproof.check.notebook.study import Study


def score_runs_on(study: Study) -> Iterator[Finding]:
    """A score that no epoch sets back is shown in each of them."""
    yield from once_per_place(chain(_counters(study), _metrics(study)))


def _counters(study: Study) -> Iterator[Finding]:
    for event in study.events.runs_on:
        if event.turn.trains or event.turn.escaped:
            continue
        yield RULES["score-runs-on"].finding(
            event.place,
            "the right answers of all epochs so far are divided, not those of this one: no epoch sets them back to 0",
            says=study.line(event.place),
            fix="set the counters to 0 at the beginning of each epoch",
            effect="what is printed for an epoch is no figure of it: a mean over epochs, or more than there are images",
            evidence=(f"{study.line(event.turn.place)} ({event.turn.place})",),
        )


def _metrics(study: Study) -> Iterator[Finding]:
    for fed in study.events.kept:
        loop = epoch_loop(fed.loops)
        turn = fed.turn
        if fed.how != "fed" or loop is None or turn is None or turn.trains or turn.framework or turn.loops != fed.loops:
            continue
        same = [other for other in study.events.kept if other.metric is fed.metric and loop in other.loops]
        shown = [other for other in same if other.how == "read" and other.turn is None]
        made_before = any(fed.metric is made for made in study.events.made[: loop.made_before])
        if not shown or not made_before or any(other.how == "set back" for other in same) or _elsewhere(study, fed):
            continue
        yield RULES["score-runs-on"].finding(
            fed.place,
            f"the {fed.metric.short} keeps the score of all epochs so far: nothing resets it",
            says=study.line(fed.place),
            fix="reset the metric at the beginning of each epoch",
            effect="the figure that is printed for an epoch is the mean of all epochs so far",
            evidence=(f"{study.line(shown[0].place)} ({shown[0].place})",),
        )


def _elsewhere(study: Study, fed: Kept) -> bool:
    """Whether something that is not read may reset the metric."""
    return id(fed.metric) in study.events.escaped or bool(study.events.missing_modules)


_LIST = (
    Rule(
        "score-runs-on",
        "error",
        title="The score runs on over the epochs",
        why="A counter or a metric keeps what it was given until it is set back: each epoch needs a count of its own.",
        mend="Set counters to 0, or call reset(), at the beginning of each epoch.",
        reads="code",
        wrong="    print(epoch, 'test accuracy', score.compute().item())",
        right="    print(epoch, 'test accuracy', score.compute().item())\n    score.reset()",
        check=score_runs_on,
        style="meter",
    ),
)
RULES = {rule.name: rule for rule in _LIST}
