"""What is wrong with this machine's programs, which says nothing of the exported files that they were given."""

from tinyproof.core.errors import DataError


class ToolTrouble(DataError):
    """A program that was to compute with exported files is missing, does not start, or fails."""
