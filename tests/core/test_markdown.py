"""Text of strangers in Markdown stays text; words of formulas stay as they are."""

from __future__ import annotations

import pytest

from tinyproof.core.markdown import plain


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("dE/da_h1 and w_1", "dE/da_h1 and w_1"),
        ("-0.5 - 1", "\\-0.5 - 1"),
        ("__init__.py, _x_", "\\_\\_init\\_\\_.py, \\_x\\_"),
        ("# not a heading", "\\# not a heading"),
        ("~~gone~~ [a](b) *c* `d`", "\\~\\~gone\\~\\~ \\[a\\](b) \\*c\\* \\`d\\`"),
        ("<i>\n\n# next", "&lt;i&gt; # next"),
    ],
)
def test_what_would_be_markup_is_escaped(text: str, shown: str) -> None:
    assert plain(text) == shown
