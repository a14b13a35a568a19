"""Reading a workbook: its cells, and its formulas as mathematics. Bounded; nothing is executed."""
