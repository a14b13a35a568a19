"""The catalogue of the notebook audit: every rule with its reason, its mend and an example that tests execute."""

from __future__ import annotations

from tinyproof.check.notebook.rules import (
    callbacks,
    claims,
    disagreements,
    losses,
    measuring,
    modes,
    networks,
    plateaus,
    record,
    row_rules,
    runs,
    schedules,
    scores_kept,
    softmaxes,
    tampering,
    targets,
    training,
    transforms,
    unused_gradients,
    warm_starts,
)
from tinyproof.check.notebook.rules.rule import Rule

_MODULES = (
    measuring,
    modes,
    transforms,
    tampering,
    scores_kept,
    losses,
    softmaxes,
    networks,
    schedules,
    training,
    unused_gradients,
    plateaus,
    warm_starts,
    record,
    runs,
    claims,
    targets,
    row_rules,
    callbacks,
    disagreements,
)
CATALOGUE: dict[str, Rule] = {name: rule for module in _MODULES for name, rule in module.RULES.items()}


def catalogue() -> str:
    """All rules as Markdown: name, severity, what settles it, why, how to mend it, wrong and right lines."""
    head = "| rule | severity | what it finds | settled by |\n| --- | --- | --- | --- |\n"
    rows = [f"| [`{r.name}`](#{r.name}) | {_severity(r)} | {r.title} | {r.reads} |" for r in CATALOGUE.values()]
    return head + "\n".join(rows) + "\n\n" + "\n\n".join(_entry(rule) for rule in CATALOGUE.values())


def _severity(rule: Rule) -> str:
    return f"{rule.severity} (a reader has to judge)" if rule.needs_reader else rule.severity


def _entry(rule: Rule) -> str:
    lines = [f"### {rule.name}", "", f"{rule.title}. {rule.why}", "", f"*Mend it:* {rule.mend}", "", "```text"]
    lines += [f"wrong  {line}" for line in rule.wrong.split("\n")]
    lines += [f"right  {line}" for line in rule.right.split("\n")]
    return "\n".join([*lines, "```"])


__all__ = ["CATALOGUE", "Rule", "catalogue"]
