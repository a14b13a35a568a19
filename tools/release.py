"""What a release needs: `python tools/release.py vX.Y.Z` prints the notes of that version, or says what does not agree.

The version stands in one place, `__version__` in src/tinyproof/__init__.py; its notes in a section of CHANGELOG.md that
is headed `## X.Y.Z` (a date may follow). Nothing is imported, so that it runs before anything is installed.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def version(root: Path = ROOT) -> str:
    """The version of the package, as its source says it."""
    text = (root / "src" / "tinyproof" / "__init__.py").read_text(encoding="utf-8")
    found = re.findall(r'^__version__ = "([^"]+)"$', text, re.MULTILINE)
    if len(found) != 1:
        raise SystemExit(f"release: __version__ stands {len(found)} times in src/tinyproof/__init__.py")
    return str(found[0])


def notes(number: str, root: Path = ROOT) -> str:
    """The section of the changelog about a version; empty where there is none."""
    text = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    found = re.search(rf"^## {re.escape(number)}(?: [^\n]*)?\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    return found[1].strip() if found else ""


def main() -> int:
    if len(sys.argv) != 2:
        raise SystemExit("usage: python tools/release.py vX.Y.Z")
    tag, number = sys.argv[1], version()
    if tag != f"v{number}":
        raise SystemExit(f"release: the tag is {tag}, the version of the package {number}")
    told = notes(number)
    if not told:
        raise SystemExit(f"release: CHANGELOG.md has no section ## {number}")
    print(told)
    return 0


if __name__ == "__main__":
    sys.exit(main())
