"""Which notebooks a section of a README speaks of: those that its heading or its lines name."""

from __future__ import annotations

import re
from functools import lru_cache

_HEADING = re.compile(r"\s{0,3}(#{1,6})\s+(.{1,300})")
_UNDERLINE = re.compile(r"\s{0,3}(?:={3,}|-{3,})\s*$")
_SHORTEST_STEM = 3  # characters: a shorter name without its ending may be any word of a heading


@lru_cache(maxsize=64)
def owners(text: str, names: tuple[str, ...]) -> list[frozenset[str]]:
    """For each line of a text, the notebooks (of `names`, file names) that its section is about; empty: all of them.

    >>> [sorted(found) for found in owners("Both.\\n# a.ipynb\\n99 %\\n# Notes\\n", ("a.ipynb", "b.ipynb"))]
    [[], ['a.ipynb'], ['a.ipynb'], [], []]
    """
    lines = text.split("\n")
    found: list[frozenset[str]] = []
    above: list[tuple[int, frozenset[str]]] = []  # level and notebooks of the headings that this line stands below
    for start, end, level in _sections(lines):
        above = [(other, named) for other, named in above if other < level]
        inherited = above[-1][1] if above else frozenset()
        head = frozenset(name for name in names if level and _in_heading(name, lines[start])) or inherited
        if level:
            above.append((level, head))
        links = [line.replace("%20", " ") for line in lines[start + 1 : end] if ".ipynb" in line]
        told = frozenset(name for name in names if any(_in_line(name, line) for line in links))
        found.extend([head or told] * (end - start))
    return found


def _sections(lines: list[str]) -> list[tuple[int, int, int]]:
    """(first line, line behind the last, level of the heading), in order; level 0 before the first heading."""
    starts = [(0, 0)]
    fenced = False
    for number, line in enumerate(lines):
        fenced ^= line.lstrip().startswith(("```", "~~~"))
        heading = None if fenced else _HEADING.match(line)
        if heading:
            starts.append((number, len(heading.group(1))))
        elif not fenced and number and _UNDERLINE.match(line) and lines[number - 1].strip():
            starts.append((number - 1, 1 if "=" in line else 2))
    ends = [start for start, _ in starts[1:]] + [len(lines)]
    return [(start, end, level) for (start, level), end in zip(starts, ends, strict=True) if end > start]


def _in_heading(name: str, heading: str) -> bool:
    if _in_line(name, heading):
        return True
    stem = _letters(name.rpartition(".")[0])
    return len(stem) >= _SHORTEST_STEM and stem in _letters(heading)


def _in_line(name: str, line: str) -> bool:
    found = line.find(name)
    return found >= 0 and (found == 0 or not line[found - 1].isalnum())


def _letters(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())
