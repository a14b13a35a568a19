"""Workbooks that learn in any layout: made small, judged as a graph of cells."""
