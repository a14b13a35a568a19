"""Checks of other people's work: workbooks, notebooks, logs, prose. Each gives Findings; nothing is ever executed."""
