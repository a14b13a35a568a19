"""How to cite this version, from CITATION.cff: `python tools/citation.py` prints it as BibTeX."""

from __future__ import annotations

from pathlib import Path

import yaml

from release import version

ROOT = Path(__file__).resolve().parent.parent


def bibtex() -> str:
    """An entry with the version of this source.

    >>> "title = {tinyproof" in bibtex()
    True
    """
    known = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    authors = " and ".join("{" + author["name"] + "}" for author in known["authors"])
    fields = {
        "title": f"{known['title']}: small neural networks you can check by hand, and results you can prove",
        "author": authors,
        "version": version(),
        "note": f"{known['license']} licence",
    }
    lines = "".join(f"  {name} = {{{value}}},\n" for name, value in fields.items())
    return f"@software{{{known['title']},\n{lines}}}"


if __name__ == "__main__":
    print(bibtex())
