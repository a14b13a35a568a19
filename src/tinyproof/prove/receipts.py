"""A receipt: a few digits of a declaration, printed before the first run and put where others see the date.

Records can be typed and clocks can be set; a receipt in a commit, a mail or a public time stamp cannot be made later.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tinyproof.core.errors import InputError, TinyproofError
from tinyproof.prove import declaration
from tinyproof.prove.declaration import Declaration
from tinyproof.prove.verify.lines import Case, Line

_DIGITS = 24  # 96 bits: nobody finds a second declaration with the same ones


def of(declared: Declaration) -> str:
    """The first digits of the declaration's digest, in groups of four."""
    return "-".join(declared.digest[at : at + 4] for at in range(0, _DIGITS, 4))


def digits(receipt: str) -> str:
    """The digits alone. Raises InputError for what is no receipt."""
    plain = receipt.lower().replace("-", "").replace(" ", "")
    if len(plain) != _DIGITS or not set(plain) <= set("0123456789abcdef"):
        raise InputError("receipt", receipt, f"{_DIGITS} hexadecimal digits, as prove --receipt printed them")
    return plain


def line(case: Case, plain: str, places: Sequence[Path]) -> Line:
    """Whether the digits are of a declaration in one of these folders: of those that were judged."""
    held, read = [], 0
    for place in places:
        try:
            declared = declaration.read(place)
        except TinyproofError:
            continue  # its own line says so
        read += 1
        if declared.digest.startswith(plain):
            held.append(case.name(place))
    said = f"{held[0]} was declared with it" if held else f"none of {read} declarations here has it"
    return case.line(case.root, "the receipt is of this declaration", bool(held), said)
