"""What networks are made of: those that are trained count, not one that is made beside them to be compared."""

from __future__ import annotations

from pathlib import Path

from tests.notebook.books import style, write

from tinyproof.check.facts import NotebookFacts
from tinyproof.check.notebook.notebook_audit import audit_notebook

TEXT = style("functions")
BASELINE = """class Baseline(nn.Module):
    def __init__(self):
        super().__init__()
        self.one = nn.Linear(784, 10)
        self.off = nn.Dropout(0.1)

    def forward(self, x):
        return self.off(self.one(x.view(-1, 784)))

print(sum(p.numel() for p in Baseline().parameters()))

class Net(nn.Module):"""
WITHOUT_LINEAR = (("self.fc = nn.Linear(16, 10)", "self.fc = nn.Conv2d(16, 10, 1)"),
                  ("class Net(nn.Module):", BASELINE))  # fmt: skip


def kinds(folder: Path, *pairs: tuple[str, str]) -> set[str]:
    text = TEXT
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new)
    facts = audit_notebook(write(text, folder)).facts
    assert isinstance(facts, NotebookFacts)
    assert facts.mentioned >= {"fully-connected"}
    return {part.kind for part in facts.parts}


def test_what_the_trained_network_is_made_of(tmp_path: Path) -> None:
    assert kinds(tmp_path) == {"batch-norm", "dropout", "fully-connected", "global-average-pooling"}


def test_a_network_made_for_comparison_gives_no_part(tmp_path: Path) -> None:
    assert kinds(tmp_path, *WITHOUT_LINEAR) == {"batch-norm", "dropout", "global-average-pooling"}
