"""Every fact about a library, executed: the reader reads its example and must say what the fact expects."""

from __future__ import annotations

from pathlib import Path

import pytest

from tinyproof.check.code.interpreter.imports import LIBRARIES
from tinyproof.check.code.library.facts import FRAMEWORKS, ROOTS
from tinyproof.check.code.library.facts.fact import Fact
from tinyproof.check.code.library.row_words import told
from tinyproof.check.notebook.read.document import Cell, Document
from tinyproof.check.notebook.study import study

FACTS = [(name, fact) for name, facts in FRAMEWORKS.items() for fact in facts]


def _name(pair: tuple[str, Fact]) -> str:
    name, fact = pair
    return f"{name.split(',')[0]}-{type(fact).__name__}-{fact.shorts[0]}"


@pytest.mark.parametrize("pair", FACTS, ids=_name)
def test_the_reader_says_what_the_fact_expects(pair: tuple[str, Fact], tmp_path: Path) -> None:
    _, fact = pair
    read = study(Document(tmp_path / "example.py", "example.py", "script", (Cell(None, "code", fact.example),)))
    lines = told(read.scope, read.events)
    assert fact.expect, "a fact without an expectation says nothing"
    assert [line for line in fact.expect if line not in lines] == [], lines


def test_every_library_that_a_fact_speaks_of_can_be_imported_by_a_notebook() -> None:
    assert set() == ROOTS - LIBRARIES
