"""The numbers that decide what the workbook audit says: what each was chosen on, and what moves when it moves."""

from __future__ import annotations

MOST_ROWS = 0.5
MOST_DIFFERENT = 8
MOST_ROUNDING = 1e-3
