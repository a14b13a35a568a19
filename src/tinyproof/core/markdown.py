"""Text of strangers in Markdown: shown as it is, never as markup."""

from __future__ import annotations

import html
import re


def plain(text: str) -> str:
    """Text that Markdown shows as it is, in one paragraph.

    >>> plain("a*b <i>")
    'a\\\\*b &lt;i&gt;'
    """
    shown = html.escape(" ".join(text.split()), quote=False)
    return re.sub(r"([\\`*~\[\]]|(?<![^\W_])_|_(?![^\W_])|^[#+-])", r"\\\1", shown)


def code(text: str) -> str:
    """Text in one line as code, whatever ticks it holds.

    >>> code("=A1`"), code("")
    ('`` =A1` ``', '')
    """
    line = " ".join(text.split())
    if not line:
        return ""
    ticks = "`" * (1 + max([0, *(len(run) for run in re.findall("`+", line))]))
    inner = f" {line} " if line.startswith("`") or line.endswith("`") else line
    return f"{ticks}{inner}{ticks}"


def fenced(kind: str, text: str) -> str:
    """A block that no line of the text can end."""
    fence = "`" * max([3, *(len(ticks) + 1 for ticks in re.findall("`+", text))])
    return f"{fence}{kind}\n{text.rstrip()}\n{fence}"
