"""The README's tables, from the program itself: `python tools/tables.py commands` or `networks`."""

from __future__ import annotations

import sys

from tinyproof.core.table import Column, Table


def commands() -> Table:
    """Every command with its first sentence, in the order of --help."""
    from tinyproof.cli import app

    rows = []
    for command in app.registered_commands:
        function = command.callback
        assert function is not None
        words = " ".join((function.__doc__ or "").split("\n\n")[0].split())
        rows.append((f"`tinyproof {command.name or function.__name__}`", words))
    return Table("", (Column("command"), Column("does")), tuple(rows))


def networks() -> Table:
    """The named networks: parameters and multiply-adds, counted."""
    from tinyproof.network import nets
    from tinyproof.network.anatomy import summary

    rows = []
    for name in nets.NETS:
        found = summary(nets.build(name, 0), (1, 28, 28))
        words = (type(nets.build(name, 0)).__doc__ or "").split("\n")[0].rpartition(":")[0]
        rows.append((f"`{name}`", found.parameters, found.macs, words))
    columns = (
        Column("network"),
        Column("parameters", "right", ","),
        Column("multiply-adds", "right", ","),
        Column("in words"),
    )
    return Table("", columns, tuple(rows))


if __name__ == "__main__":
    print({"commands": commands, "networks": networks}[sys.argv[1]]().markdown())
