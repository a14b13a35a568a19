"""Right notebooks damaged at random: whatever comes in, a report comes out."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from tinyproof.check.finding import STATUSES
from tinyproof.check.notebook import audit_notebook

from .books import STYLES, style, write

_PIECES = ("None", "self", "[0]", "*", "**kw", "lambda x: x", "()", "x", "model", "1e400", "-1", "not", "super()")
_PIECES += ("yield 1", "[i for i in range(3)]", "F.relu", "0", "9" * 20, "10/0", "100/100", '"a"', "test_loader", "%s")


def damaged(text: str, draw: random.Random) -> str:
    lines = text.split("\n")
    for _ in range(draw.randint(1, 12)):
        here, there = draw.randrange(1, len(lines)), draw.randrange(1, len(lines))
        if lines[here].startswith("# %%") or lines[there].startswith("# %%"):
            continue
        words = list(re.finditer(r"[\w.]+", lines[here]))
        kind = draw.random()
        if kind < 0.2:
            del lines[here]
        elif kind < 0.4:
            lines.insert(there, lines[here])
        elif kind < 0.6:
            lines[here], lines[there] = lines[there], lines[here]
        elif words:
            word = draw.choice(words)
            lines[here] = lines[here][: word.start()] + draw.choice(_PIECES) + lines[here][word.end() :]
    return "\n".join(lines)


@pytest.mark.parametrize("name", sorted(path.stem for path in STYLES.glob("*.txt")))
def test_a_damaged_notebook_still_gets_a_report(name: str, tmp_path: Path) -> None:
    draw = random.Random(name)
    text = style(name)
    for _ in range(25):
        path = write(damaged(text, draw), tmp_path, "main.py" if text.startswith("# %% script") else "S7.ipynb")
        assert audit_notebook(path).status in STATUSES
