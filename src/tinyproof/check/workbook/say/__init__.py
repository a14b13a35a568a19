"""Mistakes handed on: as findings, and with excerpts of the tables around them."""
