"""The abstract reader: it walks through a program in the order of its cells, with values instead of data."""
