"""Evidence: `prove`, `compare`, `verify`, `reproduce`, `journal`."""

from __future__ import annotations

import typer


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
