"""Forge a proof in every way that is known here, and say what sees it; audit hostile files, and say what comes of them.

    python tools/attacks.py proofs
    python tools/attacks.py files

A small proof is made on the digits; each forgery (forgeries.py) edits a copy of it. Then `verify` looks, first at the
records alone (--no-weights), then with the weights, then with --retrain 1, then with the receipt that was printed
before the first run. Shown is the first of these that sees the forgery. The hostile files are in hostile_files.py.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import forgeries
import hostile_files
import tinyproof
from tinyproof.core.errors import TinyproofError, one_line
from tinyproof.core.table import Column, Table
from tinyproof.prove import declaration, receipts


def seen_by(folder: Path, receipt: str) -> str:
    """The first of the looks that sees something, and what it names."""
    looks: dict[str, dict[str, Any]] = {
        "the records": {"weights": False},
        "the weights": {},
        "training again": {"retrain": 1, "choice": 1},
        "the receipt": {"weights": False, "receipt": receipt},
    }
    for name, options in looks.items():
        try:
            broken = tinyproof.verify(folder, **options).broken
        except TinyproofError:
            continue
        if broken:
            return f"{name}: {broken[0].what}"
    return "nothing"


def proofs(scratch: Path) -> int:
    """Print the table of forgeries; 1 where something is seen by nothing."""
    rows = []
    honest = scratch / "honest"
    tinyproof.prove(
        "s6-19k", "s6-19k,epochs=2", dataset="digits", seeds=3, target=3.0, out=honest, engine="torch",
        processes=1, threads=1, quiet=True,
    )  # fmt: skip
    receipt = receipts.of(declaration.read(honest))
    assert seen_by(honest, receipt) == "nothing", "an honest proof is broken"
    for name, forge in forgeries.FORGERIES.items():
        copy = Path(shutil.copytree(honest, scratch / "copy"))
        forge(copy)
        rows.append((name, seen_by(copy, receipt)))
        shutil.rmtree(copy)
    print(Table("", (Column("forged"), Column("seen by")), tuple(rows)).text())
    unseen = sum(found == "nothing" for _, found in rows)
    print(f"{len(rows)} forgeries, {len(rows) - unseen} seen; an honest proof is not accused")
    return int(unseen > 0)


def files(scratch: Path) -> int:
    """Print the table of hostile files; 1 where one did harm, or was answered in another way than is said here."""
    failed = 0
    for kind, attacks in (("workbook", hostile_files.WORKBOOKS), ("notebook", hostile_files.NOTEBOOKS)):
        rows = []
        for number, attack in enumerate(attacks):
            said = hostile_files.answer_to(attack, scratch / f"{kind}-{number}")
            admitted = attack.answer == "admitted"
            as_said = said == "right" if admitted else attack.answer in said
            failed += not as_said or said.startswith("HARM")
            rows.append((attack.name, ("ADMITTED: " if admitted else "") + one_line(said, 90)))
        print(Table("", (Column(f"tried on a {kind}"), Column("answer")), tuple(rows)).text(), end="\n\n")
    tried = [*hostile_files.WORKBOOKS, *hostile_files.NOTEBOOKS]
    succeed = sum(attack.answer == "admitted" for attack in tried)
    print(f"{len(tried)} tried, {len(tried) - succeed} caught or harmless, {succeed} admitted, {failed} not as said")
    return int(failed > 0)


def main() -> int:
    """Print the tables that are asked for; without a name both."""
    parts = {"proofs": proofs, "files": files}
    with tempfile.TemporaryDirectory() as scratch:
        return max([parts[name](Path(scratch)) for name in sys.argv[1:] or parts])


if __name__ == "__main__":
    sys.exit(main())
