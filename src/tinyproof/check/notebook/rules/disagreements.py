"""A claim that quotes an epoch's figure, or none at all, where a whole evaluation printed another one."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tinyproof.check.code.interpreter.uses import Measured
from tinyproof.check.code.library.row_words import described
from tinyproof.check.finding import CodePlace, Finding
from tinyproof.check.log_lines import lines_of
from tinyproof.check.notebook.measured import decided, measured, spoken, to_learned, words_of
from tinyproof.check.notebook.printed_figures import figure
from tinyproof.check.notebook.rules.claims import from_readme, matches, says_test
from tinyproof.check.notebook.rules.rule import Rule, percent
from tinyproof.check.notebook.study import Study
from tinyproof.check.prose import Claim


def evaluation_disagrees(study: Study) -> Iterator[Finding]:
    """The text says one figure, the evaluation of held-out rows another."""
    quoted = list(_epoch_quoted(study))
    yield from quoted or _measured_otherwise(study)


def _held_out(study: Study) -> list[Measured]:
    seen = ("inside", "contains", "overlaps")
    return [use for use in measured(study) if decided(use) and to_learned(use) not in seen]


def _epoch_quoted(study: Study) -> Iterator[Finding]:
    """The text quotes the last epoch of a run, and the evaluation of held-out rows printed another figure."""
    shown = [(use, value) for use in _held_out(study) if (value := figure(study, use)) is not None]
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


def _measured_otherwise(study: Study) -> Iterator[Finding]:
    """The notebook's own text says a test figure that nothing printed, and the one that was printed is another."""
    own = [claim for claim in study.claims if claim.place.file == study.document.name and says_test(claim)]
    shown = _test_figures(study) if own else []
    missing = {claim.value: claim for claim in reversed(own) if not any(matches(claim, value) for value, _ in shown)}
    if not shown or len(missing) != 1 or len({place.cell for _, place in shown}) > 1 or _not_run(study):
        return  # of several models or runs it is not clear which one the text speaks of
    (claim,) = missing.values()
    lines = [line for line in _printed(study) if any(matches(claim, value) for value in _numbers(line))]
    if any(words_of(line) != "validation" for line in lines):
        return
    value, place = shown[-1]
    quoted = "is a figure of the validation part" if lines else "was printed by nothing here"
    yield RULES["evaluation-disagrees"].finding(
        claim.place,
        f"{percent(claim.value)} {quoted}; the test printed {percent(value)}",
        says=claim.text,
        should_say=percent(value),
        effect="the figure of the text is not the one that was measured",
        evidence=(f"printed by {place}",),
    )


def _not_run(study: Study) -> bool:
    """Whether a cell that measures shows no output."""
    empty = {cell.number for cell in study.document.code if not cell.output.strip()}
    return any(use.run.cell in empty for use in _held_out(study) if not use.repeated)


def _test_figures(study: Study) -> list[tuple[float, CodePlace]]:
    """The accuracies that were printed for held-out rows, or on lines that call them a test's."""
    found = [(value, use.at) for use in _held_out(study) if (value := figure(study, use)) is not None]
    if found:
        return found
    for cell in study.document.code:
        lines = [line for line in lines_of(cell.output) if words_of(line) == "test" and "acc" in line.lower()]
        after = [line[line.lower().index("acc") :] for line in lines[-200:]]
        numbers = [value for line in after for value in _numbers(line)[:1]]
        found.extend((value, CodePlace(study.document.name, cell.number)) for value in numbers)
    return found


def _printed(study: Study) -> Iterator[str]:
    for cell in study.document.code:
        yield from list(lines_of(cell.output))[-400:]


def _numbers(line: str) -> list[float]:
    """The numbers of a line that may be accuracies, in percent."""
    found = [float(text) for text in re.findall(r"(?<![\w.])\d{1,3}(?:\.\d+)?(?![\w.])", line[:2_000])]
    return [value if value > 1 else 100 * value for value in found if 0.3 <= value <= 100]


def _of_the_test(claim: Claim) -> bool:
    """Whether a claim is of the final accuracy: not of training, of validation, of another work or a target."""
    if claim.kind != "accuracy" or claim.is_target or claim.elsewhere or claim.phase == "train" or claim.decimals < 2:
        return False
    return not re.search(r"valid|(?<![a-z])val(?![a-z])|epoch|train", claim.text.lower())


_LIST = (
    Rule(
        "evaluation-disagrees",
        "warning",
        title="The text quotes another figure than the one that was measured",
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
