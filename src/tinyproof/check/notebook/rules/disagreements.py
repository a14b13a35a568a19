"""A claim that quotes an epoch's figure where a whole evaluation printed another one."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tinyproof.check.finding import Finding
from tinyproof.check.notebook.library.row_words import described
from tinyproof.check.notebook.measured import decided, measured, spoken, to_learned
from tinyproof.check.notebook.printed_figures import figure
from tinyproof.check.notebook.rules.claims import from_readme, matches
from tinyproof.check.notebook.rules.rule import Rule, percent
from tinyproof.check.notebook.study import Study
from tinyproof.check.prose import Claim


def evaluation_disagrees(study: Study) -> Iterator[Finding]:
    """The text says one figure, the evaluation of held-out rows another."""
    uses = [
        use for use in measured(study) if decided(use) and to_learned(use) not in ("inside", "contains", "overlaps")
    ]
    shown = [(use, value) for use in uses if (value := figure(study, use)) is not None]
    if not shown or (study.neighbours and any(from_readme(study, claim) for claim in study.claims)):
        return
    seen: set[float] = set()
    for claim in study.claims:
        if not _of_the_test(claim) or claim.value in seen or any(matches(claim, value) for _, value in shown):
            continue
        run = next((run for run in study.runs if run.last is not None and matches(claim, run.last)), None)
        if run is None:
            continue
        seen.add(claim.value)
        use, value = shown[-1]
        yield RULES["evaluation-disagrees"].finding(
            claim.place,
            f"{percent(claim.value)} is an epoch's figure; {spoken(use)} printed {percent(value)}",
            says=claim.text,
            should_say=f"{percent(value)} (on {described(use.rows)})",
            effect="the figure of the text is not the one that was measured in the end",
            evidence=(f"{study.line(use.at)} ({use.at})",),
        )


def _of_the_test(claim: Claim) -> bool:
    """Whether a claim is of the final accuracy: not of training, of validation, of another work or a target."""
    if claim.kind != "accuracy" or claim.is_target or claim.elsewhere or claim.phase == "train" or claim.decimals < 2:
        return False
    return not re.search(r"valid|(?<![a-z])val(?![a-z])|epoch|train", claim.text.lower())


_LIST = (
    Rule(
        "evaluation-disagrees",
        "warning",
        title="The text quotes an epoch, the evaluation printed another figure",
        why="The figure of an epoch is of validation rows, or of a part of the test set; the "
        "evaluation at the end is the "
        "one that counts.",
        mend="Quote the figure that the evaluation printed.",
        reads="text against log",
        wrong="Result: 98.35 % test accuracy.",
        right="Result: 98.29 % test accuracy.",
        check=evaluation_disagrees,
        style="keras",
    ),
)
RULES = {rule.name: rule for rule in _LIST}
