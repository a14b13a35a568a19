"""Audit a training notebook: is the number it claims the number it measured?

Reading order: read (documents, sections, the files around them), study (all of one notebook; its code is read by
check/code), rules, notebook_audit. Nothing of a notebook is ever executed or imported.
"""

from __future__ import annotations

from tinyproof.check.notebook.notebook_audit import (
    audit_notebook,
    audit_repository,
    audit_text,
    check_rules,
    copies,
    works_of,
)
from tinyproof.check.notebook.read.document import MAX_TEXT_BYTES, is_notebook
from tinyproof.check.notebook.read.repository import readmes_in, root_of
from tinyproof.check.notebook.rules import catalogue

__all__ = [
    "MAX_TEXT_BYTES",
    "audit_notebook",
    "audit_repository",
    "audit_text",
    "catalogue",
    "check_rules",
    "copies",
    "is_notebook",
    "readmes_in",
    "root_of",
    "works_of",
]
