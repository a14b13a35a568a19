"""The catalogue of the notebook audit: every rule with its reason, its mend and an example that tests execute."""

from __future__ import annotations

from tinyproof.check.notebook.rules import claims, losses, measuring, networks, record, training
from tinyproof.check.notebook.rules.rule import Rule

_MODULES = (measuring, losses, networks, training, record, claims)
CATALOGUE: dict[str, Rule] = {name: rule for module in _MODULES for name, rule in module.RULES.items()}

__all__ = ["CATALOGUE", "Rule"]
