"""What a rule is: a name, what it costs, how to mend it, an example, and the function that looks for it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tinyproof.check.code.interpreter.turns import Pass
from tinyproof.check.finding import SEVERITIES, CodePlace, Finding, Severity
from tinyproof.check.notebook.study import Study


@dataclass(frozen=True)
class Rule:
    """One rule of the catalogue.

    `severity`: the usual one; a finding may be milder. `reads`: what settles it (code, log, text). `wrong` and
    `right`: the same lines of a notebook with and without the fault, executed as tests. `needs_reader`: the finding
    is a note that a person has to judge. `style`: the kind of notebook that the example stands in.
    """

    name: str
    severity: Severity
    title: str
    why: str
    mend: str
    reads: str
    wrong: str
    right: str
    check: Callable[[Study], Iterator[Finding]]
    needs_reader: bool = False
    style: str = "functions"

    def finding(
        self,
        place: CodePlace,
        message: str,
        *,
        severity: Severity | None = None,
        says: str = "",
        should_say: str = "",
        fix: str = "",
        effect: str = "",
        evidence: tuple[str, ...] = (),
    ) -> Finding:
        """A finding of this rule, with the rule's reason and mend."""
        return Finding(
            self.name,
            severity or self.severity,
            place=place,
            message=message,
            says=says,
            should_say=should_say,
            why=self.why,
            fix=should_say or fix or self.mend,
            effect=effect,
            evidence=tuple(line for line in evidence if line),
        )


def percent(value: float) -> str:
    """An accuracy as people write it.

    >>> percent(99.4), percent(99.415), percent(100.0)
    ('99.40 %', '99.42 %', '100.00 %')
    """
    return f"{value + 1e-9:.2f} %"


def cell_of(turn: Pass) -> int | None:
    """The cell in which a loop runs: that of the outermost call it stands in."""
    return turn.frames[0].place.cell if turn.frames else turn.place.cell


def where(place: CodePlace) -> str:
    """A place inside a sentence."""
    return str(place)


_TEST = re.compile(
    r"(?<![a-z])(?:test|val|valid|validation|eval|evaluation|tst)(?![a-z])|test_?(?:loader|data|set|dl|ds)"
)


def named_test(names: list[str]) -> bool:
    """Whether names call something the test or validation data (and none calls it training data).

    >>> named_test(["test_loader"]), named_test(["train_eval_loader"]), named_test(["latest"])
    (True, False, False)
    """
    words = [_words(name) for name in names]
    return any(_TEST.search(word) for word in words) and not any("train" in word for word in words)


def _words(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def once_per_place(findings: Iterator[Finding]) -> Iterator[Finding]:
    """Keep the first, gravest finding at each place: a function called five times has its fault once."""
    seen: set[CodePlace] = set()
    for finding in sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity)):
        assert isinstance(finding.place, CodePlace)
        if finding.place not in seen:
            seen.add(finding.place)
            yield finding
