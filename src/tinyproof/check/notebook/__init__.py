"""Audit a training notebook: is the number it claims the number it measured?

Reading order: document (cells), clean (statements), values, machine (the abstract reader) with interpret, evaluate
and calls, events (what it saw), data, transforms, network and weights (what loaders and networks are), study (all of
one notebook), rules. Nothing of a notebook is ever executed or imported.
"""

from __future__ import annotations

from tinyproof.check.notebook.audit import (
    audit_notebook,
    audit_repository,
    audit_text,
    check_rules,
    copies,
    trains_itself,
)
from tinyproof.check.notebook.repository import root_of
from tinyproof.check.notebook.rules import catalogue

__all__ = [
    "audit_notebook",
    "audit_repository",
    "audit_text",
    "catalogue",
    "check_rules",
    "copies",
    "root_of",
    "trains_itself",
]
