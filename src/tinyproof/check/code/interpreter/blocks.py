"""The statements of a cell or file, as the machine walks them."""

from __future__ import annotations

import ast
from dataclasses import dataclass


@dataclass(frozen=True)
class Block:
    """The statements of one cell (or of a whole file, cell None)."""

    file: str
    cell: int | None
    statements: tuple[ast.stmt, ...]
    unread: tuple[int, ...] = ()
    unread_names: tuple[str, ...] = ()
    too_long: bool = False
