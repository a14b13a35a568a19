"""Declare, run, judge: many declared runs and one verdict that anybody can count again.

Reading order: declaration, declare, runs (worker), proof, verdict; evaluations, comparison, reproduction; then verify
(is a stored result what its own answers say?) and journal (what was tried, in its order).
"""
