"""Python code read without being run: an interpreter of approximate values, and what every library means to it.

Reading order: clean (the statements of a cell, however untidy), interpreter (values, the machine, what it saw), library
(what torch, Keras, scikit-learn and Python's own functions mean). It knows no notebook, no log and no rule.
"""
